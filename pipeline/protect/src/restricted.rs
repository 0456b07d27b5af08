//! What one trust may see.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Indicator, Level, Plan};
use prem_store::tables::{Estimate, SurveyQuality};

use crate::{
    Protected,
    owners::Owners,
    spread,
    system::TOTAL,
    trends,
    variation::{UNITS_BEHIND_A_FIGURE_MIN, hide_extremes},
};

impl Protected {
    /// The trust's own units at all levels, the region, and other trusts at trust level only; nothing of what only other
    /// trusts ask. Case mix, survey
    /// quality and weighting are the region's and stay. Extremes between units below trust level go where fewer than three of the
    /// units are another trust's, since they would then be recognised.
    pub fn restricted_to(&self, plan: &Plan, trust_id: &str) -> Self {
        let owners = Owners::of(plan);
        let hidden = others_additions(plan, trust_id);
        let is_hidden = |indicator: &str| hidden.contains(indicator);
        let is_seen = |level: &str, unit: &str| is_common(level) || owners.trust_of(unit) == Some(trust_id);
        let estimates: Vec<Estimate> = self
            .estimates
            .iter()
            .filter(|row| is_seen(&row.level, &row.unit_id) && !is_hidden(&row.indicator))
            .cloned()
            .collect();
        let mut own: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
        for row in estimates.iter().filter(|row| !row.suppressed && row.stratum == TOTAL && row.value.is_some()) {
            *own.entry((&row.period, &row.indicator, &row.level)).or_default() += 1;
        }
        let mut variation = self.variation.clone();
        variation.retain(|row| !is_hidden(&row.indicator));
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
            case_mix: self.case_mix.iter().filter(|row| !is_hidden(&row.indicator)).cloned().collect(),
            survey_quality: self
                .survey_quality
                .iter()
                .filter(|row| !is_hidden(&row.subject) && !is_others_item(plan, row, trust_id))
                .cloned()
                .collect(),
            sensitivity: self
                .sensitivity
                .iter()
                .filter(|row| is_seen(&row.level, &row.unit_id) && !is_hidden(&row.indicator))
                .cloned()
                .collect(),
            response: self.response.iter().filter(|row| is_seen(&row.level, &row.unit_id)).cloned().collect(),
            weighting: self.weighting.iter().filter(|row| !is_hidden(&row.indicator)).cloned().collect(),
            trends: trends::of(&estimates, &self.breaks),
            breaks: self.breaks.clone(),
            unchanged: self.unchanged.clone(),
            spread: spread::for_trust(&owners, &self.estimates, trust_id)
                .into_iter()
                .filter(|spread| !is_hidden(&spread.indicator))
                .collect(),
            meta: self.meta.clone(),
            estimates,
        }
    }
}

/// Indicators on additions of other trusts only: they are those trusts' own business.
fn others_additions<'a>(plan: &'a Plan, trust_id: &str) -> BTreeSet<&'a str> {
    let is_others =
        |indicator: &&Indicator| plan.local_trusts(indicator).is_some_and(|trusts| !trusts.contains(trust_id));
    plan.indicators.values().filter(is_others).map(|indicator| indicator.id.as_str()).collect()
}

fn is_others_item(plan: &Plan, row: &SurveyQuality, trust_id: &str) -> bool {
    let questionnaire = plan.questionnaires.get(&row.questionnaire).filter(|_| row.kind == "item");
    let trusts = questionnaire.and_then(|questionnaire| questionnaire.local_trusts(&[row.subject.as_str()]));
    trusts.is_some_and(|trusts| !trusts.contains(trust_id))
}

/// Levels that everybody sees.
fn is_common(level: &str) -> bool {
    level == Level::Rhf.as_str() || level == Level::Hf.as_str()
}
