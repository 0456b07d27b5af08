//! What is declared, whether or not it could be read: a reference to something broken is not a second mistake.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use super::reader::{At, Node};
use crate::model::{Column, Reference};

/// Names of one kind.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    names: BTreeSet<String>,
    /// A declaration of the kind could not be read at all, so any name may be declared there.
    is_partial: bool,
    /// Where names were declared first, `file:line`.
    places: BTreeMap<String, String>,
}

impl Names {
    /// Names of which nothing is known: any may be declared.
    pub fn unknown() -> Self {
        Self { is_partial: true, ..Self::default() }
    }

    /// Notes a declaration, also one without a readable name; false where the name is taken.
    pub fn declare(&mut self, name: Option<&At<String>>) -> bool {
        match name {
            Some(name) => self.names.insert(name.value.clone()),
            None => {
                self.is_partial = true;
                true
            }
        }
    }

    /// Notes a declaration and reports one whose name is taken, with the place that has it.
    pub fn declare_once(&mut self, node: &Node<'_>, what: &str, name: Option<&At<String>>) {
        let is_new = self.declare(name);
        let Some(name) = name else { return };
        if is_new {
            self.places.insert(name.value.clone(), node.sink.place(&name.span));
            return;
        }
        let first = self.places.get(&name.value).map(|place| format!("it is declared first in {place}"));
        node.error(name.span.clone(), format!("{what} «{}» is declared twice", name.value), first);
    }

    pub fn insert(&mut self, name: &str) {
        self.names.insert(name.to_owned());
    }

    pub fn set_partial(&mut self) {
        self.is_partial = true;
    }

    pub fn is_partial(&self) -> bool {
        self.is_partial
    }

    pub fn holds(&self, name: &str) -> bool {
        self.names.contains(name)
    }

    /// Whether a reference to `name` may be right.
    pub fn may_hold(&self, name: &str) -> bool {
        self.is_partial || self.holds(name)
    }

    pub fn remove(&mut self, name: &str) {
        self.names.remove(name);
    }

    pub fn known(&self) -> Vec<&str> {
        self.names.iter().map(String::as_str).collect()
    }

    pub fn extend(&mut self, other: &Self) {
        self.names.extend(other.names.iter().cloned());
        self.is_partial |= other.is_partial;
    }
}

/// Names of one kind by the declaration that owns them, such as the columns of datasets.
pub(super) type Members = BTreeMap<String, Names>;

/// A column that refers to another dataset's, and where that is said.
#[derive(Debug)]
pub(super) struct Referring {
    pub file: String,
    pub column: Column,
    pub to: Reference,
    pub span: Range<usize>,
}

/// Everything that a declaration may refer to.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// Files that declare something by its kind and id.
    pub files: BTreeMap<(String, String), String>,
    /// The codes of a dataset's column, of those that have codes.
    pub codes: BTreeMap<(String, String), Vec<String>>,
    pub datasets: Names,
    pub columns: Members,
    /// References between datasets, to be judged when all of them are read.
    pub references: Vec<Referring>,
    pub scales: Names,
    pub items: Names,
    pub questionnaires: Names,
    /// Those of which a version could not be read, so that nothing may be judged by the others alone.
    pub incomplete: Names,
    pub questionnaire_items: Members,
    pub adjusters: Members,
    pub stratifiers: Members,
    /// Those whose column is the register's.
    pub register_stratifiers: Members,
    pub units: Names,
}

impl Scope {
    /// Notes that a file in the folder `kind` could not be parsed.
    pub fn lose_file(&mut self, kind: &str) {
        match kind {
            "datasets" => self.datasets.set_partial(),
            "questionnaires" => {
                // A bank or a questionnaire: nobody can say.
                self.lose_bank();
                self.lose_version(None);
            }
            "organisations" => self.units.set_partial(),
            _ => {}
        }
    }

    /// Notes that a version of the questionnaire `id`, or of one that nobody can tell, could not be read.
    pub fn lose_version(&mut self, id: Option<&At<String>>) {
        self.questionnaires.declare(id);
        self.incomplete.declare(id);
        if let Some(id) = id {
            self.offers(|offer| offer.entry(id.value.clone()).or_default()).into_iter().for_each(Names::set_partial);
        }
    }

    /// Once all versions are read: where nobody can tell whose version was lost, any questionnaire may offer more.
    pub fn blur_questionnaires(&mut self) {
        if self.incomplete.is_partial() {
            self.offers(|offer| offer).into_iter().flat_map(BTreeMap::values_mut).for_each(Names::set_partial);
        }
    }

    /// `of` every list of what questionnaires offer.
    fn offers<'a, T>(&'a mut self, of: impl Fn(&'a mut Members) -> T) -> [T; 4] {
        [&mut self.questionnaire_items, &mut self.adjusters, &mut self.stratifiers, &mut self.register_stratifiers]
            .map(of)
    }

    pub fn lose_bank(&mut self) {
        self.scales.set_partial();
        self.items.set_partial();
    }

    /// The members of `owner`, any name where the owner is unknown or unreadable.
    pub fn members(members: &Members, owner: &str) -> Names {
        members.get(owner).cloned().unwrap_or_else(Names::unknown)
    }
}
