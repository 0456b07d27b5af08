//! What a reader must be told to judge a page: what made the figures, what is missing and why, which survey and unit is meant.

#![allow(clippy::expect_used, clippy::cast_precision_loss, reason = "tests fail by panicking; counts are small")]

mod common;

use std::collections::BTreeSet;

use common::{RATE, SCORE, SHARE, estimates, facts, plan, protected, rate, read, text};
use jiff::civil::date;
use prem_protect::{
    Unprotected, protect,
    tables::{Estimate, TableMeta, Variation},
};
use prem_report::{Language, RunFacts, write_release};
use prem_spec::{Adjuster, AdjusterKind, Adjustment, BetaSource, Direction, GoalLevels, Link, Plan, Weighting};

const SYNTHETIC: &str = "Syntetiske data. Tallene er laget av programmet for å vise hvordan sidene ser ut. De sier ingenting om sykehusene \
                         som er nevnt.";

/// The page of `folder` when `rows` are released under `plan`.
fn page_of(plan: &Plan, rows: Vec<Estimate>, variation: Vec<Variation>, folder: &str) -> String {
    let meta = TableMeta { run_id: "run".into(), plan_hash: "plan".into() };
    let input = Unprotected { estimates: rows, variation, meta, ..Default::default() };
    let staging = tempfile::tempdir().expect("a folder");
    write_release(plan, &protect(plan, input).expect("protected"), &facts(), staging.path()).expect("written");
    read(&staging.path().join(folder).join("index.html"))
}

#[test]
fn generated_data_are_named_as_such_everywhere() {
    let plan = plan();
    let protected = protected(&plan);
    let released = |is_synthetic: bool, language: Language| {
        let staging = tempfile::tempdir().expect("a folder");
        let facts = RunFacts { is_synthetic, language, ..facts() };
        let summary = write_release(&plan, &protected, &facts, staging.path()).expect("written");
        let pages: Vec<String> =
            summary.folders.iter().map(|folder| read(&staging.path().join(folder).join("index.html"))).collect();
        let package: serde_json::Value =
            serde_json::from_str(&read(&staging.path().join("datapackage.json"))).expect("JSON");
        (pages, package, summary.files["region/tables.xlsx"].1.clone())
    };
    let (made, package, workbook) = released(true, Language::Bokmal);
    assert_eq!(made.len(), 4);
    assert!(made.iter().all(|page| page.contains(SYNTHETIC) && page.contains("<title>Syntetiske data: ")));
    assert_eq!(package["synthetic"], true);
    assert!(package["description"].as_str().is_some_and(|text| text.starts_with(SYNTHETIC)));
    let (real, package, other_workbook) = released(false, Language::Bokmal);
    assert!(real.iter().all(|page| !page.contains("Syntetisk") && !page.contains("class=\"synthetic\"")));
    assert_eq!(package["synthetic"], false);
    assert_ne!(workbook, other_workbook, "the workbook has a line");
    for language in Language::ALL {
        assert!(released(true, language).0.iter().all(|page| page.contains("<p class=\"synthetic\" role=\"note\">")));
    }
}

/// A reader must not take a refused file for patients who did not answer.
#[test]
fn what_is_held_back_is_told() {
    let plan = plan();
    let held_back: BTreeSet<String> = [plan.indicators.keys().next().expect("an indicator").clone()].into();
    for language in Language::ALL {
        let staging = tempfile::tempdir().expect("a folder");
        let with_note = RunFacts { held_back: held_back.clone(), language, ..facts() };
        let told = write_release(&plan, &protected(&plan), &with_note, staging.path()).expect("written");
        let plain = tempfile::tempdir().expect("a folder");
        let silent = write_release(&plan, &protected(&plan), &RunFacts { language, ..facts() }, plain.path());
        let page = |folder: &str| read(&staging.path().join(folder).join("index.html"));
        for folder in &told.folders {
            let page = page(folder);
            let note = page.split_once("class=\"held-back\" role=\"note\"").expect("a note").1;
            let list = note.split_once("</ul>").expect("a list").0;
            assert_eq!(list.matches("<li>").count(), 1, "{list}");
        }
        let silent = silent.expect("written");
        assert!(
            silent
                .folders
                .iter()
                .all(|folder| { !read(&plain.path().join(folder).join("index.html")).contains("class=\"held-back\"") })
        );
        assert_ne!(told.files["region/tables.xlsx"].1, silent.files["region/tables.xlsx"].1, "the workbook has a line");
    }
}

/// The plan with everything that a page says of an indicator.
fn declared(direction: Direction) -> Plan {
    let mut plan = plan();
    let adjuster = |id: &str, title: &str| Adjuster {
        id: id.into(),
        title: text(title),
        column: id.into(),
        kind: AdjusterKind::Continuous { min: 0.0, max: 120.0 },
    };
    plan.questionnaires.get_mut("q").expect("declared").adjusters =
        vec![adjuster("age", "Alder"), adjuster("health", "Egen helse")];
    let indicator = plan.indicators.get_mut(SCORE).expect("declared");
    indicator.case_mix.adjustment = Adjustment::RandomIntercept { beta: BetaSource::Within };
    indicator.case_mix.adjusters = vec!["age".into(), "health".into()];
    indicator.weighting = Weighting::Design;
    indicator.comparison.minimal_difference = 1.5;
    indicator.direction = direction;
    indicator.ci_level = 0.9;
    let share = plan.indicators.get_mut(SHARE).expect("declared");
    share.comparison.minimal_difference = 0.02;
    share.goal = Some(GoalLevels { high: 0.9, moderate: 0.855 });
    plan
}

#[test]
fn an_indicator_says_what_is_needed_to_judge_it() {
    let told = |direction: Direction| {
        let staging = tempfile::tempdir().expect("a folder");
        let facts = RunFacts { answers_until: [("q".to_owned(), date(2025, 6, 30))].into(), ..facts() };
        write_release(&declared(direction), &protected(&plan()), &facts, staging.path()).expect("written");
        read(&staging.path().join("hf/north/index.html"))
    };
    let page = told(Direction::Higher);
    let section = page.split_once("id=\"i-information\"").expect("the indicator").1;
    let (section, rest) = section.split_once("</section>").expect("its end");
    let said = |term: &str, text: &str| format!("<div><dt>{term}</dt><dd>{text}</dd></div>");
    for fact in [
        said("Justering", "for alder, egen helse"),
        said("Vekting", "utvalgsvekter; hvert utvalg teller etter hvor mange pasienter det er trukket fra"),
        said("Minste forskjell som regnes som viktig", "1,5 poeng"),
        said("Mål", "høy måloppnåelse fra 75, moderat fra 65, ellers lav"),
        said("Datagrunnlag", "Svar til og med 30.06.2025; perioden er ikke fullstendig."),
    ] {
        assert!(section.contains(&fact), "{fact}\n{section}");
    }
    assert!(section.contains("<dt>Svarprosent</dt><dd>") && section.contains("\u{a0}% (Sykehuset Nord)"), "{section}");
    assert!(section.contains(">90 % intervall</th>"), "{section}");
    let share = rest.split_once("id=\"i-recommend\"").expect("the other").1;
    for fact in [
        said("Justering", "ikke justert"),
        said("Minste forskjell som regnes som viktig", "2 prosentpoeng"),
        said("Mål", "høy måloppnåelse fra 90\u{a0}%, moderat fra 85,5\u{a0}%, ellers lav"),
    ] {
        assert!(share.contains(&fact), "{fact}\n{share}");
    }
    assert!(page.contains("omtrent så mange prosent av dem som indikatoren oppgir"), "the levels differ");
    assert!(told(Direction::Lower).contains("høy måloppnåelse til og med 75, moderat til og med 65, ellers lav"));
}

#[test]
fn a_goal_without_a_moderate_level_names_two() {
    for (direction, language, said) in [
        (Direction::Higher, Language::Bokmal, "høy måloppnåelse fra 75, ellers lav"),
        (Direction::Lower, Language::Bokmal, "høy måloppnåelse til og med 75, ellers lav"),
        (Direction::Higher, Language::Nynorsk, "høg måloppnåing frå 75, elles låg"),
        (Direction::Lower, Language::Nynorsk, "høg måloppnåing til og med 75, elles låg"),
        (Direction::Higher, Language::English, "high from 75, otherwise low"),
        (Direction::Lower, Language::English, "high up to 75, otherwise low"),
    ] {
        let mut plan = declared(direction);
        plan.indicators.get_mut(SCORE).expect("declared").goal = Some(GoalLevels { high: 75.0, moderate: 75.0 });
        let staging = tempfile::tempdir().expect("a folder");
        write_release(&plan, &protected(&plan), &RunFacts { language, ..facts() }, staging.path()).expect("written");
        let page = read(&staging.path().join("region/index.html"));
        assert!(page.contains(&format!("<dd>{said}</dd>")), "{said}");
    }
}

/// The register's periods are of discharges, whose answers come months later.
#[test]
fn data_reach_as_far_as_the_contacts_that_were_asked_about() {
    for (language, said) in [
        (Language::Bokmal, "Svar om opphold og andre kontakter til og med 31.10.2025; perioden er ikke fullstendig."),
        (Language::Nynorsk, "Svar om opphald og andre kontaktar til og med 31.10.2025; perioden er ikkje fullstendig."),
        (Language::English, "Answers about stays and other contacts until 31.10.2025; the period is not complete."),
    ] {
        let mut plan = plan();
        plan.questionnaires.get_mut("q").expect("declared").link = Link::Contact { answer_days_max: 120 };
        let facts = RunFacts { answers_until: [("q".to_owned(), date(2025, 10, 31))].into(), language, ..facts() };
        let staging = tempfile::tempdir().expect("a folder");
        write_release(&plan, &protected(&plan), &facts, staging.path()).expect("written");
        assert!(read(&staging.path().join("region/index.html")).contains(said), "{said}");
    }
}

#[test]
fn the_level_of_intervals_is_that_of_the_indicators() {
    let page = |level: f64| {
        let mut plan = plan();
        for indicator in plan.indicators.values_mut() {
            indicator.ci_level = level;
        }
        let staging = tempfile::tempdir().expect("a folder");
        write_release(&plan, &protected(&plan), &facts(), staging.path()).expect("written");
        read(&staging.path().join("region/index.html"))
    };
    let page = page(0.975);
    assert!(page.contains("vil omtrent 97,5 av 100 inneholde den underliggende verdien"));
    assert!(page.contains(">97,5 % intervall</th>") && !page.contains("95 %"));
}

#[test]
fn a_whole_period_says_nothing_of_how_far_it_reaches() {
    let staging = tempfile::tempdir().expect("a folder");
    let facts = RunFacts { answers_until: [("q".to_owned(), date(2025, 12, 31))].into(), ..facts() };
    write_release(&plan(), &protected(&plan()), &facts, staging.path()).expect("written");
    assert!(!read(&staging.path().join("region/index.html")).contains("ikke fullstendig"));
}

/// `∗` is what is withheld, `–` is what is not there, also where the number belongs to another row.
#[test]
fn what_is_hidden_and_what_is_not_there_look_different() {
    let plan = plan();
    let mut rows = estimates(&plan);
    let of = |row: &&mut Estimate, unit: &str, period: &str| {
        row.unit_id == unit && row.period == period && row.indicator == SCORE
    };
    for row in &mut rows {
        (row.change, row.change_low, row.change_high) = (None, None, None);
    }
    rows.iter_mut().find(|row| of(row, "south", "2024")).expect("a row").n = Some(7);
    let page = page_of(&plan, rows, Vec::new(), "hf/south");
    let overview = page.split_once("id=\"overview\"").expect("an overview").1;
    let line = overview.split_once("#i-information").expect("a line").1.split_once("</tr>").expect("its end").0;
    assert!(
        line.contains(
            "<span aria-hidden=\"true\">∗</span><span class=\"heard\">Skjult av hensyn til personvern: tallet for forrige \
             periode er skjult</span>"
        ),
        "{line}"
    );
    let other = overview.split_once("#i-recommend").expect("a line").1.split_once("</tr>").expect("its end").0;
    let absent = "<span aria-hidden=\"true\">–</span><span class=\"heard\">Kan ikke sammenlignes";
    assert!(other.contains(absent), "{other}");
    assert!(page.contains("<p class=\"note\">∗ betyr skjult"));
}

fn variation(indicator: &str, p: Option<f64>, cv: Option<f64>) -> Variation {
    Variation {
        period: "2025".into(),
        indicator: indicator.into(),
        level: "hf".into(),
        n_units: 3,
        lowest: Some(0.5),
        highest: Some(0.75),
        cv,
        scv: p.map(|_| 12.5),
        scv_p: p,
        between_sd: p.is_none().then_some(0.031),
        method_version: "1".into(),
        run_id: "run".into(),
        ..Variation::default()
    }
}

#[test]
fn surveys_and_rates_vary_in_tables_of_their_own() {
    let mut plan = plan();
    plan.indicators.get_mut(RATE).expect("declared").description = text("Hofteprotese per 1000 innbyggere");
    let mut rows = estimates(&plan);
    for unit in ["region", "north", "south", "west"] {
        let n = if unit == "region" { 900 } else { 300 };
        rows.push(rate(&plan, unit, n));
    }
    let varied = vec![variation(SHARE, None, Some(0.1)), variation(RATE, Some(0.0001), Some(0.2))];
    let page = page_of(&plan, rows, varied, "region");
    let section =
        page.split_once("<section id=\"variation\"").expect("variation").1.split_once("</section>").expect("its end").0;
    let tables: Vec<&str> = section.split("<table>").skip(1).filter_map(|rest| rest.split("</table>").next()).collect();
    let [surveys, rates] = tables[..] else { panic!("two tables: {section}") };
    assert!(
        !surveys.contains("SCV") && surveys.contains("3,1 prosentpoeng") && surveys.contains("Ikke aktuelt"),
        "{surveys}"
    );
    assert!(
        rates.contains("<td>Registerdata</td>") && rates.contains("&lt;\u{a0}0,001") && !rates.contains("Intraklasse"),
        "{rates}"
    );
    // The overview says what a rate is counted in; its own section does not say it twice.
    assert!(page.contains("Hofteprotese</a> <span class=\"measured\">per 1000 innbyggere</span></th>"), "{page}");
    assert!(page.contains("<p>Hofteprotese per 1000 innbyggere</p>"));
}
