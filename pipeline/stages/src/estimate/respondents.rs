//! The respondents behind a fit: rows of one month, or of a whole period where months cannot be taken apart.

use prem_spec::MissingAdjuster;
use prem_stats::Result;

use super::{Task, coding::design_of, rows::Response, survey::Survey};
use crate::strata::level_or_unknown;

/// Rows that an indicator uses, with the columns of its adjusters.
pub(super) struct Respondents {
    pub names: Vec<String>,
    pub columns: Vec<Vec<f64>>,
    pub left_out: u64,
    /// Per column: rows, left out or not, that lack its adjuster.
    pub missing: Vec<u64>,
    pub y: Vec<f64>,
    pub units: Vec<u32>,
    /// Positions in the survey's cells and classes.
    pub cells: Vec<u32>,
    pub classes: Vec<u32>,
    /// Inverse inclusion probability.
    pub weights: Vec<f64>,
    /// Month (its position) and row of each.
    origin: Vec<(usize, usize)>,
}

impl Respondents {
    /// Rows of `months` with a value of the task's indicator.
    pub fn of(task: &Task<'_>, survey: &Survey<'_>, months: &[usize]) -> Result<Self> {
        let response = Response::of_months(months.iter().map(|at| &survey.months[*at]).collect());
        let values = response.values(&task.indicator.id);
        let rows: Vec<usize> = (0..response.len()).filter(|row| !values[*row].is_nan()).collect();
        let lowest = (response.units.as_slice(), task.inputs.plan.organisation.units.len());
        let design = design_of(task, &response, &rows, lowest)?;
        let mut starts = Vec::with_capacity(months.len());
        let mut all = 0;
        for at in months {
            starts.push(all);
            all += survey.months[*at].len();
        }
        let place = |row: usize| {
            let month = starts.partition_point(|start| *start <= row).saturating_sub(1);
            (months[month], row - starts[month])
        };
        let origin: Vec<(usize, usize)> = design.rows.iter().map(|row| place(*row)).collect();
        Ok(Self {
            y: design.rows.iter().map(|row| values[*row]).collect(),
            units: design.rows.iter().map(|row| response.units[*row]).collect(),
            weights: design.rows.iter().map(|row| response.weights[*row]).collect(),
            cells: origin.iter().map(|(month, row)| survey.cell_of[*month][*row]).collect(),
            classes: origin.iter().map(|(month, row)| survey.class_of[*month][*row]).collect(),
            names: design.names,
            columns: design.columns,
            left_out: design.left_out,
            missing: design.missing,
            origin,
        })
    }

    pub fn len(&self) -> usize {
        self.y.len()
    }

    pub fn slices(&self) -> Vec<&[f64]> {
        self.columns.iter().map(Vec::as_slice).collect()
    }

    /// Levels of the questionnaire's stratifier at `place`; the number of declared levels stands for «unknown».
    pub fn levels(&self, survey: &Survey<'_>, place: usize) -> Vec<u32> {
        let Some(stratifier) = survey.questionnaire.stratifiers.get(place) else { return vec![0; self.len()] };
        let unknown = stratifier.labels().len();
        let level = |(month, row): &(usize, usize)| {
            let level = survey.months[*month].groups.get(place).and_then(|levels| levels[*row]);
            u32::try_from(level_or_unknown(level, unknown)).unwrap_or(u32::MAX)
        };
        self.origin.iter().map(level).collect()
    }
}

/// Whether months can be computed one by one: a unit's mean adjuster needs all of the period's rows.
pub(super) fn is_by_month(task: &Task<'_>) -> bool {
    task.indicator.case_mix.missing != MissingAdjuster::UnitMean || task.indicator.case_mix.adjusters.is_empty()
}

/// Merges parts in a fixed tree: neighbours first, so that neither threads nor the choice of periods shows in a sum.
pub(super) fn merged<T: Clone>(parts: &[&T], merge: &impl Fn(&mut T, &T) -> Result<()>) -> Result<Option<T>> {
    match parts {
        [] => Ok(None),
        [one] => Ok(Some((*one).clone())),
        _ => {
            let (left, right) = parts.split_at(parts.len().div_ceil(2));
            let mut all = merged(left, merge)?;
            if let (Some(all), Some(right)) = (&mut all, merged(right, merge)?) {
                merge(all, &right)?;
            }
            Ok(all)
        }
    }
}
