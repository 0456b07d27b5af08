//! What a reader must know before comparing an indicator's values.

use prem_spec::{Period, SeriesBreak};

use super::section::Material;
use crate::{Language, texts::Texts};

pub(super) fn of(material: &Material<'_>, language: Language, texts: &Texts) -> Vec<String> {
    series_break(material, language, texts).into_iter().chain(local(material, language, texts)).collect()
}

/// The form changed within the period or the one before: there is no change to show.
fn series_break(material: &Material<'_>, language: Language, texts: &Texts) -> Vec<String> {
    let Ok(period) = material.period.parse::<Period>() else { return Vec::new() };
    let from = period.previous().map_or(period.start(), prem_spec::Period::start);
    let Some(SeriesBreak { since, reworded, added, dropped }) =
        material.plan.series_break(material.indicator, from, period.end())
    else {
        return Vec::new();
    };
    let questionnaire = material.plan.questionnaire_of(material.indicator);
    let question = |id: &String| {
        let item = questionnaire.and_then(|questionnaire| questionnaire.item(id));
        format!("«{}»", item.map_or(id.as_str(), |item| item.text.get(language.code())))
    };
    let since_text = since.strftime("%d.%m.%Y").to_string();
    let line = |key: &str, items: &[String]| {
        let questions: Vec<String> = items.iter().map(question).collect();
        (!items.is_empty()).then(|| texts.fill(key, &[("date", &since_text), ("questions", &questions.join(", "))]))
    };
    let mut lines: Vec<String> =
        [line("break_reworded", &reworded), line("break_added", &added), line("break_dropped", &dropped)]
            .into_iter()
            .flatten()
            .collect();
    lines.push(texts.get(if since > period.start() { "break_mixed" } else { "break_no_change" }).to_owned());
    lines
}

/// An addition of some trusts: there is no region to compare with.
fn local(material: &Material<'_>, language: Language, texts: &Texts) -> Option<String> {
    let trusts = material.plan.local_trusts(material.indicator)?;
    let name = |id: &&str| {
        let unit = material.plan.organisation.unit(id);
        unit.map_or((*id).to_owned(), |unit| unit.name.get(language.code()).to_owned())
    };
    let names: Vec<String> = trusts.iter().map(name).collect();
    Some(texts.fill("local_addition", &[("trusts", &names.join(", "))]))
}
