//! Where a value has no change from the period before, the page says the true reason.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "tests fail by panicking; counts are small")]

mod common;

use common::{SCORE, SHARE, estimates, facts, plan, read, text};
use jiff::civil::{Date, date};
use prem_protect::{
    Unprotected, protect,
    tables::{Estimate, TableMeta},
};
use prem_report::{Language, RunFacts, write_release};
use prem_spec::{Adjustment, Convention, Item, Plan, QuestionnaireVersion, ResponseScale};

/// The rows of both years, without a change.
fn unchanged(plan: &Plan) -> Vec<Estimate> {
    let mut rows = estimates(plan);
    for row in &mut rows {
        (row.change, row.change_low, row.change_high) = (None, None, None);
    }
    rows
}

/// The region's page of `periods`, all of them when empty.
fn page(plan: &Plan, rows: Vec<Estimate>, periods: &[&str], language: Language) -> String {
    let meta = TableMeta { run_id: "run".into(), plan_hash: "plan".into() };
    let mut protected = protect(plan, Unprotected { estimates: rows, meta, ..Default::default() }).expect("protected");
    if !periods.is_empty() {
        let periods: Vec<String> = periods.iter().map(|period| (*period).to_owned()).collect();
        protected = protected.narrowed_to(&periods);
    }
    let staging = tempfile::tempdir().expect("a folder");
    write_release(plan, &protected, &RunFacts { language, ..facts() }, staging.path()).expect("written");
    read(&staging.path().join("region/index.html"))
}

/// The part of the page that is about the score.
fn section(page: &str) -> &str {
    let section = page.split_once("id=\"i-information\"").expect("the indicator").1;
    section.split_once("</section>").expect("its end").0
}

fn heard(mark: &str, reason: &str) -> String {
    format!("<span aria-hidden=\"true\">{mark}</span><span class=\"heard\">{reason}</span>")
}

/// A form that asks `items`, each an id and the version of its wording.
fn form(valid_from: Date, items: &[(&str, u32)]) -> QuestionnaireVersion {
    let item = |(id, version): &(&str, u32)| Item {
        id: (*id).to_owned(),
        version: *version,
        text: text("Fikk du vite nok?"),
        theme: None,
        scale: ResponseScale { id: "extent".into(), low: 1, high: 5, codes: Vec::new() },
        reversed: false,
        asked_if: None,
    };
    QuestionnaireVersion {
        version: valid_from.to_string(),
        title: text("Døgnopphold"),
        valid_from,
        valid_to: None,
        items: items.iter().map(item).collect(),
        local: Vec::new(),
        local_items_max: 0,
    }
}

/// The score reads the item `i1`, the share `i2`.
fn with_forms(first: &[(&str, u32)], second: &[(&str, u32)], since: Date) -> Plan {
    let mut plan = plan();
    let questionnaire = plan.questionnaires.get_mut("q").expect("declared");
    questionnaire.versions = vec![form(date(2020, 1, 1), first), form(since, second)];
    questionnaire.items.clone_from(&questionnaire.versions[1].items);
    plan
}

#[test]
fn a_break_of_the_series_is_named() {
    let mid = date(2025, 3, 1);
    let reworded = with_forms(&[("i1", 1), ("i2", 1)], &[("i1", 2), ("i2", 1)], mid);
    let told = |plan: &Plan, language| page(plan, unchanged(plan), &[], language);
    for (language, reason, remark) in [
        (
            Language::Bokmal,
            "Kan ikke sammenlignes med forrige periode: ny ordlyd fra 01.03.2025",
            "Perioden har svar på begge skjemaene. Endring vises derfor ikke.",
        ),
        (
            Language::Nynorsk,
            "Kan ikkje samanliknast med førre periode: ny ordlyd frå 01.03.2025",
            "Perioden har svar på begge skjema. Difor er endring ikkje vist.",
        ),
        (
            Language::English,
            "Cannot be compared with the previous period: new wording from 01.03.2025",
            "The period has answers to both forms. No change is shown.",
        ),
    ] {
        let page = told(&reworded, language);
        let overview = page.split_once("#i-information").expect("a line").1.split_once("</tr>").expect("its end").0;
        assert!(overview.contains(&heard("–", reason)), "{overview}");
        assert!(section(&page).contains(&heard("–", reason)) && section(&page).contains(remark), "{}", section(&page));
        let share = page.split_once("id=\"i-recommend\"").expect("the share").1;
        assert!(!share.contains("01.03.2025"), "its question is the same: {share}");
    }
}

/// A question that nobody was asked before has no values of the other form, but of a part of the period.
#[test]
fn a_question_that_came_within_the_period_or_the_one_before_is_named() {
    let added = |since| with_forms(&[("i2", 1)], &[("i1", 1), ("i2", 1)], since);
    for (since, remark) in [
        (date(2025, 3, 1), "Det ble ikke spurt om dette i hele perioden. Endring vises derfor ikke."),
        (date(2024, 3, 1), "Det ble ikke spurt om dette i hele forrige periode. Endring vises derfor ikke."),
    ] {
        let plan = added(since);
        let page = page(&plan, unchanged(&plan), &[], Language::Bokmal);
        let (section, day) = (section(&page), since.strftime("%d.%m.%Y"));
        let reason = format!("Kan ikke sammenlignes med forrige periode: nytt spørsmål fra {day}");
        assert!(section.contains(&heard("–", &reason)), "{section}");
        assert!(section.contains(&format!("Nytt spørsmål fra {day}: «Fikk du vite nok?».")), "{section}");
        assert!(section.contains(remark), "{section}");
    }
}

#[test]
fn a_method_without_a_change_says_so() {
    let mut plan = plan();
    let convention = Convention::Cahps41c;
    plan.indicators.get_mut(SCORE).expect("declared").case_mix.adjustment = Adjustment::FixedEffects { convention };
    for (language, reason, remark) in [
        (
            Language::Bokmal,
            "Endring beregnes ikke for denne indikatoren",
            "Endring fra forrige periode beregnes ikke med metoden som brukes for denne indikatoren.",
        ),
        (
            Language::Nynorsk,
            "Endring blir ikkje rekna ut for denne indikatoren",
            "Endring frå førre periode blir ikkje rekna ut med metoden som er brukt for denne indikatoren.",
        ),
        (
            Language::English,
            "Change is not computed for this indicator",
            "Change from the previous period is not computed by the method of this indicator.",
        ),
    ] {
        let page = page(&plan, unchanged(&plan), &[], language);
        assert!(section(&page).contains(&heard("–", reason)) && section(&page).contains(remark), "{}", section(&page));
    }
}

/// Also where the period before, which is withheld, is not in the release.
#[test]
fn a_withheld_earlier_value_says_so() {
    let plan = plan();
    let mut rows = unchanged(&plan);
    for row in rows.iter_mut().filter(|row| row.period == "2024" && row.indicator == SCORE) {
        row.suppressed = true;
    }
    for periods in [&[][..], &["2025"]] {
        for (language, reason) in [
            (Language::Bokmal, "Skjult av hensyn til personvern: tallet for forrige periode er skjult"),
            (Language::Nynorsk, "Skjult av omsyn til personvern: talet for førre periode er skjult"),
            (Language::English, "Withheld for privacy: the figure of the previous period is withheld"),
        ] {
            let page = page(&plan, rows.clone(), periods, language);
            assert!(section(&page).contains(&heard("∗", reason)), "{periods:?}: {}", section(&page));
        }
    }
}

#[test]
fn an_earlier_value_of_other_adjusters_is_no_absent_one() {
    let plan = plan();
    let told = |rows: Vec<Estimate>| section(&page(&plan, rows, &[], Language::Bokmal)).to_owned();
    let both = told(unchanged(&plan));
    assert!(both.contains("Kan ikke sammenlignes med forrige periode: justeringen er en annen"), "{both}");
    let mut rows = unchanged(&plan);
    rows.retain(|row| row.period == "2025" || row.indicator == SHARE);
    let alone = told(rows);
    assert!(alone.contains(&heard("–", "Ingen tall fra forrige periode å sammenligne med")), "{alone}");
}
