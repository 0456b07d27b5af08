//! The units of the region and how they hang together, with validity dates.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use super::Text;

/// Levels from the top down; the order is used for sorting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    Rhf,
    Hf,
    Hospital,
    Department,
    Ward,
}

impl Level {
    pub const ALL: [Self; 5] = [Self::Rhf, Self::Hf, Self::Hospital, Self::Department, Self::Ward];
}

words!(Level { Rhf = "rhf", Hf = "hf", Hospital = "hospital", Department = "department", Ward = "ward" });

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ownership {
    Public,
    PrivateNonProfit,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unit {
    /// Stable id, `a-z0-9-`.
    pub id: String,
    pub level: Level,
    pub name: Text,
    pub orgnr: Option<String>,
    pub resh_id: Option<String>,
    /// `None` only for the top unit.
    pub parent: Option<String>,
    pub valid_from: Date,
    /// Exclusive; open when absent.
    pub valid_to: Option<Date>,
    pub ownership: Ownership,
    /// Source → codes by which that source knows the unit (many to one).
    pub codes: BTreeMap<String, Vec<String>>,
}

impl Unit {
    pub fn is_valid_on(&self, date: Date) -> bool {
        self.valid_from <= date && self.valid_to.is_none_or(|end| date < end)
    }
}

/// All units, parents before children, siblings in declared order: the order of every published table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Organisation {
    pub units: Vec<Unit>,
}

impl Organisation {
    pub fn unit(&self, id: &str) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.id == id)
    }

    /// The top unit: the region.
    pub fn top(&self) -> Option<&Unit> {
        self.units.iter().find(|unit| unit.parent.is_none())
    }

    /// Units that get a folder of their own in a release.
    pub fn trusts(&self) -> impl Iterator<Item = &Unit> {
        self.units.iter().filter(|unit| unit.level == Level::Hf)
    }

    /// The unit itself and all above it, from the unit upwards.
    pub fn ancestry<'a>(&'a self, id: &str) -> Vec<&'a Unit> {
        let mut chain = Vec::new();
        let mut next = self.unit(id);
        while let Some(unit) = next {
            if chain.len() > Level::ALL.len() {
                break;
            }
            chain.push(unit);
            next = unit.parent.as_deref().and_then(|parent| self.unit(parent));
        }
        chain
    }

    /// The ancestor of `id` (or itself) at `level`.
    pub fn ancestor_at<'a>(&'a self, id: &str, level: Level) -> Option<&'a Unit> {
        self.ancestry(id).into_iter().find(|unit| unit.level == level)
    }
}
