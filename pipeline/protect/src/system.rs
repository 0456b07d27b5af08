//! What is published about one indicator, as a linear system.
//!
//! A cell is a unit in a period and a stratum; *one pattern holds for all of its figures*, since n, sums and counts add
//! up along the same lines. Totals are sums of parts in three directions:
//!
//! - units: a cell is the sum of the cells whose nearest unit above, among those in the table, is its own. Completeness
//!   is assumed: a respondent outside the listed parts would only make an outsider's task harder;
//! - periods: every relation of [`crate::periods`] between the periods offered at that level;
//! - strata: `total` is the sum over `age=…`, and `age=…` the sum over `age=…,sex=…`. Those of unknown stratum are in the
//!   total and in none of the others. They are never published, and an outsider knows two things about them: that they are
//!   few, so that the rest is nearly the total (`equations`, in which they do not occur), and that they are what is left
//!   (`with_unknown`, where they are cells of their own). No primary cell may be told by either, and a cell withheld for others' sake
//!   not by both. There, only
//!   such relations count as hold for what is really there: nobody sees where their rows are absent, and what is taken for
//!   empty in one stratum and not in another would contradict itself.
//!
//! A total that is not in the table but whose parts are (of units, of strata, or of a period that the table beside tells of) is added as a *latent* cell, hidden from everybody, so that
//! relations which run through it are not missed. A cell that is absent at a level where others have one is 0; where the
//! table itself denies that the listed parts are all, the relation is left out ([`crate::completeness`]).

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Organisation, Stratifier};
use prem_store::tables::Estimate;

use crate::{
    completeness::{self, Incomplete, Offered},
    eliminate::{self, Equation},
    periods::{self, Relation, Span},
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

pub(crate) const TOTAL: &str = prem_spec::Stratifier::TOTAL;

/// Cells in the order of their keys, and the relations between them.
#[derive(Debug, Clone)]
pub(crate) struct System {
    pub(crate) keys: Vec<CellKey>,
    /// As if nobody were of unknown stratum.
    pub(crate) equations: Vec<Equation>,
    /// With those of unknown stratum; the same as above, and left empty, where there are none.
    pub(crate) with_unknown: Vec<Equation>,
}

impl System {
    /// The system of one indicator's rows, and of their sums over the periods `wholes`.
    ///
    /// # Errors
    /// When the relations between periods leave exact arithmetic.
    pub(crate) fn of<'a>(
        organisation: &Organisation,
        rows: impl Iterator<Item = &'a Estimate>,
        wholes: &BTreeSet<Span>,
    ) -> Result<Self, Overflow> {
        let rows: Vec<&Estimate> = rows.collect();
        let ancestry = ancestry(organisation, &rows);
        let keys = with_latent_totals(&rows, &ancestry, wholes).into_iter().collect();
        Self::over(&rows, &ancestry, keys, &Counts::of(&rows))
    }

    /// The system of published rows: everywhere there may be people of unknown stratum, of whom no row tells.
    ///
    /// # Errors
    /// As [`Self::of`].
    pub(crate) fn of_published(
        organisation: &Organisation,
        rows: &[&Estimate],
        wholes: &BTreeSet<Span>,
    ) -> Result<Self, Overflow> {
        let ancestry = ancestry(organisation, rows);
        let mut keys = with_latent_totals(rows, &ancestry, wholes);
        let dimension = |key: &CellKey| {
            let (dimension, level) = key.stratum.split_once('=')?;
            (!level.contains(',')).then(|| format!("{dimension}={}", Stratifier::UNKNOWN))
        };
        let unknown: Vec<CellKey> =
            keys.iter().filter_map(|key| Some(CellKey { stratum: dimension(key)?, ..key.clone() })).collect();
        keys.extend(unknown);
        Self::over(rows, &ancestry, keys.into_iter().collect(), &Counts::of(rows))
    }

    fn over(rows: &[&Estimate], ancestry: &Ancestry, keys: Vec<CellKey>, counts: &Counts) -> Result<Self, Overflow> {
        let levels: BTreeMap<&str, &str> = rows.iter().map(|row| (row.unit_id.as_str(), row.level.as_str())).collect();
        let known: Vec<usize> = (0..keys.len()).filter(|cell| !is_unknown(&keys[*cell].stratum)).collect();
        let known_keys: Vec<CellKey> = known.iter().map(|cell| keys[*cell].clone()).collect();
        let in_all = |equation: Equation| equation.into_iter().map(|(cell, c)| (known[cell], c)).collect();
        let any = |_: &[CellKey], _: &Equation| true;
        let equations = equations(&known_keys, ancestry, &levels, counts, any)?.into_iter().map(in_all).collect();
        let with_unknown = if known.len() < keys.len() {
            self::equations(&keys, ancestry, &levels, counts, |keys, equation| counts.allow(keys, equation))?
        } else {
            Vec::new()
        };
        Ok(Self { keys, equations, with_unknown })
    }

    /// What an outsider may reckon with: each system by itself.
    pub(crate) fn systems(&self) -> Vec<&[Equation]> {
        let unknown = (!self.with_unknown.is_empty()).then_some(self.with_unknown.as_slice());
        std::iter::once(self.equations.as_slice()).chain(unknown).collect()
    }

    pub(crate) fn index_of(&self, key: &CellKey) -> Option<usize> {
        self.keys.binary_search(key).ok()
    }
}

/// The relations between the cells of `keys` that `holds` lets stand.
fn equations(
    keys: &[CellKey],
    ancestry: &Ancestry,
    levels: &BTreeMap<&str, &str>,
    counts: &Counts,
    holds: impl Fn(&[CellKey], &Equation) -> bool,
) -> Result<Vec<Equation>, Overflow> {
    let index: BTreeMap<&CellKey, usize> = keys.iter().enumerate().map(|(position, key)| (key, position)).collect();
    let offered = offered(keys, levels);
    let mut equations = unit_equations(keys, &index, ancestry, levels, &offered);
    equations.retain(|equation| holds(keys, equation));
    equations.extend(stratum_equations(keys, &index));
    equations.extend(period_equations(&index, &offered, counts, |equation| holds(keys, equation))?);
    Ok(equations)
}

/// How many are in each cell, where that is known.
struct Counts(BTreeMap<CellKey, f64>);

impl Counts {
    fn of(rows: &[&Estimate]) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "counts of persons")]
        let count = |row: &&Estimate| row.n.map(|n| n as f64).or(row.numerator).map(|n| (CellKey::of(row), n));
        Self(rows.iter().filter_map(count).collect())
    }

    /// Whether the counts of all cells of a relation are known and deny it; otherwise it is allowed.
    fn allow(&self, keys: &[CellKey], equation: &Equation) -> bool {
        let term = |(cell, coefficient): &(usize, i64)| Some(*self.0.get(&keys[*cell])? * *coefficient as f64);
        equation.iter().map(term).sum::<Option<f64>>().is_none_or(|sum| sum == 0.0)
    }

    /// From when to when a relation lasts that the counts of some unit deny, of those over periods that are not `estimated`:
    /// there were people in them.
    fn denied(&self, relations: &[Relation], offered: &Offered<'_>, estimated: &BTreeSet<Span>) -> Option<Span> {
        let is_assumed = |relation: &&Relation| relation.iter().any(|(span, _)| !estimated.contains(span));
        let is_denied = |relation: &&Relation| {
            offered.iter().any(|((_, stratum), spans)| {
                let units: BTreeSet<&str> = spans.values().flatten().copied().collect();
                let count = |unit: &str, span: &Span| {
                    let is_there = spans.get(span).is_some_and(|units| units.contains(unit));
                    let key = CellKey { unit: unit.to_owned(), span: *span, stratum: stratum.clone() };
                    if is_there { self.0.get(&key).copied() } else { Some(0.0) }
                };
                let term = |unit: &str, (span, c): &(Span, i64)| count(unit, span).map(|count| count * *c as f64);
                let sum = |unit: &str| relation.iter().map(|part| term(unit, part)).sum::<Option<f64>>();
                units.into_iter().any(|unit| sum(unit).is_some_and(|sum| sum != 0.0))
            })
        };
        let denied = relations.iter().filter(is_assumed).find(is_denied)?;
        let (start, end) = (denied.iter().map(|(span, _)| span.0).min()?, denied.iter().map(|(span, _)| span.1).max()?);
        Some((start, end))
    }
}

/// Whether a stratum is that of people whose level is not known, in any dimension.
pub(crate) fn is_unknown(stratum: &str) -> bool {
    stratum.split(',').any(|part| part.split_once('=').is_some_and(|(_, level)| level == Stratifier::UNKNOWN))
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

fn with_latent_totals(rows: &[&Estimate], ancestry: &Ancestry, wholes: &BTreeSet<Span>) -> BTreeSet<CellKey> {
    let mut keys = BTreeSet::new();
    let present: BTreeSet<Span> = rows.iter().map(|row| (row.period_start, row.period_end)).collect();
    let is_in = |(start, end): Span, whole: &Span| whole.0 <= start && end <= whole.1;
    for row in rows {
        let own = CellKey::of(row);
        let wholes = wholes.iter().copied().filter(|whole| !present.contains(whole) && is_in(own.span, whole));
        let wholes: Vec<Span> = wholes.collect();
        let above = ancestry.get(&own.unit).map(Vec::as_slice).unwrap_or_default();
        let strata = coarser(&own.stratum);
        for unit in std::iter::once(&own.unit).chain(above) {
            for stratum in &strata {
                for span in std::iter::once(own.span).chain(wholes.iter().copied()) {
                    keys.insert(CellKey { unit: unit.clone(), span, stratum: stratum.clone() });
                }
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

/// Whether `stratum` is `whole` or a part of it.
pub(crate) fn is_part_of(stratum: &str, whole: &str) -> bool {
    coarser(stratum).contains(whole)
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

fn offered<'a>(keys: &'a [CellKey], levels: &BTreeMap<&str, &str>) -> Offered<'a> {
    let mut offered = Offered::new();
    for key in keys {
        let level = levels.get(key.unit.as_str()).copied().unwrap_or_default();
        let place = offered.entry((level.to_owned(), key.stratum.clone())).or_default();
        place.entry(key.span).or_default().insert(key.unit.as_str());
    }
    offered
}

fn unit_equations(
    keys: &[CellKey],
    index: &BTreeMap<&CellKey, usize>,
    ancestry: &Ancestry,
    levels: &BTreeMap<&str, &str>,
    offered: &Offered<'_>,
) -> Vec<Equation> {
    let mut totals: BTreeMap<(usize, &str), Vec<usize>> = BTreeMap::new();
    let mut children: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (cell, key) in keys.iter().enumerate() {
        let above = ancestry.get(&key.unit).map(Vec::as_slice).unwrap_or_default();
        let nearest = above.iter().find_map(|unit| index.get(&CellKey { unit: unit.clone(), ..key.clone() }));
        if let Some(total) = nearest {
            totals.entry((*total, "")).or_default().push(cell);
            let level = levels.get(key.unit.as_str()).copied().unwrap_or_default();
            children.entry(&keys[*total].unit).or_default().insert(level);
        }
    }
    let incomplete = Incomplete::of(keys, offered, &children, |cell| totals.contains_key(&(cell, "")));
    totals.retain(|(total, _), _| !incomplete.reaches(&keys[*total]));
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
    index: &BTreeMap<&CellKey, usize>,
    offered: &Offered<'_>,
    counts: &Counts,
    holds: impl Fn(&Equation) -> bool,
) -> Result<Vec<Equation>, Overflow> {
    // A period that any cell has was estimated, for all; of one that none has it depends.
    let estimated: BTreeSet<Span> = offered.values().flat_map(BTreeMap::keys).copied().collect();
    let not_estimated = completeness::not_estimated(offered);
    let mut assumed = periods::with_empty_ones(&estimated);
    assumed.retain(|span| estimated.contains(span) || !not_estimated.contains(span));
    let mut bases = Bases::default();
    while let Some((start, end)) = counts.denied(bases.of(&assumed)?, offered, &estimated) {
        assumed.retain(|span| estimated.contains(span) || !(start <= span.0 && span.1 <= end));
    }
    let mut equations = Vec::new();
    for ((_, stratum), units_of) in offered {
        let here: BTreeSet<Span> = units_of.keys().copied().collect();
        let units: BTreeSet<&str> = units_of.values().flatten().copied().collect();
        for unit in units {
            let cell = |span: &Span| {
                let key = CellKey { unit: unit.to_owned(), span: *span, stratum: stratum.clone() };
                index.get(&key).copied()
            };
            // The more is taken for empty, the more an outsider knows, until a cell's row denies that it is empty itself.
            // Between a unit's own periods nothing is taken for empty: those relations always hold.
            let mut found = None;
            for spans in [&assumed, &estimated, &here] {
                if found.is_none() {
                    found = written(bases.of(spans)?, cell)?;
                    found = found.filter(|all| all.iter().all(&holds));
                }
            }
            if found.is_none() {
                let own = here.iter().copied().filter(|span| cell(span).is_some()).collect();
                found = written(bases.of(&own)?, cell)?;
            }
            equations.extend(found.into_iter().flatten());
        }
    }
    Ok(equations)
}

/// Relations over a unit's cells; none where together they say of a cell that it is empty, which its row denies.
fn written(relations: &[Relation], cell: impl Fn(&Span) -> Option<usize>) -> Result<Option<Vec<Equation>>, Overflow> {
    let present: BTreeSet<Span> =
        relations.iter().flatten().map(|(span, _)| *span).filter(|s| cell(s).is_some()).collect();
    let present: Vec<Span> = present.into_iter().collect();
    let local = |relation: &Relation| -> Equation {
        let term = |(span, coefficient): &(Span, i64)| Some((present.binary_search(span).ok()?, *coefficient));
        relation.iter().filter_map(term).collect()
    };
    let equations: Vec<Equation> = relations.iter().map(local).filter(|equation| !equation.is_empty()).collect();
    if !eliminate::solve(&equations, &vec![true; present.len()])?.determined.is_empty() {
        return Ok(None);
    }
    let in_all = |equation: Equation| -> Equation {
        equation.into_iter().filter_map(|(place, coefficient)| Some((cell(&present[place])?, coefficient))).collect()
    };
    Ok(Some(equations.into_iter().map(in_all).collect()))
}

/// Bases of relations, each found once.
#[derive(Default)]
struct Bases(BTreeMap<BTreeSet<Span>, Vec<Relation>>);

impl Bases {
    fn of(&mut self, spans: &BTreeSet<Span>) -> Result<&[Relation], Overflow> {
        if !self.0.contains_key(spans) {
            self.0.insert(spans.clone(), periods::relations(spans)?);
        }
        Ok(self.0.get(spans).map(Vec::as_slice).unwrap_or_default())
    }
}
