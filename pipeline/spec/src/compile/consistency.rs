//! Choices of an indicator that are fine alone and wrong together.

use super::reader::Node;
use crate::model::{Adjustment, Alternative, CaseMix, IntervalMethod, Level, Measure, Population, Shrinkage};

/// Choices that are fine alone and wrong together.
pub(super) fn check_together(node: &Node<'_>, measure: &Measure, case_mix: &CaseMix, levels: &[Level]) {
    let at = || node.span_of("case_mix");
    let fixed_effects = matches!(case_mix.adjustment, Adjustment::FixedEffects { .. });
    if matches!(measure, Measure::Composite { .. }) && !fixed_effects {
        node.error(at(), "a composite needs case_mix method «fixed-effects»", Some("or use type = \"scale\"".into()));
    }
    let linear = fixed_effects || matches!(case_mix.adjustment, Adjustment::RandomIntercept { .. });
    if measure.is_rate() && linear {
        node.error(at(), "a rate is standardised for age and sex and has no `case_mix`", None);
    }
    if measure.is_proportion() && linear {
        node.error(at(), "a proportion is adjusted by «logistic» or not at all", None);
    }
    if !measure.is_proportion() && matches!(case_mix.adjustment, Adjustment::Logistic) {
        node.error(at(), "«logistic» adjusts proportions only", Some("use method = \"random-intercept\"".into()));
    }
    if fixed_effects && levels.iter().any(|level| *level != Level::Rhf) && levels.len() > 2 {
        node.error(
            node.span_of("levels"),
            "«fixed-effects» compares the units of one level",
            Some("levels = [\"rhf\", \"hf\"]".into()),
        );
    }
    if case_mix.adjusters.is_empty() && linear && !fixed_effects && !measure.is_rate() {
        node.error(at(), "a case-mix method without `adjusters`", Some("method = \"none\" takes none".into()));
    }
    if measure.is_rate() && levels.iter().any(|level| !matches!(level, Level::Rhf | Level::Hf)) {
        let message = "a rate is known for the catchment areas of trusts: levels rhf and hf";
        node.error(node.span_of("levels"), message, None);
    }
}

/// `population` is `None` where it could not be read, which is a mistake reported already.
pub(super) fn check_population(node: &Node<'_>, measure: &Measure, population: Option<&Population>) {
    let Some(population) = population else { return };
    let at = node.span_of("population");
    match (measure.is_rate(), population.questionnaire.is_some()) {
        (true, true) => node.error(at, "a rate counts contacts and has no questionnaire", None),
        (false, false) => node.error(at, "a score needs `[population] questionnaire = …`", None),
        _ => {}
    }
}

pub(super) fn check_interval(node: &Node<'_>, measure: &Measure, interval: Option<IntervalMethod>) {
    let Some(interval) = interval else { return };
    let fits = match interval {
        IntervalMethod::Model => !measure.is_rate(),
        IntervalMethod::Wilson | IntervalMethod::ClopperPearson | IntervalMethod::Jeffreys => measure.is_proportion(),
        IntervalMethod::Dobson => measure.is_rate(),
    };
    if !fits {
        let help = "means: «model»; proportions: «wilson», «clopper-pearson», «jeffreys»; rates: «dobson»";
        node.error(node.span_of("interval"), "this interval is for another kind of measure", Some(help.to_owned()));
    }
}

/// Ways to shrink are for what is shrunken: means by a mean or a mixed model, and proportions.
pub(super) fn check_shrinkage(node: &Node<'_>, measure: &Measure, case_mix: &CaseMix) {
    let fixed_effects = matches!(case_mix.adjustment, Adjustment::FixedEffects { .. });
    if case_mix.shrinkage != Shrinkage::Level && (measure.is_rate() || fixed_effects) {
        let message = "`shrinkage` is for means by «none» or «random-intercept», and for proportions";
        node.error(node.span_of("case_mix"), message, None);
    }
}

/// A baseline mix needs a mix: adjusted means have one.
pub(super) fn check_baseline(node: &Node<'_>, measure: &Measure, case_mix: &CaseMix) {
    let is_adjusted_mean = !measure.is_rate()
        && !measure.is_proportion()
        && matches!(case_mix.adjustment, Adjustment::RandomIntercept { .. });
    if case_mix.baseline.is_some() && !is_adjusted_mean {
        node.error(node.span_of("case_mix"), "`baseline` is for means adjusted by «random-intercept»", None);
    }
}

/// Other models are for means; of proportions the crude share is one.
pub(super) fn check_sensitivity(node: &Node<'_>, measure: &Measure, models: &[Alternative]) {
    let at = || node.span_of("sensitivity");
    let unfit: Vec<&str> = models
        .iter()
        .filter(|model| measure.is_rate() || (measure.is_proportion() && **model != Alternative::Unadjusted))
        .map(|model| model.as_str())
        .collect();
    if !unfit.is_empty() {
        let help = measure.is_proportion().then(|| "models = [\"unadjusted\"]".to_owned());
        node.error(at(), format!("models for means of scores only: {}", unfit.join(", ")), help);
    }
    if matches!(measure, Measure::Composite { .. }) && models.iter().any(|model| *model != Alternative::Unadjusted) {
        node.error(at(), "a composite has «fixed-effects» only, with or without adjusters", None);
    }
}
