//! What one trust may see.

use std::collections::BTreeMap;

use prem_spec::{Level, Plan};
use prem_store::tables::Estimate;

use crate::{
    Protected,
    owners::Owners,
    spread,
    system::TOTAL,
    trends,
    variation::{UNITS_BEHIND_A_FIGURE_MIN, hide_extremes},
};

impl Protected {
    /// The trust's own units at all levels, the region, and other trusts at trust level only. Case mix, survey
    /// quality and weighting are the region's and stay. Extremes between units below trust level go where fewer than three of the
    /// units are another trust's, since they would then be recognised.
    pub fn restricted_to(&self, plan: &Plan, trust_id: &str) -> Self {
        let owners = Owners::of(plan);
        let is_seen = |level: &str, unit: &str| is_common(level) || owners.trust_of(unit) == Some(trust_id);
        let estimates: Vec<Estimate> =
            self.estimates.iter().filter(|row| is_seen(&row.level, &row.unit_id)).cloned().collect();
        let mut own: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        for row in estimates.iter().filter(|row| !row.suppressed && row.stratum == TOTAL && row.value.is_some()) {
            *own.entry((&row.period, &row.indicator, &row.level)).or_default() += 1;
        }
        let mut variation = self.variation.clone();
        for row in variation.iter_mut().filter(|row| !is_common(&row.level)) {
            let family = (row.period.as_str(), row.indicator.as_str(), row.level.as_str());
            let own = own.get(&family).copied().unwrap_or(0);
            let units = usize::try_from(row.n_units).unwrap_or(0);
            if (1..UNITS_BEHIND_A_FIGURE_MIN).contains(&units.saturating_sub(own)) {
                hide_extremes(row);
            }
        }
        Self {
            variation,
            case_mix: self.case_mix.clone(),
            survey_quality: self.survey_quality.clone(),
            sensitivity: self.sensitivity.iter().filter(|row| is_seen(&row.level, &row.unit_id)).cloned().collect(),
            response: self.response.iter().filter(|row| is_seen(&row.level, &row.unit_id)).cloned().collect(),
            weighting: self.weighting.clone(),
            trends: trends::of(&estimates),
            spread: spread::for_trust(&owners, &self.estimates, trust_id),
            meta: self.meta.clone(),
            estimates,
        }
    }
}

/// Levels that everybody sees.
fn is_common(level: &str) -> bool {
    level == Level::Rhf.as_str() || level == Level::Hf.as_str()
}
