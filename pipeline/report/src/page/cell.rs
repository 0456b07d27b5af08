//! One table cell as it is read, also by those who cannot see it.

use prem_protect::tables::Estimate;
use serde::Serialize;

use crate::{
    Language,
    number::{Style, count},
    texts::Texts,
    words::{self, Judgement, NO_FIGURE},
};

/// A figure, or a dash with what a screen reader says instead.
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

    pub(super) fn absent(reason: &str) -> Self {
        Self { text: NO_FIGURE.to_owned(), reason: reason.to_owned() }
    }

    pub(super) fn of(text: Option<String>, reason: &str) -> Self {
        text.map_or_else(|| Self::absent(reason), Self::shown)
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
    /// Withheld for privacy.
    hidden: bool,
}

impl Figures {
    pub(super) fn is_hidden(&self) -> bool {
        self.hidden
    }

    pub(super) fn of(row: &Estimate, style: Style, texts: &Texts) -> Self {
        let reason = texts.get(if row.suppressed { words::remark_key(row) } else { "no_value" });
        let interval = row.ci_low.zip(row.ci_high).map(|(low, high)| style.interval(low, high));
        let no_change = if row.suppressed { reason } else { texts.get("no_change") };
        Self {
            value: Cell::of(row.value.map(|value| style.value(value)), reason),
            interval: Cell::of(interval, reason),
            n: Cell::of(row.n.map(|n| count(n, style.language)), reason),
            region: Cell::of(row.reference.map(|value| style.value(value)), reason),
            comparison: Badge::of(words::comparison(row), texts),
            change: Cell::of(change(row, style), no_change),
            goal: words::goal(row).map(|judgement| Badge::of(judgement, texts)),
            hidden: row.suppressed,
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

/// The page's style for numbers that belong to no indicator.
pub(super) fn plain(value: Option<f64>, decimals: usize, language: Language, reason: &str) -> Cell {
    Cell::of(value.map(|value| crate::number::fixed(value, decimals, language)), reason)
}
