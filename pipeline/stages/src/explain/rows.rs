//! From rows to n: each response of the questionnaire, or each contact of a rate, under one heading.

use prem_spec::{MissingAdjuster, Questionnaire};

use super::{ContactRows, Question, ResponseRows, Rows};
use crate::{
    ScoredMonth, StageError,
    estimate::{EstimateInputs, group_of},
    placement::{LevelMap, positions},
    score::read_left_out,
    strata::level_or_unknown,
    tally::tally,
};

/// Why a response counts or not.
pub(super) fn rows(inputs: &EstimateInputs<'_>, question: &Question<'_>) -> Result<Rows, StageError> {
    if question.indicator.measure.is_rate() {
        return Ok(Rows::Contacts(contacts(inputs, question)));
    }
    responses(inputs, question).map(Rows::Responses)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts that were whole numbers")]
fn contacts(inputs: &EstimateInputs<'_>, question: &Question<'_>) -> ContactRows {
    let Some(cells) = inputs.events.get(&question.indicator.id) else { return ContactRows::default() };
    let (mut by_area, region) = tally(cells, question.period);
    let is_top = question.unit.parent.is_none();
    let position = positions(&inputs.plan.organisation.units);
    let of_area = position.get(question.unit.id.as_str()).and_then(|place| by_area.remove(place)).unwrap_or_default();
    let own = if is_top { &region } else { &of_area };
    let sum = |tally: &crate::tally::Tally| -> u64 {
        tally.repeats.iter().map(|repeat| (repeat.frequency * repeat.persons) as u64).sum()
    };
    let (all, in_period, events) = (cells.events.len() as u64, sum(&region), sum(own));
    ContactRows {
        matching: cells.contacts,
        same_episode: cells.same_episode,
        left_out: cells.excluded.clone(),
        other_periods: all.saturating_sub(in_period),
        other_areas: in_period.saturating_sub(events),
        events,
        persons: own.persons.values().sum(),
    }
}

fn responses(inputs: &EstimateInputs<'_>, question: &Question<'_>) -> Result<ResponseRows, StageError> {
    let mut rows = ResponseRows::default();
    let Some(questionnaire) = inputs.plan.questionnaire_of(question.indicator) else { return Ok(rows) };
    let months = inputs.scored.get(&questionnaire.id).map(Vec::as_slice).unwrap_or_default();
    let map = LevelMap::new(&inputs.plan.organisation, question.unit.level);
    let own = positions(map.units.iter().copied()).get(question.unit.id.as_str()).copied();
    let group = group_of(questionnaire, &question.row.stratum);
    let mut counted: Vec<(&ScoredMonth, usize)> = Vec::new();
    for month in months {
        rows.linked += month.len() as u64;
        if !question.period.contains(month.month) {
            rows.other_periods += month.len() as u64;
            continue;
        }
        let reasons = reasons(question, month)?;
        for (row, unit) in month.units.iter().enumerate() {
            if own.is_none() || map.parent.get(*unit as usize).copied().flatten() != own {
                rows.other_units += 1;
            } else if group.is_some_and(|group| !is_in(questionnaire, month, row, group)) {
                rows.other_strata += 1;
            } else {
                rows.of_unit += 1;
                match reasons.get(row).cloned().flatten() {
                    Some(reason) => *rows.left_out.entry(reason).or_default() += 1,
                    None => counted.push((month, row)),
                }
            }
        }
    }
    let lacking = Lacking::of(question, questionnaire);
    rows.adjuster_missing = counted.iter().filter(|(month, row)| lacking.holds(month, *row)).count() as u64;
    rows.n = counted.len() as u64 - rows.adjuster_missing;
    Ok(rows)
}

fn reasons(question: &Question<'_>, month: &ScoredMonth) -> Result<Vec<Option<String>>, StageError> {
    match question.scored.iter().find(|(of, _)| *of == month.month) {
        Some((_, path)) => read_left_out(path, &question.indicator.id),
        None => Ok(Vec::new()),
    }
}

/// Whether a response is in a level of a stratifier; the number of declared levels stands for «unknown».
fn is_in(questionnaire: &Questionnaire, month: &ScoredMonth, row: usize, (place, level): (usize, usize)) -> bool {
    let unknown = questionnaire.stratifiers.get(place).map_or(0, |stratifier| stratifier.labels().len());
    level_or_unknown(month.groups.get(place).and_then(|levels| levels[row]), unknown) == level
}

/// Whom the model cannot take in for want of an adjuster.
struct Lacking {
    /// Positions of the indicator's adjusters; none where a missing one is filled or a category of its own.
    adjusters: Vec<usize>,
}

impl Lacking {
    fn of(question: &Question<'_>, questionnaire: &Questionnaire) -> Self {
        let case_mix = &question.indicator.case_mix;
        if case_mix.missing != MissingAdjuster::CompleteCases {
            return Self { adjusters: Vec::new() };
        }
        let declared = questionnaire.adjusters.iter().enumerate();
        let chosen = declared.filter(|(_, adjuster)| case_mix.adjusters.contains(&adjuster.id));
        Self { adjusters: chosen.map(|(place, _)| place).collect() }
    }

    fn holds(&self, month: &ScoredMonth, row: usize) -> bool {
        let lacks = |place: &usize| month.adjusters.get(*place).is_some_and(|coded| coded.is_missing(row));
        self.adjusters.iter().any(lacks)
    }
}
