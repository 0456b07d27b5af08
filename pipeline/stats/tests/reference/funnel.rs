use crate::common::{Case, Table, Tolerance::Absolute, Tolerance::Exact, Tolerance::Relative};
use prem_stats::comparison::{benjamini_hochberg, bonferroni, holm, p_beyond};
use prem_stats::funnel::{self, Correction, Outliers, Scale, Standardised};
use prem_stats::interval::{self, Level};
use prem_stats::variation::{dersimonian_laird, paule_mandel, reml};

const PHE: &str = "PHEindicatormethods 2.1.0";

pub fn run() {
    proportions();
    ratios();
    over_dispersion();
    poisson();
    means();
}

fn levels() -> [Level; 2] {
    [Level::P95, Level::P998]
}

fn class(value: f64, inner: interval::Interval, outer: interval::Interval) -> &'static str {
    if value < outer.low {
        "Low (0.001)"
    } else if value > outer.high {
        "High (0.001)"
    } else if value < inner.low {
        "Low (0.025)"
    } else if value > inner.high {
        "High (0.025)"
    } else {
        "Not significant"
    }
}

fn proportions() {
    let (Some(limits), Some(units)) =
        (Table::shared("funnel/phe_proportion_limits.csv"), Table::shared("funnel/phe_proportion_units.csv"))
    else {
        return;
    };
    let mut full = Case::new("funnel: proportion limits", "own high precision", Relative(1e-10));
    let mut printed = Case::new("funnel: proportion limits", PHE, Absolute(1e-6));
    for r in limits.rows() {
        for (level, suffix) in levels().into_iter().zip(["2s", "3s"]) {
            let p0 = r.number("baseline") / 100.0;
            let l = funnel::proportion_score_limits(p0, r.number("population"), level).unwrap();
            for (side, v) in [("lower", l.low * 100.0), ("upper", l.high * 100.0)] {
                full.compare(side, r.number(&format!("{side}_{suffix}")), v);
                printed.compare(side, r.number(&format!("printed_{side}_{suffix}")), v);
            }
        }
    }
    full.finish();
    printed.finish();
    let (x, n) = (units.numbers("numerator"), units.numbers("denominator"));
    let p0 = x.iter().sum::<f64>() / n.iter().sum::<f64>();
    let mut classes = Case::new("funnel: proportion classes", PHE, Exact);
    for (i, r) in units.rows().enumerate() {
        let [inner, outer] = levels().map(|l| funnel::proportion_score_limits(p0, n[i], l).unwrap());
        classes.compare_same(r.text("area"), &r.text("significance"), &class(x[i] / n[i], inner, outer));
    }
    classes.finish();
}

fn ratios() {
    let (Some(limits), Some(units)) =
        (Table::shared("funnel/phe_ratio_limits.csv"), Table::shared("funnel/phe_ratio_units.csv"))
    else {
        return;
    };
    let mut full = Case::new("funnel: ratio limits at observed counts", "own high precision", Relative(1e-10));
    let mut printed = Case::new("funnel: ratio limits at observed counts", PHE, Relative(5e-5));
    for r in limits.rows() {
        let o = r.number("observed");
        for (level, suffix) in levels().into_iter().zip(["2s", "3s"]) {
            let e = funnel::expected_where_observed_touches(o, level).unwrap();
            // The lower ratio limit is touched at the higher expected count.
            for (side, v) in [("lower", e.high), ("upper", e.low)] {
                full.compare(side, r.number(&format!("{side}_{suffix}_expected")), v);
                full.compare(side, r.number(&format!("{side}_{suffix}_ratio")), o / v);
                printed.compare(side, r.number(&format!("printed_{side}_{suffix}_expected")), v);
            }
        }
    }
    full.finish();
    printed.finish();
    let mut classes = Case::new("funnel: ratio classes", PHE, Exact);
    for r in units.rows() {
        let (o, e) = (r.number("observed"), r.number("expected"));
        let [inner, outer] = levels().map(|l| interval::count(o, l).unwrap().interval);
        // Limits of O/E against 1: the ratio is high where its lower limit lies above 1.
        let flipped = |i: interval::Interval| interval::Interval { low: o - (i.high - e), high: o + (e - i.low) };
        let actual = class(o, flipped(inner), flipped(outer));
        classes.compare_same(&format!("{o} of {e}"), &r.text("significance"), &actual);
    }
    classes.finish();
}

fn over_dispersion() {
    let (Some(units), Some(expected), Some(per_unit)) = (
        Table::shared("funnel/od_six_units.csv"),
        Table::shared("funnel/od_six_expected.csv"),
        Table::shared("funnel/od_six_expected_units.csv"),
    ) else {
        return;
    };
    let (o, e) = (units.numbers("numerator"), units.numbers("denominator"));
    for (method, scale, outliers) in
        [("SHMI", Scale::LogRatio, Outliers::Keep), ("CQC", Scale::SqrtRatio, Outliers::Winsorise(0.1))]
    {
        let mut case = Case::new(&format!("funnel: over-dispersion, {method}"), "FunnelPlotR 0.6.0", Relative(1e-10));
        let s: Vec<Standardised> = o.iter().zip(&e).map(|(o, e)| scale.standardise(o / e, *e, 1.0).unwrap()).collect();
        let od = funnel::over_dispersion(&s, outliers, Correction::Spiegelhalter).unwrap();
        case.compare("phi", expected.lookup("method", method, "phi"), od.phi);
        case.compare("tau2", expected.lookup("method", method, "tau2"), od.tau2);
        for (j, r) in per_unit.with("method", method).enumerate() {
            case.compare("y", r.number("y"), s[j].y);
            case.compare("s", r.number("s"), s[j].s);
            case.compare("z", r.number("z"), s[j].z().unwrap());
            case.compare("z_used", r.number("z_used"), od.z[j]);
            case.compare("z_adjusted", r.number("z_adjusted"), funnel::adjusted_z(&s[j], od.tau2).unwrap());
            for (level, suffix) in levels().into_iter().zip(["95", "998"]) {
                let l = funnel::funnel_limits(scale, 1.0, e[j], od.tau2, level).unwrap();
                // The source leaves square-root limits on that scale, and its logarithmic ones are ratios.
                let shown = |v: f64| if scale == Scale::SqrtRatio { v.sqrt() } else { v };
                case.compare("low", r.number(&format!("od_lower{suffix}")), shown(l.low));
                case.compare("high", r.number(&format!("od_upper{suffix}")), shown(l.high));
            }
        }
        case.finish();
    }
}

fn poisson() {
    let Some(table) = Table::shared("funnel/poisson_limits.csv") else { return };
    let mut case = Case::new("funnel: exact Poisson limits", "FunnelPlotR 0.6.0", Relative(1e-10));
    for r in table.rows() {
        for (level, suffix) in levels().into_iter().zip(["95", "998"]) {
            let l = funnel::poisson_ratio_limits(r.number("expected"), level).unwrap();
            case.compare("low", r.number(&format!("lower{suffix}")), l.low);
            case.compare("high", r.number(&format!("upper{suffix}")), l.high);
        }
    }
    case.finish();
}

fn means() {
    let (Some(units), Some(expected), Some(overall)) = (
        Table::shared("funnel/mean_scores.csv"),
        Table::shared("funnel/mean_scores_expected.csv"),
        Table::shared("funnel/mean_scores_heterogeneity.csv"),
    ) else {
        return;
    };
    let value = |name: &str| overall.lookup("quantity", name, "value");
    let (y, se) = (units.numbers("mean"), units.numbers("se"));
    let v: Vec<f64> = se.iter().map(|s| s * s).collect();
    let dl = dersimonian_laird(&y, &v).unwrap();
    let mut case = Case::new("heterogeneity: Q, DerSimonian-Laird", "metafor 3.8-1", Relative(1e-10));
    for (name, actual) in [
        ("k", dl.units as f64),
        ("mu_fixed", dl.fixed_mean),
        ("se_mu_fixed", dl.fixed_se),
        ("Q", dl.q),
        ("Q_df", dl.df),
        ("Q_p", dl.q_p),
        ("tau2_dl", dl.tau2),
        ("mu_dl", dl.mean),
        ("se_mu_dl", dl.se),
        ("I2_dl", dl.i2 * 100.0),
        ("H2_dl", dl.h2),
    ] {
        case.compare(name, value(name), actual);
    }
    case.finish();
    let mut case = Case::new("heterogeneity: REML, Paule-Mandel", "metafor 3.8-1", Relative(1e-8));
    case.compare("tau2_reml", value("tau2_reml"), reml(&y, &v).unwrap().tau2);
    case.compare("tau2_pm", value("tau2_pm"), paule_mandel(&y, &v).unwrap().tau2);
    case.finish();

    let s: Vec<Standardised> =
        y.iter().zip(&se).map(|(y, se)| Scale::Mean.standardise(*y, *se, dl.fixed_mean).unwrap()).collect();
    let raw = funnel::over_dispersion(&s, Outliers::Keep, Correction::Spiegelhalter).unwrap();
    let od = funnel::over_dispersion(&s, Outliers::Winsorise(0.1), Correction::Spiegelhalter).unwrap();
    let mut case = Case::new("funnel: over-dispersion of means", "R 4.2.2", Relative(1e-10));
    case.compare("phi_raw", value("phi_raw"), raw.phi);
    case.compare("phi_winsorised10", value("phi_winsorised10"), od.phi);
    case.compare("tau2_winsorised10", value("tau2_winsorised10"), od.tau2);
    case.finish();

    let shrunken = dl.shrunken(&y, &v).unwrap();
    let p: Vec<f64> = s.iter().map(|u| p_beyond(u.y - u.target, u.s, 0.0).unwrap()).collect();
    let z_od: Vec<f64> = s.iter().map(|u| funnel::adjusted_z(u, od.tau2).unwrap()).collect();
    let p_od: Vec<f64> = z_od.iter().map(|z| p_beyond(*z, 1.0, 0.0).unwrap()).collect();
    let mut case = Case::new("z, p and adjusted p; shrunken means", "R 4.2.2 p.adjust", Relative(1e-10));
    let columns: [(&str, Vec<f64>); 13] = [
        ("z", s.iter().map(|u| u.z().unwrap()).collect()),
        ("z_winsorised", od.z.clone()),
        ("z_od", z_od),
        ("p", p.clone()),
        ("p_bonferroni", bonferroni(&p).unwrap()),
        ("p_holm", holm(&p).unwrap()),
        ("p_bh", benjamini_hochberg(&p).unwrap()),
        ("p_od", p_od.clone()),
        ("p_od_bonferroni", bonferroni(&p_od).unwrap()),
        ("p_od_holm", holm(&p_od).unwrap()),
        ("p_od_bh", benjamini_hochberg(&p_od).unwrap()),
        ("shrunk_dl", shrunken),
        ("z", raw.z),
    ];
    for (column, actual) in columns {
        for (r, a) in expected.rows().zip(actual) {
            case.compare(column, r.number(column), a);
        }
    }
    case.finish();
}
