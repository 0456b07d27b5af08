//! One table cell as it is read, also by those who cannot see it.

use prem_protect::{Protected, tables::Estimate};
use prem_spec::{Indicator, Plan};
use serde::Serialize;

use super::no_change;
use crate::{
    Language,
    latest::Latest,
    number::{Style, count},
    texts::Texts,
    words::{self, Judgement},
};

/// Why there is no figure: the mark that is seen, and what a screen reader says instead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Absence<'a> {
    mark: &'static str,
    reason: &'a str,
}

impl<'a> Absence<'a> {
    /// Withheld for privacy.
    pub(super) fn hidden(reason: &'a str) -> Self {
        Self { mark: words::HIDDEN, reason }
    }

    /// There is no such figure.
    pub(super) fn none(reason: &'a str) -> Self {
        Self { mark: words::NO_FIGURE, reason }
    }
}

/// A figure, or a mark with what a screen reader says instead.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Cell {
    text: String,
    /// Why there is no figure; empty when there is one.
    reason: String,
}

impl Cell {
    pub(super) fn shown(text: String) -> Self {
        Self { text, reason: String::new() }
    }

    pub(super) fn is_hidden(&self) -> bool {
        self.text == words::HIDDEN
    }

    pub(super) fn of(text: Option<String>, absence: Absence<'_>) -> Self {
        let absent = || Self { text: absence.mark.to_owned(), reason: absence.reason.to_owned() };
        text.map_or_else(absent, Self::shown)
    }
}

/// A word with its symbol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Badge {
    word: String,
    symbol: &'static str,
    class: &'static str,
}

impl Badge {
    fn of(judgement: Judgement, texts: &Texts) -> Self {
        Self { word: texts.get(judgement.key).to_owned(), symbol: judgement.symbol, class: judgement.class }
    }
}

/// What the rows of an indicator are read with.
#[derive(Clone, Copy)]
pub(super) struct Reading<'a> {
    pub(super) plan: &'a Plan,
    pub(super) indicator: &'a Indicator,
    pub(super) protected: &'a Protected,
    pub(super) latest: &'a Latest<'a>,
    pub(super) language: Language,
    pub(super) texts: &'a Texts,
}

/// All that a page says of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Figures {
    value: Cell,
    interval: Cell,
    n: Cell,
    region: Cell,
    comparison: Badge,
    change: Cell,
    goal: Option<Badge>,
    /// Some of them are withheld for privacy.
    hidden: bool,
}

impl Figures {
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden
    }

    pub(super) fn of(row: &Estimate, reading: &Reading<'_>) -> Self {
        let Reading { plan, latest, texts, .. } = *reading;
        let style = Style::of(reading.indicator, reading.language);
        let no_value = Absence::none(texts.get("no_value"));
        let absence = match words::remark_key(row) {
            Some(key) if row.suppressed => Absence::hidden(texts.get(key)),
            _ => no_value,
        };
        let no_region = match plan.organisation.top() {
            Some(region) if !row.suppressed && latest.is_hidden(row, &region.id) => {
                Absence::hidden(texts.get("hidden"))
            }
            _ => absence,
        };
        let change = match change(row, style) {
            None if !row.suppressed => no_change::cell(row, reading),
            change => Cell::of(change, absence),
        };
        let interval = row.ci_low.zip(row.ci_high).map(|(low, high)| style.interval(low, high));
        let cells = [
            Cell::of(row.value.map(|value| style.value(value)), absence),
            Cell::of(interval, absence),
            Cell::of(row.n.map(|n| count(n, style.language)), absence),
            Cell::of(row.reference.map(|value| style.value(value)), no_region),
            change,
        ];
        let hidden = cells.iter().any(Cell::is_hidden);
        let [value, interval, n, region, change] = cells;
        Self {
            value,
            interval,
            n,
            region,
            comparison: Badge::of(words::comparison(row), texts),
            change,
            goal: words::goal(row).map(|judgement| Badge::of(judgement, texts)),
            hidden,
        }
    }
}

/// `+1,2 (−0,3 til 2,7)`.
fn change(row: &Estimate, style: Style) -> Option<String> {
    let change = style.difference(row.change?);
    Some(match row.change_low.zip(row.change_high) {
        Some((low, high)) => format!("{change} ({})", style.interval(low, high)),
        None => change,
    })
}
