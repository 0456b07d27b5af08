//! What respondents count for: equally, by the size of their sampling stratum, or by the register's margins.

use prem_spec::Weighting;
use prem_store::tables::Weighting as WeightingRow;

use super::{
    Task,
    non_response::Adjusted,
    rows::count,
    survey::{Calibration, Survey},
};
use crate::METHOD_VERSION;

/// The weights of one fit.
pub(super) enum Weights {
    Equal,
    /// Design weights scaled to the strata's sizes.
    Strata(Calibration),
    /// Weights that meet margins of the register; the strata's sizes are known beside them.
    Margins(Adjusted, Calibration),
}

/// Weights of groups of respondents who share one: respondents and weight of each.
pub(super) type Shares<'a> = &'a [(u64, f64)];

impl Weights {
    /// 1 − n_h/N_h by stratum, where the indicator takes its population as finite.
    pub fn correction(&self, task: &Task<'_>) -> Option<&[f64]> {
        let of = match self {
            Self::Equal => return None,
            Self::Strata(calibration) | Self::Margins(_, calibration) => &calibration.correction,
        };
        task.indicator.weights.finite_population.then_some(of.as_slice())
    }

    /// The row of the table `weighting`; none where respondents count equally.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn row(&self, task: &Task<'_>, shares: Shares<'_>) -> Option<WeightingRow> {
        let (adjusted, calibration) = match self {
            Self::Equal => return None,
            Self::Strata(calibration) => (None, calibration),
            Self::Margins(adjusted, calibration) => (Some(adjusted), calibration),
        };
        let n: u64 = shares.iter().map(|(n, _)| n).sum();
        let total: f64 = shares.iter().map(|(n, weight)| *n as f64 * weight).sum();
        let squares: f64 = shares.iter().map(|(n, weight)| *n as f64 * weight * weight).sum();
        let mean = total / n as f64;
        let weights = || shares.iter().filter(|(n, _)| *n > 0).map(|(_, weight)| weight / mean);
        let size = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        Some(WeightingRow {
            period: task.period.to_string(),
            indicator: task.indicator.id.clone(),
            method: task.indicator.weighting.as_str().to_owned(),
            n: count(n).unwrap_or(i64::MAX),
            n_effective: (squares > 0.0).then(|| total * total / squares),
            population: Some(total),
            weight_min: weights().reduce(f64::min),
            weight_max: weights().reduce(f64::max),
            strata: size(calibration.strata),
            strata_unreached: size(calibration.strata_unreached),
            population_unreached: Some(calibration.unreached),
            strata_incomplete: size(calibration.strata_incomplete),
            categories: adjusted.map(|adjusted| size(adjusted.categories_used)),
            collapsed: adjusted.map(|adjusted| adjusted.collapsed.join("; ")).filter(|text| !text.is_empty()),
            trimmed: adjusted.map(|adjusted| size(adjusted.trimmed)),
            iterations: adjusted.map(|adjusted| size(adjusted.iterations)),
            largest_gap: adjusted.map(|adjusted| adjusted.largest_gap),
            method_version: METHOD_VERSION.to_owned(),
            run_id: task.inputs.run_id.to_owned(),
        })
    }
}

/// What a method's id says of the weights, after its name.
pub(super) fn suffix(weighting: Weighting) -> &'static str {
    match weighting {
        Weighting::None => "",
        Weighting::Design => "/design-weighted",
        Weighting::PostStratify => "/post-stratified",
        Weighting::Rake => "/raked",
    }
}

/// Strata's sizes for the respondents of cells with `respondents` and Σw of `weights`.
pub(super) fn calibrate(
    task: &Task<'_>,
    survey: &Survey<'_>,
    cells: impl Iterator<Item = (u32, u64, f64)>,
) -> Calibration {
    let (mut n, mut weight) = (vec![0_u64; survey.strata.len()], vec![0.0; survey.strata.len()]);
    for (stratum, respondents, sum) in cells {
        n[stratum as usize] += respondents;
        weight[stratum as usize] += sum;
    }
    Calibration::new(&survey.populations(task.period, &task.indicator.id), &n, &weight)
}
