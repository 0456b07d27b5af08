//! Response: who was asked, who was not reached, and who answered, by unit and group.

use std::collections::BTreeMap;

use prem_spec::{Period, PeriodKind, Stratifier};
use prem_store::tables::Response;

use super::{EstimateInputs, survey::Survey};
use crate::{
    METHOD_VERSION,
    placement::LevelMap,
    strata::{level_or_unknown, register_stratifiers},
};

/// Answered and asked of one group of one unit.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Count {
    pub answered: u64,
    pub invited: u64,
    pub undeliverable: u64,
    pub ineligible: u64,
    pub reserved: u64,
}

impl Count {
    pub fn asked(self) -> u64 {
        self.invited - self.undeliverable - self.ineligible
    }

    /// Answered / (invited − undeliverable − ineligible). More answers than invitations means that the invitations are
    /// incomplete: then there is no rate.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn rate(self) -> Option<f64> {
        (self.asked() > 0 && self.answered <= self.asked()).then(|| self.answered as f64 / self.asked() as f64)
    }
}

/// Response rates by unit of `map` and level of the stratifier at `place`; level 0 without one.
pub(super) fn response_rates(
    survey: &Survey<'_>,
    period: Period,
    map: &LevelMap<'_>,
    place: Option<usize>,
) -> BTreeMap<(u32, usize), f64> {
    let counts = counts(survey, period, map, place);
    counts.into_iter().filter_map(|(key, count)| Some((key, count.rate()?))).collect()
}

/// Answered and asked of one unit of `map`, or of one level of a stratifier there; `None` where nobody was.
pub(super) fn response_of(
    survey: &Survey<'_>,
    period: Period,
    (map, unit): (&LevelMap<'_>, usize),
    group: Option<(usize, usize)>,
) -> Option<Count> {
    let of_units = counts(survey, period, map, group.map(|(place, _)| place));
    of_units.get(&(u32::try_from(unit).ok()?, group.map_or(0, |(_, level)| level))).copied()
}

/// By unit of `map` and level of the stratifier at `place` (the number of levels for «unknown»); level 0 without one.
fn counts(
    survey: &Survey<'_>,
    period: Period,
    map: &LevelMap<'_>,
    place: Option<usize>,
) -> BTreeMap<(u32, usize), Count> {
    let stratifiers = &survey.questionnaire.stratifiers;
    let stratifier = place.and_then(|place| stratifiers.get(place));
    let register = stratifier
        .and_then(|wanted| register_stratifiers(stratifiers).position(|stratifier| stratifier.id == wanted.id));
    let unknown = stratifier.map_or(0, |stratifier| stratifier.labels().len());
    let level = |level: Option<i16>| level_or_unknown(level, unknown);
    let unit_of = |unit: u32| map.parent.get(unit as usize).copied().flatten();
    let mut counts: BTreeMap<(u32, usize), Count> = BTreeMap::new();
    if place.is_some() && register.is_none() {
        return counts;
    }
    for row in survey.invitations.rows.iter().filter(|row| period.contains(row.month)) {
        let Some(unit) = unit_of(row.unit) else { continue };
        let own = register.map_or(0, |register| level(row.groups.get(register).copied().flatten()));
        let count = counts.entry((unit, own)).or_default();
        count.invited += row.invited;
        count.undeliverable += row.undeliverable;
        count.ineligible += row.ineligible;
        count.reserved += row.reserved;
    }
    for at in survey.months_of(period) {
        let month = &survey.months[at];
        for (row, unit) in month.units.iter().enumerate() {
            let Some(unit) = unit_of(*unit) else { continue };
            let own = place.map_or(0, |place| level(month.groups.get(place).and_then(|levels| levels[row])));
            counts.entry((unit, own)).or_default().answered += 1;
        }
    }
    counts
}

/// The response table of a questionnaire: calendar years, every level, total and each stratifier of the register.
pub(crate) fn response_table(inputs: &EstimateInputs<'_>, survey: &Survey<'_>) -> Vec<Response> {
    if survey.invitations.rows.is_empty() {
        return Vec::new();
    }
    let months = survey.months.iter().map(|month| month.month);
    let asked = survey.invitations.rows.iter().map(|row| row.month);
    let mut years: Vec<Period> = months.chain(asked).filter_map(|month| Period::of(PeriodKind::Year, month)).collect();
    years.sort();
    years.dedup();
    let mut rows = Vec::new();
    for year in years {
        for level in prem_spec::Level::ALL {
            let map = LevelMap::new(&inputs.plan.organisation, level);
            rows.extend(table_rows(inputs, survey, year, &map, None));
            for (place, stratifier) in survey.questionnaire.stratifiers.iter().enumerate() {
                if stratifier.from_register {
                    rows.extend(table_rows(inputs, survey, year, &map, Some((place, stratifier))));
                }
            }
        }
    }
    rows
}

fn table_rows(
    inputs: &EstimateInputs<'_>,
    survey: &Survey<'_>,
    year: Period,
    map: &LevelMap<'_>,
    group: Option<(usize, &Stratifier)>,
) -> Vec<Response> {
    let counts = counts(survey, year, map, group.map(|(place, _)| place));
    let whole = |count: u64| i64::try_from(count).ok();
    let row = |((unit, level), count): ((u32, usize), Count)| {
        let unit = map.units.get(unit as usize)?;
        Some(Response {
            period: year.to_string(),
            period_start: year.start(),
            period_end: year.end(),
            questionnaire: survey.questionnaire.id.clone(),
            level: map.level.as_str().to_owned(),
            unit_id: unit.id.clone(),
            unit_name: unit.name.nb.clone(),
            parent_id: unit.parent.clone(),
            stratum: group
                .map_or_else(|| Stratifier::TOTAL.to_owned(), |(_, stratifier)| stratifier.stratum(Some(level))),
            invited: whole(count.invited),
            undeliverable: whole(count.undeliverable),
            ineligible: whole(count.ineligible),
            reserved: whole(count.reserved),
            asked: whole(count.asked()),
            answered: whole(count.answered),
            response_rate: count.rate(),
            suppressed: false,
            suppression_reason: None,
            method_version: METHOD_VERSION.to_owned(),
            run_id: inputs.run_id.to_owned(),
        })
    };
    counts.into_iter().filter_map(row).collect()
}
