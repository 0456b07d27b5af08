//! `schemas/indicators/*.toml`: one indicator a file.

use std::ops::RangeInclusive;

use super::{
    consistency::{
        check_baseline, check_interval, check_population, check_sensitivity, check_shrinkage, check_together,
    },
    limits, population,
    reader::{At, Node},
    scope::{Names, Scope},
    weighting::{Offered, read_strata, read_weighting},
};
use crate::model::{
    Adjustment, Alternative, BetaSource, CaseMix, Comparison, ContactFilter, Convention, Direction, FamilyCorrection,
    GoalLevels, Indicator, IntervalMethod, Level, Measure, MissingAdjuster, PeriodLength, Plan, Population, Protection,
    Questionnaire, Shrinkage, StandardPopulation, Standardisation, ValueScale, Weighting,
};
use crate::period::Period;

/// Half of a scale's items (the customary half rule).
const MIN_ANSWERED_DEFAULT: f64 = 0.5;
const CI_LEVEL_DEFAULT: f64 = 0.95;
/// False discoveries accepted among the units called better or worse.
const ALPHA_DEFAULT: f64 = 0.05;
/// Fewest respondents behind a published score.
const MINIMUM_N_DEFAULT: i64 = 30;
/// Smallest count that is shown.
const MINIMUM_COUNT_DEFAULT: i64 = 5;
/// That nobody, or everybody, has something tells it of each of them: zeros are withheld as other small counts are.
const PROTECT_ZERO_DEFAULT: bool = true;
/// Contacts at most eight hours apart are one episode.
const EPISODE_GAP_HOURS_DEFAULT: i64 = 8;
const DECIMALS_DEFAULT: i64 = 1;
/// More decimals than this say nothing to anybody.
const DECIMALS_MAX: i64 = 6;

/// The questionnaire that an indicator reads: its names, and itself where it could be read.
struct Source<'a> {
    items: Names,
    /// All items that a questionnaire may ask.
    bank: &'a Names,
    adjusters: Names,
    questionnaire: Option<&'a Questionnaire>,
}

impl<'a> Source<'a> {
    fn of(population: Option<&Population>, scope: &'a Scope, plan: &'a Plan) -> Self {
        let id = population.and_then(|population| population.questionnaire.as_deref()).unwrap_or_default();
        Self {
            items: Scope::members(&scope.questionnaire_items, id),
            bank: &scope.items,
            adjusters: Scope::members(&scope.adjusters, id),
            questionnaire: plan.questionnaires.get(id),
        }
    }

    fn refer(&self, node: &Node<'_>, item: &At<String>) {
        node.refer_asked("item of the questionnaire", item, &self.items, self.bank);
    }
}

pub(super) fn read(node: Node<'_>, scope: &Scope, plan: &Plan) -> Option<Indicator> {
    let id = node.string("id");
    let version = node.string("version");
    let title = node.text("title");
    let description = node.text("description");
    let theme = node.text("theme");
    let direction = node.choice("direction", Direction::WORDS);
    let population = node
        .opt_table("population")
        .map_or_else(|| Some(Population::default()), |table| population::read(table, scope, plan));
    let source = Source::of(population.as_ref(), scope, plan);
    let measure = node.table("measure").and_then(|table| read_measure(table, &source));
    let case_mix =
        node.opt_table("case_mix").map_or_else(|| Some(CaseMix::none()), |table| read_case_mix(table, &source));
    let weighting = node.opt_choice("weighting", Weighting::WORDS);
    let levels = node.choices("levels", Level::WORDS);
    let periods = node.choices(
        "periods",
        &[
            ("year", PeriodLength::Year),
            ("tertial", PeriodLength::Tertial),
            ("quarter", PeriodLength::Quarter),
            ("month", PeriodLength::Month),
            ("rolling-year", PeriodLength::RollingYear),
        ],
    );
    let ci_level = limits::ci_level(&node, CI_LEVEL_DEFAULT);
    let interval = node.opt_choice(
        "interval",
        &[
            ("model", IntervalMethod::Model),
            ("wilson", IntervalMethod::Wilson),
            ("clopper-pearson", IntervalMethod::ClopperPearson),
            ("jeffreys", IntervalMethod::Jeffreys),
            ("dobson", IntervalMethod::Dobson),
        ],
    );
    let comparison = read_comparison(node.opt_table("comparison"));
    let goal = node.opt_table("goal").and_then(|table| read_goal(table, direction));
    let protection = read_protection(node.opt_table("protection"));
    let sensitivity = node.opt_table("sensitivity").map(read_sensitivity).unwrap_or_default();
    let decimals = count(&node, "decimals", 0..=DECIMALS_MAX).unwrap_or(DECIMALS_DEFAULT);
    if node.lacks("levels") {
        node.error(
            node.span_of("levels"),
            "`levels` is missing here",
            Some("levels = [\"rhf\", \"hf\", \"ward\"]".into()),
        );
    }
    if node.lacks("periods") {
        node.error(
            node.span_of("periods"),
            "`periods` is missing here",
            Some("periods = [\"year\", \"quarter\"]".into()),
        );
    }
    if let (Some(measure), Some(case_mix)) = (&measure, &case_mix) {
        check_together(&node, measure, case_mix, &levels);
        check_population(&node, measure, population.as_ref());
        check_interval(&node, measure, interval);
        check_sensitivity(&node, measure, &sensitivity);
        check_baseline(&node, measure, case_mix);
        limits::check_values(&node, measure, direction, source.questionnaire);
    }
    let interval = interval.unwrap_or(match &measure {
        Some(Measure::TopBox { .. }) => IntervalMethod::Wilson,
        Some(Measure::Rate { .. }) => IntervalMethod::Dobson,
        _ => IntervalMethod::Model,
    });
    let questionnaire = population.as_ref().and_then(|population| population.questionnaire.as_deref());
    let offered = Offered::of(questionnaire.unwrap_or_default(), scope, source.questionnaire);
    let (weighting, weights) = read_weighting(&node, weighting, (measure.as_ref(), case_mix.as_ref()), &offered);
    let strata = read_strata(&node, measure.as_ref(), case_mix.as_ref(), &offered);
    if let (Some(measure), Some(case_mix)) = (&measure, &case_mix) {
        check_shrinkage(&node, measure, case_mix);
        if measure.is_rate() && periods.contains(&PeriodLength::RollingYear) {
            node.error(
                node.span_of("periods"),
                "a rate has the population of a calendar year: no «rolling-year»",
                None,
            );
        }
    }
    if let (Some(measure), Some(questionnaire)) = (&measure, source.questionnaire) {
        population::check_local(&node, questionnaire, measure, &levels);
    }
    node.finish();
    Some(Indicator {
        id: id?.value,
        version: version?.value,
        title: title?,
        description: description?,
        theme: theme?,
        direction: direction?,
        measure: measure?,
        population: population?,
        case_mix: case_mix?,
        weighting,
        weights,
        strata,
        levels: sorted(levels),
        periods: sorted(periods),
        ci_level,
        interval,
        comparison,
        goal,
        protection,
        sensitivity,
        decimals: u8::try_from(decimals).ok()?,
    })
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort();
    values.dedup();
    values
}

/// A whole number within `range`, where a readable one stands.
pub(super) fn count(node: &Node<'_>, key: &'static str, range: RangeInclusive<i64>) -> Option<i64> {
    let at = node.opt_integer(key)?;
    if range.contains(&at.value) {
        return Some(at.value);
    }
    let (min, max) = range.into_inner();
    let wanted = if max == i64::MAX { format!("is {min} or more") } else { format!("lies between {min} and {max}") };
    node.error(at.span, format!("`{key}` {wanted}"), None);
    None
}

#[derive(Clone, Copy)]
enum Kind {
    Scale,
    Item,
    TopBox,
    Composite,
    Rate,
}

/// Keys of any kind of measure.
const MEASURE_KEYS: [&str; 8] = ["items", "item", "min_answered", "scale", "codes", "per", "contacts", "standardise"];

fn read_measure(node: Node<'_>, source: &Source<'_>) -> Option<Measure> {
    let kind = node.choice(
        "type",
        &[
            ("scale", Kind::Scale),
            ("item", Kind::Item),
            ("top-box", Kind::TopBox),
            ("composite", Kind::Composite),
            ("rate", Kind::Rate),
        ],
    );
    let Some(kind) = kind else {
        node.tolerate(&MEASURE_KEYS);
        node.finish();
        return None;
    };
    let measure = match kind {
        Kind::Scale => {
            let min_answered = node.opt_number("min_answered").map_or(MIN_ANSWERED_DEFAULT, |at| at.value);
            if !(min_answered > 0.0 && min_answered <= 1.0) {
                node.error(node.span_of("min_answered"), "`min_answered` is a share above 0 and at most 1", None);
            }
            Some(Measure::Scale { items: items(&node, source), min_answered, scale: value_scale(&node) })
        }
        Kind::Composite => Some(Measure::Composite { items: items(&node, source), scale: value_scale(&node) }),
        Kind::Item => item(&node, source).map(|item| Measure::Item { item, scale: value_scale(&node) }),
        Kind::TopBox => read_top_box(&node, source),
        Kind::Rate => read_rate(&node),
    };
    node.finish();
    measure
}

fn value_scale(node: &Node<'_>) -> ValueScale {
    node.opt_choice("scale", &[("0-100", ValueScale::Score0To100), ("native", ValueScale::Native)])
        .unwrap_or(ValueScale::Score0To100)
}

fn items(node: &Node<'_>, source: &Source<'_>) -> Vec<String> {
    let items = node.strings("items");
    if node.lacks("items") {
        node.error(node.span_of("items"), "`items` needs at least one item", None);
    }
    for (index, item) in items.iter().enumerate() {
        source.refer(node, item);
        if items[..index].iter().any(|other| other.value == item.value) {
            node.error(item.span.clone(), format!("item «{}» stands twice", item.value), None);
        }
    }
    items.into_iter().map(|at| at.value).collect()
}

fn item(node: &Node<'_>, source: &Source<'_>) -> Option<String> {
    let item = node.string("item")?;
    source.refer(node, &item);
    Some(item.value)
}

fn read_top_box(node: &Node<'_>, source: &Source<'_>) -> Option<Measure> {
    let item = item(node, source);
    let codes = node.integers("codes");
    if node.lacks("codes") {
        node.error(node.span_of("codes"), "`codes` needs at least one answer", Some("codes = [4, 5]".to_owned()));
    }
    let scale = item.as_ref().and_then(|item| source.questionnaire?.item(item)).map(|item| &item.scale);
    for code in &codes {
        if let Some(scale) = scale.filter(|scale| !(scale.low.into()..=scale.high.into()).contains(&code.value)) {
            let help = format!("scored are {} to {}", scale.low, scale.high);
            node.error(code.span.clone(), format!("{} is not a scored answer of the item", code.value), Some(help));
        }
    }
    let codes = codes.iter().filter_map(|at| i16::try_from(at.value).ok()).collect();
    Some(Measure::TopBox { item: item?, codes: sorted(codes) })
}

fn read_rate(node: &Node<'_>) -> Option<Measure> {
    let per = node.number("per");
    if let Some(at) = per.as_ref().filter(|at| at.value <= 0.0) {
        node.error(at.span.clone(), "`per` is a number of inhabitants above 0", None);
    }
    let contacts = node.table("contacts").map(|table| {
        let texts = |key| table.strings(key).into_iter().map(|at| at.value).collect();
        let filter = ContactFilter {
            procedures: texts("procedures"),
            main_diagnoses: texts("main_diagnoses"),
            care_levels: texts("care_levels"),
            urgencies: texts("urgencies"),
            episode_gap_hours_max: count(&table, "episode_gap_hours_max", 0..=i64::MAX)
                .unwrap_or(EPISODE_GAP_HOURS_DEFAULT),
        };
        if table.lacks("procedures") && table.lacks("main_diagnoses") {
            table.error(table.span.clone(), "a rate counts `procedures` or `main_diagnoses`", None);
        }
        table.finish();
        filter
    });
    let standardisation = node.table("standardise").map(|table| {
        let bands = table.integers("age_bands");
        if table.lacks("age_bands") || bands.windows(2).any(|pair| pair[0].value >= pair[1].value) {
            table.error(table.span_of("age_bands"), "`age_bands` are lower ends in rising order", None);
        }
        let standard = table.opt_choice("standard", StandardPopulation::WORDS);
        let age_bands: Vec<i64> = bands.into_iter().map(|at| at.value).collect();
        table.finish();
        Standardisation {
            age_min: age_bands.first().copied().unwrap_or(0),
            age_bands,
            standard: standard.unwrap_or(StandardPopulation::Region),
        }
    });
    Some(Measure::Rate { contacts: contacts?, per: per?.value, standardisation: standardisation? })
}

fn read_case_mix(node: Node<'_>, source: &Source<'_>) -> Option<CaseMix> {
    #[derive(Clone, Copy)]
    enum Method {
        None,
        RandomIntercept,
        FixedEffects,
        Logistic,
    }
    let method = node.choice(
        "method",
        &[
            ("none", Method::None),
            ("random-intercept", Method::RandomIntercept),
            ("fixed-effects", Method::FixedEffects),
            ("logistic", Method::Logistic),
        ],
    );
    let adjustment = match method {
        None => {
            node.tolerate(&["beta", "convention", "shrinkage"]);
            None
        }
        Some(Method::None) => Some(Adjustment::None),
        Some(Method::Logistic) => Some(Adjustment::Logistic),
        Some(Method::RandomIntercept) => {
            let beta = node.opt_choice("beta", &[("within", BetaSource::Within), ("gls", BetaSource::Gls)]);
            Some(Adjustment::RandomIntercept { beta: beta.unwrap_or(BetaSource::Within) })
        }
        Some(Method::FixedEffects) => node
            .choice("convention", &[("cahps-4.1c", Convention::Cahps41c), ("cahps-manual", Convention::CahpsManual)])
            .map(|convention| Adjustment::FixedEffects { convention }),
    };
    let adjusters = node.strings("adjusters");
    for (index, adjuster) in adjusters.iter().enumerate() {
        node.refer("adjuster of the questionnaire", adjuster, &source.adjusters);
        if adjusters[..index].iter().any(|other| other.value == adjuster.value) {
            node.error(adjuster.span.clone(), format!("adjuster «{}» stands twice", adjuster.value), None);
        }
    }
    let missing = node.opt_choice(
        "missing",
        &[
            ("category", MissingAdjuster::Category),
            ("complete-cases", MissingAdjuster::CompleteCases),
            ("unit-mean", MissingAdjuster::UnitMean),
        ],
    );
    // The surveys whose conventions these are fill a missing adjuster with its mean in the unit.
    let unstated = match adjustment {
        Some(Adjustment::FixedEffects { .. }) => MissingAdjuster::UnitMean,
        _ => MissingAdjuster::Category,
    };
    let shrinkage = node.opt_choice(
        "shrinkage",
        &[
            ("level", Shrinkage::Level),
            ("nested", Shrinkage::Nested),
            ("lme4", Shrinkage::Lme4),
            ("lme4-nested", Shrinkage::Lme4Nested),
        ],
    );
    let baseline = node.opt_string("baseline").and_then(|at| {
        let period = at.value.parse::<Period>();
        if let Err(error) = &period {
            node.error(at.span, error.to_string(), None);
        }
        period.ok()
    });
    // Of adjusters that could not be read nobody can say that they are missing.
    let is_readable = !adjusters.is_empty() || node.lacks("adjusters");
    node.finish();
    Some(CaseMix {
        adjustment: adjustment.filter(|_| is_readable)?,
        adjusters: adjusters.into_iter().map(|at| at.value).collect(),
        missing: missing.unwrap_or(unstated),
        shrinkage: shrinkage.unwrap_or(Shrinkage::Level),
        baseline,
    })
}

fn read_sensitivity(node: Node<'_>) -> Vec<Alternative> {
    let models = node.choices("models", Alternative::WORDS);
    if node.lacks("models") {
        node.error(
            node.span_of("models"),
            "`models` is missing here",
            Some("models = [\"unadjusted\", \"fixed-effects\"]".into()),
        );
    }
    node.finish();
    sorted(models)
}

fn read_comparison(node: Option<Node<'_>>) -> Comparison {
    let default =
        Comparison { minimal_difference: 0.0, correction: FamilyCorrection::BenjaminiHochberg, alpha: ALPHA_DEFAULT };
    let Some(node) = node else { return default };
    let minimal = node.opt_number("minimal_difference");
    if let Some(at) = minimal.as_ref().filter(|at| at.value < 0.0) {
        node.error(at.span.clone(), "`minimal_difference` is 0 or more", None);
    }
    let correction = node.opt_choice("correction", FamilyCorrection::WORDS);
    let alpha = limits::alpha(&node, ALPHA_DEFAULT);
    node.finish();
    Comparison {
        minimal_difference: minimal.map_or(default.minimal_difference, |at| at.value),
        correction: correction.unwrap_or(default.correction),
        alpha,
    }
}

fn read_goal(node: Node<'_>, direction: Option<Direction>) -> Option<GoalLevels> {
    let high = node.number("high");
    let moderate = node.opt_number("moderate");
    if direction == Some(Direction::Neutral) {
        node.error(node.span.clone(), "a goal needs a direction: «higher» or «lower»", None);
    }
    if let (Some(high), Some(moderate)) = (&high, &moderate) {
        let is_beyond = match direction {
            Some(Direction::Higher) => moderate.value > high.value,
            Some(Direction::Lower) => moderate.value < high.value,
            Some(Direction::Neutral) | None => false,
        };
        if is_beyond {
            node.error(moderate.span.clone(), "`moderate` is a better value than `high`", None);
        }
    }
    node.finish();
    let high = high?.value;
    Some(GoalLevels { high, moderate: moderate.map_or(high, |at| at.value) })
}

fn read_protection(node: Option<Node<'_>>) -> Protection {
    let (mut minimum_n, mut minimum_count) = (MINIMUM_N_DEFAULT, MINIMUM_COUNT_DEFAULT);
    let mut protect_zero = PROTECT_ZERO_DEFAULT;
    if let Some(node) = node {
        // A value of nobody says nothing, and with 0 here nothing would be held back for being about few.
        minimum_n = count(&node, "minimum_n", 1..=i64::MAX).unwrap_or(minimum_n);
        minimum_count = count(&node, "minimum_count", 0..=i64::MAX).unwrap_or(minimum_count);
        protect_zero = node.opt_bool("protect_zero").unwrap_or(protect_zero);
        node.finish();
    }
    Protection { minimum_n: minimum_n.unsigned_abs(), minimum_count: minimum_count.unsigned_abs(), protect_zero }
}
