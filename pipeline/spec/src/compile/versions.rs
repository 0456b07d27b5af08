//! The versions of a questionnaire, a file each, become one questionnaire.

use std::collections::BTreeMap;

use super::questionnaire::Draft;
use crate::model::{Adjuster, Item, Questionnaire, Stratifier};

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
            let questionnaire = Questionnaire {
                title: newest.version.title.clone(),
                link: newest.link.clone(),
                items: all_items(&versions),
                adjusters: all_adjusters(&versions),
                stratifiers: all_stratifiers(&versions),
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
        for adjuster in &draft.adjusters {
            let differs = |other: &&Adjuster| other.id == adjuster.id && *other != adjuster;
            if versions[..place].iter().flat_map(|earlier| &earlier.adjusters).find(differs).is_some() {
                let message = format!("an earlier version has another adjuster «{}»", adjuster.id);
                let help = "declare it alike in all versions, or give it an id of its own".to_owned();
                draft.sink.error(draft.adjusters_at.clone(), message, Some(help));
            }
        }
        for stratifier in &draft.stratifiers {
            let differs = |other: &&Stratifier| other.id == stratifier.id && *other != stratifier;
            if versions[..place].iter().flat_map(|earlier| &earlier.stratifiers).find(differs).is_some() {
                let message = format!("an earlier version has another stratifier «{}»", stratifier.id);
                let help = "declare it alike in all versions, or give it an id of its own".to_owned();
                draft.sink.error(draft.stratifiers_at.clone(), message, Some(help));
            }
        }
    }
}

/// The newest wording of each item; those of the newest version first, in the order of its form.
fn all_items(versions: &[Draft<'_>]) -> Vec<Item> {
    let mut items: Vec<Item> = Vec::new();
    for draft in versions.iter().rev() {
        let local = draft.version.local.iter().flat_map(|local| &local.items);
        for item in draft.version.items.iter().chain(local) {
            if !items.iter().any(|known| known.id == item.id) {
                items.push(item.clone());
            }
        }
    }
    items
}

fn all_adjusters(versions: &[Draft<'_>]) -> Vec<Adjuster> {
    let mut adjusters: Vec<Adjuster> = Vec::new();
    for adjuster in versions.iter().rev().flat_map(|draft| &draft.adjusters) {
        if !adjusters.iter().any(|known| known.id == adjuster.id) {
            adjusters.push(adjuster.clone());
        }
    }
    adjusters
}

fn all_stratifiers(versions: &[Draft<'_>]) -> Vec<Stratifier> {
    let mut stratifiers: Vec<Stratifier> = Vec::new();
    for stratifier in versions.iter().rev().flat_map(|draft| &draft.stratifiers) {
        if !stratifiers.iter().any(|known| known.id == stratifier.id) {
            stratifiers.push(stratifier.clone());
        }
    }
    stratifiers
}
