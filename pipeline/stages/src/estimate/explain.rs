//! One number once more, with what the estimation saw on its way.

use prem_spec::{Adjustment, Indicator, Period, Questionnaire, Stratifier, Unit, Weighting};
use prem_store::tables::Estimate;

use super::{
    Attempt, EstimateInputs, Failure, Task,
    compare::Test,
    fixed_effects, linear, periods_of, proportion, rate, response,
    rows::{chosen_strata, without_region},
    stopped, surveys,
};
use crate::{
    StageError,
    explain::{Calculation, Interval, ResponseCounts, Shrinkage, Term, WeightsUsed},
    placement::LevelMap,
};

/// The number asked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted<'a> {
    pub indicator: &'a Indicator,
    pub unit: &'a Unit,
    pub period: Period,
    /// As the column `stratum` has it.
    pub stratum: &'a str,
}

/// The number and what it is made of.
pub(crate) struct Found {
    pub row: Estimate,
    /// Units tested together.
    pub family: u64,
    /// Of the difference; none where nothing was tested.
    pub test: Option<Test>,
    /// The method tests whether there is a difference at all, whatever difference matters.
    pub is_tested_at_zero: bool,
    pub calculation: Calculation,
    pub interval: Interval,
    pub shrinkage: Option<Shrinkage>,
    pub weights: Option<WeightsUsed>,
    /// Period, value and variance.
    pub earlier: Option<(Period, f64, f64)>,
    pub response: Option<ResponseCounts>,
}

/// Stratifier and level, as positions, of a stratum; `None` for the total and for what is no stratum.
pub(crate) fn group_of(questionnaire: &Questionnaire, stratum: &str) -> Option<(usize, usize)> {
    questionnaire.stratifiers.iter().enumerate().find_map(|(place, stratifier)| {
        let levels = 0..=stratifier.labels().len();
        levels.into_iter().find(|level| stratifier.stratum(Some(*level)) == stratum).map(|level| (place, level))
    })
}

/// Estimates the number again; `None` where the estimation has none.
///
/// # Errors
/// When a kernel fails.
pub(crate) fn found(inputs: &EstimateInputs<'_>, wanted: &Wanted<'_>) -> Result<Option<Found>, StageError> {
    let Wanted { indicator, period, .. } = *wanted;
    let surveys = surveys(inputs, &[indicator]);
    let survey = indicator.population.questionnaire.as_ref().and_then(|id| surveys.get(id.as_str()));
    let own = Task { inputs, indicator, period, survey };
    let before = own.previous().filter(|before| periods_of(inputs, indicator).contains(before));
    let tasks: Vec<Task<'_>> = [own.at(period)].into_iter().chain(before.map(|before| own.at(before))).collect();
    match estimated(&tasks, wanted) {
        Ok(found) => Ok(found.map(|found| finished(&own, found))),
        Err(Failure::Weights(_)) => Ok(None),
        Err(Failure::Kernel(source)) => Err(stopped("explanation", indicator, period, source)),
        Err(Failure::Baseline { period, source }) => Err(stopped("baseline", indicator, period, source)),
    }
}

/// The tasks are the period's own and that of the period before, where there is one.
fn estimated(tasks: &[Task<'_>], wanted: &Wanted<'_>) -> Attempt<Option<Found>> {
    let Some(own) = tasks.first() else { return Ok(None) };
    let is_total = wanted.stratum == Stratifier::TOTAL;
    if own.indicator.measure.is_rate() {
        return if is_total { Ok(rate::explain(own, wanted)?) } else { Ok(None) };
    }
    if own.indicator.measure.is_proportion() {
        return proportion::explain(tasks, wanted);
    }
    match own.indicator.case_mix.adjustment {
        Adjustment::FixedEffects { .. } if !is_total => Ok(None),
        Adjustment::FixedEffects { convention } => Ok(fixed_effects::explain(own, convention, wanted)?),
        _ => linear::explain(tasks, wanted),
    }
}

/// What all kinds of estimates have in common.
fn finished(task: &Task<'_>, mut found: Found) -> Found {
    if task.inputs.plan.local_trusts(task.indicator).is_some() {
        without_region(&mut found.row);
    }
    found
}

impl Wanted<'_> {
    /// The level's units and the wanted one's place among them.
    pub fn place<'p>(&self, task: &Task<'p>) -> Option<(LevelMap<'p>, usize)> {
        let map = LevelMap::new(&task.inputs.plan.organisation, self.unit.level);
        let place = map.units.iter().position(|unit| unit.id == self.unit.id)?;
        task.indicator.levels.contains(&self.unit.level).then_some((map, place))
    }

    /// Position of the wanted stratum's stratifier in the questionnaire, its place among the indicator's, and the level. The
    /// outer `None` is no stratum of the indicator, the inner one everybody together.
    pub fn group(&self, task: &Task<'_>) -> Option<Option<(usize, usize, usize)>> {
        if self.stratum == Stratifier::TOTAL {
            return Some(None);
        }
        let survey = task.survey?;
        let (stratifier, level) = group_of(survey.questionnaire, self.stratum)?;
        let at = chosen_strata(task, survey).iter().position(|place| *place == stratifier)?;
        Some(Some((stratifier, at, level)))
    }
}

/// Who was asked at the unit, and the rate of the row.
pub(super) fn asked(
    task: &Task<'_>,
    (map, unit): (&LevelMap<'_>, usize),
    group: Option<(usize, usize)>,
) -> Option<ResponseCounts> {
    let survey = task.survey?;
    if survey.invitations.rows.is_empty() {
        return None;
    }
    let count = response::response_of(survey, task.period, (map, unit), group)?;
    Some(ResponseCounts {
        invited: count.invited,
        undeliverable: count.undeliverable,
        ineligible: count.ineligible,
        reserved: count.reserved,
        asked: count.asked(),
        answered: count.answered,
        response_rate: count.rate(),
    })
}

/// The weights of the unit's respondents; none where they count equally.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
pub(super) fn weights(task: &Task<'_>, n: u64, n_effective: Option<f64>, population: f64) -> Option<WeightsUsed> {
    let weighting = task.indicator.weighting;
    if weighting == Weighting::None {
        return None;
    }
    let n_effective = n_effective?;
    Some(WeightsUsed {
        weighting: weighting.as_str().to_owned(),
        n_effective,
        design_effect: n as f64 / n_effective,
        population,
    })
}

/// What −β̂(x̄_j − x̄) is made of.
pub(super) struct Adjusters<'a> {
    pub names: &'a [String],
    pub unit_means: &'a [f64],
    pub reference: &'a [f64],
    pub coefficients: &'a [f64],
    pub errors: &'a [f64],
    pub dropped: Vec<usize>,
    /// Of the item.
    pub weight: f64,
}

impl Adjusters<'_> {
    pub fn terms(&self) -> Vec<Term> {
        let term = |(place, name): (usize, &String)| {
            let (unit_mean, reference_mean) = (*self.unit_means.get(place)?, *self.reference.get(place)?);
            let coefficient = *self.coefficients.get(place)?;
            Some(Term {
                column: name.clone(),
                unit_mean,
                reference_mean,
                coefficient,
                coefficient_se: *self.errors.get(place)?,
                product: -self.weight * coefficient * (unit_mean - reference_mean),
                dropped: self.dropped.contains(&place),
            })
        };
        self.names.iter().enumerate().filter_map(term).collect()
    }
}

/// Rows with a q: those that were tested together.
pub(super) fn family(rows: &[Estimate]) -> u64 {
    rows.iter().filter(|row| row.q.is_some()).count() as u64
}
