//! Shrunken values of a level as areas (Fay–Herriot on values and their sampling variances): weighted means and proportions.

use prem_stats::case_mix::{ShrinkageInterval, fay_herriot};
use prem_store::tables::Estimate;

use super::Task;
use crate::explain::Shrinkage;

/// Fills the shrunken columns of `rows` at the places of `areas`: (place, value, sampling variance). `range` bounds the limits.
///
/// Areas are to be publishable by their own counts. Where all are published, a shrunken value tells nothing that they do not; where one
/// is withheld for another's sake, protection takes the shrunken values too.
pub(super) fn shrink_areas(
    task: &Task<'_>,
    rows: &mut [Estimate],
    areas: &[(usize, f64, f64)],
    interval: ShrinkageInterval,
    range: (f64, f64),
) -> Option<Shrinkage> {
    let values: Vec<f64> = areas.iter().map(|area| area.1).collect();
    let variances: Vec<f64> = areas.iter().map(|area| area.2).collect();
    // Too few areas have nothing to borrow from.
    let fit = fay_herriot(&values, &variances, &[], interval, task.indicator.ci_level).ok()?;
    for ((place, ..), unit) in areas.iter().zip(&fit.units) {
        let row = rows.get_mut(*place)?;
        row.shrunken = Some(unit.value);
        row.shrunken_low = Some(unit.lower.max(range.0));
        row.shrunken_high = Some(unit.upper.min(range.1));
        row.reliability = Some(unit.reliability);
    }
    Some(Shrinkage {
        model: "fay-herriot".to_owned(),
        mean: fit.coefficients.first().copied().unwrap_or(0.0),
        between_sd: Some(fit.between_unit_variance.max(0.0).sqrt()),
        is_averaged: interval == ShrinkageInterval::Averaged,
        ..Shrinkage::default()
    })
}
