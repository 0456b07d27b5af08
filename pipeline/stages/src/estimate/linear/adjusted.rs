//! Adjusted means of groups of units, and of parts of them, under the fit's weights.

use std::collections::{BTreeMap, BTreeSet};

use prem_stats::{
    Result,
    case_mix::{
        AdjustedMean, AdjustedMeanOptions, DomainSums, RandomIntercept, SamplingVariance, StratumPart, combine_strata,
    },
    linear_algebra::Matrix,
    weights::{Scored, score_variance},
};

use super::{
    fit::{Fit, covariance},
    is_gls,
};
use crate::{
    estimate::{
        Task,
        respondents::{Respondents, merged},
        survey::Survey,
        weighting::Weights,
    },
    placement::LevelMap,
};

fn options(task: &Task<'_>) -> AdjustedMeanOptions {
    AdjustedMeanOptions { level: task.indicator.ci_level, ..AdjustedMeanOptions::default() }
}

/// Adjusted means of the groups of `map` (the remainder last) with the fit's β, at the adjusters `reference`.
pub(super) fn means(
    task: &Task<'_>,
    survey: &Survey<'_>,
    fit: &Fit,
    lowest: Option<&RandomIntercept>,
    map: &LevelMap<'_>,
    reference: &[f64],
) -> Result<Vec<Option<AdjustedMean>>> {
    let options = options(task);
    let parent = survey.cells.parents(&map.parent);
    let fitted = fit.adjusting(task, lowest);
    match &fit.weights {
        Weights::Equal => match lowest.filter(|_| is_gls(task)) {
            Some(model) => {
                let parents = Some((map.parent.as_slice(), map.groups()));
                model.adjusted_means(&fit.moments, parents, reference, &options)
            }
            None => fitted.adjusted_means(&fit.moments.aggregate(&map.parent, map.groups())?, reference, &options),
        },
        Weights::Strata(_) => {
            let pairs = Pairs::new(&parent, &survey.cells.strata);
            let moments = fit.cells.aggregate(&pairs.of_cell, pairs.all.len())?;
            let parts = fitted.adjusted_means(&moments, reference, &options)?;
            let weights: Vec<f64> = (0..pairs.all.len()).map(|pair| moments.weight_sum(pair)).collect();
            let sizes = stratum_sizes(task, survey, fit);
            pairs.combined(task, fit, map.groups(), &parts, (&weights, &sizes), (&fitted.covariance, reference))
        }
        Weights::Margins(..) => {
            let moments = fit.cells.aggregate(&parent, map.groups())?;
            let means = fitted.adjusted_means(&moments, reference, &options)?;
            let group = |row: usize, rows: &Respondents| map.parent[rows.units[row] as usize];
            with_margins(task, survey, fit, &fitted.coefficients, means, &group)
        }
    }
}

/// Respondents of each sampling stratum, of all units, and those who are not of the indicator's population.
fn stratum_sizes(task: &Task<'_>, survey: &Survey<'_>, fit: &Fit) -> Vec<u64> {
    let strata = &survey.cells.strata;
    let mut sizes = survey.outside(task.period, &task.indicator.id);
    for (cell, stratum) in strata.iter().enumerate() {
        sizes[*stratum as usize] += fit.cells.count(cell);
    }
    sizes
}

/// Groups crossed with sampling strata: what is estimated first and combined by the strata's sizes.
struct Pairs {
    /// (group, stratum), sorted.
    all: Vec<(u32, u32)>,
    /// Per cell, its pair.
    of_cell: Vec<Option<u32>>,
}

impl Pairs {
    fn new(group_of_cell: &[Option<u32>], strata: &[u32]) -> Self {
        let pair = |(group, stratum): (&Option<u32>, &u32)| Some(((*group)?, *stratum));
        let all: BTreeSet<(u32, u32)> = group_of_cell.iter().zip(strata).filter_map(pair).collect();
        let all: Vec<(u32, u32)> = all.into_iter().collect();
        let place = |pair: (u32, u32)| all.binary_search(&pair).ok().and_then(|at| u32::try_from(at).ok());
        let of_cell = group_of_cell.iter().zip(strata).map(|both| pair(both).and_then(place)).collect();
        Self { all, of_cell }
    }

    /// a_u = ΣN_h a_h/ΣN_h over the strata of each group; `sizes` are the strata's respondents.
    fn combined(
        &self,
        task: &Task<'_>,
        fit: &Fit,
        groups: usize,
        parts: &[Option<AdjustedMean>],
        (weights, sizes): (&[f64], &[u64]),
        (covariance, reference): (&Matrix, &[f64]),
    ) -> Result<Vec<Option<AdjustedMean>>> {
        let left = |stratum: usize| {
            let correction = fit.weights.correction(task);
            correction.and_then(|correction| correction.get(stratum)).copied().unwrap_or(1.0)
        };
        let mut of_group: Vec<Vec<StratumPart<'_>>> = vec![Vec::new(); groups];
        for (((group, stratum), mean), population) in self.all.iter().zip(parts).zip(weights) {
            let Some(mean) = mean else { continue };
            let stratum = *stratum as usize;
            let part = StratumPart { population: *population, mean, respondents: sizes[stratum], left: left(stratum) };
            of_group[*group as usize].push(part);
        }
        let combine = |parts: &Vec<StratumPart<'_>>| {
            let any = (!parts.is_empty()).then_some(parts);
            any.map(|parts| combine_strata(parts, covariance, reference, task.indicator.ci_level)).transpose()
        };
        of_group.iter().map(combine).collect()
    }
}

/// Means whose sampling variance is that of weights which meet margins, where there are rows enough to see it.
fn with_margins(
    task: &Task<'_>,
    survey: &Survey<'_>,
    fit: &Fit,
    coefficients: &[f64],
    means: Vec<Option<AdjustedMean>>,
    group: &dyn Fn(usize, &Respondents) -> Option<u32>,
) -> Result<Vec<Option<AdjustedMean>>> {
    let (Weights::Margins(adjusted, _), Some(rows)) = (&fit.weights, &fit.rows) else { return Ok(means) };
    let mut residuals = rows.y.clone();
    for (column, beta) in rows.columns.iter().zip(coefficients) {
        residuals.iter_mut().zip(column).for_each(|(e, x)| *e -= beta * x);
    }
    let mut members: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut blocks: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for row in 0..rows.len() {
        blocks.entry(adjusted.blocks[row]).or_default().push(row);
        if let Some(group) = group(row, rows) {
            members.entry(group).or_default().push(row);
        }
    }
    let place = |(at, mean): (usize, Option<AdjustedMean>)| -> Result<Option<AdjustedMean>> {
        let Some(mean) = mean else { return Ok(None) };
        let own = u32::try_from(at).ok().and_then(|at| members.get(&at)).map(Vec::as_slice).unwrap_or_default();
        let stratum = |row: usize| survey.cells.strata[rows.cells[row] as usize];
        // Few respondents, or such as do not vary: the pooled form, of what a finite population leaves to chance.
        if mean.source == SamplingVariance::Pooled {
            let Some(correction) = fit.weights.correction(task) else { return Ok(Some(mean)) };
            let (mut left, mut all) = (0.0, 0.0);
            for row in own {
                let square = adjusted.weights[*row].powi(2);
                all += square;
                left += square * correction.get(stratum(*row) as usize).copied().unwrap_or(1.0);
            }
            let (variance, df) = (mean.sampling_variance * left / all, mean.degrees_of_freedom);
            return mean.with_sampling_variance(variance, df, task.indicator.ci_level).map(Some);
        }
        let total: f64 = own.iter().map(|row| adjusted.weights[*row]).sum();
        let middle = own.iter().map(|row| adjusted.weights[*row] * residuals[*row]).sum::<f64>() / total;
        // Nobody outside the hospitals of the group's rows bears on it.
        let touched: BTreeSet<u32> = own.iter().map(|row| adjusted.blocks[*row]).collect();
        let around: Vec<usize> = touched.iter().filter_map(|block| blocks.get(block)).flatten().copied().collect();
        let inside: BTreeSet<usize> = own.iter().copied().collect();
        let scores: Vec<f64> = around
            .iter()
            .map(|row| if inside.contains(row) { (residuals[*row] - middle) / total } else { 0.0 })
            .collect();
        let weights: Vec<f64> = around.iter().map(|row| adjusted.weights[*row]).collect();
        let strata: Vec<u32> = around.iter().map(|row| stratum(*row)).collect();
        let scored = Scored { scores: &scores, weights: &weights, counts: None, strata: &strata };
        let variance = score_variance(&scored, fit.weights.correction(task), &adjusted.margins_of(&around))?;
        #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
        let degrees_of_freedom = (mean.n - 1) as f64;
        mean.with_sampling_variance(variance, degrees_of_freedom, task.indicator.ci_level).map(Some)
    };
    means.into_iter().enumerate().map(place).collect()
}

/// Sums of the parts that one stratifier divides the cells into, under the fit's β and weights.
pub(super) struct Parts {
    /// Declared levels; the part after them is «unknown».
    pub levels: usize,
    /// Position of the stratifier in the questionnaire.
    pub stratifier: usize,
    sums: DomainSums,
    coefficients: Vec<f64>,
    covariance: Matrix,
}

impl Parts {
    /// Reads the period's rows once more: with β̂ known, only residuals and means are needed.
    pub fn read(
        task: &Task<'_>,
        survey: &Survey<'_>,
        fit: &Fit,
        lowest: Option<&RandomIntercept>,
        stratifier: usize,
    ) -> Result<Option<Self>> {
        let Some(declared) = survey.questionnaire.stratifiers.get(stratifier) else { return Ok(None) };
        let levels = declared.labels().len();
        let parts = levels + 1;
        let coefficients = fit.coefficients(task, lowest);
        let add = |rows: &Respondents, weights: &[f64]| -> Result<DomainSums> {
            let of_level = rows.levels(survey, stratifier);
            let width = u32::try_from(parts).unwrap_or(u32::MAX);
            let domains: Vec<u32> = rows.cells.iter().zip(of_level).map(|(cell, level)| cell * width + level).collect();
            let mut sums = DomainSums::new(survey.cells.len() * parts, rows.columns.len());
            sums.add(&domains, &rows.y, &rows.slices(), weights, &coefficients)?;
            Ok(sums)
        };
        let sums = match (&fit.weights, &fit.rows) {
            (Weights::Margins(adjusted, _), Some(rows)) => add(rows, &adjusted.weights)?,
            (weights, _) => {
                let months: Vec<usize> = survey.months_of(task.period).collect();
                let groups: Vec<Vec<usize>> = if crate::estimate::respondents::is_by_month(task) {
                    months.into_iter().map(|at| vec![at]).collect()
                } else {
                    vec![months]
                };
                let mut sums = Vec::with_capacity(groups.len());
                for months in &groups {
                    let rows = Respondents::of(task, survey, months)?;
                    let counts_for = |(cell, weight): (&u32, &f64)| match weights {
                        Weights::Strata(calibration) => {
                            weight * calibration.factors[survey.cells.strata[*cell as usize] as usize]
                        }
                        _ => 1.0,
                    };
                    let counted: Vec<f64> = rows.cells.iter().zip(&rows.weights).map(counts_for).collect();
                    sums.push(add(&rows, &counted)?);
                }
                let sums: Vec<&DomainSums> = sums.iter().collect();
                match merged(&sums, &|all: &mut DomainSums, part: &DomainSums| all.merge(part))? {
                    Some(sums) => sums,
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(Self { levels, stratifier, sums, coefficients, covariance: covariance(task, fit, lowest) }))
    }

    /// Means of the groups of `map` in level `level` (the remainder last), and Σw of each.
    pub fn means(
        &self,
        task: &Task<'_>,
        survey: &Survey<'_>,
        fit: &Fit,
        (map, level): (&LevelMap<'_>, usize),
        reference: &[f64],
    ) -> Result<(Vec<Option<AdjustedMean>>, Vec<f64>)> {
        let parts = self.levels + 1;
        let group_of_cell = survey.cells.parents(&map.parent);
        let groups = map.groups();
        let mut weights = vec![0.0; groups];
        for (cell, group) in group_of_cell.iter().enumerate() {
            if let Some(group) = group {
                weights[*group as usize] += self.sums.weights()[cell * parts + level];
            }
        }
        let only_level = |of_cell: &[Option<u32>]| -> Vec<Option<u32>> {
            let part = |part: usize| of_cell[part / parts].filter(|_| part % parts == level);
            (0..of_cell.len() * parts).map(part).collect()
        };
        let known = fit.known(&self.coefficients, &self.covariance);
        let means = match &fit.weights {
            Weights::Strata(_) => {
                let pairs = Pairs::new(&group_of_cell, &survey.cells.strata);
                let (parent, count) = (only_level(&pairs.of_cell), pairs.all.len());
                let of_pairs = self.sums.adjusted_means(&parent, count, &known, reference, &options(task))?;
                let mut sizes = vec![0.0; count];
                for (part, pair) in parent.iter().enumerate() {
                    if let Some(pair) = pair {
                        sizes[*pair as usize] += self.sums.weights()[part];
                    }
                }
                let of_strata = stratum_sizes(task, survey, fit);
                pairs.combined(task, fit, groups, &of_pairs, (&sizes, &of_strata), (&self.covariance, reference))?
            }
            _ => self.sums.adjusted_means(&only_level(&group_of_cell), groups, &known, reference, &options(task))?,
        };
        let Some(rows) = fit.rows.as_ref() else { return Ok((means, weights)) };
        let of_row = rows.levels(survey, self.stratifier);
        let group = |row: usize, rows: &Respondents| {
            map.parent[rows.units[row] as usize].filter(|_| of_row[row] as usize == level)
        };
        Ok((with_margins(task, survey, fit, &self.coefficients, means, &group)?, weights))
    }
}
