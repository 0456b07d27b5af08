//! The table `sensitivity`: every value, limit and assessment by another model is what a run gives whose indicator has that
//! model for its own; ranks and changes follow from the values shown.

use std::collections::{BTreeMap, BTreeSet};

use prem_store::tables::{Estimate, Sensitivity};

use crate::small_region::{SmallRegion, indicator};

/// Relative: the same sums over the same rows.
const TOLERANCE: f64 = 1e-12;

const LEVELS: &str = r#"["rhf", "hf", "hospital", "ward"]"#;
const SCALE: &str = r#"measure = { type = "scale", items = ["listened", "care"] }"#;
const SHARE: &str = r#"measure = { type = "top-box", item = "listened", codes = [1, 2] }"#;
const COMPOSITE: &str = r#"measure = { type = "composite", items = ["listened", "care"] }"#;
/// A smallest difference that matters, so that the models' assessments have two edges.
const MATTERS: &str = "comparison = { minimal_difference = 1.0 }";
/// Shares of few: all are shown here.
const SHOWN: &str = "protection = { minimum_n = 5, minimum_count = 1, protect_zero = false }";
const WITHIN: &str = r#"method = "random-intercept", adjusters = ["age", "sex", "own-health"]"#;
const FIXED: &str = r#"method = "fixed-effects", convention = "cahps-4.1c", adjusters = ["age", "sex", "own-health"], missing = "category""#;
const LOGISTIC: &str = r#"method = "logistic", adjusters = ["age", "sex", "own-health"]"#;

/// An indicator's own keys but for its weights, its model and its levels.
struct Main {
    id: &'static str,
    direction: &'static str,
    keys: String,
}

/// A way to values: weights, case mix, levels.
type Model = (&'static str, String, &'static str);

impl Main {
    fn with(&self, id: &str, (weighting, case_mix, levels): &Model, more: &str) -> (String, String) {
        let Self { direction, keys, .. } = self;
        let keys = format!(
            "direction = \"{direction}\"\nlevels = {levels}\nweighting = \"{weighting}\"\n{keys}\n{more}\n\
             case_mix = {{ {case_mix} }}"
        );
        indicator(id, &keys)
    }
}

/// Models by the names that the declarations have for them. One that knows a single level of units stands once for each.
type Others = Vec<(&'static str, Model)>;

/// Indicators with their own model and the others.
fn declared() -> Vec<(Main, Model, Others)> {
    let model = |weighting, case_mix: &str, levels| (weighting, case_mix.to_owned(), levels);
    let at_all = |weighting, case_mix: &str| model(weighting, case_mix, LEVELS);
    let fixed = || {
        [r#"["rhf", "hf"]"#, r#"["rhf", "hospital"]"#, r#"["rhf", "ward"]"#]
            .map(|levels| ("fixed-effects", model("none", FIXED, levels)))
    };
    let gls = format!("{WITHIN}, beta = \"gls\"");
    let mut weighted = vec![
        ("unadjusted", at_all("design", r#"method = "none""#)),
        ("unweighted", at_all("none", WITHIN)),
        ("weighted", at_all("design", WITHIN)),
        ("gls", at_all("design", &gls)),
        ("shrunken", at_all("design", WITHIN)),
    ];
    weighted.extend(fixed());
    let mut plain = vec![
        ("unadjusted", at_all("none", r#"method = "none""#)),
        ("unweighted", at_all("none", WITHIN)),
        ("weighted", at_all("design", WITHIN)),
        ("gls", at_all("none", &gls)),
        ("shrunken", at_all("none", WITHIN)),
        ("nested", at_all("none", &format!("{WITHIN}, shrinkage = \"nested\""))),
    ];
    plain.extend(fixed());
    let main = |id, direction, keys: &[&str]| Main { id, direction, keys: keys.join("\n") };
    vec![
        (main("weighted", "higher", &[SCALE, MATTERS]), at_all("design", WITHIN), weighted),
        (main("plain", "higher", &[SCALE, MATTERS]), at_all("none", WITHIN), plain),
        (
            main("share", "lower", &[SHARE, SHOWN]),
            at_all("design", LOGISTIC),
            vec![("unadjusted", at_all("design", r#"method = "none""#))],
        ),
        (
            main("composite", "higher", &[COMPOSITE]),
            model("none", FIXED, r#"["rhf", "ward"]"#),
            vec![(
                "unadjusted",
                model("none", r#"method = "fixed-effects", convention = "cahps-4.1c""#, r#"["rhf", "ward"]"#),
            )],
        ),
    ]
}

/// Indicator, model, level and unit.
type Cell = (String, String, String, String);

/// What the run with other models says, and what is said by the run in which each of them is an indicator's own.
struct Both {
    main: Vec<Estimate>,
    told: Vec<Sensitivity>,
    separate: BTreeMap<Cell, Estimate>,
}

fn both() -> Both {
    let (mut beside, mut alone) = (Vec::new(), Vec::new());
    // Id of an indicator of the second run → indicator and model of the first.
    let mut meant = BTreeMap::new();
    for (main, own, others) in declared() {
        let names: BTreeSet<&str> = others.iter().map(|(name, _)| *name).collect();
        let names: Vec<String> = names.into_iter().map(|name| format!("\"{name}\"")).collect();
        beside.push(main.with(main.id, &own, &format!("sensitivity = {{ models = [{}] }}", names.join(", "))));
        for (place, (name, model)) in others.iter().enumerate() {
            let id = format!("{}-{place}", main.id);
            alone.push(main.with(&id, model, ""));
            meant.insert(id, (main.id.to_owned(), (*name).to_owned()));
        }
    }
    let first = SmallRegion::new(&beside);
    first.place.run(&[]);
    let second = SmallRegion::new(&alone);
    second.place.run(&[]);
    let mut separate = BTreeMap::new();
    for row in second.place.table::<Estimate>("region") {
        let (indicator, model) = meant[&row.indicator].clone();
        let is_shrunken = is_shrunken(&model);
        if row.level != "rhf" && if is_shrunken { row.shrunken.is_some() } else { row.value.is_some() } {
            let before = separate.insert((indicator, model, row.level.clone(), row.unit_id.clone()), row);
            assert!(before.is_none(), "{before:?}");
        }
    }
    Both { main: first.place.table("region"), told: first.place.table("region"), separate }
}

/// Whether a model is about shrunken values, which have no assessment.
fn is_shrunken(model: &str) -> bool {
    ["shrunken", "nested"].contains(&model)
}

fn assert_near(what: &str, told: Option<f64>, wanted: Option<f64>) {
    let (Some(told), Some(wanted)) = (told, wanted) else { return assert_eq!(told, wanted, "{what}") };
    assert!((told - wanted).abs() <= TOLERANCE * wanted.abs().max(1.0), "{what}: {told} instead of {wanted}");
}

#[test]
fn other_models_say_what_they_say_as_an_indicators_own() {
    let both = both();
    let mut found: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for told in &both.told {
        let what = format!("{} by {}: {}", told.indicator, told.model, told.unit_id);
        assert_eq!(told.period, "2025");
        let main = both.main.iter().find(|row| row.indicator == told.indicator && row.unit_id == told.unit_id);
        let main = main.unwrap_or_else(|| panic!("{what}: no row of its own"));
        if told.model == "main" {
            assert_eq!(
                (Some(told.value), told.ci_low, told.ci_high, &told.comparison, &told.method),
                (main.value, main.ci_low, main.ci_high, &main.comparison, &main.method),
                "{what}"
            );
            assert_eq!(
                (told.difference, told.rank_change, told.class_changed),
                (Some(0.0), Some(0), Some(false)),
                "{what}"
            );
            continue;
        }
        let key = (told.indicator.clone(), told.model.clone(), told.level.clone(), told.unit_id.clone());
        let alone = both.separate.get(&key).unwrap_or_else(|| panic!("{what}: not in the separate run"));
        let (value, low, high, class) = if is_shrunken(&told.model) {
            (alone.shrunken, alone.shrunken_low, alone.shrunken_high, None)
        } else {
            (alone.value, alone.ci_low, alone.ci_high, alone.comparison.as_ref())
        };
        assert_near(&what, Some(told.value), value);
        assert_near(&format!("{what}, lower limit"), told.ci_low, low);
        assert_near(&format!("{what}, upper limit"), told.ci_high, high);
        assert_eq!((told.comparison.as_ref(), &told.method), (class, &alone.method), "{what}");
        assert_near(&format!("{what}, difference"), told.difference, main.value.map(|own| told.value - own));
        let changed = class.map(|class| Some(class) != main.comparison.as_ref());
        assert_eq!(told.class_changed, changed, "{what}");
        found.entry((told.indicator.clone(), told.level.clone())).or_default().insert(told.model.clone());
    }
    let told = both.told.iter().filter(|row| row.model != "main").count();
    assert_eq!(told, both.separate.len(), "no row of the separate run is missing");
    // Five trusts, ten hospitals and twenty wards, by every model that was asked for.
    let models = |indicator: &str, level: &str| found[&(indicator.to_owned(), level.to_owned())].len();
    assert_eq!(["hf", "hospital", "ward"].map(|level| models("weighted", level)), [6; 3]);
    assert_eq!(["hf", "hospital", "ward"].map(|level| models("plain", level)), [7; 3]);
    assert_eq!((models("share", "hf"), models("composite", "ward")), (1, 1));
    assert_eq!(told, (6 + 7 + 1) * (5 + 10 + 20) + 20);
    ranks_follow(&both.told);
}

/// Ranks are places among the units of a level, 1 the best, and their changes places up from those by the main model.
fn ranks_follow(told: &[Sensitivity]) {
    let mut families: BTreeMap<(&str, &str, &str), Vec<&Sensitivity>> = BTreeMap::new();
    for row in told {
        families.entry((&row.indicator, &row.level, &row.model)).or_default().push(row);
    }
    let places = |indicator: &str, rows: &[&Sensitivity]| -> BTreeMap<String, i64> {
        let is_before = |a: f64, b: f64| if indicator == "share" { a < b } else { a > b };
        let place =
            |row: &&Sensitivity| 1 + rows.iter().filter(|other| is_before(other.value, row.value)).count() as i64;
        rows.iter().map(|row| (row.unit_id.clone(), place(row))).collect()
    };
    let (mut moved, mut changed) = (0, 0);
    for ((indicator, level, model), rows) in &families {
        let (own, main) = (places(indicator, rows), places(indicator, &families[&(*indicator, *level, "main")]));
        assert!(own.keys().eq(main.keys()), "{indicator} {level} {model}");
        for row in rows {
            let (rank, before) = (own[&row.unit_id], main[&row.unit_id]);
            assert_eq!(
                (row.rank, row.rank_change, row.n_ranked),
                (Some(rank), Some(before - rank), Some(main.len() as i64)),
                "{indicator} {model}: {}",
                row.unit_id
            );
            moved += usize::from(rank != before);
            changed += usize::from(row.class_changed == Some(true));
        }
    }
    // Good wards have patients in poor health here, so the choice of the model decides much.
    assert!(moved > 100 && changed > 20, "{moved} ranks and {changed} assessments differ");
}
