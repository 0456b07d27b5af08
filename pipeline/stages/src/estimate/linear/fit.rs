//! One fit of an indicator and period: moments of cells and lowest units, β̂ and the reference mix.

use prem_spec::Weighting;
use prem_stats::{
    Result, StatsError,
    case_mix::{KnownCoefficients, RandomIntercept, SufficientStatistics, UnitMoments, WithinFit, within},
    linear_algebra::Matrix,
};
use rayon::prelude::*;

use super::is_gls;
use crate::estimate::{
    Attempt, Task,
    non_response::adjust,
    respondents::{Respondents, is_by_month, merged},
    survey::Survey,
    weighting::{Weights, calibrate},
};

/// The fit of one indicator in one period.
pub(super) struct Fit {
    pub names: Vec<String>,
    pub left_out: u64,
    /// Per name: respondents that lack its adjuster.
    pub missing: Vec<u64>,
    /// Moments per cell of the survey (unit × sampling stratum), under the weights that respondents count with.
    pub cells: UnitMoments,
    /// Moments of the lowest units, one place per unit of the organisation.
    pub moments: UnitMoments,
    /// The same rows without adjusters.
    pub unadjusted: UnitMoments,
    pub within: WithinFit,
    /// x̄: mean adjusters of the region's patients, in the baseline period where one is declared.
    pub reference: Vec<f64>,
    pub weights: Weights,
    /// The period's rows, where weights differ from row to row.
    pub rows: Option<Respondents>,
}

/// Sums of an indicator that periods have in common.
pub(super) struct Blocks {
    /// By month of the survey; empty where the indicator has to be read by period.
    months: Vec<Result<Block>>,
}

struct Block {
    names: Vec<String>,
    sums: SufficientStatistics,
    left_out: u64,
    missing: Vec<u64>,
}

impl Blocks {
    /// Reads every month once.
    pub fn read(task: &Task<'_>, survey: &Survey<'_>) -> Self {
        let is_read_here = is_by_month(task) && !is_adjusted(task);
        let read = |at: usize| block(task, survey, &Respondents::of(task, survey, &[at])?, None);
        Self {
            months: if is_read_here {
                (0..survey.months.len()).into_par_iter().map(read).collect()
            } else {
                Vec::new()
            },
        }
    }
}

/// Whether weights are adjusted to the register's margins, which is done by period.
pub(super) fn is_adjusted(task: &Task<'_>) -> bool {
    matches!(task.indicator.weighting, Weighting::PostStratify | Weighting::Rake)
}

/// Sums per cell, under `weights` or the design weights.
fn block(task: &Task<'_>, survey: &Survey<'_>, rows: &Respondents, weights: Option<&[f64]>) -> Result<Block> {
    let (cells, x) = (survey.cells.len(), rows.slices());
    let sums = if task.indicator.weighting == Weighting::None {
        let mut sums = SufficientStatistics::new(cells, x.len());
        sums.add(&rows.cells, &rows.y, &x)?;
        sums
    } else {
        let mut sums = SufficientStatistics::weighted(cells, x.len());
        sums.add_weighted(&rows.cells, &rows.y, &x, weights.unwrap_or(&rows.weights))?;
        sums
    };
    let (names, missing) = (rows.names.clone(), rows.missing.clone());
    Ok(Block { names, sums, left_out: rows.left_out, missing })
}

/// The fit of the task's period, from the months' sums or, where they cannot be merged, from the period's rows.
pub(super) fn fit(task: &Task<'_>, survey: &Survey<'_>, blocks: &Blocks) -> Attempt<Fit> {
    let months: Vec<usize> = survey.months_of(task.period).collect();
    if !blocks.months.is_empty() {
        let parts: Vec<&Block> =
            months.iter().map(|at| blocks.months[*at].as_ref().map_err(Clone::clone)).collect::<Result<_>>()?;
        let sums: Vec<&SufficientStatistics> = parts.iter().map(|part| &part.sums).collect();
        let merge = |all: &mut SufficientStatistics, part: &SufficientStatistics| all.merge(part);
        let sums = merged(&sums, &merge)?.ok_or(NOBODY)?;
        // The columns follow from the declaration, so that all months have the same.
        let names = parts.first().map(|part| part.names.clone()).unwrap_or_default();
        let lacking = |place: usize| parts.iter().filter_map(|part| part.missing.get(place)).sum();
        let missing = (0..names.len()).map(lacking).collect();
        let left_out = parts.iter().map(|part| part.left_out).sum();
        return Ok(finish(task, survey, Block { names, sums, left_out, missing }, None)?);
    }
    let rows = Respondents::of(task, survey, &months)?;
    if !is_adjusted(task) {
        return Ok(finish(task, survey, block(task, survey, &rows, None)?, None)?);
    }
    if rows.len() == 0 {
        return Err(NOBODY.into());
    }
    let adjusted = adjust(task, survey, &rows)?;
    let block = block(task, survey, &rows, Some(&adjusted.weights))?;
    let by_design = rows.cells.iter().zip(&rows.weights).map(|(cell, w)| (survey.cells.strata[*cell as usize], 1, *w));
    let weights = Weights::Margins(adjusted, calibrate(task, survey, by_design));
    Ok(finish(task, survey, block, Some((weights, rows)))?)
}

const NOBODY: StatsError = StatsError::Empty { what: "responses in the period" };

fn finish(task: &Task<'_>, survey: &Survey<'_>, block: Block, adjusted: Option<(Weights, Respondents)>) -> Result<Fit> {
    let Block { names, sums, left_out, missing } = block;
    let mut cells = sums.finish()?;
    if cells.rows() == 0 {
        return Err(NOBODY);
    }
    let (weights, rows) = match adjusted {
        Some((weights, rows)) => (weights, Some(rows)),
        None if task.indicator.weighting == Weighting::None => (Weights::Equal, None),
        None => {
            let of = |cell: usize| (survey.cells.strata[cell], cells.count(cell), cells.weight_sum(cell));
            let calibration = calibrate(task, survey, (0..cells.units()).map(of));
            let factors: Vec<f64> =
                survey.cells.strata.iter().map(|stratum| calibration.factors[*stratum as usize]).collect();
            cells = cells.reweighted(&factors)?;
            (Weights::Strata(calibration), None)
        }
    };
    let moments = cells.aggregate(&survey.cells.unit_parents(), task.inputs.plan.organisation.units.len())?;
    Ok(Fit {
        within: within(&moments)?,
        reference: moments.mean_adjusters(),
        unadjusted: moments.outcome_only(),
        moments,
        cells,
        names,
        left_out,
        missing,
        weights,
        rows,
    })
}

impl Fit {
    /// β̂ for means of parts of units: the mixed model's own for `gls`.
    pub fn coefficients(&self, task: &Task<'_>, lowest: Option<&RandomIntercept>) -> Vec<f64> {
        match lowest.filter(|_| is_gls(task)) {
            Some(model) => model.coefficients[1..].to_vec(),
            None => self.within.coefficients.clone(),
        }
    }

    /// The within-unit fit with the β̂ and V(β̂) that adjust: its own, or the mixed model's for `gls`.
    pub fn adjusting(&self, task: &Task<'_>, lowest: Option<&RandomIntercept>) -> WithinFit {
        WithinFit {
            coefficients: self.coefficients(task, lowest),
            covariance: covariance(task, self, lowest),
            ..self.within.clone()
        }
    }

    pub fn known<'a>(&self, coefficients: &'a [f64], covariance: &'a Matrix) -> KnownCoefficients<'a> {
        KnownCoefficients {
            coefficients,
            covariance,
            residual_variance: self.within.residual_variance,
            degrees_of_freedom: self.within.degrees_of_freedom,
        }
    }

    /// Respondents and weight of groups that share one: rows where weights differ within cells, else cells.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn shares(&self) -> Vec<(u64, f64)> {
        match &self.weights {
            Weights::Margins(adjusted, _) => adjusted.weights.iter().map(|weight| (1, *weight)).collect(),
            _ => (0..self.cells.units())
                .filter(|cell| self.cells.count(*cell) > 0)
                .map(|cell| (self.cells.count(cell), self.cells.weight_sum(cell) / self.cells.count(cell) as f64))
                .collect(),
        }
    }
}

/// V(β̂) of the adjusters: the mixed model's own without its intercept for `gls`.
pub(super) fn covariance(task: &Task<'_>, fit: &Fit, lowest: Option<&RandomIntercept>) -> Matrix {
    match lowest.filter(|_| is_gls(task)) {
        Some(model) => model.covariance.submatrix(&(1..model.covariance.rows()).collect::<Vec<_>>()),
        None => fit.within.covariance.clone(),
    }
}
