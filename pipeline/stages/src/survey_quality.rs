//! The quality of the survey itself: item non-response, floor and ceiling, reliability.

use std::path::PathBuf;

use jiff::civil::Date;
use prem_spec::{
    Indicator, Item, Level, Measure, Period, PeriodKind, Plan, Questionnaire, QuestionnaireVersion, ScaleCode,
    ValueScale,
};
use prem_stats::{
    case_mix::{ShrinkageInterval, UnitMoments, nested_shrinkage},
    scores::{ItemStatistics, Items, Pairing, alpha, item_statistics},
};
use prem_store::tables::SurveyQuality;

use crate::{
    METHOD_VERSION, ScoredMonth, StageError,
    asked::{Asking, Forms},
    frames::{self, codes},
    score::{indicators_of, item_value},
    tree::LevelTree,
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
        for (place, version) in questionnaire.versions.iter().enumerate() {
            let answers = Answers::read(plan, questionnaire, linked, year, place)?;
            if answers.respondents > 0 {
                let form = Form { place: i16::try_from(place).ok(), version, answers, year };
                rows.extend(form_rows(plan, questionnaire, &form, scored, run_id));
            }
        }
    }
    Ok(rows)
}

/// The rows of one version in one year.
fn form_rows(
    plan: &Plan,
    questionnaire: &Questionnaire,
    form: &Form<'_>,
    scored: &[ScoredMonth],
    run_id: &str,
) -> Vec<SurveyQuality> {
    let blank = |kind: &str, subject: &str| blank(questionnaire, form, kind, subject, run_id);
    let asked = form.answers.of.iter().filter(|(_, codes)| !codes.is_empty());
    let mut rows: Vec<SurveyQuality> =
        asked.map(|(item, codes)| item_row(item, codes, blank("item", &item.id))).collect();
    for indicator in indicators_of(plan, &questionnaire.id) {
        let Measure::Scale { items, .. } = &indicator.measure else { continue };
        if !items.iter().any(|id| form.answers.has(id)) {
            continue;
        }
        let scale = scale(plan, indicator, items, form, scored, blank("scale", &indicator.id));
        for (item, complete, pairwise) in scale.items {
            if let Some(row) = rows.iter_mut().rev().find(|row| row.kind == "item" && row.subject == item) {
                row.item_rest = complete.and_then(|item| item.item_rest_r);
                row.alpha_without = complete.and_then(|item| item.alpha_without);
                row.item_rest_pairwise = pairwise.and_then(|item| item.item_rest_r);
            }
        }
        let shares = scale.moments.as_ref().map(|moments| level_shares(plan, moments)).unwrap_or_default();
        let (n, n_scored, n_blank) = (scale.row.n, scale.row.n_scored, scale.row.n_blank);
        rows.push(scale.row);
        rows.extend(shares.into_iter().map(|(level, share)| SurveyQuality {
            n,
            n_scored,
            n_blank,
            level: Some(level),
            variance_share: Some(share),
            ..blank("level", &indicator.id)
        }));
    }
    rows
}

/// One version of the form in one year, and how it was answered.
struct Form<'a> {
    /// Among the questionnaire's versions.
    place: Option<i16>,
    version: &'a QuestionnaireVersion,
    year: Period,
    answers: Answers<'a>,
}

/// Raw codes of every item over the months of a year and one version, of those who were asked it.
struct Answers<'a> {
    respondents: usize,
    of: Vec<(&'a Item, Vec<Option<i16>>)>,
    /// The same of every respondent of the version, for what needs respondents side by side.
    all: Vec<Vec<Option<i16>>>,
}

impl<'a> Answers<'a> {
    fn read(
        plan: &Plan,
        questionnaire: &'a Questionnaire,
        linked: &[(Date, PathBuf)],
        year: Period,
        version: usize,
    ) -> Result<Self, StageError> {
        let worded = |item: &'a Item| questionnaire.versions[version].wording(&item.id).unwrap_or(item);
        let items = &questionnaire.items;
        let mut answers = Self {
            respondents: 0,
            of: items.iter().map(|item| (worded(item), Vec::new())).collect(),
            all: vec![Vec::new(); items.len()],
        };
        for (_, path) in linked.iter().filter(|(month, _)| year.contains(*month)) {
            let frame = frames::scan(path)?.collect().map_err(StageError::frame("read linked responses"))?;
            let forms = Forms::of(plan, questionnaire, &frame)?;
            let rows: Vec<usize> = (0..frame.height()).filter(|row| forms.versions()[*row] == Some(version)).collect();
            answers.respondents += rows.len();
            for (place, item) in items.iter().enumerate() {
                let (codes, asking) = (codes(&frame, &item.id)?, forms.asking(&frame, &item.id)?);
                answers.all[place].extend(rows.iter().map(|row| codes[*row]));
                let asked = rows.iter().filter(|row| asking[**row] == Asking::Asked);
                answers.of[place].1.extend(asked.map(|row| codes[*row]));
            }
        }
        Ok(answers)
    }

    fn has(&self, id: &str) -> bool {
        self.of.iter().any(|(item, codes)| item.id == id && !codes.is_empty())
    }

    fn values(&self, id: &str) -> Option<Vec<Option<f64>>> {
        let place = self.of.iter().position(|(item, _)| item.id == id)?;
        let item = self.of[place].0;
        Some(
            self.all[place]
                .iter()
                .map(|code| code.and_then(|code| item_value(item, ValueScale::Native, code)))
                .collect(),
        )
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
    // Null where nobody could give the answer: nobody gave it is another thing.
    let missing_for = |reason: &str| {
        let has_reason = |code: &&ScaleCode| code.missing_reason.as_deref() == Some(reason);
        let codes: Vec<i16> = item.scale.codes.iter().filter(has_reason).map(|code| code.code).collect();
        (!codes.is_empty()).then(|| whole(values.iter().filter(|value| codes.contains(value)).count()))
    };
    SurveyQuality {
        item_version: Some(i64::from(item.version)),
        n: whole(codes.len()),
        n_scored: whole(scored.len()),
        n_blank: whole(codes.len() - values.len()),
        n_other_missing: whole(values.len() - scored.len()),
        n_not_applicable: missing_for(ScaleCode::NOT_APPLICABLE),
        n_dont_know: missing_for(ScaleCode::DONT_KNOW),
        floor: share(at(worst), scored.len()),
        ceiling: share(at(best), scored.len()),
        ..blank
    }
}

/// A scale's own row and what belongs to others.
struct Scale {
    row: SurveyQuality,
    /// Item, and its statistics over complete cases and pairwise.
    items: Vec<(String, Option<ItemStatistics>, Option<ItemStatistics>)>,
    /// Unadjusted values, one place per unit of the organisation.
    moments: Option<UnitMoments>,
}

/// Shares of the variance of unadjusted values that lie at each level of the organisation, and within the lowest units.
fn level_shares(plan: &Plan, moments: &UnitMoments) -> Vec<(String, f64)> {
    let levels: Vec<Level> = Level::ALL.into_iter().filter(|level| *level != Level::Rhf).collect();
    let tree = LevelTree::of(&plan.organisation, &levels);
    let shape = (tree.parents.as_slice(), tree.tops);
    let Ok(fit) = nested_shrinkage(moments, shape, None, &[], ShrinkageInterval::PlugIn, 0.95) else {
        return Vec::new();
    };
    // The lowest units of the tree are those that were asked about; where they are a declared level, they carry its name.
    let name = |place: usize| match place.checked_sub(1).and_then(|above| tree.levels.get(above)) {
        Some(level) => level.as_str().to_owned(),
        None => tree.name_of_lowest(&plan.organisation, moments).to_owned(),
    };
    let sds = fit.level_sds.iter().enumerate().filter_map(|(place, sd)| Some((name(place), (*sd)?.powi(2))));
    let parts: Vec<(String, f64)> = sds.chain([("respondent".to_owned(), fit.residual_sd.powi(2))]).collect();
    let total: f64 = parts.iter().map(|(_, variance)| variance).sum();
    parts.into_iter().map(|(level, variance)| (level, variance / total)).collect()
}

fn scale(
    plan: &Plan,
    indicator: &Indicator,
    items: &[String],
    form: &Form<'_>,
    scored: &[ScoredMonth],
    blank: SurveyQuality,
) -> Scale {
    let answers = &form.answers;
    let mut pairs: Vec<(u32, f64)> = Vec::new();
    for month in scored.iter().filter(|month| form.year.contains(month.month)) {
        let Some(values) = month.values.get(&indicator.id) else { continue };
        let rows = month.units.iter().zip(values).zip(&month.versions);
        pairs.extend(rows.filter(|(_, version)| **version == form.place).map(|((unit, value), _)| (*unit, *value)));
    }
    let all = pairs.len();
    let (units, values): (Vec<u32>, Vec<f64>) = pairs.into_iter().filter(|(_, value)| !value.is_nan()).unzip();
    let (low, high) = value_range(indicator, answers);
    let at = |end: f64| values.iter().filter(|value| **value == end).count();
    let unit_count = plan.organisation.units.len();
    let mut sums = SufficientStatistics::new(unit_count, 0);
    let moments = sums.add(&units, &values, &[]).and_then(|()| sums.finish()).ok();
    let model = moments.as_ref().and_then(|moments| fit_random_intercept(moments, Criterion::Reml, None).ok());
    let reliabilities: Vec<f64> =
        model.iter().flat_map(|model| &model.effects).filter(|unit| unit.n > 0).map(|unit| unit.reliability).collect();
    let columns: Vec<Vec<Option<f64>>> = items.iter().filter_map(|id| answers.values(id)).collect();
    let rows = columns.first().map_or(0, Vec::len);
    let flat: Vec<Option<f64>> = (0..rows).flat_map(|row| columns.iter().map(move |column| column[row])).collect();
    let table = Items::new(&flat, items.len()).ok();
    let of_items = |pairing| table.as_ref().and_then(|table| item_statistics(table, low, high, pairing).ok());
    let (complete, pairwise) = (of_items(Pairing::Complete), of_items(Pairing::Pairwise));
    let at_place = |all: &Option<Vec<ItemStatistics>>, place: usize| all.as_ref()?.get(place).copied();
    let of_scale = |pairing| table.as_ref().and_then(|table| alpha(table, pairing).ok()).map(|alpha| alpha.alpha);
    let row = SurveyQuality {
        n: whole(all),
        n_scored: whole(values.len()),
        n_blank: whole(all - values.len()),
        floor: share(at(low), values.len()),
        ceiling: share(at(high), values.len()),
        alpha: of_scale(Pairing::Complete),
        alpha_pairwise: of_scale(Pairing::Pairwise),
        between_sd: model.as_ref().map(|model| model.components.between_unit_sd),
        unit_reliability: mean(&reliabilities),
        icc: model.as_ref().map(|model| model.components.intraclass_correlation()),
        answers_needed: model.and_then(|model| model.components.rows_for_reliability(RELIABILITY)),
        ..blank
    };
    let items = items
        .iter()
        .enumerate()
        .map(|(place, item)| (item.clone(), at_place(&complete, place), at_place(&pairwise, place)))
        .collect();
    Scale { row, items, moments }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of units")]
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
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

fn blank(questionnaire: &Questionnaire, form: &Form<'_>, kind: &str, subject: &str, run_id: &str) -> SurveyQuality {
    SurveyQuality {
        period: form.year.to_string(),
        questionnaire: questionnaire.id.clone(),
        questionnaire_version: form.version.version.clone(),
        kind: kind.to_owned(),
        subject: subject.to_owned(),
        method_version: METHOD_VERSION.to_owned(),
        run_id: run_id.to_owned(),
        ..SurveyQuality::default()
    }
}

#[cfg(test)]
mod tests {
    use prem_spec::{ResponseScale, Text};

    use super::*;

    fn item(codes: &[(i16, Option<&str>)]) -> Item {
        let code = |(code, reason): &(i16, Option<&str>)| ScaleCode {
            code: *code,
            label: Text::default(),
            missing_reason: reason.map(str::to_owned),
        };
        let scale = ResponseScale { id: "s".to_owned(), low: 1, high: 3, codes: codes.iter().map(code).collect() };
        Item {
            id: "i".to_owned(),
            version: 1,
            text: Text::default(),
            theme: None,
            scale,
            reversed: false,
            asked_if: None,
        }
    }

    #[test]
    fn reasons_without_a_score_are_told_apart() {
        let answers = [Some(1), Some(2), Some(3), None, Some(7), Some(8), Some(8), Some(9), Some(9), Some(9), None];
        let row = |codes| {
            let row = item_row(&item(codes), &answers, SurveyQuality::default());
            (row.n, row.n_scored, row.n_blank, row.n_other_missing, row.n_not_applicable, row.n_dont_know)
        };
        let scored = [(1, None), (2, None), (3, None)];
        let with = |missing: &[(i16, &'static str)]| -> Vec<(i16, Option<&'static str>)> {
            scored.into_iter().chain(missing.iter().map(|(code, reason)| (*code, Some(*reason)))).collect()
        };
        let three = with(&[(7, "refused"), (8, "not-applicable"), (9, "dont-know")]);
        assert_eq!(row(&three), (11, 3, 2, 6, Some(2), Some(3)));
        // Two codes with one meaning are one count.
        let two = with(&[(7, "not-applicable"), (8, "not-applicable"), (9, "dont-know")]);
        assert_eq!(row(&two), (11, 3, 2, 6, Some(3), Some(3)));
        // A scale without the answer has no count of it.
        let other = with(&[(7, "refused"), (8, "refused"), (9, "not-answered")]);
        assert_eq!(row(&other), (11, 3, 2, 6, None, None));
    }
}
