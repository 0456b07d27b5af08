use crate::common::{Case, Row, Table, Tolerance::Exact, Tolerance::Relative};
use prem_stats::time::{self, SpecialCause};

const SOURCE: &str = "NHSRplotthedots 0.2.2";

pub fn run() {
    xmr();
    rules();
    runs();
}

fn series(table: &Table, name: &str) -> Vec<f64> {
    table.with("series", name).map(|r| r.number("value")).collect()
}

fn xmr() {
    let (Some(values), Some(expected), Some(flags)) = (
        Table::shared("spc/xmr_series.csv"),
        Table::shared("spc/xmr_expected.csv"),
        Table::shared("spc/xmr_flags_expected.csv"),
    ) else {
        return;
    };
    let mut limits = Case::new("individuals chart: limits", SOURCE, Relative(1e-10));
    let mut points = Case::new("individuals chart: flags", SOURCE, Exact);
    for r in expected.rows() {
        let name = r.text("series");
        // Series are named alike in all files except that one file may shorten them.
        let series_name =
            values.distinct("series").into_iter().find(|s| s.starts_with(name) || name.starts_with(s.as_str()));
        let data = series(&values, &series_name.unwrap_or_else(|| panic!("no series {name}")));
        let x = time::xmr(&data, r.flag("screened")).unwrap();
        for (column, actual) in [
            ("mean", x.mean),
            ("mean_mr_all", x.mean_range_all),
            ("mr_screen_limit", x.screen_limit),
            ("n_mr_used", x.ranges_used as f64),
            ("mean_mr_used", x.mean_range),
            ("lpl", x.limits.low),
            ("upl", x.limits.high),
            ("near_lpl", x.near_limits.low),
            ("near_upl", x.near_limits.high),
        ] {
            limits.compare(column, r.number(column), actual);
        }
        let rows: Vec<Row> = flags.with("series", name).filter(|f| f.flag("screened") == r.flag("screened")).collect();
        points.compare_same(name, &rows.len(), &x.points.len());
        for (f, p) in rows.iter().zip(&x.points) {
            let what = format!("{name} {}", f.text("t"));
            points.compare_same(&what, &f.number("side"), &f64::from(p.side));
            points.compare_same(&what, &f.flag("outside_limits"), &p.outside);
            points.compare_same(&what, &f.flag("close_to_limit"), &p.close);
            points.compare_same(&what, &f.flag("trend7"), &p.trend);
            points.compare_same(&what, &f.flag("two_of_three"), &p.two_of_three);
            points.compare_same(&what, &f.flag("shift7"), &p.shift);
            let label = match p.special_cause() {
                None => "common_cause",
                Some(SpecialCause::Outside) => "outside",
                Some(SpecialCause::Trend) => "trend7",
                Some(SpecialCause::TwoOfThree) => "two_of_three",
                Some(SpecialCause::Shift) => "shift7",
            };
            points.compare_same(&what, &f.text("label").trim_end_matches("_limits"), &label);
        }
    }
    limits.finish();
    points.finish();
}

fn rules() {
    let Some(table) = Table::shared("spc/run_rule_vectors.csv") else { return };
    let mut case = Case::new("individuals chart: run rules", SOURCE, Exact);
    for rule in table.distinct("rule") {
        let of_rule: Vec<Row> = table.with("rule", &rule).collect();
        for rows in of_rule.chunk_by(|a, b| a.text("case") == b.text("case")) {
            let side: Vec<i8> = rows.iter().map(|r| r.optional("side").unwrap_or(0.0) as i8).collect();
            let close: Vec<bool> = rows.iter().map(|r| r.flag("close_to_limit")).collect();
            let actual = match rule.as_str() {
                "trend7" => time::trend_runs(&rows.iter().map(|r| r.number("value")).collect::<Vec<f64>>()),
                "two_of_three" => time::two_of_three(&side, &close),
                _ => time::shift_runs(&side),
            };
            for (r, a) in rows.iter().zip(actual) {
                case.compare_same(
                    &format!("{rule}, {} {}", r.text("case"), r.text("position")),
                    &r.flag("flagged"),
                    &a,
                );
            }
        }
    }
    case.finish();
}

fn runs() {
    let (Some(critical), Some(values), Some(expected)) = (
        Table::shared("spc/anhoej_critical_values.csv"),
        Table::shared("spc/runs_series.csv"),
        Table::shared("spc/runs_expected.csv"),
    ) else {
        return;
    };
    let mut case = Case::new("runs analysis: critical values", "qicharts2", Exact);
    for r in critical.rows() {
        let n = r.number("n_useful");
        let (longest, crossings) = time::runs_critical_values(n as usize).unwrap();
        case.compare_same("longest run", &r.number("longest_run_max"), &(longest as f64));
        case.compare_same("crossings", &r.number("crossings_min"), &(crossings as f64));
    }
    case.finish();
    let mut case = Case::new("runs analysis: series", "qicharts2", Relative(1e-10));
    for r in expected.rows() {
        let a = time::runs_analysis(&series(&values, r.text("series"))).unwrap();
        let number = |v: Option<usize>| v.map(|v| v as f64);
        case.compare("centre", r.number("centre"), a.centre);
        case.compare("n", r.number("n"), a.n as f64);
        case.compare("useful", r.number("n_useful"), a.n_useful as f64);
        case.compare("longest run", r.number("longest_run"), a.longest_run as f64);
        case.compare_optional("longest run allowed", r.optional("longest_run_max"), number(a.longest_run_max));
        case.compare("crossings", r.number("crossings"), a.crossings as f64);
        case.compare_optional("crossings needed", r.optional("crossings_min"), number(a.crossings_min));
        case.compare_same("signal", &r.flag("signal_run"), &a.signal_run);
        case.compare_same("signal", &r.flag("signal_crossings"), &a.signal_crossings);
    }
    case.finish();
}
