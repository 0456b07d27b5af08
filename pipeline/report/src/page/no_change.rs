//! Why a shown row has no change from the period before.

use prem_protect::{Before, tables::Estimate};
use prem_spec::{Period, SeriesBreak};

use super::cell::{Absence, Cell, Reading};
use crate::texts::Texts;

/// What stands in place of the change.
pub(super) fn cell(row: &Estimate, reading: &Reading<'_>) -> Cell {
    let Reading { plan, indicator, protected, texts, .. } = *reading;
    let none = |reason: &str| Cell::of(None, Absence::none(reason));
    if row.value.is_none() {
        return none(texts.get("no_value"));
    }
    if !indicator.case_mix.has_change() {
        return none(texts.get("change_not_computed"));
    }
    let period = row.period.parse::<Period>().ok();
    if let Some(found) = period.and_then(|period| plan.series_break(indicator, period)) {
        return none(&broken(&found, texts));
    }
    match protected.before(row) {
        Before::Withheld => Cell::of(None, Absence::hidden(texts.get("change_hidden"))),
        // Adjusters that could be used in one of the two periods only.
        Before::Shown => none(texts.get("change_other_adjustment")),
        Before::Absent => none(texts.get("no_change")),
    }
}

fn broken(found: &SeriesBreak, texts: &Texts) -> String {
    let kinds = [
        (&found.reworded, "change_broken_reworded"),
        (&found.added, "change_broken_added"),
        (&found.dropped, "change_broken_dropped"),
    ];
    let what: Vec<&str> =
        kinds.into_iter().filter(|(items, _)| !items.is_empty()).map(|(_, key)| texts.get(key)).collect();
    let date = found.since.strftime("%d.%m.%Y").to_string();
    texts.fill("change_broken", &[("what", &what.join(", ")), ("date", &date)])
}
