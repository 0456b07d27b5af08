//! One table cell as it is read, also by those who cannot see it.

use prem_protect::tables::Estimate;
use prem_spec::Unit;
use serde::Serialize;

use crate::{
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

    /// The figures of `row`; `region` is the unit that it is compared with.
    pub(super) fn of(row: &Estimate, style: Style, latest: &Latest<'_>, region: Option<&Unit>, texts: &Texts) -> Self {
        let no_value = Absence::none(texts.get("no_value"));
        let absence = match words::remark_key(row) {
            Some(key) if row.suppressed => Absence::hidden(texts.get(key)),
            _ => no_value,
        };
        let linked = |is_hidden: bool, otherwise| match is_hidden {
            _ if row.suppressed => absence,
            true => Absence::hidden(texts.get("hidden")),
            false => otherwise,
        };
        let no_region = linked(region.is_some_and(|region| latest.is_hidden(row, &region.id)), no_value);
        let no_change = linked(latest.is_earlier_hidden(row), Absence::none(texts.get("no_change")));
        let interval = row.ci_low.zip(row.ci_high).map(|(low, high)| style.interval(low, high));
        let cells = [
            Cell::of(row.value.map(|value| style.value(value)), absence),
            Cell::of(interval, absence),
            Cell::of(row.n.map(|n| count(n, style.language)), absence),
            Cell::of(row.reference.map(|value| style.value(value)), no_region),
            Cell::of(change(row, style), no_change),
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
