//! How well a run found what is true of a synthetic region: correlation, coverage and error, by indicator and level.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use jiff::Timestamp;
use prem_sample::{Truth, read_truth};
use prem_store::tables::{Estimate, read_table};
use serde::Serialize;

use crate::{cli::RecoveryArgs, config::Config, error::JobError, sample::root_of, session::Session};

/// Agreement of one indicator at one level, over all units and periods.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Agreement {
    pub indicator: String,
    pub level: String,
    pub units: usize,
    pub correlation_raw: f64,
    pub correlation_adjusted: f64,
    pub correlation_shrunken: Option<f64>,
    /// Share of the intervals of the adjusted value that hold the truth.
    pub coverage: f64,
    pub coverage_shrunken: Option<f64>,
    pub rmse_raw: f64,
    pub rmse_adjusted: f64,
    pub rmse_shrunken: Option<f64>,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Recovery {
    pub run_id: String,
    pub agreements: Vec<Agreement>,
}

/// Compares the unprotected estimates of the current release's run with the truth.
///
/// # Errors
/// When there is no run or no truth.
pub fn recovery(args: &RecoveryArgs, now: Timestamp) -> Result<Recovery, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let folder = args.truth.clone().unwrap_or_else(|| root_of(&session.config).join("truth"));
    let truth =
        read_truth(&folder).map_err(|error| JobError::InputMissing(format!("no truth to compare with: {error}")))?;
    let current = session
        .publisher
        .current()?
        .ok_or_else(|| JobError::InputMissing("nothing is released yet; run `prem run` first".to_owned()))?;
    let run = session.store.run(current.run_id())?;
    let (estimates, _) = read_table::<Estimate>(&run.table::<Estimate>())?;
    Ok(Recovery { run_id: current.run_id().to_owned(), agreements: agreements(&truth, &estimates) })
}

fn agreements(truth: &Truth, estimates: &[Estimate]) -> Vec<Agreement> {
    let mut true_values: BTreeMap<(&str, &str, &str), f64> = BTreeMap::new();
    for unit in &truth.units {
        true_values.insert((&unit.period, &unit.indicator, &unit.unit_id), unit.value);
    }
    for rate in &truth.rates {
        true_values.insert((&rate.period, &rate.indicator, &rate.area), rate.standardised_rate);
    }
    let mut groups: BTreeMap<(&str, &str), Vec<(&Estimate, f64)>> = BTreeMap::new();
    for row in estimates.iter().filter(|row| row.value.is_some() && row.ci_low.is_some()) {
        if let Some(value) = true_values.get(&(row.period.as_str(), row.indicator.as_str(), row.unit_id.as_str())) {
            groups.entry((row.indicator.as_str(), row.level.as_str())).or_default().push((row, *value));
        }
    }
    groups.into_iter().map(|((indicator, level), pairs)| agreement(indicator, level, &pairs)).collect()
}

fn agreement(indicator: &str, level: &str, pairs: &[(&Estimate, f64)]) -> Agreement {
    let column = |of: fn(&Estimate) -> Option<f64>| -> Vec<(f64, f64)> {
        pairs.iter().filter_map(|(row, truth)| Some((of(row)?, *truth))).collect()
    };
    let held = |low: fn(&Estimate) -> Option<f64>, high: fn(&Estimate) -> Option<f64>| {
        let inside: Vec<bool> =
            pairs.iter().filter_map(|(row, truth)| Some(low(row)? <= *truth && *truth <= high(row)?)).collect();
        share(inside.iter().filter(|inside| **inside).count(), inside.len())
    };
    let shrunken = column(|row| row.shrunken);
    let has_shrunken = !shrunken.is_empty();
    Agreement {
        indicator: indicator.to_owned(),
        level: level.to_owned(),
        units: pairs.len(),
        correlation_raw: correlation(&column(|row| row.raw)),
        correlation_adjusted: correlation(&column(|row| row.value)),
        correlation_shrunken: has_shrunken.then(|| correlation(&shrunken)),
        coverage: held(|row| row.ci_low, |row| row.ci_high),
        coverage_shrunken: has_shrunken.then(|| held(|row| row.shrunken_low, |row| row.shrunken_high)),
        rmse_raw: rmse(&column(|row| row.raw)),
        rmse_adjusted: rmse(&column(|row| row.value)),
        rmse_shrunken: has_shrunken.then(|| rmse(&shrunken)),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of units")]
fn share(part: usize, of: usize) -> f64 {
    part as f64 / of as f64
}

#[expect(clippy::cast_precision_loss, reason = "numbers of units")]
fn rmse(pairs: &[(f64, f64)]) -> f64 {
    (pairs.iter().map(|(a, b)| (a - b).powi(2)).sum::<f64>() / pairs.len() as f64).sqrt()
}

#[expect(clippy::cast_precision_loss, reason = "numbers of units")]
fn correlation(pairs: &[(f64, f64)]) -> f64 {
    let n = pairs.len() as f64;
    let (mean_a, mean_b) = (pairs.iter().map(|p| p.0).sum::<f64>() / n, pairs.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut ab, mut aa, mut bb) = (0.0, 0.0, 0.0);
    for (a, b) in pairs {
        let (a, b) = (a - mean_a, b - mean_b);
        ab += a * b;
        aa += a * a;
        bb += b * b;
    }
    ab / (aa * bb).sqrt()
}

impl fmt::Display for Recovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let optional =
            |value: Option<f64>, digits: usize| value.map_or_else(|| "–".to_owned(), |v| format!("{v:.digits$}"));
        writeln!(text, "Estimates of run {} against the truth of the synthetic region", self.run_id)?;
        writeln!(
            text,
            "{:<28}{:<12}{:>6}  {:^26}  {:^19}  {:^27}",
            "", "", "", "correlation", "95 % interval holds", "root mean squared error"
        )?;
        writeln!(
            text,
            "{:<28}{:<12}{:>6}  {:>7}{:>10}{:>9}  {:>9}{:>10}  {:>8}{:>10}{:>9}",
            "indicator",
            "level",
            "rows",
            "raw",
            "adjusted",
            "shrunken",
            "adjusted",
            "shrunken",
            "raw",
            "adjusted",
            "shrunken"
        )?;
        for a in &self.agreements {
            writeln!(
                text,
                "{:<28}{:<12}{:>6}  {:>7.3}{:>10.3}{:>9}  {:>9.3}{:>10}  {:>8.3}{:>10.3}{:>9}",
                a.indicator,
                a.level,
                a.units,
                a.correlation_raw,
                a.correlation_adjusted,
                optional(a.correlation_shrunken, 3),
                a.coverage,
                optional(a.coverage_shrunken, 3),
                a.rmse_raw,
                a.rmse_adjusted,
                optional(a.rmse_shrunken, 3)
            )?;
        }
        f.write_str(&text)
    }
}
