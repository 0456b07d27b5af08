//! Area-level shrinkage averaged over A: `r/average.R`, which integrates over ln A with dense matrices.

use crate::common::{Case, Table, Tolerance::Relative};
use crate::r_numbers::Numbers;
use prem_stats::case_mix::{FayHerriotUnit, ShrinkageInterval, fay_herriot};

pub fn run() {
    let expected = Numbers::read("average_expected.csv");
    let areas = Table::own("r/dense_areas.csv");
    let (a, v, z) = (areas.numbers("value"), areas.numbers("variance"), areas.numbers("z"));
    let closed = Table::own("r/closed_areas.csv");
    let (b, w) = (closed.numbers("value"), closed.numbers("variance"));
    let (n, mean) = (b.len() as f64, b.iter().sum::<f64>() / b.len() as f64);
    let sd = (b.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
    let flat: Vec<f64> = b.iter().zip(&w).map(|(b, w)| 62.0 + 0.2 * w.sqrt() * (b - mean) / sd).collect();
    let mut case = Case::new("Fay-Herriot averaged over A", "R's integrate, dense matrices", Relative(1e-8));
    let empty: [&[f64]; 0] = [];
    for (name, values, variances, covariates) in [
        ("covariate", &a[..], &v[..], &[&z[..]][..]),
        ("mean", &a, &v, &empty),
        ("five", &a[..5], &v[..5], &empty),
        ("flat", &flat, &w, &empty),
    ] {
        let fit = fay_herriot(values, variances, covariates, ShrinkageInterval::Averaged, 0.95).unwrap();
        assert_eq!(fit.boundary, name == "flat");
        let of = |f: fn(&FayHerriotUnit) -> f64| fit.units.iter().map(f).collect::<Vec<_>>();
        expected.compare_all(&mut case, name, "value", &of(|u| u.value));
        expected.compare_all(&mut case, name, "reliability", &of(|u| u.reliability));
        expected.compare_all(&mut case, name, "mse", &of(|u| u.mean_squared_error));
    }
    case.finish();
}
