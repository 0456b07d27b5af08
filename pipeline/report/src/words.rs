//! Which text says what a row's codes mean: keys into the texts, and symbols beside the words.

use prem_protect::tables::Estimate;
use prem_spec::{Indicator, Level, Measure, ValueScale};

use crate::{Language, number::fixed, texts::Texts};

/// What stands where there is no figure. Never 0.
pub(crate) const NO_FIGURE: &str = "–";
/// What stands where a figure is withheld for privacy.
pub(crate) const HIDDEN: &str = "∗";

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
        return judgement("comparison_hidden", HIDDEN, "none");
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

/// Why a row has no figures; `None` where it has.
pub(crate) fn remark_key(row: &Estimate) -> Option<&'static str> {
    match (row.suppressed, row.suppression_reason.as_deref()) {
        (true, Some("few-respondents")) => Some("hidden_few_respondents"),
        (true, Some("small-count" | "small-complement")) => Some("hidden_small_count"),
        (true, Some(prem_protect::SECONDARY)) => Some("hidden_secondary"),
        (true, _) => Some("hidden"),
        (false, _) => row.value.is_none().then_some("no_value"),
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

/// What an indicator's values are counted in.
pub(crate) fn measured_in(indicator: &Indicator, language: Language, texts: &Texts) -> String {
    match &indicator.measure {
        Measure::TopBox { .. } => texts.get("unit_share").to_owned(),
        Measure::Rate { per, .. } => texts.fill("per", &[("per", &fixed(*per, 0, language))]),
        Measure::Scale { scale, .. } | Measure::Item { scale, .. } | Measure::Composite { scale, .. } => {
            texts.get(if *scale == ValueScale::Native { "unit_native" } else { "unit_score" }).to_owned()
        }
    }
}

/// Whether the description of an indicator has the number that [`measured_in`] would repeat.
fn told_twice(indicator: &Indicator, language: Language, texts: &Texts) -> bool {
    let plain = |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != ',').collect::<String>();
    let numbers = match &indicator.measure {
        Measure::TopBox { .. } => return false,
        Measure::Rate { per, .. } => fixed(*per, 0, Language::Bokmal),
        Measure::Scale { scale, .. } | Measure::Item { scale, .. } | Measure::Composite { scale, .. }
            if *scale == ValueScale::Native =>
        {
            return false;
        }
        _ => texts.get("unit_score").rsplit(' ').next().unwrap_or_default().to_owned(),
    };
    plain(indicator.description.get(language.code())).contains(&plain(&numbers))
}

/// [`measured_in`], where the indicator's description does not say it already.
pub(crate) fn measured_besides(indicator: &Indicator, language: Language, texts: &Texts) -> Option<String> {
    (!told_twice(indicator, language, texts)).then(|| measured_in(indicator, language, texts))
}
