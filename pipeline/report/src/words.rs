//! Which text says what a row's codes mean: keys into the texts, and symbols beside the words.

use prem_protect::tables::Estimate;
use prem_spec::Level;

/// What stands where there is no figure. Never 0.
pub(crate) const NO_FIGURE: &str = "–";

/// A judgement: the key of its word, a symbol, and the class that colours it. The word always stands beside the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Judgement {
    pub(crate) key: &'static str,
    pub(crate) symbol: &'static str,
    pub(crate) class: &'static str,
}

/// How a row compares with the region.
pub(crate) fn comparison(row: &Estimate) -> Judgement {
    let judgement = |key, symbol, class| Judgement { key, symbol, class };
    if row.suppressed {
        return judgement("comparison_hidden", NO_FIGURE, "none");
    }
    match row.comparison.as_deref() {
        Some("better") => judgement("comparison_better", "▲", "good"),
        Some("as-expected") => judgement("comparison_as_expected", "●", "even"),
        Some("worse") => judgement("comparison_worse", "▼", "bad"),
        Some("higher") => judgement("comparison_higher", "↑", "even"),
        Some("lower") => judgement("comparison_lower", "↓", "even"),
        _ => judgement("comparison_not_assessed", NO_FIGURE, "none"),
    }
}

/// The goal level's word, where there is one.
pub(crate) fn goal(row: &Estimate) -> Option<Judgement> {
    let judgement = |key, symbol, class| Some(Judgement { key, symbol, class });
    match row.goal_level.as_deref() {
        Some("high") => judgement("goal_high", "★", "good"),
        Some("moderate") => judgement("goal_moderate", "◐", "even"),
        Some("low") => judgement("goal_low", "○", "bad"),
        _ => None,
    }
}

/// Why a row has no figures, or that it has.
pub(crate) fn remark_key(row: &Estimate) -> &'static str {
    match (row.suppressed, row.suppression_reason.as_deref()) {
        (true, Some("few-respondents")) => "hidden_few_respondents",
        (true, Some("small-count" | "small-complement")) => "hidden_small_count",
        (true, Some(prem_protect::SECONDARY)) => "hidden_secondary",
        (true, _) => "hidden",
        (false, _) if row.value.is_none() => "no_value",
        (false, _) => "shown",
    }
}

pub(crate) fn level_key(level: Level) -> &'static str {
    match level {
        Level::Rhf => "level_rhf",
        Level::Hf => "level_hf",
        Level::Hospital => "level_hospital",
        Level::Department => "level_department",
        Level::Ward => "level_ward",
    }
}
