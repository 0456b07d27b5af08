//! The quality of the survey itself: item non-response, floor and ceiling, reliability.

use std::path::PathBuf;

use jiff::civil::Date;
use prem_spec::{Indicator, Item, Measure, Period, PeriodKind, Plan, Questionnaire, ValueScale};
use prem_stats::scores::{Items, Pairing, alpha, item_statistics};
use prem_store::tables::SurveyQuality;

use crate::{
    METHOD_VERSION, ScoredMonth, StageError,
    frames::{self, codes},
    score::{indicators_of, item_value},
};
use prem_stats::case_mix::{Criterion, SufficientStatistics, fit_random_intercept};

/// Reliability that the number of answers needed refers to.
const RELIABILITY: f64 = 0.7;

/// The quality of `questionnaire` per calendar year: a row per item and per scale. `linked` are its linked months.
///
/// # Errors
/// When a linked table cannot be read.
pub fn survey_quality(
    plan: &Plan,
    questionnaire: &Questionnaire,
    linked: &[(Date, PathBuf)],
    scored: &[ScoredMonth],
    run_id: &str,
) -> Result<Vec<SurveyQuality>, StageError> {
    let mut years: Vec<Period> = linked.iter().filter_map(|(month, _)| Period::of(PeriodKind::Year, *month)).collect();
    years.sort();
    years.dedup();
    let mut rows = Vec::new();
    for year in years {
        let answers = Answers::read(questionnaire, linked, year)?;
        let blank = |kind: &str, subject: &str| blank(questionnaire, year, kind, subject, run_id);
        rows.extend(answers.of.iter().map(|(item, codes)| item_row(item, codes, blank("item", &item.id))));
        for indicator in indicators_of(plan, &questionnaire.id) {
            if let Measure::Scale { items, .. } = &indicator.measure {
                let (scale, item_rest) =
                    scale_row(indicator, items, &answers, scored, year, blank("scale", &indicator.id));
                rows.push(scale);
                for (item, correlation) in item_rest {
                    if let Some(row) = rows.iter_mut().rev().find(|row| row.kind == "item" && row.subject == item) {
                        row.item_rest = correlation;
                    }
                }
            }
        }
    }
    Ok(rows)
}

/// Raw codes of every item over the months of a year.
struct Answers<'a> {
    of: Vec<(&'a Item, Vec<Option<i16>>)>,
}

impl<'a> Answers<'a> {
    fn read(questionnaire: &'a Questionnaire, linked: &[(Date, PathBuf)], year: Period) -> Result<Self, StageError> {
        let mut of: Vec<(&Item, Vec<Option<i16>>)> =
            questionnaire.items.iter().map(|item| (item, Vec::new())).collect();
        for (_, path) in linked.iter().filter(|(month, _)| year.contains(*month)) {
            let frame = frames::scan(path)?.collect().map_err(StageError::frame("read linked responses"))?;
            for (item, all) in &mut of {
                all.extend(codes(&frame, &item.id)?);
            }
        }
        Ok(Self { of })
    }

    fn values(&self, id: &str) -> Option<Vec<Option<f64>>> {
        let (item, codes) = self.of.iter().find(|(item, _)| item.id == id)?;
        Some(codes.iter().map(|code| code.and_then(|code| item_value(item, ValueScale::Native, code))).collect())
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn share(part: usize, of: usize) -> Option<f64> {
    (of > 0).then(|| part as f64 / of as f64)
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn item_row(item: &Item, codes: &[Option<i16>], blank: SurveyQuality) -> SurveyQuality {
    let values: Vec<i16> = codes.iter().flatten().copied().collect();
    let scored: Vec<i16> =
        values.iter().copied().filter(|code| (item.scale.low..=item.scale.high).contains(code)).collect();
    // Floor and ceiling are on the scored scale, so a reversed item swaps its ends.
    let (worst, best) =
        if item.reversed { (item.scale.high, item.scale.low) } else { (item.scale.low, item.scale.high) };
    let at = |end: i16| scored.iter().filter(|code| **code == end).count();
    SurveyQuality {
        n: whole(codes.len()),
        n_scored: whole(scored.len()),
        n_blank: whole(codes.len() - values.len()),
        n_other_missing: whole(values.len() - scored.len()),
        floor: share(at(worst), scored.len()),
        ceiling: share(at(best), scored.len()),
        ..blank
    }
}

fn scale_row(
    indicator: &Indicator,
    items: &[String],
    answers: &Answers<'_>,
    scored: &[ScoredMonth],
    year: Period,
    blank: SurveyQuality,
) -> (SurveyQuality, Vec<(String, Option<f64>)>) {
    let months = || scored.iter().filter(|month| year.contains(month.month));
    let pairs: Vec<(u32, f64)> = months()
        .filter_map(|month| Some(month.units.iter().copied().zip(month.values.get(&indicator.id)?.iter().copied())))
        .flatten()
        .collect();
    let all = pairs.len();
    let (units, values): (Vec<u32>, Vec<f64>) = pairs.into_iter().filter(|(_, value)| !value.is_nan()).unzip();
    let (low, high) = value_range(indicator, answers);
    let at = |end: f64| values.iter().filter(|value| **value == end).count();
    let unit_count = units.iter().max().map_or(0, |unit| *unit as usize + 1);
    let mut sums = SufficientStatistics::new(unit_count, 0);
    let model = sums
        .add(&units, &values, &[])
        .and_then(|()| sums.finish())
        .and_then(|moments| fit_random_intercept(&moments, Criterion::Reml, None))
        .ok();
    let columns: Vec<Vec<Option<f64>>> = items.iter().filter_map(|id| answers.values(id)).collect();
    let rows = columns.first().map_or(0, Vec::len);
    let flat: Vec<Option<f64>> = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
    let table = Items::new(&flat, items.len()).ok();
    let statistics = table.as_ref().and_then(|table| item_statistics(table, low, high, Pairing::Complete).ok());
    let item_rest = items.iter().cloned().zip(statistics.into_iter().flatten().map(|item| item.item_rest_r)).collect();
    let row = SurveyQuality {
        n: whole(all),
        n_scored: whole(values.len()),
        n_blank: whole(all - values.len()),
        floor: share(at(low), values.len()),
        ceiling: share(at(high), values.len()),
        alpha: table.and_then(|table| alpha(&table, Pairing::Complete).ok()).map(|alpha| alpha.alpha),
        icc: model.as_ref().map(|model| model.components.intraclass_correlation()),
        answers_needed: model.and_then(|model| model.components.rows_for_reliability(RELIABILITY)),
        ..blank
    };
    (row, item_rest)
}

/// Lowest and highest value that the scale's mean can take.
fn value_range(indicator: &Indicator, answers: &Answers<'_>) -> (f64, f64) {
    match &indicator.measure {
        Measure::Scale { scale: ValueScale::Native, items, .. } => {
            let ends = answers.of.iter().filter(|(item, _)| items.contains(&item.id));
            let mut ends = ends.map(|(item, _)| (f64::from(item.scale.low), f64::from(item.scale.high)));
            ends.next().unwrap_or((0.0, 0.0))
        }
        _ => (0.0, 100.0),
    }
}

fn blank(questionnaire: &Questionnaire, year: Period, kind: &str, subject: &str, run_id: &str) -> SurveyQuality {
    SurveyQuality {
        period: year.to_string(),
        questionnaire: questionnaire.id.clone(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        n: 0,
        n_scored: 0,
        n_blank: 0,
        n_other_missing: 0,
        floor: None,
        ceiling: None,
        alpha: None,
        item_rest: None,
        icc: None,
        answers_needed: None,
        method_version: METHOD_VERSION.to_owned(),
        run_id: run_id.to_owned(),
    }
}
