//! The versions of a questionnaire, a file each, become one questionnaire.

use std::collections::BTreeMap;

use jiff::civil::Date;

use super::{questionnaire::Draft, reader::At, scope::Names};
use crate::model::{Item, Questionnaire};

/// The questionnaires of which every version could be read; of the others, the `incomplete`, only what the versions at hand
/// say of one another is told.
pub(super) fn merge(drafts: Vec<Draft<'_>>, incomplete: &Names) -> BTreeMap<String, Questionnaire> {
    let mut by_id: BTreeMap<String, Vec<Draft<'_>>> = BTreeMap::new();
    for draft in drafts {
        by_id.entry(draft.id.clone()).or_default().push(draft);
    }
    by_id
        .into_iter()
        .filter_map(|(id, mut versions)| {
            versions.sort_by_key(|draft| draft.version.valid_from);
            let is_whole = !incomplete.may_hold(&id);
            check(&versions, is_whole);
            let newest = versions.last().filter(|_| is_whole)?;
            let latest_first = || versions.iter().rev();
            let questionnaire = Questionnaire {
                title: newest.version.title.clone(),
                link: newest.link.clone(),
                items: newest_of(latest_first().flat_map(items_of), |item| &item.id),
                adjusters: newest_of(latest_first().flat_map(|draft| values(&draft.adjusters)), |adjuster| {
                    &adjuster.id
                }),
                stratifiers: newest_of(latest_first().flat_map(|draft| values(&draft.stratifiers)), |own| &own.id),
                versions: versions.into_iter().map(|draft| draft.version).collect(),
                id: id.clone(),
            };
            Some((id, questionnaire))
        })
        .collect()
}

/// Versions follow one another without a gap, find their contacts in the same way, and mean the same by an adjuster and a
/// stratifier. Where one is lost (`is_whole` is false), what looks like a gap may be its time.
fn check(versions: &[Draft<'_>], is_whole: bool) {
    for (place, draft) in versions.iter().enumerate() {
        let earlier = &versions[..place];
        if let Some(twin) = earlier.iter().find(|earlier| earlier.version.version == draft.version.version) {
            let message = format!("{} of «{}» is declared already, in {}", name(draft), draft.id, twin.sink.file);
            draft.sink.error(draft.version_at.clone(), message, None);
        }
        let Some(before) = earlier.iter().max_by_key(|earlier| end(earlier)) else { continue };
        check_sequence(draft, before, is_whole);
        if before.link != draft.link {
            let message = format!("{} links in another way, in {}", name(before), before.sink.file);
            draft.sink.error(draft.link_at.clone(), message, Some("all versions have the same `[link]`".to_owned()));
        }
        check_alike(draft, earlier, "adjuster", |draft| &draft.adjusters, |adjuster| &adjuster.id);
        check_alike(draft, earlier, "stratifier", |draft| &draft.stratifiers, |stratifier| &stratifier.id);
    }
}

fn name(draft: &Draft<'_>) -> String {
    format!("version «{}»", draft.version.version)
}

/// First day on which a version is not valid.
fn end(draft: &Draft<'_>) -> Date {
    draft.version.valid_to.unwrap_or(Date::MAX)
}

/// A version begins on the day the one `before` it ends, or later where the survey paused: on days of both, nobody could say which
/// form was meant, and answers on days of neither are all put aside.
fn check_sequence(draft: &Draft<'_>, before: &Draft<'_>, is_whole: bool) {
    let (start, end, file) = (draft.version.valid_from, end(before), before.sink.file);
    if end > start {
        let message = format!("{} is still valid on this day, in {file}", name(before));
        let help = format!("end it with valid_to = {start}");
        draft.sink.error(draft.valid_from_at.clone(), message, Some(help));
    } else if end < start && is_whole {
        let message = format!("no version is valid from {end} to this day: {} ends then, in {file}", name(before));
        let help = format!(
            "where the survey paused nothing is amiss; else let it last with valid_to = {start}, or begin this one with valid_from = {end}"
        );
        draft.sink.warn(draft.valid_from_at.clone(), message, Some(help));
    }
}

/// Declarations that several versions have under one id are equal.
fn check_alike<'a, 'd: 'a, T: PartialEq + 'a>(
    draft: &'a Draft<'d>,
    earlier: &'a [Draft<'d>],
    what: &str,
    of: impl Fn(&'a Draft<'d>) -> &'a Vec<At<T>>,
    id: impl Fn(&T) -> &String,
) {
    for own in of(draft) {
        let differs = |other: &At<T>| id(&other.value) == id(&own.value) && other.value != own.value;
        if let Some(other) = earlier.iter().find(|earlier| of(earlier).iter().any(differs)) {
            let message = format!("{} has another {what} «{}», in {}", name(other), id(&own.value), other.sink.file);
            let help = "declare it alike in all versions, or give it an id of its own".to_owned();
            draft.sink.error(own.span.clone(), message, Some(help));
        }
    }
}

fn values<T>(of: &[At<T>]) -> impl Iterator<Item = &T> {
    of.iter().map(|at| &at.value)
}

/// A version's own items in the order of its form, those of trusts last.
fn items_of<'a>(draft: &'a Draft<'_>) -> impl Iterator<Item = &'a Item> {
    let local = draft.version.local.iter().flat_map(|local| &local.items);
    draft.version.items.iter().chain(local)
}

/// Of everything with the same id the first.
fn newest_of<'a, T: Clone + 'a>(latest_first: impl Iterator<Item = &'a T>, id: impl Fn(&T) -> &String) -> Vec<T> {
    let mut newest: Vec<T> = Vec::new();
    for one in latest_first {
        if !newest.iter().any(|known| id(known) == id(one)) {
            newest.push(one.clone());
        }
    }
    newest
}
