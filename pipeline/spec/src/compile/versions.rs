//! The versions of a questionnaire, a file each, become one questionnaire.

use std::{collections::BTreeMap, ops::Range};

use super::questionnaire::Draft;
use crate::model::{Item, Questionnaire};

pub(super) fn merge(drafts: Vec<Draft<'_>>) -> BTreeMap<String, Questionnaire> {
    let mut by_id: BTreeMap<String, Vec<Draft<'_>>> = BTreeMap::new();
    for draft in drafts {
        by_id.entry(draft.id.clone()).or_default().push(draft);
    }
    by_id
        .into_iter()
        .filter_map(|(id, mut versions)| {
            versions.sort_by_key(|draft| draft.version.valid_from);
            check(&versions);
            let newest = versions.last()?;
            let latest_first = || versions.iter().rev();
            let questionnaire = Questionnaire {
                title: newest.version.title.clone(),
                link: newest.link.clone(),
                items: newest_of(latest_first().flat_map(items_of), |item| &item.id),
                adjusters: newest_of(latest_first().flat_map(|draft| &draft.adjusters), |adjuster| &adjuster.id),
                stratifiers: newest_of(latest_first().flat_map(|draft| &draft.stratifiers), |own| &own.id),
                versions: versions.into_iter().map(|draft| draft.version).collect(),
                id: id.clone(),
            };
            Some((id, questionnaire))
        })
        .collect()
}

/// Versions follow one another, find their contacts in the same way, and mean the same by an adjuster and a stratifier.
fn check(versions: &[Draft<'_>]) {
    for (place, draft) in versions.iter().enumerate() {
        let name = |draft: &Draft<'_>| format!("version «{}»", draft.version.version);
        if let Some(twin) = versions[..place].iter().find(|earlier| earlier.version.version == draft.version.version) {
            let message = format!("{} of «{}» is declared already, in {}", name(draft), draft.id, twin.sink.file);
            draft.sink.error(draft.version_at.clone(), message, None);
        }
        let Some(before) = place.checked_sub(1).map(|place| &versions[place]) else { continue };
        if before.version.valid_to.is_none_or(|end| end > draft.version.valid_from) {
            let message = format!("{} is still valid on this day, in {}", name(before), before.sink.file);
            let help = format!("end it with valid_to = {}", draft.version.valid_from);
            draft.sink.error(draft.valid_from_at.clone(), message, Some(help));
        }
        if before.link != draft.link {
            let message = format!("{} links in another way, in {}", name(before), before.sink.file);
            draft.sink.error(draft.link_at.clone(), message, Some("all versions have the same `[link]`".to_owned()));
        }
        let another = |at: &Range<usize>, what: &str, id: &str| {
            let message = format!("an earlier version has another {what} «{id}»");
            let help = "declare it alike in all versions, or give it an id of its own".to_owned();
            draft.sink.error(at.clone(), message, Some(help));
        };
        let earlier = || versions[..place].iter();
        for own in &draft.adjusters {
            if earlier().flat_map(|earlier| &earlier.adjusters).any(|other| other.id == own.id && other != own) {
                another(&draft.adjusters_at, "adjuster", &own.id);
            }
        }
        for own in &draft.stratifiers {
            if earlier().flat_map(|earlier| &earlier.stratifiers).any(|other| other.id == own.id && other != own) {
                another(&draft.stratifiers_at, "stratifier", &own.id);
            }
        }
    }
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
