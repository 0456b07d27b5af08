//! Regions of wards with scores: intervals of adjusted and shrunken means, their errors, and false discoveries.

use crate::sampling::{generator, log_normal, normal, skewed};
use crate::summary::Hits;
use prem_stats::case_mix::{
    AdjustedMean, AdjustedMeanOptions, Criterion, ShrinkageInterval, ShrunkenMean, SufficientStatistics, WithinFit,
    fit_random_intercept, shrunken_means, within,
};
use prem_stats::comparison::{
    Assessment, Comparison, Direction, Multiplicity, SharedCoefficients, assess, degrees_of_freedom_of_differences,
    differences_from_reference, p_beyond, p_beyond_t,
};
use rand::Rng;

const LEVEL: f64 = 0.95;
const ALPHA: f64 = 0.05;
/// β of the adjusters below, on a 0–100 scale.
const BETA: [f64; 6] = [2.5, -2.0, 3.0, -4.0, -8.0, -3.0];
/// SD of a respondent's score given the ward and the adjusters.
const RESIDUAL_SD: f64 = 20.0;
/// Fewest and most respondents of a ward.
const ROWS: (f64, f64) = (4.0, 600.0);

/// Shape of what a respondent's score has beyond ward and adjusters.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Errors {
    Normal,
    Skewed,
}

/// Qualities of the wards.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quality {
    /// Draws from a normal distribution: what the random intercept assumes.
    Drawn,
    /// Most wards alike, the others as much better or worse.
    TwoGroups,
}

/// How many wards a region has.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Wards {
    /// 12 to 60.
    Many,
    /// As many as a region has trusts.
    Fourteen,
}

/// What one region with drawn qualities says.
#[derive(Clone, Debug, Default)]
pub struct ScoreRegion {
    pub adjusted: Hits,
    /// Wards whose variance is pooled (below 30 respondents), and robust.
    pub pooled: Hits,
    pub robust: Hits,
    pub shrunken: Hits,
    pub plug_in: Hits,
    /// The two of them in regions whose estimated variance between wards is 0.
    pub shrunken_at_zero: Hits,
    pub plug_in_at_zero: Hits,
    /// Mean squared errors over wards.
    pub raw_error: f64,
    pub adjusted_error: f64,
    pub shrunken_error: f64,
}

struct Region {
    units: Vec<u32>,
    y: Vec<f64>,
    x: Vec<Vec<f64>>,
    /// Quality of each ward: its mean score where all adjusters are 0.
    quality: Vec<f64>,
    /// Wards whose quality differs from the common one.
    different: Vec<bool>,
    weights: Vec<f64>,
}

/// Wards of very unequal size; better wards see older, healthier and fewer acute patients, so that a β that looks between
/// wards would take quality for case mix.
fn draw(rng: &mut impl Rng, errors: Errors, quality: Quality, wards: Wards) -> Region {
    let wards = match wards {
        Wards::Many => rng.random_range(12..=60_usize),
        Wards::Fourteen => 14,
    };
    let between_sd = RESIDUAL_SD * rng.random_range(0.08..0.25);
    let rows: Vec<usize> =
        (0..wards).map(|_| log_normal(rng, 35.0, 0.9).clamp(ROWS.0, ROWS.1).round() as usize).collect();
    // Patients treated, of whom the rows are a sample: the weights of the region's value.
    let weights: Vec<f64> = rows.iter().map(|n| *n as f64 * rng.random_range(1.5..5.0)).collect();
    let (effects, different) = match quality {
        Quality::Drawn => ((0..wards).map(|_| between_sd * normal(rng)).collect(), vec![true; wards]),
        Quality::TwoGroups => two_groups(rng, &weights),
    };
    let mut region = Region {
        units: Vec::new(),
        y: Vec::new(),
        x: vec![Vec::new(); BETA.len()],
        quality: effects.iter().map(|e: &f64| 70.0 + e).collect(),
        different,
        weights,
    };
    for (j, n) in rows.iter().enumerate() {
        let lean = 0.5 * effects[j] / between_sd + 0.5 * normal(rng);
        for _ in 0..*n {
            let x = patient(rng, lean);
            let error = match errors {
                Errors::Normal => normal(rng),
                Errors::Skewed => skewed(rng),
            };
            let fixed: f64 = x.iter().zip(BETA).map(|(x, b)| x * b).sum();
            region.units.push(j as u32);
            region.y.push(region.quality[j] + fixed + RESIDUAL_SD * error);
            for (column, v) in region.x.iter_mut().zip(x) {
                column.push(v);
            }
        }
    }
    region
}

/// A fifth of the wards differ by the same amount, up or down, and their effects sum to 0 under the weights.
fn two_groups(rng: &mut impl Rng, weights: &[f64]) -> (Vec<f64>, Vec<bool>) {
    let wards = weights.len();
    let many = (wards / 5).max(2);
    let mut order: Vec<usize> = (0..wards).collect();
    for i in (1..wards).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    let (up, down) = order[..many].split_at(many / 2);
    let sum = |part: &[usize]| part.iter().map(|&j| weights[j]).sum::<f64>();
    let size = RESIDUAL_SD * rng.random_range(0.25..0.6);
    let mut effects = vec![0.0; wards];
    for &j in up {
        effects[j] = size * (sum(down) / sum(up)).sqrt();
    }
    for &j in down {
        effects[j] = -size * (sum(up) / sum(down)).sqrt();
    }
    let different = effects.iter().map(|e| *e != 0.0).collect();
    (effects, different)
}

/// Age in decades from 60, sex, three grades of self-rated health below the best, acute admission.
fn patient(rng: &mut impl Rng, lean: f64) -> [f64; 6] {
    let health = rng.random::<f64>() + 0.10 * lean;
    let grade = |low: f64, high: f64| f64::from(health > low && health <= high);
    [
        1.8 * normal(rng) + 0.4 * lean,
        f64::from(rng.random::<f64>() < 0.52),
        grade(0.45, 0.75),
        grade(0.20, 0.45),
        grade(f64::NEG_INFINITY, 0.20),
        f64::from(rng.random::<f64>() + 0.08 * lean < 0.55),
    ]
}

struct Fitted {
    moments: prem_stats::case_mix::UnitMoments,
    within: WithinFit,
    /// x̄ of the region's respondents.
    reference: Vec<f64>,
    means: Vec<AdjustedMean>,
    /// Each ward's mean with the reference mix.
    truth: Vec<f64>,
}

fn fit(region: &Region) -> Fitted {
    let columns: Vec<&[f64]> = region.x.iter().map(Vec::as_slice).collect();
    let mut statistics = SufficientStatistics::new(region.quality.len(), BETA.len());
    statistics.add(&region.units, &region.y, &columns).expect("rows");
    let moments = statistics.finish().expect("moments");
    let within = within(&moments).expect("within-unit fit");
    let reference = moments.mean_adjusters();
    let options = AdjustedMeanOptions { level: LEVEL, ..Default::default() };
    let means = within.adjusted_means(&moments, &reference, &options).expect("adjusted means");
    let at_reference: f64 = reference.iter().zip(BETA).map(|(x, b)| x * b).sum();
    let truth = region.quality.iter().map(|q| q + at_reference).collect();
    Fitted { means: means.into_iter().flatten().collect(), moments, within, reference, truth }
}

pub fn region(seed: u64, index: usize, errors: Errors, wards: Wards) -> ScoreRegion {
    let part = match wards {
        Wards::Many => 1,
        Wards::Fourteen => 8,
    };
    let mut rng = generator(seed, part + u64::from(errors == Errors::Skewed), index);
    let fitted = fit(&draw(&mut rng, errors, Quality::Drawn, wards));
    let model = fit_random_intercept(&fitted.moments, Criterion::Reml, Some(&fitted.within)).expect("random intercept");
    let shrink =
        |interval| shrunken_means(&model, &fitted.moments, &fitted.reference, interval, LEVEL).expect("shrunken");
    let (averaged, plug_in) = (shrink(ShrinkageInterval::Averaged), shrink(ShrinkageInterval::PlugIn));
    let robust_from = AdjustedMeanOptions::default().robust_from;
    let mut out = ScoreRegion::default();
    let wards = fitted.truth.len() as f64;
    for (j, truth) in fitted.truth.iter().enumerate() {
        let a = &fitted.means[j];
        let inside = a.lower <= *truth && *truth <= a.upper;
        out.adjusted.count(inside);
        if a.n < robust_from {
            out.pooled.count(inside);
        } else {
            out.robust.count(inside);
        }
        let (shrunken, plugged) = (covers(&averaged[j], *truth), covers(&plug_in[j], *truth));
        out.shrunken.count(shrunken);
        out.plug_in.count(plugged);
        if model.convergence.boundary {
            out.shrunken_at_zero.count(shrunken);
            out.plug_in_at_zero.count(plugged);
        }
        out.raw_error += (a.crude - truth).powi(2) / wards;
        out.adjusted_error += (a.value - truth).powi(2) / wards;
        out.shrunken_error += (averaged[j].value - truth).powi(2) / wards;
    }
    out
}

fn covers(mean: &ShrunkenMean, truth: f64) -> bool {
    mean.lower <= truth && truth <= mean.upper
}

/// What one region with a two-group truth says.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discoveries {
    /// V/max(1, R) with normal tests.
    pub false_share: f64,
    /// The same with t tests on the degrees of freedom of each difference.
    pub false_share_t: f64,
    /// Different wards that were found.
    pub power: Hits,
}

/// Wards that are called better or worse.
fn called_by(classes: &[Assessment]) -> Vec<bool> {
    classes.iter().map(|c| matches!(c.comparison, Comparison::Better | Comparison::Worse)).collect()
}

pub fn discoveries(seed: u64, index: usize, errors: Errors) -> Discoveries {
    let mut rng = generator(seed, 3 + u64::from(errors == Errors::Skewed), index);
    let region = draw(&mut rng, errors, Quality::TwoGroups, Wards::Many);
    let fitted = fit(&region);
    let values: Vec<f64> = fitted.means.iter().map(|a| a.value).collect();
    let variances: Vec<f64> = fitted.means.iter().map(|a| a.sampling_variance).collect();
    let adjusters: Vec<f64> = fitted.means.iter().flat_map(|a| a.mean_adjusters.iter().copied()).collect();
    let shared = SharedCoefficients {
        adjuster_means: &adjusters,
        covariance: fitted.within.covariance.as_slice(),
        p: BETA.len(),
    };
    let (_, differences) =
        differences_from_reference(&values, &variances, &region.weights, Some(shared)).expect("differences");
    let own: Vec<f64> = fitted.means.iter().map(|a| a.degrees_of_freedom).collect();
    let df = degrees_of_freedom_of_differences(&differences, &variances, &own, &region.weights).expect("df");
    let called = |p: &dyn Fn(usize) -> Option<f64>| {
        let tested: Vec<_> = differences.iter().enumerate().map(|(j, d)| Some((d.difference, p(j)))).collect();
        let fdr = Multiplicity::BenjaminiHochberg;
        called_by(&assess(&tested, Direction::Higher, fdr, ALPHA).expect("assessment"))
    };
    let with_t = called(&|j| p_beyond_t(differences[j].difference, differences[j].se, 0.0, df[j]).ok());
    let called = called(&|j| p_beyond(differences[j].difference, differences[j].se, 0.0).ok());
    let mut power = Hits::default();
    for (called, _) in called.iter().zip(&region.different).filter(|(_, different)| **different) {
        power.count(*called);
    }
    let false_share = |called: &[bool]| {
        let found = called.iter().filter(|c| **c).count() as f64;
        let wrong = called.iter().zip(&region.different).filter(|(c, different)| **c && !**different).count() as f64;
        wrong / found.max(1.0)
    };
    Discoveries { false_share: false_share(&called), false_share_t: false_share(&with_t), power }
}
