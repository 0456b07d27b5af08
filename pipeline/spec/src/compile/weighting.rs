//! `weighting`, `[weights]` and `strata` of an indicator: what must fit the questionnaire and the measure.

use super::{
    reader::Node,
    scope::{Names, Scope},
};
use crate::model::{Adjustment, CaseMix, Level, Link, Measure, Questionnaire, Weighting, Weights};

/// What an indicator's questionnaire offers.
pub(super) struct Offered<'a> {
    stratifiers: Names,
    from_register: Names,
    questionnaire: Option<&'a Questionnaire>,
}

impl<'a> Offered<'a> {
    pub fn of(id: &str, scope: &Scope, questionnaire: Option<&'a Questionnaire>) -> Self {
        Self {
            stratifiers: Scope::members(&scope.stratifiers, id),
            from_register: Scope::members(&scope.register_stratifiers, id),
            questionnaire,
        }
    }

    fn has_invitations(&self) -> bool {
        matches!(self.questionnaire.map(|q| &q.link), Some(Link::Contact { .. }))
    }

    fn register_stratifiers(&self) -> Vec<String> {
        let all = self.questionnaire.map(|q| q.stratifiers.as_slice()).unwrap_or_default();
        all.iter().filter(|stratifier| stratifier.from_register).map(|stratifier| stratifier.id.clone()).collect()
    }
}

/// Weights enter means and proportions; composites, fixed effects and rates have no weighted form.
fn can_be_weighted(measure: &Measure, case_mix: &CaseMix) -> bool {
    matches!(measure, Measure::Scale { .. } | Measure::Item { .. } | Measure::TopBox { .. })
        && !matches!(case_mix.adjustment, Adjustment::FixedEffects { .. })
}

/// The weighting of an indicator: as declared, or by what its questionnaire has.
pub(super) fn read_weighting(
    node: &Node<'_>,
    declared: Option<Weighting>,
    (measure, case_mix): (Option<&Measure>, Option<&CaseMix>),
    offered: &Offered<'_>,
) -> (Weighting, Weights) {
    let is_weightable = measure.zip(case_mix).is_none_or(|(measure, case_mix)| can_be_weighted(measure, case_mix));
    let weighting = declared.unwrap_or(match measure {
        Some(Measure::Scale { .. } | Measure::Item { .. }) if is_weightable && offered.has_invitations() => {
            Weighting::Design
        }
        _ => Weighting::None,
    });
    let is_weighted = weighting != Weighting::None;
    if is_weighted && !is_weightable {
        node.error(
            node.span_of("weighting"),
            "weights are for scales, single items and proportions, not for composites, rates or «fixed-effects»",
            Some("weighting = \"none\"".into()),
        );
    }
    let is_adjusted = matches!(weighting, Weighting::PostStratify | Weighting::Rake);
    let mut weights = Weights::default();
    if is_adjusted {
        weights.margins = offered.register_stratifiers();
        if offered.questionnaire.is_some() && !offered.has_invitations() {
            let message = "weights for non-response need the register of those who were asked: link via \"contact\"";
            node.error(node.span_of("weighting"), message, Some("weighting = \"none\"".into()));
        }
    }
    if let Some(table) = node.opt_table("weights") {
        read_weights(&table, (is_weighted, is_adjusted), offered, &mut weights);
        table.finish();
    }
    if is_adjusted
        && offered.register_stratifiers().is_empty()
        && offered.questionnaire.is_some()
        && offered.has_invitations()
    {
        node.error(
            node.span_of("weighting"),
            "there is nothing to adjust to: the questionnaire has no [[stratifier]] over a column of contacts",
            Some("declare one over age, sex or urgency, or weighting = \"design\"".into()),
        );
    }
    (weighting, weights)
}

fn read_weights(
    node: &Node<'_>,
    (is_weighted, is_adjusted): (bool, bool),
    offered: &Offered<'_>,
    weights: &mut Weights,
) {
    for key in ["margins", "within", "minimum_cell", "cap"] {
        if !is_adjusted && node.has(key) {
            let message = format!("`{key}` is for weighting = \"rake\" or \"post-stratify\"");
            node.error(node.span_of(key), message, None);
        }
    }
    if node.has("margins") {
        let what = ("margin", "stratifier over a column of contacts");
        weights.margins = read_ids(node, "margins", what, &offered.from_register);
        if is_adjusted && node.lacks("margins") {
            let help = "leave it out to take all stratifiers over columns of contacts, or weighting = \"design\"";
            let message = "without `margins` there is nothing to adjust to";
            node.error(node.span_of("margins"), message, Some(help.to_owned()));
        }
    }
    node.tolerate(&["margins"]);
    weights.within = node.opt_choice("within", Level::WORDS).unwrap_or(weights.within);
    if let Some(at) = node.opt_integer("minimum_cell") {
        match u64::try_from(at.value) {
            Ok(count) if count > 0 => weights.minimum_cell = count,
            _ => node.error(at.span, "`minimum_cell` is a number of respondents, 1 or more", None),
        }
    }
    if let Some(at) = node.opt_number("cap") {
        if at.value < 1.0 {
            node.error(at.span.clone(), "`cap` is a multiple of the mean weight, 1 or more", None);
        }
        weights.cap = at.value;
    }
    if let Some(is_finite) = node.opt_bool("finite_population") {
        if is_finite && !is_weighted {
            node.error(node.span_of("finite_population"), "a finite population is known only with weights", None);
        }
        weights.finite_population = is_finite;
    }
}

/// `strata`: ids of stratifiers.
pub(super) fn read_strata(
    node: &Node<'_>,
    measure: Option<&Measure>,
    case_mix: Option<&CaseMix>,
    offered: &Offered<'_>,
) -> Vec<String> {
    let strata = read_ids(node, "strata", ("stratum", "stratifier of the questionnaire"), &offered.stratifiers);
    let is_divided = measure.zip(case_mix).is_none_or(|(measure, case_mix)| can_be_weighted(measure, case_mix));
    if !strata.is_empty() && !is_divided {
        let message =
            "strata are for scales, single items and proportions, not for composites, rates or «fixed-effects»";
        node.error(node.span_of("strata"), message, None);
    }
    strata
}

/// A list of ids that `known` holds, each once. `what` is one of them and what it refers to, in words.
fn read_ids(node: &Node<'_>, key: &'static str, what: (&str, &str), known: &Names) -> Vec<String> {
    let ids = node.strings(key);
    for (index, id) in ids.iter().enumerate() {
        node.refer(what.1, id, known);
        if ids[..index].iter().any(|other| other.value == id.value) {
            node.error(id.span.clone(), format!("{} «{}» stands twice", what.0, id.value), None);
        }
    }
    ids.into_iter().map(|at| at.value).collect()
}
