//! The whole study: regions drawn again and again, and a table of what the methods claim against what they do.

use crate::counts::{self, CountRegion, Repeats};
use crate::resampling::{self, ResampledRegion};
use crate::scores::{self, Discoveries, Errors, ScoreRegion, Wards};
use crate::summary::{Hits, Simulated, mean, share, uniformity};
use rayon::prelude::*;

/// How much is drawn.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Regions of wards and of areas.
    pub regions: usize,
    /// Regions without variation, for the p of the systematic component; a quarter as many for bootstrap intervals.
    pub null_regions: usize,
    /// Replicates of each such p; a quarter as many of a bootstrap.
    pub replicates: usize,
    pub seed: u64,
}

/// What a line of the table must satisfy.
#[derive(Clone, Copy, Debug)]
pub enum Criterion {
    Between(f64, f64),
    AtLeast(f64),
    /// At most this plus two Monte-Carlo standard errors.
    AtMostWithError(f64),
    /// At least this less two Monte-Carlo standard errors.
    AtLeastWithError(f64),
    /// Above 0 by more than two Monte-Carlo standard errors.
    Positive,
    /// Nothing: shown for what it tells.
    None,
}

/// One line of the table.
#[derive(Clone, Debug)]
pub struct Line {
    pub name: String,
    pub simulated: Simulated,
    pub criterion: Criterion,
    percent: bool,
}

impl Line {
    /// `None` where there is no criterion. `slack` widens it: 0 in the study, more where few regions are drawn.
    pub fn passes(&self, slack: f64) -> Option<bool> {
        let Simulated { value, error, .. } = self.simulated;
        match self.criterion {
            Criterion::Between(low, high) => Some((low - slack..=high + slack).contains(&value)),
            // Slack is in points of a share; a p-value has none.
            Criterion::AtLeast(low) => Some(value >= if self.percent { low - slack } else { low }),
            Criterion::AtLeastWithError(low) => Some(value >= low - 2.0 * error - slack),
            Criterion::AtMostWithError(high) => Some(value <= high + 2.0 * error + slack),
            Criterion::Positive => Some(value > 2.0 * error),
            Criterion::None => None,
        }
    }

    pub fn markdown(&self) -> String {
        let scale = if self.percent { 100.0 } else { 1.0 };
        let number = |v: f64| format!("{:.2}{}", v * scale, if self.percent { " %" } else { "" });
        let criterion = match self.criterion {
            Criterion::Between(low, high) => format!("{:.0}–{:.0} %", low * 100.0, high * 100.0),
            Criterion::AtLeast(low) if self.percent => format!("≥ {:.0} %", low * 100.0),
            Criterion::AtLeast(low) => format!("≥ {low}"),
            Criterion::AtLeastWithError(low) => format!("≥ {:.0} % − 2 MCSE", low * 100.0),
            Criterion::AtMostWithError(high) => format!("≤ {:.0} % + 2 MCSE", high * 100.0),
            Criterion::Positive => "> 2 MCSE".into(),
            Criterion::None => "–".into(),
        };
        let error = if self.simulated.error.is_finite() { number(self.simulated.error) } else { "–".into() };
        let verdict = match self.passes(0.0) {
            Some(true) => "met",
            Some(false) => "NOT MET",
            None => "for information",
        };
        let Simulated { value, trials, .. } = self.simulated;
        format!("| {} | {} | {error} | {trials:.0} | {criterion} | {verdict} |", self.name, number(value))
    }
}

/// Heading of the table that [`Line::markdown`] fills.
pub const HEADING: &str = "| what | simulated | MCSE | of | criterion | verdict |\n|---|---:|---:|---:|---|---|";

/// Smallest p of the Kolmogorov–Smirnov test at which p-values count as uniform.
const UNIFORM_P: f64 = 0.01;

pub fn run(size: Size) -> Vec<Line> {
    let mut lines = Vec::new();
    for errors in [Errors::Normal, Errors::Skewed] {
        score_lines(size, errors, Wards::Many, &mut lines);
        discovery_lines(size, errors, &mut lines);
    }
    for errors in [Errors::Normal, Errors::Skewed] {
        score_lines(size, errors, Wards::Fourteen, &mut lines);
    }
    resampling_lines(size, &mut lines);
    count_lines(size, &mut lines);
    for repeats in [Repeats::None, Repeats::Some] {
        null_lines(size, repeats, &mut lines);
    }
    lines
}

fn score_lines(size: Size, errors: Errors, wards: Wards, lines: &mut Vec<Line>) {
    let regions: Vec<ScoreRegion> =
        (0..size.regions).into_par_iter().map(|r| scores::region(size.seed, r, errors, wards)).collect();
    let text = match wards {
        Wards::Many => name_of(errors).to_string(),
        Wards::Fourteen => format!("14 wards, {}", name_of(errors)),
    };
    let mut coverage = |name: &str, criterion: Criterion, of: fn(&ScoreRegion) -> Hits| {
        let simulated = share(&regions.iter().map(of).collect::<Vec<_>>());
        lines.push(Line { name: format!("{name}, {text}"), simulated, criterion, percent: true });
    };
    coverage("adjusted mean, 95 % interval", Criterion::Between(0.94, 0.96), |r| r.adjusted);
    coverage("– wards below 30 respondents (pooled variance)", Criterion::None, |r| r.pooled);
    coverage("– wards from 30 respondents (robust variance)", Criterion::None, |r| r.robust);
    coverage("shrunken mean, 95 % interval", Criterion::Between(0.94, 0.98), |r| r.shrunken);
    coverage("– option `lme4`, θ̂ taken as known", Criterion::None, |r| r.plug_in);
    if wards == Wards::Fourteen {
        coverage("– shrunken mean where θ̂ = 0", Criterion::None, |r| r.shrunken_at_zero);
        coverage("– option `lme4` where θ̂ = 0", Criterion::None, |r| r.plug_in_at_zero);
    }
    let mut error = |name: &str, criterion: Criterion, of: fn(&ScoreRegion) -> f64| {
        let simulated = mean(&regions.iter().map(of).collect::<Vec<_>>());
        lines.push(Line { name: format!("{name}, {text}"), simulated, criterion, percent: false });
    };
    error("mean squared error of raw means", Criterion::None, |r| r.raw_error);
    error("– of adjusted means", Criterion::None, |r| r.adjusted_error);
    error("– of shrunken means", Criterion::None, |r| r.shrunken_error);
    error("– raw less adjusted", Criterion::Positive, |r| r.raw_error - r.adjusted_error);
    error("– adjusted less shrunken", Criterion::Positive, |r| r.adjusted_error - r.shrunken_error);
}

fn name_of(errors: Errors) -> &'static str {
    match errors {
        Errors::Normal => "normal errors",
        Errors::Skewed => "skewed errors",
    }
}

fn discovery_lines(size: Size, errors: Errors, lines: &mut Vec<Line>) {
    let text = name_of(errors);
    let found: Vec<Discoveries> =
        (0..size.regions).into_par_iter().map(|r| scores::discoveries(size.seed, r, errors)).collect();
    let mut line = |name: &str, criterion: Criterion, simulated: Simulated| {
        lines.push(Line { name: format!("{name}, {text}"), simulated, criterion, percent: true });
    };
    let false_share = mean(&found.iter().map(|f| f.false_share).collect::<Vec<_>>());
    let with_t = mean(&found.iter().map(|f| f.false_share_t).collect::<Vec<_>>());
    let power = share(&found.iter().map(|f| f.power).collect::<Vec<_>>());
    let at_most = Criterion::AtMostWithError(0.05);
    line("false discoveries V/max(1, R), two groups of wards, α = 5 %, t tests", at_most, with_t);
    line("– the same with normal tests, which the pipeline does not use", Criterion::None, false_share);
    line("– different wards that are found, normal tests", Criterion::None, power);
}

fn resampling_lines(size: Size, lines: &mut Vec<Line>) {
    // A replicate fits a model: fewer of them.
    let (regions, replicates) = (size.null_regions / 4, size.replicates / 4);
    let regions: Vec<ResampledRegion> =
        (0..regions).into_par_iter().map(|r| resampling::region(size.seed, r, replicates)).collect();
    let mut coverage = |name: &str, criterion: Criterion, of: fn(&ResampledRegion) -> Hits| {
        let simulated = share(&regions.iter().map(of).collect::<Vec<_>>());
        lines.push(Line { name: name.into(), simulated, criterion, percent: true });
    };
    let name = "bootstrap (BCa), rows drawn within 30 units: mean of all respondents";
    coverage(name, Criterion::AtLeastWithError(0.94), |r| r.mean);
    coverage("bootstrap (BCa), 25 areas drawn: SCV", Criterion::None, |r| r.scv);
    coverage("– percentile limits", Criterion::None, |r| r.scv_percentile);
    coverage("bootstrap (BCa), 30 units drawn: between-unit SD", Criterion::None, |r| r.between_sd);
    coverage("– percentile limits, rows drawn within units instead", Criterion::None, |r| r.between_sd_rows);
}

fn count_lines(size: Size, lines: &mut Vec<Line>) {
    let regions: Vec<CountRegion> = (0..size.regions).into_par_iter().map(|r| counts::region(size.seed, r)).collect();
    let at_least = Criterion::AtLeast(0.94);
    let mut coverage = |name: &str, of: fn(&CountRegion) -> Hits| {
        let simulated = share(&regions.iter().map(of).collect::<Vec<_>>());
        lines.push(Line { name: name.into(), simulated, criterion: at_least, percent: true });
    };
    coverage("count, exact Poisson", |r| r.exact);
    coverage("count, Byar, means from 10", |r| r.byar);
    coverage("count, exact below 10 events and Byar from 10", |r| r.rule);
    coverage("directly standardised rate, Dobson, from 10 events", |r| r.dobson);
    coverage("– persons with several events", |r| r.dobson_repeats);
}

fn null_lines(size: Size, repeats: Repeats, lines: &mut Vec<Line>) {
    let p: Vec<f64> = (0..size.null_regions)
        .into_par_iter()
        .map(|r| counts::null_p(size.seed, r, size.replicates, repeats))
        .collect();
    let text = match repeats {
        Repeats::None => "independent events",
        Repeats::Some => "repeat events",
    };
    let (distance, uniform_p) = uniformity(&p);
    let fixed = |value: f64| Simulated { value, error: f64::NAN, trials: p.len() as f64 };
    for (name, value, criterion) in [
        ("p of the SCV in regions without variation: Kolmogorov–Smirnov p", uniform_p, Criterion::AtLeast(UNIFORM_P)),
        ("– Kolmogorov–Smirnov distance", distance, Criterion::None),
    ] {
        lines.push(Line { name: format!("{name}, {text}"), simulated: fixed(value), criterion, percent: false });
    }
    let at_five: Vec<f64> = p.iter().map(|p| f64::from(*p <= 0.05)).collect();
    lines.push(Line {
        name: format!("– p ≤ 5 %, {text}"),
        simulated: mean(&at_five),
        criterion: Criterion::None,
        percent: true,
    });
}
