//! Who counts in each indicator, and where its series breaks: for the manifest, and for whoever asks about a number.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Period, Plan};
use prem_stages::{PopulationCount, estimate::declared_periods};
use prem_store::tables::Estimate;
use serde::{Deserialize, Serialize};

use crate::derive::Counts;

/// All months of the store together.
pub const ALL: &str = "all";

/// Indicator → period (every declared one that the data reach, and [`ALL`]) → who counts.
pub fn by_period(
    plan: &Plan,
    indicators: &[String],
    counts: &BTreeMap<String, Counts>,
) -> BTreeMap<String, BTreeMap<String, PopulationCount>> {
    let mut all: BTreeMap<String, BTreeMap<String, PopulationCount>> = BTreeMap::new();
    for indicator in indicators.iter().filter_map(|id| plan.indicators.get(id)) {
        let Some(months) = indicator.population.questionnaire.as_ref().and_then(|id| counts.get(id)) else { continue };
        let declared = declared_periods(indicator, &months.keys().copied().collect::<Vec<_>>());
        let mut periods: BTreeMap<String, PopulationCount> = BTreeMap::new();
        for (month, of) in months {
            let Some(count) = of.get(&indicator.id) else { continue };
            let names = declared.iter().filter(|period| period.contains(*month)).map(ToString::to_string);
            for name in names.chain([ALL.to_owned()]) {
                periods.entry(name).or_default().merge(count);
            }
        }
        all.insert(indicator.id.clone(), periods);
    }
    all
}

/// A published period whose values are not one series with those before it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeriesBroken {
    pub indicator: String,
    pub period: String,
    /// First day of the changed form.
    pub since: String,
    /// The change lies inside the period: its values mix both forms, or are of the months of one of them.
    pub mixed: bool,
    pub reworded: Vec<String>,
    pub added: Vec<String>,
    pub dropped: Vec<String>,
}

/// The breaks that take away a change from the period before, or lie within a period.
pub fn series_breaks(plan: &Plan, estimates: &[Estimate]) -> Vec<SeriesBroken> {
    let published: BTreeSet<(&str, &str)> =
        estimates.iter().map(|row| (row.indicator.as_str(), row.period.as_str())).collect();
    let broken = |(id, name): &(&str, &str)| {
        let indicator = plan.indicators.get(*id)?;
        let period: Period = name.parse().ok()?;
        let found = plan.series_break(indicator, period)?;
        Some(SeriesBroken {
            indicator: indicator.id.clone(),
            period: period.to_string(),
            mixed: found.since > period.start(),
            since: found.since.to_string(),
            reworded: found.reworded,
            added: found.added,
            dropped: found.dropped,
        })
    };
    published.iter().filter_map(broken).collect()
}
