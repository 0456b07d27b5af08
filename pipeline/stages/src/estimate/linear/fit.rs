//! One fit of an indicator and period: moments of the lowest units, β̂ and the reference mix.

use prem_spec::Weighting;
use prem_stats::{
    Result, StatsError,
    case_mix::{RandomIntercept, SufficientStatistics, UnitMoments, WithinFit, within},
    linear_algebra::Matrix,
};

use super::is_gls;
use crate::estimate::{Task, coding::coded_design};

/// The fit of one indicator in one period.
pub(super) struct Fit {
    pub names: Vec<String>,
    pub left_out: u64,
    /// Per name: respondents that lack its adjuster.
    pub missing: Vec<u64>,
    /// Moments of the lowest units, one place per unit of the organisation.
    pub moments: UnitMoments,
    /// The same rows without adjusters.
    pub unadjusted: UnitMoments,
    pub within: WithinFit,
    /// x̄: mean adjusters of the region's respondents, in the baseline period where one is declared.
    pub reference: Vec<f64>,
}

/// The fit of the task's period, at the reference mix of its own or of the declared baseline period.
pub(super) fn fit(task: &Task<'_>) -> Result<Fit> {
    let mut own = own(task)?;
    if let Some(baseline) = task.indicator.case_mix.baseline.filter(|period| *period != task.period) {
        own.reference = self::own(&task.at(baseline))?.reference;
    }
    Ok(own)
}

fn own(task: &Task<'_>) -> Result<Fit> {
    let response = task.responses();
    let values = response.values(&task.indicator.id);
    let rows: Vec<usize> = (0..response.len()).filter(|row| !values[*row].is_nan()).collect();
    let design = coded_design(task, &rows)?;
    let pick = |from: &[f64]| design.rows.iter().map(|row| from[*row]).collect::<Vec<f64>>();
    let units: Vec<u32> = design.rows.iter().map(|row| response.units[*row]).collect();
    let (y, weights) = (pick(&values), pick(&response.weights));
    if y.is_empty() {
        return Err(StatsError::Empty { what: "responses in the period" });
    }
    let moments = |x: &[&[f64]]| -> Result<UnitMoments> {
        let unit_count = task.inputs.plan.organisation.units.len();
        let mut sums = match task.indicator.weighting {
            Weighting::None => SufficientStatistics::new(unit_count, x.len()),
            Weighting::Design => SufficientStatistics::weighted(unit_count, x.len()),
        };
        match task.indicator.weighting {
            Weighting::None => sums.add(&units, &y, x)?,
            Weighting::Design => sums.add_weighted(&units, &y, x, &weights)?,
        }
        sums.finish()
    };
    let with_adjusters = moments(&design.slices())?;
    Ok(Fit {
        within: within(&with_adjusters)?,
        reference: with_adjusters.mean_adjusters(),
        unadjusted: moments(&[])?,
        moments: with_adjusters,
        names: design.names,
        left_out: design.left_out,
        missing: design.missing,
    })
}

/// V(β̂) of the adjusters: the mixed model's own without its intercept for `gls`.
pub(super) fn covariance(task: &Task<'_>, fit: &Fit, lowest: Option<&RandomIntercept>) -> Matrix {
    match lowest.filter(|_| is_gls(task)) {
        Some(model) => model.covariance.submatrix(&(1..model.covariance.rows()).collect::<Vec<_>>()),
        None => fit.within.covariance.clone(),
    }
}
