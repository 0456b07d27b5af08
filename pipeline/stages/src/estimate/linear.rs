//! Means: raw, adjusted by one β̂ for all levels, shrunken per level: by a random intercept, weighted values as areas.

use prem_spec::{Adjustment, BetaSource, Weighting};
use prem_stats::{
    Result, StatsError,
    case_mix::{
        AdjustedMean, AdjustedMeanOptions, Criterion, RandomIntercept, ShrinkageInterval, SufficientStatistics,
        UnitMoments, WithinFit, fay_herriot, fit_random_intercept, shrunken_means, within,
    },
    linear_algebra::{DropReason, Matrix},
};
use prem_store::tables::{CaseMix, Components, Estimate};

use super::{
    Estimated, Task,
    compare::{self, Compared},
    rows::{blank, count, is_top, levels, model_row, movement, response_rates},
};
use crate::{
    design::{Coded, Design, design},
    placement::LevelMap,
};

/// Fewer units have nothing to borrow from.
const SHRUNKEN_UNITS_MIN: usize = 5;

/// The fit of one indicator in one period.
struct Fit {
    names: Vec<String>,
    left_out: u64,
    /// Moments of the lowest units, one place per unit of the organisation.
    moments: UnitMoments,
    /// The same rows without adjusters.
    unadjusted: UnitMoments,
    within: WithinFit,
    /// x̄: mean adjusters of the region's respondents.
    reference: Vec<f64>,
}

pub(super) fn estimate(task: &Task<'_>) -> Result<Estimated> {
    let fit = fit(task)?;
    let lowest = match fit_random_intercept(&fit.moments, Criterion::Reml, fixed(task, &fit)) {
        Err(error) if is_gls(task) => return Err(error),
        fitted => fitted.ok(),
    };
    let earlier = task.previous().and_then(|task| Some((task.period, self::fit(&task).ok()?)));
    let response = task.responses();
    let mut out = Estimated::default();
    for map in levels(task) {
        let level = level(task, &fit, lowest.as_ref(), earlier.as_ref(), &map)?;
        let rates = response_rates(task, &response, &map);
        out.components.extend(level.components);
        for (place, mut row) in (0u32..).zip(level.rows) {
            row.response_rate = rates.get(&place).copied();
            if row.n.is_some_and(|n| n > 0) {
                out.estimates.push(row);
            }
        }
    }
    out.case_mix = case_mix_rows(task, &fit, lowest.as_ref(), &out.estimates);
    Ok(out)
}

/// The β that the mixed model takes as given; `None` for its own (`gls`).
fn fixed<'a>(task: &Task<'_>, fit: &'a Fit) -> Option<&'a WithinFit> {
    (!is_gls(task)).then_some(&fit.within)
}

fn is_gls(task: &Task<'_>) -> bool {
    task.indicator.case_mix.adjustment == Adjustment::RandomIntercept { beta: BetaSource::Gls }
}

/// Id of the method behind `value`.
fn method(task: &Task<'_>) -> &'static str {
    match (task.indicator.case_mix.adjustment, task.indicator.weighting) {
        (Adjustment::None, Weighting::None) => "mean",
        (Adjustment::None, Weighting::Design) => "mean/design-weighted",
        (_, _) if is_gls(task) => "random-intercept/gls",
        (_, Weighting::None) => "random-intercept/within",
        (_, Weighting::Design) => "random-intercept/within/design-weighted",
    }
}

/// Adjusters of the indicator over the responses of its period, coded.
pub(super) fn coded_design(task: &Task<'_>, rows: &[usize]) -> Result<Design> {
    let response = task.responses();
    let unit_count = task.inputs.plan.organisation.units.len();
    let declared = task.questionnaire().map(|q| q.adjusters.as_slice()).unwrap_or_default();
    let chosen: Vec<(usize, &prem_spec::Adjuster)> = declared
        .iter()
        .enumerate()
        .filter(|(_, adjuster)| task.indicator.case_mix.adjusters.contains(&adjuster.id))
        .collect();
    let coded: Vec<Coded> = chosen.iter().map(|(place, _)| response.adjuster(*place)).collect();
    let pairs: Vec<_> = chosen.iter().map(|(_, adjuster)| *adjuster).zip(&coded).collect();
    design(&pairs, task.indicator.case_mix.missing, rows, &response.units, unit_count)
}

fn fit(task: &Task<'_>) -> Result<Fit> {
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
    })
}

struct LevelEstimates {
    /// One per unit of the level, those without respondents included.
    rows: Vec<Estimate>,
    components: Option<Components>,
}

/// Adjusted means of the groups of `map` (the remainder last) with the fit's β, at the adjusters `reference`.
fn means(
    task: &Task<'_>,
    fit: &Fit,
    lowest: Option<&RandomIntercept>,
    map: &LevelMap<'_>,
    reference: &[f64],
) -> Result<Vec<Option<AdjustedMean>>> {
    let options = AdjustedMeanOptions { level: task.indicator.ci_level, ..AdjustedMeanOptions::default() };
    match lowest.filter(|_| is_gls(task)) {
        Some(model) => {
            model.adjusted_means(&fit.moments, Some((map.parent.as_slice(), map.groups())), reference, &options)
        }
        None => fit.within.adjusted_means(&fit.moments.aggregate(&map.parent, map.groups())?, reference, &options),
    }
}

fn level(
    task: &Task<'_>,
    fit: &Fit,
    lowest: Option<&RandomIntercept>,
    earlier: Option<&(prem_spec::Period, Fit)>,
    map: &LevelMap<'_>,
) -> Result<LevelEstimates> {
    let groups = fit.moments.aggregate(&map.parent, map.groups())?;
    let adjusted = means(task, fit, lowest, map, &fit.reference)?;
    let before = earlier.and_then(|(period, earlier)| {
        // An adjuster that only one of the fits could use leaves no common point to compare at.
        (earlier.within.dropped == fit.within.dropped).then_some(())?;
        let model = fit_random_intercept(&earlier.moments, Criterion::Reml, fixed(task, earlier)).ok();
        Some((*period, means(task, earlier, model.as_ref(), map, &fit.reference).ok()?))
    });
    let mut rows: Vec<Estimate> = map.units.iter().map(|unit| blank(task, unit, method(task))).collect();
    for (place, row) in rows.iter_mut().enumerate() {
        let Some(mean) = &adjusted[place] else { continue };
        fill(task, row, mean)?;
        if let Some((period, Some(earlier))) = before.as_ref().map(|(period, means)| (*period, &means[place])) {
            compare::with_previous(row, (earlier.value, earlier.variance), (mean.value, mean.variance), period)?;
        }
    }
    let parts: Vec<Option<Compared>> = adjusted
        .iter()
        .enumerate()
        .map(|(place, mean)| {
            mean.as_ref().map(|mean| Compared {
                value: mean.value,
                sampling_variance: mean.sampling_variance,
                degrees_of_freedom: mean.degrees_of_freedom,
                weight: groups.weight_sum(place),
                gradient: mean.mean_adjusters.clone(),
            })
        })
        .collect();
    let (parts, rest) = parts.split_at(map.units.len());
    let is_publishable: Vec<bool> = rows.iter().map(|row| publishable(task, row)).collect();
    let mut freedom = vec![f64::INFINITY; rows.len()];
    if !is_top(map.level) {
        freedom = compare::with_region(
            &mut rows,
            parts,
            rest.first().and_then(Option::as_ref),
            &covariance(task, fit, lowest),
        )?;
    }
    compare::assess(&mut rows, task.indicator, &freedom, &is_publishable)?;
    let components = if is_top(map.level) { None } else { shrink(task, fit, map, &mut rows)? };
    Ok(LevelEstimates { rows, components })
}

/// V(β̂) of the adjusters: the mixed model's own without its intercept for `gls`.
fn covariance(task: &Task<'_>, fit: &Fit, lowest: Option<&RandomIntercept>) -> Matrix {
    match lowest.filter(|_| is_gls(task)) {
        Some(model) => model.covariance.submatrix(&(1..model.covariance.rows()).collect::<Vec<_>>()),
        None => fit.within.covariance.clone(),
    }
}

fn publishable(task: &Task<'_>, row: &Estimate) -> bool {
    let n = row.n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0);
    task.indicator.protection.primary_reason(Some(n), None, None).is_none()
}

fn fill(task: &Task<'_>, row: &mut Estimate, mean: &AdjustedMean) -> Result<()> {
    row.n = count(mean.n);
    row.n_effective = (task.indicator.weighting == Weighting::Design).then_some(mean.n_effective);
    row.raw = Some(mean.crude);
    row.value = Some(mean.value);
    row.se = Some(mean.standard_error);
    row.ci_low = Some(mean.lower);
    row.ci_high = Some(mean.upper);
    row.goal_level = compare::goal_level(task.indicator, mean.value, row.coverage)?;
    Ok(())
}

/// Random intercept of the level's own units: shrunken values, reliabilities and variance components.
fn shrink(task: &Task<'_>, fit: &Fit, map: &LevelMap<'_>, rows: &mut [Estimate]) -> Result<Option<Components>> {
    let rest = u32::try_from(map.units.len()).unwrap_or(u32::MAX);
    let parent: Vec<Option<u32>> = map.parent.iter().map(|group| group.filter(|group| *group != rest)).collect();
    let units = fit.moments.aggregate(&parent, map.units.len())?;
    let unadjusted = fit.unadjusted.aggregate(&parent, map.units.len())?;
    let Ok(model) = fit_random_intercept(&units, Criterion::Reml, fixed(task, fit)) else { return Ok(None) };
    let before = fit_random_intercept(&unadjusted, Criterion::Reml, None).ok();
    match task.indicator.weighting {
        Weighting::None => {
            let level = task.indicator.ci_level;
            let shrunken = shrunken_means(&model, &units, &fit.reference, ShrinkageInterval::Averaged, level);
            // Fewer than five units have nothing to borrow from.
            for (row, shrunken) in rows.iter_mut().zip(shrunken.into_iter().flatten()) {
                row.shrunken = Some(shrunken.value);
                row.shrunken_low = Some(shrunken.lower);
                row.shrunken_high = Some(shrunken.upper);
                row.reliability = Some(shrunken.reliability);
            }
        }
        Weighting::Design => shrink_weighted(task, rows),
    }
    Ok(Some(Components {
        period: task.period.to_string(),
        indicator: task.indicator.id.clone(),
        level: map.level.as_str().to_owned(),
        between_sd: Some(model.components.between_unit_sd),
        between_sd_unadjusted: before.map(|model| model.components.between_unit_sd),
        icc: Some(model.components.intraclass_correlation()),
        log_odds_variance: None,
    }))
}

/// Weighted values are shrunken as areas (Fay–Herriot on a_j and V_j): a sampling weight is no precision weight.
fn shrink_weighted(task: &Task<'_>, rows: &mut [Estimate]) {
    let is_known = |row: &Estimate| row.value.is_some() && row.se.is_some_and(|se| se > 0.0);
    let known: Vec<usize> = (0..rows.len()).filter(|place| is_known(&rows[*place])).collect();
    if known.len() < SHRUNKEN_UNITS_MIN {
        return;
    }
    let values: Vec<f64> = known.iter().filter_map(|place| rows[*place].value).collect();
    let variances: Vec<f64> = known.iter().filter_map(|place| rows[*place].se.map(|se| se * se)).collect();
    let Ok(fit) = fay_herriot(&values, &variances, &[], task.indicator.ci_level) else { return };
    for (place, unit) in known.into_iter().zip(fit.units) {
        let row = &mut rows[place];
        row.shrunken = Some(unit.value);
        row.shrunken_low = Some(unit.lower);
        row.shrunken_high = Some(unit.upper);
        row.reliability = Some(unit.reliability);
    }
}

/// The row of the whole model, then one per coefficient.
fn case_mix_rows(task: &Task<'_>, fit: &Fit, lowest: Option<&RandomIntercept>, estimates: &[Estimate]) -> Vec<CaseMix> {
    let before = fit_random_intercept(&fit.unadjusted, Criterion::Reml, None).ok();
    let convergence = match lowest {
        Some(model) if model.convergence.boundary => "converged at zero between-unit variance",
        Some(model) if model.convergence.converged => "converged",
        Some(_) => "not converged",
        None => "no random intercept: too few units",
    };
    let (adjustment_max, adjustment_mean) = movement(estimates);
    let whole = CaseMix {
        n_used: count(fit.within.rows).unwrap_or(0),
        n_left_out: count(fit.left_out).unwrap_or(0),
        n_units: i64::try_from(fit.within.units).unwrap_or(i64::MAX),
        r_squared: Some(fit.within.r_squared_within),
        sigma: Some(fit.within.residual_variance.sqrt()),
        between_sd: lowest.map(|model| model.components.between_unit_sd),
        between_sd_unadjusted: before.map(|model| model.components.between_unit_sd),
        adjustment_max,
        adjustment_mean,
        convergence: convergence.to_owned(),
        ..model_row(task, "(fit)", method(task))
    };
    let (coefficients, errors) = match lowest.filter(|_| is_gls(task)) {
        Some(model) => (model.coefficients[1..].to_vec(), model.standard_errors()[1..].to_vec()),
        None => (fit.within.coefficients.clone(), fit.within.standard_errors()),
    };
    let dropped: Vec<(usize, DropReason)> = fit.within.dropped.iter().map(|d| (d.index, d.reason)).collect();
    let terms = coefficient_rows(&whole, &fit.names, &coefficients, &errors, &dropped, fit.within.degrees_of_freedom);
    std::iter::once(whole).chain(terms).collect()
}

/// One row per coefficient, with t intervals on `df` degrees of freedom (normal when infinite).
pub(super) fn coefficient_rows(
    whole: &CaseMix,
    names: &[String],
    coefficients: &[f64],
    errors: &[f64],
    dropped: &[(usize, DropReason)],
    df: f64,
) -> Vec<CaseMix> {
    use prem_stats::distributions::{normal, student_t};
    let tail = 0.5 * (1.0 - prem_stats::interval::Level::P95.value());
    let quantile = if df.is_finite() { student_t::upper_quantile(tail, df) } else { normal::upper_quantile(tail) };
    let empty = CaseMix {
        r_squared: None,
        sigma: None,
        between_sd: None,
        between_sd_unadjusted: None,
        adjustment_max: None,
        adjustment_mean: None,
        ..whole.clone()
    };
    let row = |place: usize| {
        let reason = dropped.iter().find(|(index, _)| *index == place).map(|(_, reason)| match reason {
            DropReason::Constant => "constant",
            DropReason::Collinear => "collinear",
            DropReason::Separated => "separates the answers",
        });
        let value = reason.is_none().then_some((coefficients[place], errors[place]));
        let half = |se: f64| quantile.as_ref().ok().map(|quantile| quantile * se);
        CaseMix {
            term: names[place].clone(),
            estimate: value.map(|(estimate, _)| estimate),
            se: value.map(|(_, se)| se),
            ci_low: value.and_then(|(estimate, se)| Some(estimate - half(se)?)),
            ci_high: value.and_then(|(estimate, se)| Some(estimate + half(se)?)),
            dropped: reason.map(str::to_owned),
            ..empty.clone()
        }
    };
    (0..names.len()).map(row).collect()
}
