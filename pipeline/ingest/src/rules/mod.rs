//! Rules across columns of one row, checked on the typed columns of a chunk.
//!
//! A rule either sends its row to quarantine or sets its own cell to missing. Rules are checked in declared order, and later ones
//! see what earlier ones set aside.

mod condition;
mod order;

use std::collections::BTreeSet;

use arrow::{
    array::{Array, ArrayRef, BooleanArray},
    compute::nullif,
    error::ArrowError,
};
use prem_spec::model::{Column, OnBreak, Rule, RuleKind};

use self::condition::{Condition, Verdict, all_hold};
use crate::{problem::Problems, reason::Reason};

/// A rule whose columns are known by their places.
pub(crate) struct RowRule {
    kind: Kind,
    /// The column that is wrong where the rule is broken.
    subject: Option<usize>,
    on_break: OnBreak,
}

enum Kind {
    LaterOrEqual { earlier: usize, later: usize },
    LessOrEqual { smaller: usize, larger: usize },
    RequiredIf { column: usize, when: Vec<Condition> },
    OnlyIf { column: usize, when: Vec<Condition> },
    OneOfPresent { columns: Vec<usize> },
}

/// Cells that rules have set to missing: rule → rows.
#[derive(Default)]
pub(crate) struct Cleared {
    of_rules: Vec<(usize, Vec<usize>)>,
    /// Column and row of each.
    cells: BTreeSet<(usize, usize)>,
}

impl Cleared {
    fn holds(&self, column: usize, row: usize) -> bool {
        !self.cells.is_empty() && self.cells.contains(&(column, row))
    }

    /// The rule and the row of every cell.
    pub(crate) fn cells(&self) -> impl Iterator<Item = (usize, usize)> {
        self.of_rules.iter().flat_map(|(rule, rows)| rows.iter().map(|row| (*rule, *row)))
    }

    /// Rule → cells of rows that are kept.
    pub(crate) fn counts<'a>(
        &'a self,
        is_kept: impl Fn(usize) -> bool + 'a,
    ) -> impl Iterator<Item = (usize, u64)> + 'a {
        self.of_rules
            .iter()
            .map(move |(rule, rows)| (*rule, rows.iter().filter(|row| is_kept(**row)).count() as u64))
            .filter(|(_, cells)| *cells > 0)
    }
}

impl RowRule {
    /// # Errors
    /// When a column of the rule is none of `columns`.
    pub(crate) fn new(rule: &Rule, columns: &[Column]) -> Result<Self, String> {
        let place = |name: &String| {
            let place = columns.iter().position(|column| column.name == *name);
            place.ok_or_else(|| format!("rule {} names a column {name} that is not stored", rule.id))
        };
        let conditions = |when: &[prem_spec::model::Condition]| {
            when.iter()
                .map(|condition| {
                    let column = place(&condition.column)?;
                    Ok(Condition::new(column, &columns[column].kind, &condition.codes))
                })
                .collect::<Result<Vec<_>, String>>()
        };
        let kind = match &rule.kind {
            RuleKind::LaterOrEqual { earlier, later } => {
                Kind::LaterOrEqual { earlier: place(earlier)?, later: place(later)? }
            }
            RuleKind::LessOrEqual { smaller, larger } => {
                Kind::LessOrEqual { smaller: place(smaller)?, larger: place(larger)? }
            }
            RuleKind::RequiredIf { column, when } => {
                Kind::RequiredIf { column: place(column)?, when: conditions(when)? }
            }
            RuleKind::OnlyIf { column, when } => Kind::OnlyIf { column: place(column)?, when: conditions(when)? },
            RuleKind::OneOfPresent { columns } => {
                Kind::OneOfPresent { columns: columns.iter().map(place).collect::<Result<_, _>>()? }
            }
        };
        let subject = rule.subject().map(|name| place(&name.to_owned())).transpose()?;
        Ok(Self { kind, subject, on_break: rule.on_break })
    }

    /// Whether `row` breaks the rule.
    fn is_broken(&self, row: usize, arrays: &[ArrayRef], cleared: &Cleared) -> bool {
        let is_present = |column: &usize| arrays.get(*column).is_some_and(|array| array.is_valid(row));
        match &self.kind {
            Kind::LaterOrEqual { earlier, later } => {
                let pair = arrays.get(*earlier).zip(arrays.get(*later));
                pair.is_some_and(|(earlier, later)| order::is_before(later, earlier, row))
            }
            Kind::LessOrEqual { smaller, larger } => {
                let pair = arrays.get(*smaller).zip(arrays.get(*larger));
                pair.is_some_and(|(smaller, larger)| order::is_above(smaller, larger, row))
            }
            Kind::RequiredIf { column, when } => {
                !is_present(column) && all_hold(when, row, arrays, cleared) == Verdict::Holds
            }
            Kind::OnlyIf { column, when } => {
                is_present(column) && all_hold(when, row, arrays, cleared) == Verdict::Fails
            }
            Kind::OneOfPresent { columns } => !columns.iter().any(is_present),
        }
    }
}

/// Checks all `rules`. Rows that are bad already are left alone: a cell that could not be read is not missing.
///
/// `shown` gives a cell of a row and column as quarantine may show it.
///
/// # Errors
/// Never in practice: a mask has as many rows as its column.
pub(crate) fn check_all<'v>(
    rules: &[RowRule],
    arrays: &mut [ArrayRef],
    problems: &mut Problems,
    shown: impl Fn(usize, usize) -> Option<&'v str>,
) -> Result<Cleared, ArrowError> {
    let mut cleared = Cleared::default();
    let rows = arrays.first().map_or(0, arrow::array::Array::len);
    // A row that breaks two rules shows both; only what was bad before the rules is passed over.
    let sound: Vec<usize> = (0..rows).filter(|row| !problems.is_bad(*row)).collect();
    for (index, rule) in rules.iter().enumerate() {
        let broken: Vec<usize> = sound.iter().copied().filter(|row| rule.is_broken(*row, arrays, &cleared)).collect();
        match (rule.on_break, rule.subject) {
            _ if broken.is_empty() => {}
            (OnBreak::Cell, Some(column)) => {
                clear(&mut arrays[column], &broken)?;
                cleared.cells.extend(broken.iter().map(|row| (column, *row)));
                cleared.of_rules.push((index, broken));
            }
            (_, Some(column)) => {
                for row in broken {
                    problems.add(row, column, Reason::Rule(index), shown(row, column));
                }
            }
            (_, None) => broken.into_iter().for_each(|row| problems.add_rule(row, index)),
        }
    }
    Ok(cleared)
}

fn clear(array: &mut ArrayRef, rows: &[usize]) -> Result<(), ArrowError> {
    let mut mask = vec![false; array.len()];
    rows.iter().for_each(|row| mask[*row] = true);
    *array = nullif(array, &BooleanArray::from(mask))?;
    Ok(())
}
