//! The CAHPS case-mix model: unit-centred regression per item, equal item weights, units compared with their mean.
//!
//! # Estimand
//! adjusted_u, the composite of unit u at the mean of the units' mean adjusters, and delta_u, its distance from
//! the unweighted mean of all units.
//! # Formula
//! Item i, w = 1/I: b_i from unit-centred data, r residuals. unadjusted_u = Σw ȳ_ui;
//! a_u = unadjusted_u + Σw(mean_u(x̄_ui) − x̄_ui)'b_i; adjusted_u = a_u + overall − mean(a), overall = mean(unadjusted);
//! V_u = Σ_k(Σ_i w r_ki/n_ui)²; se(delta_u)² = V_u(1 − 2/U) + ΣV/U²; g = Σ(adjusted/V)/Σ(1/V);
//! F = Σ(adjusted_u − g)²/V_u/(U − 1) on U − 1 and Σn − U − p degrees of freedom.
//! `Manual` multiplies V_u by n/(n − 1) and tests on n_u − 1.
//! # Source
//! AHRQ, Instructions for Analyzing Data from CAHPS Surveys (macro 4.1), section "Case-mix adjustment" and
//! appendix on the analysis program; `Cahps41c` follows the macro's code where it departs from the text.
//! # Assumptions
//! One slope per item for all units; adjusters complete (see [`unit_mean_impute`](super::unit_mean_impute)).
//! # Edge cases
//! Units without an answer to one of the items are left out and get `None`. A residual variance of 0 in a
//! unit leaves F undefined.
//! # Reference values
//! `tests/case_mix_fixed_effects.rs`: by hand; `tests/reference/cahps.rs`: the macro's stored results for q38 and quick
//! (cahps/); `tests/reference/r_groups.rs`: the manual's convention by R's lm (1e-10).

use super::adjusted::critical_value;
use super::moments::UnitMoments;
use super::sufficient::SufficientStatistics;
use super::within::{WithinFit, within};
use crate::distributions::{f, student_t};
use crate::error::{Result, StatsError, check_all_finite, check_length};
use crate::linear_algebra::dot;

/// The macro's own constant for 95 % half-widths.
const CAHPS_Z: f64 = 1.96;

/// p below which a unit gets one or three stars.
const STAR_P: f64 = 0.05;

/// Which of the two published conventions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FixedEffectsConvention {
    /// The code of the CAHPS macro 4.1c.
    Cahps41c,
    /// The printed manual: n/(n − 1) in V_u, tests on n_u − 1 degrees of freedom.
    CahpsManual,
}

/// A unit against the mean of all units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stars {
    Below,
    Average,
    Above,
}

/// One unit's result.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FixedEffectsUnit {
    /// Respondents with at least one answered item.
    pub n: u64,
    pub unadjusted: f64,
    pub adjusted: f64,
    /// V_u: variance of `adjusted`, β taken as known.
    pub variance: f64,
    /// adjusted − overall.
    pub delta: f64,
    /// Standard error of `delta`, not of `adjusted`.
    pub delta_standard_error: f64,
    /// Half-width of the 95 % interval of `delta`.
    pub half_width_95: f64,
    pub p: f64,
    pub stars: Stars,
    /// 1 − V_u/(between-unit variance + V_u) by moments; 0 when there is none.
    pub reliability: f64,
}

/// One item's regression.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedEffectsItem {
    /// Slopes, dropped columns, R² and rows.
    pub fit: WithinFit,
    pub adjusted_r_squared: f64,
    /// Sums per unit: ȳ_u and x̄_u of the item's respondents.
    pub moments: UnitMoments,
    /// Mean over units of x̄_u.
    pub center: Vec<f64>,
}

/// All of an analysis.
#[derive(Debug, Clone, PartialEq)]
pub struct FixedEffectsFit {
    pub convention: FixedEffectsConvention,
    pub items: Vec<FixedEffectsItem>,
    /// One per unit index; `None` for units left out.
    pub units: Vec<Option<FixedEffectsUnit>>,
    /// Units that count.
    pub unit_count: usize,
    /// Respondents used.
    pub rows: u64,
    /// Unweighted mean of the units.
    pub overall: f64,
    /// overall − mean(a): what every unit is moved by, so that the mean of the units stays.
    pub recentre: f64,
    /// Precision-weighted mean; `None` when some V_u is 0.
    pub grand_mean: Option<f64>,
    /// F test that all units are equal; `None` when some V_u is 0.
    pub f: Option<f64>,
    pub df1: f64,
    pub df2: f64,
    pub f_p: Option<f64>,
    /// 1 − 1/F, never below 0.
    pub reliability: Option<f64>,
}

struct Item {
    moments: UnitMoments,
    fit: WithinFit,
    /// Mean over units of x̄_u.
    center: Vec<f64>,
}

/// Runs the analysis. `units[i]` < `unit_count` is respondent i's unit; `items[k][i]` an answer or NaN;
/// `adjusters[k][i]` complete.
///
/// # Errors
/// Fewer than two units with answers to every item, no residual degrees of freedom, values that are not finite.
pub fn fixed_effects(
    units: &[u32],
    unit_count: usize,
    items: &[&[f64]],
    adjusters: &[&[f64]],
    convention: FixedEffectsConvention,
) -> Result<FixedEffectsFit> {
    check_input(units, unit_count, items, adjusters)?;
    let keep = units_with_all_items(units, unit_count, items);
    let counted: Vec<usize> = (0..unit_count).filter(|&u| keep[u]).collect();
    if counted.len() < 2 {
        return Err(StatsError::TooFew { what: "units with answers to every item", needed: 2, found: counted.len() });
    }
    let fits = items
        .iter()
        .map(|item| fit_item(units, unit_count, &keep, &counted, item, adjusters))
        .collect::<Result<Vec<Item>>>()?;
    let w = 1.0 / items.len() as f64;
    let (n, mut variance) = respondent_variances(units, unit_count, &keep, items, adjusters, &fits, w);
    if convention == FixedEffectsConvention::CahpsManual {
        for &u in &counted {
            if n[u] < 2 {
                return Err(StatsError::TooFew { what: "respondents of a unit", needed: 2, found: n[u] as usize });
            }
            variance[u] *= n[u] as f64 / (n[u] as f64 - 1.0);
        }
    }
    let mut unadjusted = vec![0.0; unit_count];
    let mut shifted = vec![0.0; unit_count];
    for &u in &counted {
        for item in &fits {
            unadjusted[u] += w * item.moments.mean_y(u);
            let difference: Vec<f64> = item.center.iter().zip(item.moments.mean_x(u)).map(|(c, x)| c - x).collect();
            shifted[u] += w * dot(&difference, &item.fit.coefficients);
        }
        shifted[u] += unadjusted[u];
    }
    let count = counted.len() as f64;
    let overall = counted.iter().map(|&u| unadjusted[u]).sum::<f64>() / count;
    let recentre = overall - counted.iter().map(|&u| shifted[u]).sum::<f64>() / count;
    let adjusted: Vec<f64> = shifted.iter().map(|a| a + recentre).collect();
    let rows: u64 = counted.iter().map(|&u| n[u]).sum();
    let parameters = fits.iter().map(|i| i.fit.kept.len()).max().unwrap_or(0) as f64;
    let df1 = count - 1.0;
    let df2 = rows as f64 - count - parameters;
    if df2 < 1.0 {
        return Err(StatsError::TooFew {
            what: "residual degrees of freedom",
            needed: 1,
            found: df2.max(0.0) as usize,
        });
    }
    let total_variance: f64 = counted.iter().map(|&u| variance[u]).sum();
    let mean_square = counted.iter().map(|&u| (adjusted[u] - overall).powi(2)).sum::<f64>() / df1;
    let between = (mean_square - total_variance / count).max(0.0);
    let mut results = vec![None; unit_count];
    for &u in &counted {
        let delta = adjusted[u] - overall;
        let se = (variance[u] * (1.0 - 2.0 / count) + total_variance / (count * count)).max(0.0).sqrt();
        if !(se > 0.0 && se.is_finite()) {
            return Err(StatsError::Constant { what: "residuals within units" });
        }
        let (df, half) = match convention {
            FixedEffectsConvention::Cahps41c => (df2, CAHPS_Z * se),
            FixedEffectsConvention::CahpsManual => {
                let df = n[u] as f64 - 1.0;
                (df, critical_value(0.95, df)? * se)
            }
        };
        let p = student_t::two_sided_p(delta / se, df)?;
        let stars = match (p < STAR_P, delta < 0.0) {
            (true, true) => Stars::Below,
            (true, false) => Stars::Above,
            _ => Stars::Average,
        };
        results[u] = Some(FixedEffectsUnit {
            n: n[u],
            unadjusted: unadjusted[u],
            adjusted: adjusted[u],
            variance: variance[u],
            delta,
            delta_standard_error: se,
            half_width_95: half,
            p,
            stars,
            reliability: if between > 0.0 { between / (between + variance[u]) } else { 0.0 },
        });
    }
    let all_positive = counted.iter().all(|&u| variance[u] > 0.0);
    let (mut grand_mean, mut f_value, mut f_p) = (None, None, None);
    if all_positive {
        let precision: f64 = counted.iter().map(|&u| 1.0 / variance[u]).sum();
        let g = counted.iter().map(|&u| adjusted[u] / variance[u]).sum::<f64>() / precision;
        let statistic = counted.iter().map(|&u| (adjusted[u] - g).powi(2) / variance[u]).sum::<f64>() / df1;
        grand_mean = Some(g);
        f_value = Some(statistic);
        f_p = Some(f::sf(statistic, df1, df2)?);
    }
    let items = fits
        .into_iter()
        .map(|i| {
            let rows = i.fit.rows as f64;
            let left = rows - 1.0 - i.fit.kept.len() as f64;
            let adjusted_r_squared = 1.0 - (1.0 - i.fit.r_squared_within) * (rows - 1.0) / left;
            FixedEffectsItem { fit: i.fit, adjusted_r_squared, moments: i.moments, center: i.center }
        })
        .collect();
    Ok(FixedEffectsFit {
        convention,
        items,
        units: results,
        unit_count: counted.len(),
        rows,
        overall,
        recentre,
        grand_mean,
        f: f_value,
        df1,
        df2,
        f_p,
        reliability: f_value.map(|f| (1.0 - 1.0 / f).max(0.0)),
    })
}

fn check_input(units: &[u32], unit_count: usize, items: &[&[f64]], adjusters: &[&[f64]]) -> Result<()> {
    if items.is_empty() {
        return Err(StatsError::Empty { what: "items" });
    }
    if let Some(bad) = units.iter().find(|u| **u as usize >= unit_count) {
        return Err(StatsError::out_of_range("unit index", f64::from(*bad), "below the number of units"));
    }
    for item in items {
        check_length("item", units.len(), item.len())?;
        if let Some(index) = item.iter().position(|v| v.is_infinite()) {
            return Err(StatsError::NotFinite { what: "item", index });
        }
    }
    for adjuster in adjusters {
        check_length("adjuster", units.len(), adjuster.len())?;
        check_all_finite("adjuster", adjuster)?;
    }
    Ok(())
}

fn units_with_all_items(units: &[u32], unit_count: usize, items: &[&[f64]]) -> Vec<bool> {
    let mut keep = vec![true; unit_count];
    for item in items {
        let mut answered = vec![false; unit_count];
        for (&u, v) in units.iter().zip(item.iter()) {
            answered[u as usize] |= !v.is_nan();
        }
        keep.iter_mut().zip(answered).for_each(|(k, a)| *k &= a);
    }
    keep
}

fn fit_item(
    units: &[u32],
    unit_count: usize,
    keep: &[bool],
    counted: &[usize],
    item: &[f64],
    adjusters: &[&[f64]],
) -> Result<Item> {
    let rows: Vec<usize> = (0..units.len()).filter(|&i| keep[units[i] as usize] && !item[i].is_nan()).collect();
    let pick = |column: &[f64]| -> Vec<f64> { rows.iter().map(|&i| column[i]).collect() };
    let unit_of: Vec<u32> = rows.iter().map(|&i| units[i]).collect();
    let x: Vec<Vec<f64>> = adjusters.iter().map(|c| pick(c)).collect();
    let columns: Vec<&[f64]> = x.iter().map(Vec::as_slice).collect();
    let mut statistics = SufficientStatistics::new(unit_count, adjusters.len());
    statistics.add(&unit_of, &pick(item), &columns)?;
    let moments = statistics.finish()?;
    let fit = within(&moments)?;
    let mut center = vec![0.0; adjusters.len()];
    for &u in counted {
        for (c, x) in center.iter_mut().zip(moments.mean_x(u)) {
            *c += x / counted.len() as f64;
        }
    }
    Ok(Item { moments, fit, center })
}

/// Respondents per unit and V_u: residuals are summed over a respondent's items before squaring.
fn respondent_variances(
    units: &[u32],
    unit_count: usize,
    keep: &[bool],
    items: &[&[f64]],
    adjusters: &[&[f64]],
    fits: &[Item],
    w: f64,
) -> (Vec<u64>, Vec<f64>) {
    let mut n = vec![0u64; unit_count];
    let mut variance = vec![0.0; unit_count];
    for (i, &unit) in units.iter().enumerate() {
        let u = unit as usize;
        if !keep[u] {
            continue;
        }
        let (mut sum, mut answered) = (0.0, false);
        for (item, fit) in items.iter().zip(fits) {
            if item[i].is_nan() {
                continue;
            }
            answered = true;
            let mut residual = item[i] - fit.moments.mean_y(u);
            for ((column, mean), b) in adjusters.iter().zip(fit.moments.mean_x(u)).zip(&fit.fit.coefficients) {
                residual -= (column[i] - mean) * b;
            }
            sum += w * residual / fit.moments.count(u) as f64;
        }
        if answered {
            n[u] += 1;
            variance[u] += sum * sum;
        }
    }
    (n, variance)
}
