//! What a reader must know before comparing an indicator's values.

use prem_spec::{Period, SeriesBreak};

use super::section::Material;
use crate::{Language, texts::Texts};

pub(super) fn of(material: &Material<'_>, language: Language, texts: &Texts) -> Vec<String> {
    let mut all = series_break(material, language, texts);
    if all.is_empty() && !material.indicator.case_mix.has_change() {
        all.push(texts.get("change_not_computed_note").to_owned());
    }
    all.extend(local(material, language, texts));
    all
}

/// The form changed within the period or the one before: there is no change to show.
fn series_break(material: &Material<'_>, language: Language, texts: &Texts) -> Vec<String> {
    let Ok(period) = material.period.parse::<Period>() else { return Vec::new() };
    let Some(found) = material.plan.series_break(material.indicator, period) else { return Vec::new() };
    let SeriesBreak { since, one_sided, reworded, added, dropped } = found;
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
    let key = match (one_sided, since > period.start()) {
        (false, false) => "break_no_change",
        (false, true) => "break_mixed",
        (true, false) => "break_not_before",
        (true, true) => "break_in_part",
    };
    lines.push(texts.get(key).to_owned());
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
