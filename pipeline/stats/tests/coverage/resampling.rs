//! Bootstrap intervals: a mean over strata, and what units' differences are.

use crate::sampling::{generator, log_normal, log_uniform, normal, poisson, skewed};
use crate::summary::Hits;
use prem_stats::bootstrap::{Bootstrap, BootstrapInterval, BootstrapOptions, bootstrap, bootstrap_units};
use prem_stats::case_mix::{Criterion, SufficientStatistics, UnitMoments, fit_random_intercept};
use prem_stats::variation::scv_diehr;
use rand_distr::{Distribution, Gamma};

/// Standard deviations of a score within and between units.
const RESIDUAL_SD: f64 = 20.0;
const BETWEEN_SD: f64 = 4.0;
/// Variance of the areas' relative rates; the SCV is a hundred times it.
const RATE_VARIANCE: f64 = 0.04;

/// What one region says.
#[derive(Clone, Copy, Debug, Default)]
pub struct ResampledRegion {
    /// Mean of the respondents of these units, rows drawn within units.
    pub mean: Hits,
    /// SCV, areas drawn.
    pub scv: Hits,
    pub scv_percentile: Hits,
    /// Between-unit SD, units drawn.
    pub between_sd: Hits,
    /// The same with rows drawn within units.
    pub between_sd_rows: Hits,
}

fn covers(b: prem_stats::Result<Bootstrap>, truth: f64) -> bool {
    let interval = b.expect("bootstrap").interval;
    interval.low <= truth && truth <= interval.high
}

pub fn region(seed: u64, index: usize, replicates: usize) -> ResampledRegion {
    let mut rng = generator(seed, 10, index);
    let options = BootstrapOptions { replicates, ..BootstrapOptions::new(seed.wrapping_add(index as u64)) };
    let mut out = ResampledRegion::default();

    let gamma = Gamma::new(1.0 / RATE_VARIANCE, RATE_VARIANCE).expect("gamma");
    let expected: Vec<f64> = (0..25).map(|_| log_uniform(&mut rng, 20.0, 400.0)).collect();
    let observed: Vec<f64> = expected
        .iter()
        .map(|e| {
            let mean = e * gamma.sample(&mut rng);
            poisson(&mut rng, mean)
        })
        .collect();
    for (interval, hits) in
        [(BootstrapInterval::Bca, &mut out.scv), (BootstrapInterval::Percentile, &mut out.scv_percentile)]
    {
        let options = BootstrapOptions { interval, ..options };
        let scv = bootstrap_units([&observed, &expected], options, |[o, e]| scv_diehr(o, e, 1.0).map(|s| s.raw));
        hits.count(covers(scv, 100.0 * RATE_VARIANCE));
    }

    let (mut units, mut scores, mut truths) = (Vec::new(), Vec::new(), Vec::new());
    for j in 0..30_u32 {
        let quality = 70.0 + BETWEEN_SD * normal(&mut rng);
        let n = log_normal(&mut rng, 35.0, 0.9).clamp(4.0, 600.0).round() as usize;
        truths.extend(std::iter::repeat_n(quality, n));
        units.extend(std::iter::repeat_n(j, n));
        scores.extend((0..n).map(|_| quality + RESIDUAL_SD * skewed(&mut rng)));
    }
    let strata: Vec<usize> = units.iter().map(|u| *u as usize).collect();
    let average = |values: &[f64], rows: &[usize]| rows.iter().map(|i| values[*i]).sum::<f64>() / rows.len() as f64;
    let all: Vec<usize> = (0..scores.len()).collect();
    let truth = average(&truths, &all);
    let mean = bootstrap(&strata, options, |drawn| Some(average(&scores, drawn)));
    out.mean.count(covers(mean, truth));
    let whole = moments(&units, &scores);
    out.between_sd.count(covers(bootstrap(&[0; 30], options, |j| between_sd(&whole.of_units(j).ok()?)), BETWEEN_SD));
    let rows_drawn =
        bootstrap(&strata, BootstrapOptions { interval: BootstrapInterval::Percentile, ..options }, |drawn| {
            let (units, scores): (Vec<u32>, Vec<f64>) = drawn.iter().map(|i| (units[*i], scores[*i])).unzip();
            between_sd(&moments(&units, &scores))
        });
    out.between_sd_rows.count(covers(rows_drawn, BETWEEN_SD));
    out
}

fn moments(units: &[u32], scores: &[f64]) -> UnitMoments {
    let mut statistics = SufficientStatistics::new(30, 0);
    statistics.add(units, scores, &[]).expect("rows");
    statistics.finish().expect("moments")
}

fn between_sd(moments: &UnitMoments) -> Option<f64> {
    Some(fit_random_intercept(moments, Criterion::Reml, None).ok()?.components.between_unit_sd)
}
