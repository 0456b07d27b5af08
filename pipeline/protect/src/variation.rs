//! What may be said about the spread between units.
//!
//! The lowest and the highest value *are* two units' values, and so are the second and third pair; with few units the
//! other figures are functions of one or two of them. Two rules, one number:
//!
//! - fewer than [`UNITS_BEHIND_A_FIGURE_MIN`] units: every figure is withheld;
//! - units behind the figures are not shown (withheld as `secondary`): the extremes and percentiles may be their values, so
//!   they are withheld; and where fewer than [`UNITS_BEHIND_A_FIGURE_MIN`] such units are behind a figure, the figure and the
//!   shown units together would give them, so all figures are. What models say comes from all units, or may, so there those too
//!   small to be shown count too. (Shrunken values have a rule of their own, `shrunken.rs`.)

use std::collections::BTreeMap;

use prem_spec::PrimaryReason;
use prem_store::tables::{Estimate, Variation};

use crate::system::TOTAL;

/// Fewest units that a figure about several units may stand for.
pub const UNITS_BEHIND_A_FIGURE_MIN: usize = 3;

pub(crate) fn protect(rows: &mut [Variation], estimates: &[Estimate]) {
    let levels = Levels::of(estimates);
    for row in rows {
        let found = levels.get(&row.indicator, &row.period, &row.level);
        let units = usize::try_from(row.n_units).unwrap_or(0);
        let withheld = units.abs_diff(found.shown);
        if withheld > 0 {
            hide_extremes(row);
        }
        if units < UNITS_BEHIND_A_FIGURE_MIN || (1..UNITS_BEHIND_A_FIGURE_MIN).contains(&withheld) {
            hide_extremes(row);
            hide_spread(row);
        }
        // What models say of the spread comes from all units, also those too small to be shown.
        if found.is_near_a_unit() {
            hide_components(row);
        }
    }
}

/// Units of one indicator, period and level.
#[derive(Debug, Clone, Copy, Default)]
pub struct Found {
    pub shown: usize,
    /// Withheld for few respondents.
    pub few: usize,
    /// Withheld for another reason.
    pub others: usize,
}

impl Found {
    pub fn withheld(self) -> usize {
        self.few + self.others
    }

    /// A model of all units and the shown ones together leave so few units that they may be worked out.
    pub fn is_near_a_unit(self) -> bool {
        (1..UNITS_BEHIND_A_FIGURE_MIN).contains(&self.withheld())
    }
}

/// How many units of each indicator, period and level are shown and withheld.
pub struct Levels<'a>(BTreeMap<(&'a str, &'a str, &'a str), Found>);

impl<'a> Levels<'a> {
    pub fn of(estimates: &'a [Estimate]) -> Self {
        let mut levels: BTreeMap<(&str, &str, &str), Found> = BTreeMap::new();
        for row in estimates.iter().filter(|row| row.stratum == TOTAL) {
            let found = levels.entry((&row.indicator, &row.period, &row.level)).or_default();
            match row.suppression_reason.as_deref().filter(|_| row.suppressed) {
                None if !row.suppressed => found.shown += 1,
                Some(reason) if reason == PrimaryReason::FewRespondents.as_str() => found.few += 1,
                _ => found.others += 1,
            }
        }
        Self(levels)
    }

    pub fn get(&self, indicator: &str, period: &str, level: &str) -> Found {
        self.0.get(&(indicator, period, level)).copied().unwrap_or_default()
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
        &mut row.excess,
        &mut row.deficit,
    ];
    for figure in all {
        *figure = None;
    }
    hide_components(row);
}

fn hide_components(row: &mut Variation) {
    let of_models = [
        &mut row.between_sd,
        &mut row.between_sd_unadjusted,
        &mut row.explained_by_case_mix,
        &mut row.icc,
        &mut row.median_odds_ratio,
    ];
    for figure in of_models {
        *figure = None;
    }
}
