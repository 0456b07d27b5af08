use crate::common::{Case, Table, Tolerance::Relative};
use prem_stats::variation as v;

pub fn run() {
    turp();
    helseatlas();
}

fn turp() {
    let (Some(units), Some(expected), Some(areas)) = (
        Table::shared("variation/turp.csv"),
        Table::shared("variation/turp_expected.csv"),
        Table::shared("variation/turp_expected_areas.csv"),
    ) else {
        return;
    };
    const SOURCE: &str = "sava 0.4-1, R 4.2.2";
    let (o, e) = (units.numbers("oi"), units.numbers("ei"));
    let ratios: Vec<f64> = o.iter().zip(&e).map(|(o, e)| o / e).collect();
    let eb = v::eb_poisson(&o, &e).unwrap();
    let normal = v::eb_normal(&o, &e).unwrap();
    let chi2 = v::chi_squared_test(&o, &e).unwrap();
    let closed: [(&str, f64); 10] = [
        ("scv_diehr", v::scv_diehr(&o, &e, 1.0).unwrap().raw / 100.0),
        ("scv_mcpherson", v::scv_mcpherson(&o, &e).unwrap().raw / 100.0),
        ("chi2", chi2.statistic),
        ("chi2_df", chi2.df),
        ("chi2_log10_p", chi2.p.log10()),
        ("eq", v::extremal_quotient(&ratios, 1).unwrap()),
        ("eq_5_95", v::eq_5_95(&ratios).unwrap()),
        ("ft2", v::extremal_quotient(&ratios, 2).unwrap()),
        ("ft3", v::extremal_quotient(&ratios, 3).unwrap()),
        ("cv_unweighted", v::cv(&ratios).unwrap()),
    ];
    for (name, actual) in closed {
        let mut case = Case::new(&format!("variation: {name}"), SOURCE, Relative(1e-10));
        case.compare(name, expected.lookup("quantity", name, "value"), actual);
        case.finish();
    }
    let fitted: [(&str, f64); 4] = [
        ("eb_poisson_alpha", eb.alpha.unwrap()),
        ("eb_poisson_loglik", eb.log_likelihood),
        ("eb_poisson_eq_20_80", v::eq_80_20_smoothed(&eb.smoothed).unwrap()),
        ("eb_normal_A", normal.variance),
    ];
    for (name, actual) in fitted {
        let mut case = Case::new(&format!("variation: {name}"), SOURCE, Relative(1e-7));
        case.compare(name, expected.lookup("quantity", name, "value"), actual);
        case.finish();
    }
    let mut case = Case::new("variation: smoothed ratios per area", SOURCE, Relative(1e-7));
    let sava = normal.smoothed_sava.unwrap();
    for (j, r) in areas.rows().enumerate() {
        let area = r.text("area");
        case.compare(area, r.number("oe"), ratios[j]);
        case.compare(area, r.number("eb_poisson"), eb.smoothed[j]);
        case.compare(area, r.number("eb_poisson_var"), eb.posterior_variance[j]);
        case.compare(area, r.number("eb_normal_shrinkage_B"), normal.shrinkage[j]);
        case.compare(area, r.number("eb_normal"), normal.smoothed[j]);
        case.compare(area, r.number("eb_normal_morris"), sava[j]);
    }
    case.finish();
}

fn helseatlas() {
    let (Some(rates), Some(expected)) =
        (Table::shared("variation/helseatlas_rates.csv"), Table::shared("variation/helseatlas_expected.csv"))
    else {
        return;
    };
    let mut case = Case::new("variation: FT1-FT3 and CV of rates", "Helseatlas 2012-2016, R 4.2.2", Relative(1e-10));
    for r in expected.rows() {
        let name = r.text("indicator");
        let values: Vec<f64> = rates
            .with("indicator", name)
            .filter(|a| !a.flag("is_national"))
            .map(|a| a.number("rate_per_100000"))
            .collect();
        case.compare(name, r.number("n_areas"), values.len() as f64);
        for k in 1..=3 {
            case.compare(name, r.number(&format!("ft{k}")), v::extremal_quotient(&values, k).unwrap());
        }
        case.compare(name, r.number("cv_unweighted"), v::cv(&values).unwrap());
    }
    case.finish();
}
