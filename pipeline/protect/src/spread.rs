//! The anonymous spread of the region's units: where a trust's ward stands, without saying who else stands where.
//!
//! Rule: the units that are shown at one level, in one period, of one indicator. There must be at least
//! [`UNITS_MIN`] of them, and of those that are not the reader's own at least
//! [`UNITS_BEHIND_A_FIGURE_MIN`], from at least two other trusts; otherwise what is not one's own would be somebody's.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::Level;
use prem_store::tables::Estimate;

use crate::{owners::Owners, system::TOTAL, variation::UNITS_BEHIND_A_FIGURE_MIN};

/// Fewest units for a spread.
pub const UNITS_MIN: usize = 5;

/// Fewest trusts, besides the reader's own, that the units must come from.
const OTHER_TRUSTS_MIN: usize = 2;

/// Quantiles (type 7) of the values of the region's shown units.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Spread {
    pub indicator: String,
    pub period: String,
    pub level: String,
    pub n_units: usize,
    pub lowest: f64,
    pub p25: f64,
    pub median: f64,
    pub p75: f64,
    pub highest: f64,
}

/// Indicator, period and level.
type Family<'a> = (&'a str, &'a str, Level);

/// The spreads that `trust` may see.
pub(crate) fn for_trust(owners: &Owners<'_>, rows: &[Estimate], trust: &str) -> Vec<Spread> {
    let mut families: BTreeMap<Family<'_>, Vec<(f64, Option<&str>)>> = BTreeMap::new();
    for row in rows.iter().filter(|row| !row.suppressed && row.stratum == TOTAL) {
        let (Some(value), Some(level)) = (row.value, Level::ALL.into_iter().find(|l| l.as_str() == row.level)) else {
            continue;
        };
        families.entry((&row.indicator, &row.period, level)).or_default().push((value, owners.trust_of(&row.unit_id)));
    }
    families
        .into_iter()
        .filter(|((.., level), _)| *level > Level::Rhf)
        .filter_map(|((indicator, period, level), units)| {
            let others: Vec<_> = units.iter().filter_map(|(_, owner)| *owner).filter(|owner| *owner != trust).collect();
            let other_trusts: BTreeSet<&str> = others.iter().copied().collect();
            let enough = units.len() >= UNITS_MIN
                && others.len() >= UNITS_BEHIND_A_FIGURE_MIN
                && other_trusts.len() >= OTHER_TRUSTS_MIN;
            let mut values: Vec<f64> = units.into_iter().map(|(value, _)| value).collect();
            values.sort_by(f64::total_cmp);
            enough.then(|| Spread {
                indicator: indicator.to_owned(),
                period: period.to_owned(),
                level: level.as_str().to_owned(),
                n_units: values.len(),
                lowest: quantile(&values, 0.0),
                p25: quantile(&values, 0.25),
                median: quantile(&values, 0.5),
                p75: quantile(&values, 0.75),
                highest: quantile(&values, 1.0),
            })
        })
        .collect()
}

/// Type 7 of sorted, non-empty `values`.
fn quantile(values: &[f64], share: f64) -> f64 {
    let place = share * (values.len() - 1) as f64;
    let (low, high) = (place.floor() as usize, place.ceil() as usize);
    values[low] + (values[high] - values[low]) * (place - place.floor())
}
