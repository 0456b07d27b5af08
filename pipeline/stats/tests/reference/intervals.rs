use crate::common::{Case, Table, Tolerance::Relative};
use prem_stats::interval::{self, Level};

pub fn run() {
    phe();
    phe_means();
    binomial_exact();
    rapwhale();
}

fn phe() {
    let Some(table) = Table::shared("intervals/phe_intervals.csv") else { return };
    for method in table.distinct("method") {
        let mut case = Case::new(&format!("interval: {method}"), "PHEindicatormethods 2.1.0", Relative(1e-12));
        for r in table.with("method", &method) {
            let (x, m) = (r.number("x"), r.number("multiplier"));
            let level = Level::new(r.number("confidence")).unwrap();
            let scale = m / r.optional("n").unwrap_or(1.0);
            let (value, low, high) = match method.as_str() {
                "byar" => {
                    let (low, high) = interval::byar::limits(x, level).unwrap();
                    (x * scale, low.map(|l| l * scale), high * scale)
                }
                "poisson_exact" => {
                    let e = interval::poisson_exact(x, level).unwrap();
                    (x * scale, Some(e.interval.low * scale), e.interval.high * scale)
                }
                _ => {
                    let e = interval::wilson(x, r.number("n"), level).unwrap();
                    (e.value * m, Some(e.interval.low * m), e.interval.high * m)
                }
            };
            let id = r.text("case_id");
            case.compare_optional(id, r.optional("value"), Some(value));
            case.compare_optional(id, r.optional("lower"), low);
            case.compare_optional(id, r.optional("upper"), Some(high));
        }
        case.finish();
    }
    let mut rule = Case::new("interval: rate rule", "PHEindicatormethods 2.1.0", Relative(1e-12));
    for r in table.rows().filter(|r| r.text("method") != "wilson" && !r.text("n").is_empty()) {
        let e = interval::rate(
            r.number("x"),
            r.number("n"),
            r.number("multiplier"),
            Level::new(r.number("confidence")).unwrap(),
        )
        .unwrap();
        if e.method.replace('-', "_") == r.text("method") {
            rule.compare_optional(r.text("case_id"), r.optional("lower"), Some(e.interval.low));
            rule.compare_optional(r.text("case_id"), r.optional("upper"), Some(e.interval.high));
        }
    }
    rule.finish();
}

fn phe_means() {
    let (Some(values), Some(expected)) =
        (Table::shared("intervals/phe_mean_values.csv"), Table::shared("intervals/phe_mean_expected.csv"))
    else {
        return;
    };
    let mut case = Case::new("interval: Student t of a mean", "PHEindicatormethods 2.1.0", Relative(1e-11));
    for r in expected.rows() {
        let group = r.text("group");
        let of_group: Vec<f64> = values
            .rows()
            .filter(|v| v.text("group") == group || !values.distinct("group").iter().any(|g| g == group))
            .map(|v| v.number("value"))
            .collect();
        let e = interval::mean(&of_group, Level::new(r.number("confidence")).unwrap()).unwrap();
        case.compare(group, r.number("mean"), e.value);
        case.compare(group, r.number("sd"), e.sd);
        case.compare(group, r.number("lower"), e.interval.low);
        case.compare(group, r.number("upper"), e.interval.high);
    }
    case.finish();
}

fn binomial_exact() {
    let Some(table) = Table::shared("intervals/binomial_exact_grid.csv") else { return };
    type Method = fn(f64, f64, Level) -> prem_stats::Result<interval::Estimate>;
    let methods: [(&str, &str, Method); 3] = [
        ("clopper_pearson", "R 4.2.2 binom.test", interval::clopper_pearson),
        ("jeffreys", "R 4.2.2 qbeta", interval::jeffreys),
        ("jeffreys_bcd", "R 4.2.2 qbeta", interval::jeffreys_bcd),
    ];
    for (name, source, method) in methods {
        let mut case = Case::new(&format!("interval: {name}"), source, Relative(1e-10));
        for r in table.rows() {
            let (x, n) = (r.number("x"), r.number("n"));
            let e = method(x, n, Level::new(r.number("confidence")).unwrap()).unwrap();
            let what = format!("{x} of {n}");
            case.compare(&what, r.number(&format!("{name}_lower")), e.interval.low);
            case.compare(&what, r.number(&format!("{name}_upper")), e.interval.high);
        }
        case.finish();
    }
}

fn rapwhale() {
    let Some(table) = Table::shared("intervals/rapwhale_examples.csv") else { return };
    for method in table.distinct("method") {
        let mut exact = Case::new(&format!("interval: {method}"), "own high precision", Relative(1e-10));
        let printed_tolerance = if method == "poisson_profile" { 1e-3 } else { 1e-10 };
        let mut printed = Case::new(&format!("interval: {method}"), "rapwhale 0.5.1.999", Relative(printed_tolerance));
        for r in table.with("method", &method) {
            let level = Level::new(r.number("confidence")).unwrap();
            let limits = match method.as_str() {
                "wilson" => interval::wilson(r.number("x"), r.number("exposure_or_n"), level).unwrap().interval,
                "student_t" => {
                    let v: Vec<f64> = r.text("values").split(' ').map(|v| v.parse().unwrap()).collect();
                    interval::mean(&v, level).unwrap().interval
                }
                _ => interval::poisson_profile(r.number("x"), r.number("exposure_or_n"), level).unwrap().interval,
            };
            exact.compare("lower", r.number("exact_lower"), limits.low);
            exact.compare("upper", r.number("exact_upper"), limits.high);
            printed.compare("lower", r.number("printed_lower"), limits.low);
            printed.compare("upper", r.number("printed_upper"), limits.high);
        }
        exact.finish();
        printed.finish();
    }
}
