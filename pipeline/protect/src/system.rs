//! What is published about one indicator, as a linear system.
//!
//! A cell is a unit in a period and a stratum; *one pattern holds for all of its figures*, since n, sums and counts add
//! up along the same lines. Totals are sums of parts in three directions:
//!
//! - units: a cell is the sum of the cells whose nearest unit above, among those in the table, is its own. Completeness
//!   is assumed: a respondent outside the listed parts would only make an outsider's task harder;
//! - periods: every relation of [`crate::periods`] between the periods offered at that level;
//! - strata: `total` is the sum over `age=…`, and `age=…` the sum over `age=…,sex=…`.
//!
//! A total that is not in the table but whose parts are is added as a *latent* cell, hidden from everybody, so that
//! relations which run through it are not missed. A cell that is absent at a level where others have one is 0.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::Organisation;
use prem_store::tables::Estimate;

use crate::{
    eliminate::Equation,
    periods::{self, Span},
    ratio::Overflow,
};

/// What identifies a cell within an indicator.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct CellKey {
    pub(crate) unit: String,
    pub(crate) span: Span,
    pub(crate) stratum: String,
}

impl CellKey {
    pub(crate) fn of(row: &Estimate) -> Self {
        Self { unit: row.unit_id.clone(), span: (row.period_start, row.period_end), stratum: row.stratum.clone() }
    }
}

pub(crate) const TOTAL: &str = "total";

/// Cells in the order of their keys, and the relations between them.
#[derive(Debug, Clone)]
pub(crate) struct System {
    pub(crate) keys: Vec<CellKey>,
    pub(crate) equations: Vec<Equation>,
}

impl System {
    /// The system of one indicator's rows.
    ///
    /// # Errors
    /// When the relations between periods leave exact arithmetic.
    pub(crate) fn of<'a>(
        organisation: &Organisation,
        rows: impl Iterator<Item = &'a Estimate>,
    ) -> Result<Self, Overflow> {
        let rows: Vec<&Estimate> = rows.collect();
        let ancestry = ancestry(organisation, &rows);
        let keys: Vec<CellKey> = with_latent_totals(&rows, &ancestry).into_iter().collect();
        let index: BTreeMap<&CellKey, usize> = keys.iter().enumerate().map(|(position, key)| (key, position)).collect();
        let mut equations = unit_equations(&keys, &index, &ancestry);
        equations.extend(stratum_equations(&keys, &index));
        equations.extend(period_equations(&keys, &index, &ancestry)?);
        Ok(Self { keys, equations })
    }

    pub(crate) fn index_of(&self, key: &CellKey) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }
}

/// Unit → the units above it that are in the table, nearest first.
type Ancestry = BTreeMap<String, Vec<String>>;

fn ancestry(organisation: &Organisation, rows: &[&Estimate]) -> Ancestry {
    let mut parents: BTreeMap<&str, &str> =
        rows.iter().filter_map(|row| Some((row.unit_id.as_str(), row.parent_id.as_deref()?))).collect();
    parents.extend(organisation.units.iter().filter_map(|unit| Some((unit.id.as_str(), unit.parent.as_deref()?))));
    let present: BTreeSet<&str> = rows.iter().map(|row| row.unit_id.as_str()).collect();
    present
        .iter()
        .map(|unit| {
            let mut above = Vec::new();
            let mut next = parents.get(unit);
            // A chain cannot be longer than there are units; a circle ends there.
            for _ in 0..parents.len() {
                let Some(parent) = next else { break };
                if present.contains(parent) {
                    above.push((*parent).to_owned());
                }
                next = parents.get(parent);
            }
            ((*unit).to_owned(), above)
        })
        .collect()
}

fn with_latent_totals(rows: &[&Estimate], ancestry: &Ancestry) -> BTreeSet<CellKey> {
    let mut keys = BTreeSet::new();
    for row in rows {
        let own = CellKey::of(row);
        let above = ancestry.get(&own.unit).map(Vec::as_slice).unwrap_or_default();
        let strata = coarser(&own.stratum);
        for unit in std::iter::once(&own.unit).chain(above) {
            for stratum in &strata {
                keys.insert(CellKey { unit: unit.clone(), span: own.span, stratum: stratum.clone() });
            }
        }
    }
    keys
}

/// The stratum itself and all that it is a part of.
fn coarser(stratum: &str) -> BTreeSet<String> {
    let mut all = BTreeSet::from([stratum.to_owned()]);
    for (_, parent) in parents(stratum) {
        all.extend(coarser(&parent));
    }
    all
}

/// For each dimension of the stratum: the dimension, and the stratum without it.
fn parents(stratum: &str) -> Vec<(&str, String)> {
    if stratum == TOTAL {
        return Vec::new();
    }
    let parts: Vec<&str> = stratum.split(',').collect();
    (0..parts.len())
        .map(|left_out| {
            let rest: Vec<&str> = (0..parts.len()).filter(|i| *i != left_out).map(|i| parts[i]).collect();
            let dimension = parts[left_out].split('=').next().unwrap_or_default();
            (dimension, if rest.is_empty() { TOTAL.to_owned() } else { rest.join(",") })
        })
        .collect()
}

fn total_of_parts(totals: BTreeMap<(usize, &str), Vec<usize>>) -> impl Iterator<Item = Equation> {
    totals.into_iter().map(|((total, _), parts)| {
        std::iter::once((total, 1)).chain(parts.into_iter().map(|part| (part, -1))).collect()
    })
}

fn unit_equations(keys: &[CellKey], index: &BTreeMap<&CellKey, usize>, ancestry: &Ancestry) -> Vec<Equation> {
    let mut totals: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (cell, key) in keys.iter().enumerate() {
        let above = ancestry.get(&key.unit).map(Vec::as_slice).unwrap_or_default();
        let nearest = above.iter().find_map(|unit| index.get(&CellKey { unit: unit.clone(), ..key.clone() }));
        if let Some(total) = nearest {
            totals.entry((*total, "")).or_default().push(cell);
        }
    }
    total_of_parts(totals).collect()
}

fn stratum_equations(keys: &[CellKey], index: &BTreeMap<&CellKey, usize>) -> Vec<Equation> {
    let mut totals: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    for (cell, key) in keys.iter().enumerate() {
        for (dimension, stratum) in parents(&key.stratum) {
            if let Some(total) = index.get(&CellKey { stratum, ..key.clone() }) {
                totals.entry((*total, dimension)).or_default().push(cell);
            }
        }
    }
    total_of_parts(totals).collect()
}

fn period_equations(
    keys: &[CellKey],
    index: &BTreeMap<&CellKey, usize>,
    ancestry: &Ancestry,
) -> Result<Vec<Equation>, Overflow> {
    // Units at the same depth are offered the same periods; one that lacks a period had nobody in it.
    let depth = |unit: &str| ancestry.get(unit).map_or(0, Vec::len);
    let mut offered: BTreeMap<(usize, &str), BTreeSet<Span>> = BTreeMap::new();
    let mut units: BTreeMap<(usize, &str), BTreeSet<&str>> = BTreeMap::new();
    for key in keys {
        let place = (depth(&key.unit), key.stratum.as_str());
        offered.entry(place).or_default().insert(key.span);
        units.entry(place).or_default().insert(&key.unit);
    }
    let mut bases = BTreeMap::new();
    let mut equations = Vec::new();
    for (place, spans) in &offered {
        if !bases.contains_key(spans) {
            bases.insert(spans, periods::relations(&periods::with_empty_ones(spans))?);
        }
        for relation in bases.get(spans).into_iter().flatten() {
            for unit in units.get(place).into_iter().flatten() {
                let cell = |span: &Span| {
                    let key = CellKey { unit: (*unit).to_owned(), span: *span, stratum: place.1.to_owned() };
                    index.get(&key).copied()
                };
                let equation: Equation =
                    relation.iter().filter_map(|(span, coefficient)| Some((cell(span)?, *coefficient))).collect();
                // One cell alone would say that it is 0, which its row denies: its parts are not in the table.
                if equation.len() > 1 {
                    equations.push(equation);
                }
            }
        }
    }
    Ok(equations)
}
