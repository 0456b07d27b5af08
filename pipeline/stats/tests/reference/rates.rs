use crate::common::{Case, Row, Table, Tolerance::Exact, Tolerance::Relative};
use prem_stats::interval::Level;
use prem_stats::rates::{self, RepeatEvents, SlopeTransform};

const SOURCE: &str = "PHEindicatormethods 2.1.0";

pub fn run() {
    direct();
    indirect();
    slope();
    standard_population();
}

fn standard_population() {
    let Some(table) = Table::shared("rates/esp2013.csv") else { return };
    let mut case = Case::new("European standard population 2013", "PHEindicatormethods 2.1.0", Exact);
    let bands: Vec<&str> = table.texts("age_band");
    let from: Vec<i64> = bands.iter().map(|b| b.split(['-', '+']).next().unwrap().parse().unwrap()).collect();
    for ((band, expected), weight) in bands.iter().zip(table.numbers("esp2013")).zip(rates::esp2013_weights(&from)) {
        case.compare(band, expected, weight);
    }
    case.finish();
}

fn of_area<'a>(table: &'a Table, area: &'a str) -> Vec<Row<'a>> {
    table.with("area", area).collect()
}

fn direct() {
    let (Some(expected), Some(inputs), Some(repeats)) = (
        Table::shared("rates/dsr_expected.csv"),
        Table::shared("rates/dsr_inputs.csv"),
        Table::shared("rates/dsr_nonindependent_inputs.csv"),
    ) else {
        return;
    };
    for kind in ["independent", "non_independent"] {
        let mut case = Case::new(&format!("directly standardised rate, {kind}"), SOURCE, Relative(1e-11));
        let mut printed = Case::new(&format!("directly standardised rate, {kind}, as printed"), SOURCE, Relative(5e-9));
        for r in expected.with("events", kind) {
            let area = r.text("area");
            for (confidence, suffix) in [(0.95, "95"), (0.998, "998")] {
                let level = Level::new(confidence).unwrap();
                let d = if kind == "independent" {
                    let rows = of_area(&inputs, area);
                    let column = |c: &str| -> Vec<f64> { rows.iter().map(|r| r.optional(c).unwrap_or(0.0)).collect() };
                    rates::directly_standardised(
                        &column("count"),
                        &column("pop"),
                        &column("stdpop"),
                        r.number("multiplier"),
                        level,
                    )
                    .unwrap()
                } else {
                    let rows = of_area(&repeats, area);
                    let mut bands: Vec<(&str, f64, f64)> = Vec::new();
                    let mut events = Vec::new();
                    for row in rows {
                        let band = row.text("age_band");
                        let stratum = bands.iter().position(|b| b.0 == band).unwrap_or_else(|| {
                            bands.push((band, row.number("pop"), row.number("stdpop")));
                            bands.len() - 1
                        });
                        events.push(RepeatEvents {
                            stratum,
                            frequency: row.number("event_frequency"),
                            persons: row.optional("persons").unwrap_or(0.0),
                        });
                    }
                    let population: Vec<f64> = bands.iter().map(|b| b.1).collect();
                    let weights: Vec<f64> = bands.iter().map(|b| b.2).collect();
                    rates::directly_standardised_repeat_events(
                        &events,
                        &population,
                        &weights,
                        r.number("multiplier"),
                        level,
                    )
                    .unwrap()
                };
                case.compare(area, r.number("total_count"), d.events);
                case.compare(area, r.number("total_pop"), d.population);
                let (low, high) = (d.interval.map(|i| i.low), d.interval.map(|i| i.high));
                case.compare_optional(area, r.optional(&format!("lower{suffix}")), low);
                case.compare_optional(area, r.optional(&format!("upper{suffix}")), high);
                if let Some(value) = r.optional("value") {
                    case.compare(area, value, d.value);
                    case.compare(area, r.number("variance_of_rate"), d.variance);
                }
                if let Some(v) = r.optional(&format!("printed_lower{suffix}")) {
                    printed.compare_optional(area, Some(v), low);
                    printed.compare_optional(area, r.optional(&format!("printed_upper{suffix}")), high);
                    printed.compare(area, r.number("printed_value"), d.value);
                }
            }
        }
        case.finish();
        printed.finish();
    }
}

fn indirect() {
    let (Some(expected), Some(inputs)) =
        (Table::shared("rates/isr_expected.csv"), Table::shared("rates/isr_inputs.csv"))
    else {
        return;
    };
    let mut case = Case::new("indirectly standardised rate and ratio", SOURCE, Relative(1e-11));
    for r in expected.rows() {
        let area = r.text("area");
        let rows = of_area(&inputs, area);
        let column = |c: &str| -> Vec<f64> { rows.iter().map(|r| r.optional(c).unwrap_or(0.0)).collect() };
        let observed: f64 = column("count").iter().sum();
        let (reference_events, reference_population) = (column("ref_count"), column("ref_pop"));
        let e = rates::expected_events(&column("pop"), &reference_events, &reference_population).unwrap();
        case.compare(area, r.number("observed"), observed);
        case.compare(area, r.number("expected"), e);
        for (confidence, suffix) in [(0.95, "95"), (0.998, "998")] {
            let level = Level::new(confidence).unwrap();
            let m = r.number("multiplier");
            let estimate = if r.text("statistic") == "ratio" {
                rates::standardised_ratio(observed, e, m, level).unwrap()
            } else {
                let rate = reference_events.iter().sum::<f64>() / reference_population.iter().sum::<f64>();
                rates::standardised_rate(observed, e, rate, m, level).unwrap()
            };
            case.compare(area, r.number("value"), estimate.value);
            case.compare_same(area, &r.text("method").replace('_', "-"), &estimate.method.to_string());
            if let Some(low) = r.optional(&format!("lower{suffix}")) {
                case.compare(area, low, estimate.interval.low);
                case.compare_optional(area, r.optional(&format!("upper{suffix}")), Some(estimate.interval.high));
            }
        }
    }
    case.finish();
}

fn slope() {
    let (Some(expected), Some(inputs)) =
        (Table::shared("rates/sii_expected.csv"), Table::shared("rates/sii_inputs.csv"))
    else {
        return;
    };
    let mut case = Case::new("slope and relative index of inequality", SOURCE, Relative(1e-10));
    for r in expected.rows() {
        // Variants of a case (transform, multiplier) share its inputs.
        let name = r.text("case");
        let input_case = inputs
            .distinct("case")
            .into_iter()
            .filter(|c| name == c || name.starts_with(&format!("{c}_")))
            .max_by_key(String::len)
            .unwrap_or_else(|| panic!("no inputs for {name}"));
        let rows: Vec<Row> = inputs.with("case", &input_case).filter(|i| i.text("area") == r.text("area")).collect();
        let column = |c: &str| -> Vec<f64> { rows.iter().map(|r| r.number(c)).collect() };
        let transform = match r.text("transform") {
            "log" => SlopeTransform::Log,
            "logit" => SlopeTransform::Logit,
            _ => SlopeTransform::None,
        };
        let s = rates::slope_index(&column("population"), &column("value"), transform, r.number("multiplier")).unwrap();
        case.compare(name, r.number("sii"), s.sii);
        case.compare(name, r.number("rii"), s.rii);
        case.compare(name, r.number("intercept"), s.intercept);
    }
    case.finish();
}
