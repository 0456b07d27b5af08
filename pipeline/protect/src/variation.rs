//! What may be said about the spread between units.
//!
//! The lowest and the highest value *are* two units' values, and so are the second and third pair; with few units the
//! other figures are functions of one or two of them. Two rules, one number:
//!
//! - fewer than [`UNITS_BEHIND_A_FIGURE_MIN`] units: every figure is withheld;
//! - units behind the figures are not shown (withheld as `secondary`): the extremes and percentiles may be their values, so
//!   they are withheld; and where fewer than [`UNITS_BEHIND_A_FIGURE_MIN`] such units are behind a figure, the figure and the
//!   shown units together would give them, so all figures are.

use std::collections::BTreeMap;

use prem_store::tables::{Estimate, Variation};

use crate::system::TOTAL;

/// Fewest units that a figure about several units may stand for.
pub const UNITS_BEHIND_A_FIGURE_MIN: usize = 3;

pub(crate) fn protect(rows: &mut [Variation], estimates: &[Estimate]) {
    let mut shown: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for row in estimates.iter().filter(|row| row.stratum == TOTAL && row.value.is_some()) {
        *shown.entry((&row.period, &row.indicator, &row.level)).or_default() += 1;
    }
    for row in rows {
        let family = (row.period.as_str(), row.indicator.as_str(), row.level.as_str());
        let units = usize::try_from(row.n_units).unwrap_or(0);
        let withheld = units.abs_diff(shown.get(&family).copied().unwrap_or(0));
        if withheld > 0 {
            hide_extremes(row);
        }
        if units < UNITS_BEHIND_A_FIGURE_MIN || (1..UNITS_BEHIND_A_FIGURE_MIN).contains(&withheld) {
            hide_extremes(row);
            hide_spread(row);
        }
    }
}

/// Withholds figures that are single units' values.
pub(crate) fn hide_extremes(row: &mut Variation) {
    let single = [
        &mut row.lowest,
        &mut row.highest,
        &mut row.ft1,
        &mut row.ft2,
        &mut row.ft3,
        &mut row.eq_5_95,
        &mut row.eq_80_20_smoothed,
    ];
    for figure in single {
        *figure = None;
    }
}

fn hide_spread(row: &mut Variation) {
    let all = [
        &mut row.cv,
        &mut row.cv_weighted,
        &mut row.scv,
        &mut row.scv_raw,
        &mut row.scv_p,
        &mut row.scv_null_p95,
        &mut row.eb_variance,
        &mut row.chi2,
        &mut row.chi2_p,
        &mut row.between_sd,
        &mut row.between_sd_unadjusted,
        &mut row.explained_by_case_mix,
        &mut row.icc,
        &mut row.median_odds_ratio,
        &mut row.excess,
        &mut row.deficit,
    ];
    for figure in all {
        *figure = None;
    }
}
