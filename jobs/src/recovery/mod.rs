//! How well a run found what is true of a synthetic region: correlation, coverage and error, by indicator and level.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use jiff::Timestamp;
use prem_sample::{TrueUnit, Truth, read_truth};
use prem_store::tables::{Estimate, read_table};
use serde::Serialize;

use crate::{
    cli::RecoveryArgs, config::Config, error::JobError, releases::checked_id, sample::root_of, session::Session,
};

mod picture;

/// The rows that have a truth: all respondents together.
const TOTAL: &str = prem_spec::Stratifier::TOTAL;

/// Agreement of one indicator at one level, over all units and periods.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Agreement {
    pub indicator: String,
    pub level: String,
    pub units: usize,
    pub correlation_raw: f64,
    pub correlation_adjusted: f64,
    pub correlation_shrunken: Option<f64>,
    /// Rank correlations (Spearman's).
    pub rank_correlation_raw: f64,
    pub rank_correlation_adjusted: f64,
    /// Share of the intervals of the adjusted value that hold the truth.
    pub coverage: f64,
    pub coverage_shrunken: Option<f64>,
    pub rmse_raw: f64,
    pub rmse_adjusted: f64,
    pub rmse_shrunken: Option<f64>,
    /// The sums behind the shares and errors, for studies that add up regions.
    pub sums: Sums,
}

/// Counts and sums over the units of an agreement.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Sums {
    /// Intervals of the adjusted value that hold the truth.
    pub held: usize,
    /// Units with a shrunken value, and how many of its intervals hold the truth.
    pub shrunken_units: usize,
    pub shrunken_held: usize,
    /// Squared errors over the units that have all three values.
    pub squared_raw: f64,
    pub squared_adjusted: f64,
    pub squared_shrunken: f64,
    /// Σ(adjusted − truth)/se and its squares: 0 and 1 a unit where value and variance are right.
    pub standardised: f64,
    pub standardised_squares: f64,
}

/// The units of one indicator, level and period that are told apart from the region together.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Family {
    pub indicator: String,
    pub level: String,
    pub period: String,
    /// Units that were assessed.
    pub units: usize,
    /// Of them, those without any true effect.
    pub null_units: usize,
    /// Units found to differ from the region, and those among them that have no true effect.
    pub found: usize,
    pub falsely_found: usize,
}

#[derive(Debug, Clone, Default, Serialize)]
pub struct Recovery {
    pub run_id: String,
    pub agreements: Vec<Agreement>,
    pub families: Vec<Family>,
    /// The picture that was drawn.
    pub picture: Option<String>,
}

/// Compares the unprotected estimates of a run with the truth: that of the current release, or one that is named and need not
/// have been published.
///
/// # Errors
/// When there is no run or no truth, or the picture cannot be made.
pub fn recovery(args: &RecoveryArgs, now: Timestamp) -> Result<Recovery, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let folder = args.truth.clone().unwrap_or_else(|| root_of(&session.config).join("truth"));
    let truth =
        read_truth(&folder).map_err(|error| JobError::InputMissing(format!("no truth to compare with: {error}")))?;
    let run_id = match &args.run {
        Some(run_id) => run_id.clone(),
        None => match session.publisher.current()? {
            Some(current) => current.run_id().to_owned(),
            None => {
                let reason = "nothing is released yet; run `prem run` first, or name a run with --run";
                return Err(JobError::InputMissing(reason.to_owned()));
            }
        },
    };
    let run = session.store.run(checked_id(&run_id)?)?;
    let (estimates, _) = read_table::<Estimate>(&run.table::<Estimate>())?;
    let picture = picture::draw(args, &session, &truth, &estimates)?;
    Ok(Recovery { run_id, agreements: agreements(&truth, &estimates), families: families(&truth, &estimates), picture })
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
    let has_interval = |row: &&Estimate| row.stratum == TOTAL && row.value.is_some() && row.ci_low.is_some();
    for row in estimates.iter().filter(has_interval) {
        if let Some(value) = true_values.get(&(row.period.as_str(), row.indicator.as_str(), row.unit_id.as_str())) {
            groups.entry((row.indicator.as_str(), row.level.as_str())).or_default().push((row, *value));
        }
    }
    groups.into_iter().map(|((indicator, level), pairs)| agreement(indicator, level, &pairs)).collect()
}

fn families(truth: &Truth, estimates: &[Estimate]) -> Vec<Family> {
    let of_unit = |unit: &TrueUnit| (unit.period.clone(), unit.indicator.clone(), unit.unit_id.clone());
    let effects: BTreeMap<_, f64> = truth.units.iter().map(|unit| (of_unit(unit), unit.effect)).collect();
    let mut families: BTreeMap<(&str, &str, &str), Family> = BTreeMap::new();
    for row in estimates.iter().filter(|row| row.stratum == TOTAL && row.q.is_some()) {
        let Some(effect) = effects.get(&(row.period.clone(), row.indicator.clone(), row.unit_id.clone())) else {
            continue;
        };
        let family = families.entry((&row.indicator, &row.level, &row.period)).or_insert_with(|| Family {
            indicator: row.indicator.clone(),
            level: row.level.clone(),
            period: row.period.clone(),
            ..Family::default()
        });
        let is_null = *effect == 0.0;
        let is_found = matches!(row.comparison.as_deref(), Some("better" | "worse" | "higher" | "lower"));
        family.units += 1;
        family.null_units += usize::from(is_null);
        family.found += usize::from(is_found);
        family.falsely_found += usize::from(is_found && is_null);
    }
    families.into_values().collect()
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
        rank_correlation_raw: rank_correlation(&column(|row| row.raw)),
        rank_correlation_adjusted: rank_correlation(&column(|row| row.value)),
        correlation_shrunken: has_shrunken.then(|| correlation(&shrunken)),
        coverage: held(|row| row.ci_low, |row| row.ci_high),
        coverage_shrunken: has_shrunken.then(|| held(|row| row.shrunken_low, |row| row.shrunken_high)),
        rmse_raw: rmse(&column(|row| row.raw)),
        rmse_adjusted: rmse(&column(|row| row.value)),
        rmse_shrunken: has_shrunken.then(|| rmse(&shrunken)),
        sums: sums(pairs),
    }
}

fn sums(pairs: &[(&Estimate, f64)]) -> Sums {
    let mut sums = Sums::default();
    for (row, truth) in pairs {
        let holds = |low: Option<f64>, high: Option<f64>| {
            low.zip(high).is_some_and(|(low, high)| low <= *truth && *truth <= high)
        };
        sums.held += usize::from(holds(row.ci_low, row.ci_high));
        if let (Some(value), Some(se)) = (row.value, row.se.filter(|se| *se > 0.0)) {
            let standardised = (value - truth) / se;
            sums.standardised += standardised;
            sums.standardised_squares += standardised * standardised;
        }
        if let (Some(raw), Some(adjusted), Some(shrunken)) = (row.raw, row.value, row.shrunken) {
            sums.shrunken_units += 1;
            sums.shrunken_held += usize::from(holds(row.shrunken_low, row.shrunken_high));
            sums.squared_raw += (raw - truth).powi(2);
            sums.squared_adjusted += (adjusted - truth).powi(2);
            sums.squared_shrunken += (shrunken - truth).powi(2);
        }
    }
    sums
}

/// Correlation of ranks; equal values have the mean of their ranks.
fn rank_correlation(pairs: &[(f64, f64)]) -> f64 {
    let first = ranks(&pairs.iter().map(|pair| pair.0).collect::<Vec<_>>());
    let second = ranks(&pairs.iter().map(|pair| pair.1).collect::<Vec<_>>());
    correlation(&first.into_iter().zip(second).collect::<Vec<_>>())
}

#[expect(clippy::cast_precision_loss, reason = "numbers of units")]
fn ranks(values: &[f64]) -> Vec<f64> {
    let below = |value: f64| values.iter().filter(|other| **other < value).count() as f64;
    let equal = |value: f64| values.iter().filter(|other| other.total_cmp(&value).is_eq()).count() as f64;
    values.iter().map(|value| below(*value) + (equal(*value) + 1.0) / 2.0).collect()
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
        if let Some(picture) = &self.picture {
            writeln!(text, "Ranks are drawn in {picture}")?;
        }
        f.write_str(&text)
    }
}
