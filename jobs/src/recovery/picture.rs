//! `prem recovery --picture`: how units rank in truth, raw and adjusted.

use std::{collections::BTreeMap, fs};

use prem_report::{Language, RankPicture, RankedUnit, ranks_svg};
use prem_sample::Truth;
use prem_spec::{Direction, Level};
use prem_store::tables::Estimate;

use super::{TOTAL, correlation};
use crate::{cli::RecoveryArgs, error::JobError, session::Session};

/// One unit's values, turned so that more is better.
struct Values<'a> {
    unit_id: &'a str,
    /// True, raw and adjusted.
    goodness: [f64; 3],
}

/// Draws the picture that the arguments ask for and gives its path.
///
/// # Errors
/// When there is nothing to draw or it cannot be written.
pub(super) fn draw(
    args: &RecoveryArgs,
    session: &Session,
    truth: &Truth,
    estimates: &[Estimate],
) -> Result<Option<String>, JobError> {
    let (Some(path), Some(indicator), Some(level)) = (&args.picture, &args.indicator, &args.level) else {
        return Ok(None);
    };
    let known = &session.plan.indicators;
    let declared = known.get(indicator).ok_or_else(|| JobError::unknown("indicator", indicator, known.keys()))?;
    let true_values: BTreeMap<(&str, &str), f64> = truth
        .units
        .iter()
        .filter(|unit| unit.indicator == *indicator && unit.level == *level)
        .map(|unit| ((unit.period.as_str(), unit.unit_id.as_str()), unit.value))
        .collect();
    let known = |row: &Estimate| true_values.get(&(row.period.as_str(), row.unit_id.as_str())).copied();
    let rows = || {
        let is_asked = |row: &&Estimate| row.stratum == TOTAL && row.indicator == *indicator && row.level == *level;
        estimates.iter().filter(is_asked).filter_map(|row| Some((row, [known(row)?, row.raw?, row.value?])))
    };
    // The last period, and of those that end together the longest.
    let last = rows().map(|(row, _)| row).max_by_key(|row| (row.period_end, std::cmp::Reverse(row.period_start)));
    let period = args.period.clone().or_else(|| last.map(|row| row.period.clone())).unwrap_or_default();
    let sign = if declared.direction == Direction::Lower { -1.0 } else { 1.0 };
    let values: Vec<Values<'_>> = rows()
        .filter(|(row, _)| row.period == period)
        .map(|(row, values)| Values { unit_id: &row.unit_id, goodness: values.map(|value| sign * value) })
        .collect();
    if values.is_empty() {
        return Err(JobError::InputMissing(format!(
            "the run has no estimates of {indicator} at level {level} in period {period}; give --period or --run"
        )));
    }
    let code = args.language.as_deref().unwrap_or(session.config.language.as_str());
    let language = Language::from_code(code).unwrap_or_default();
    let mut units: Vec<RankedUnit> = values.iter().map(|one| ranked(session, one, &values, sign, language)).collect();
    units.sort_by_key(|unit| unit.ranks);
    let ranks = |column: usize| -> Vec<(f64, f64)> {
        units.iter().map(|unit| (f64::from(unit.ranks[0]), f64::from(unit.ranks[column]))).collect()
    };
    let picture = RankPicture {
        indicator: declared.title.get(language.code()).to_owned(),
        period,
        level: Level::of_word(level).unwrap_or(Level::Hf),
        decimals: usize::from(declared.decimals),
        correlations: [correlation(&ranks(1)), correlation(&ranks(2))],
        units,
    };
    fs::write(path, ranks_svg(&picture, language)?).map_err(JobError::write("write", path))?;
    Ok(Some(path.display().to_string()))
}

fn ranked(session: &Session, one: &Values<'_>, all: &[Values<'_>], sign: f64, language: Language) -> RankedUnit {
    let rank = |column: usize| {
        let before = all.iter().filter(|other| other.goodness[column] > one.goodness[column]).count();
        u32::try_from(before + 1).unwrap_or(u32::MAX)
    };
    let name = session.plan.organisation.unit(one.unit_id).map_or(one.unit_id, |unit| unit.name.get(language.code()));
    RankedUnit {
        name: name.to_owned(),
        true_value: sign * one.goodness[0],
        adjusted_value: sign * one.goodness[2],
        ranks: [rank(0), rank(1), rank(2)],
    }
}
