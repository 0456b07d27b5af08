//! Rows in = kept + quarantined + duplicate + superseded + excluded, per delivery, per dataset and reason: checked before anything
//! is published, and once more in the manifest that says so.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Column, Dataset, Plan, printable};
use prem_stages::{Part, Side, UnmatchedRow, ViewCounts, count_unmatched, count_view, list_unmatched};
use prem_store::{Delivery, RowCounts, Store, tables::Unmatched};
use serde::{Deserialize, Serialize};

use crate::{derive::Linked, error::JobError, inputs::Inputs, session::Session};

/// Rows of a delivery whose export nobody declares any more: stored, and read by nothing.
const NOT_DECLARED: &str = "export-not-declared";
/// Rows of one column that are listed because they refer to nothing; the counts have all.
const UNMATCHED_LISTED_MAX: u32 = 100_000;

/// Where all rows of a run's deliveries went.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    pub datasets: BTreeMap<String, RowCounts>,
    /// By the delivery's number in the store.
    pub deliveries: BTreeMap<u64, RowCounts>,
}

/// Counts the rows of every delivery.
///
/// # Errors
/// [`JobError::Irreconcilable`] when they do not add up.
pub fn row_counts(
    session: &Session,
    store: &Store,
    inputs: &Inputs,
    linked: &BTreeMap<String, Linked>,
) -> Result<Ledger, JobError> {
    let plan = &session.plan;
    let mut ledger = Ledger::default();
    let datasets: BTreeSet<&str> = inputs.deliveries.iter().map(|delivery| delivery.dataset.as_str()).collect();
    for name in datasets {
        let declared = plan.datasets.get(name);
        let mut of_dataset = RowCounts::default();
        let count = declared.map(|dataset| Count { plan, store, inputs, dataset });
        for (count, group) in count.iter().flat_map(|count| count.groups().into_iter().map(move |group| (count, group)))
        {
            for (number, counts) in count.group(group, group.and_then(|id| linked.get(id)))? {
                of_dataset.merge(&counts);
                ledger.deliveries.insert(number, counts);
            }
            for (column, rows) in count.unmatched(group)? {
                tracing::warn!(
                    dataset = name,
                    column,
                    rows,
                    "rows refer to what no standing row of the other dataset has"
                );
                *of_dataset.unmatched.entry(column).or_default() += rows;
            }
        }
        let is_declared = |delivery: &&Delivery| declared.is_some() && plan.exports.contains_key(&delivery.export);
        for delivery in inputs.of_dataset(name).filter(|delivery| !is_declared(delivery)) {
            tracing::warn!(
                dataset = name,
                export = delivery.export,
                "deliveries of an export that is not declared any more"
            );
            let mut counts = RowCounts { kept: 0, ..RowCounts::from(&delivery.counts) };
            counts.exclude(NOT_DECLARED, delivery.counts.kept);
            of_dataset.merge(&counts);
            ledger.deliveries.insert(delivery.number, counts);
        }
        ledger.datasets.insert(name.to_owned(), of_dataset);
    }
    ledger.check(&inputs.deliveries)?;
    Ok(ledger)
}

/// Rows that stand and refer to what is not delivered (yet), where the ledger counted any.
///
/// # Errors
/// When rows cannot be read.
pub fn unmatched_rows(
    session: &Session,
    store: &Store,
    inputs: &Inputs,
    ledger: &Ledger,
) -> Result<Vec<Unmatched>, JobError> {
    let mut all = Vec::new();
    for name in ledger.datasets.iter().filter(|(_, counts)| !counts.unmatched.is_empty()).map(|(name, _)| name) {
        let Some(dataset) = session.plan.datasets.get(name) else { continue };
        let count = Count { plan: &session.plan, store, inputs, dataset };
        for group in count.groups() {
            all.extend(count.list_unmatched(group)?);
        }
    }
    Ok(all)
}

impl Ledger {
    /// Everything adds up: each delivery to the rows of its file, and the deliveries of a dataset to the dataset.
    ///
    /// # Errors
    /// [`JobError::Irreconcilable`] for the first that does not.
    pub fn check(&self, deliveries: &[Delivery]) -> Result<(), JobError> {
        let known =
            deliveries.iter().map(|delivery| (delivery.number, (delivery.dataset.as_str(), delivery.counts.rows_in)));
        self.check_against(&known.collect())
    }

    /// As [`Ledger::check`], against the dataset and the rows of each delivery's file.
    ///
    /// # Errors
    /// [`JobError::Irreconcilable`] for the first that does not add up.
    pub fn check_against(&self, files: &BTreeMap<u64, (&str, u64)>) -> Result<(), JobError> {
        let wrong = |dataset: &str, detail: String| JobError::Irreconcilable { dataset: dataset.to_owned(), detail };
        let mut sums: BTreeMap<&str, RowCounts> = BTreeMap::new();
        for (number, counts) in &self.deliveries {
            let Some((dataset, rows_in)) = files.get(number) else {
                return Err(wrong("the ledger", format!("delivery {number} is none of this run's")));
            };
            if counts.rows_in != *rows_in || !counts.reconciles() {
                return Err(wrong(dataset, format!("delivery {number} of {rows_in} rows came to {}", sum_of(counts))));
            }
            sums.entry(dataset).or_default().merge(counts);
        }
        for (name, counts) in &self.datasets {
            let sum = sums.remove(name.as_str()).unwrap_or_default();
            // What refers to nothing is known of the dataset alone.
            let sum = RowCounts { unmatched: counts.unmatched.clone(), ..sum };
            if *counts != sum || !counts.reconciles() {
                let detail = format!("its deliveries came to {}, the dataset to {}", sum_of(&sum), sum_of(counts));
                return Err(wrong(name, detail));
            }
        }
        match sums.into_keys().next() {
            Some(dataset) => Err(wrong(dataset, "its deliveries are counted, but not the dataset".to_owned())),
            None => Ok(()),
        }
    }
}

fn sum_of(counts: &RowCounts) -> String {
    let quarantined: u64 = counts.quarantined.values().sum();
    let excluded: u64 = counts.excluded.values().sum();
    format!(
        "{} in = {} kept + {quarantined} quarantined + {} duplicate + {} superseded + {excluded} excluded",
        counts.rows_in, counts.kept, counts.duplicate, counts.superseded
    )
}

/// Counting one dataset. Keys of one questionnaire's responses are those of its own exports: a group.
struct Count<'a> {
    plan: &'a Plan,
    store: &'a Store,
    inputs: &'a Inputs,
    dataset: &'a Dataset,
}

type Group<'a> = Option<&'a String>;

/// What a column refers to.
struct Referred<'a> {
    dataset: &'a Dataset,
    parts: Vec<Part>,
    column: &'a str,
}

impl Referred<'_> {
    fn side(&self) -> Side<'_> {
        (self.dataset, &self.parts, self.column)
    }
}

impl<'a> Count<'a> {
    fn groups(&self) -> BTreeSet<Group<'a>> {
        let exports =
            self.inputs.of_dataset(&self.dataset.name).filter_map(|delivery| self.plan.exports.get(&delivery.export));
        exports.map(|export| export.questionnaire.as_ref()).collect()
    }

    fn is_in(&self, group: Group<'_>, export: &str) -> bool {
        self.plan.exports.get(export).is_some_and(|export| export.questionnaire.as_ref() == group)
    }

    fn parts(&self, group: Group<'_>) -> Vec<Part> {
        self.inputs.parts(self.plan, self.store, &self.dataset.name, |export| self.is_in(group, export))
    }

    /// The counts of each delivery of a group. `linked` is what became of the rows that stand, where something links them.
    fn group(&self, group: Group<'_>, linked: Option<&Linked>) -> Result<Vec<(u64, RowCounts)>, JobError> {
        let views = count_view(self.dataset, &self.parts(group))?;
        let deliveries =
            self.inputs.of_dataset(&self.dataset.name).filter(|delivery| self.is_in(group, &delivery.export));
        let mut all = Vec::with_capacity(views.len());
        for (place, (delivery, view)) in deliveries.zip(views).enumerate() {
            let mut counts = RowCounts::from(&delivery.counts);
            counts.duplicate = view.duplicate;
            counts.superseded = view.superseded;
            counts.kept = view.current();
            if let Some(linked) = linked {
                self.leave_out(&mut counts, delivery, linked, (place, view))?;
            }
            all.push((delivery.number, counts));
        }
        Ok(all)
    }

    /// What linking left out of a delivery's rows.
    fn leave_out(
        &self,
        counts: &mut RowCounts,
        delivery: &Delivery,
        linked: &Linked,
        (place, view): (usize, ViewCounts),
    ) -> Result<(), JobError> {
        let place = u32::try_from(place).unwrap_or(u32::MAX);
        let of_delivery = linked.outcome.deliveries.get(&place).cloned().unwrap_or_default();
        let left_out: u64 = of_delivery.excluded.values().sum();
        if of_delivery.kept + left_out != view.current() {
            return Err(JobError::Irreconcilable {
                dataset: self.dataset.name.clone(),
                detail: format!(
                    "of delivery {} ({}) {} rows stand, but linking kept {} and left out {left_out}",
                    delivery.number,
                    printable(&delivery.file_name),
                    view.current(),
                    of_delivery.kept
                ),
            });
        }
        counts.kept = of_delivery.kept;
        of_delivery.excluded.iter().for_each(|(reason, rows)| counts.exclude(reason, *rows));
        Ok(())
    }

    /// Column → rows that stand and refer to what the other dataset does not have. A dataset that was never delivered is not
    /// asked: a survey without a register has no contacts to know.
    fn unmatched(&self, group: Group<'_>) -> Result<BTreeMap<String, u64>, JobError> {
        let parts = self.parts(group);
        let mut found = BTreeMap::new();
        for (column, to) in self.references() {
            let from = (self.dataset, &parts[..], column.name.as_str());
            let rows = count_unmatched(from, to.side())?;
            if rows > 0 {
                found.insert(column.name.clone(), rows);
            }
        }
        Ok(found)
    }

    /// The rows that [`Count::unmatched`] counts, the first of each column.
    fn list_unmatched(&self, group: Group<'_>) -> Result<Vec<Unmatched>, JobError> {
        let parts = self.parts(group);
        let in_group =
            self.inputs.of_dataset(&self.dataset.name).filter(|delivery| self.is_in(group, &delivery.export));
        let deliveries: Vec<&Delivery> = in_group.collect();
        let mut found = Vec::new();
        for (column, to) in self.references() {
            let from = (self.dataset, &parts[..], column.name.as_str());
            for UnmatchedRow { part, row, value } in list_unmatched(from, to.side(), UNMATCHED_LISTED_MAX)? {
                let Some(delivery) = deliveries.get(part) else { continue };
                found.push(Unmatched {
                    dataset: self.dataset.name.clone(),
                    export: delivery.export.clone(),
                    source_file: delivery.file_name.clone(),
                    row,
                    column: column.name.clone(),
                    reference: format!("{}.{}", to.dataset.name, to.column),
                    value: (!column.identifying).then_some(value),
                });
            }
        }
        Ok(found)
    }

    /// The columns that refer to a dataset of which something was delivered, and what they refer to.
    fn references(&self) -> impl Iterator<Item = (&'a Column, Referred<'a>)> {
        self.dataset.columns.iter().filter_map(move |column| {
            let to = column.references.as_ref()?;
            let dataset = self.plan.datasets.get(&to.dataset)?;
            let parts = self.inputs.parts(self.plan, self.store, &to.dataset, |_| true);
            (!parts.is_empty()).then_some((column, Referred { dataset, parts, column: &to.column }))
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn counts(kept: u64, duplicate: u64) -> RowCounts {
        RowCounts {
            rows_in: 10,
            kept,
            duplicate,
            quarantined: [("pattern".to_owned(), 2)].into(),
            ..RowCounts::default()
        }
    }

    fn ledger() -> Ledger {
        let mut dataset = counts(7, 1);
        dataset.merge(&counts(8, 0));
        Ledger {
            datasets: [("visits".to_owned(), dataset)].into(),
            deliveries: [(1, counts(7, 1)), (2, counts(8, 0))].into(),
        }
    }

    fn told(change: impl Fn(&mut Ledger)) -> String {
        let mut ledger = ledger();
        change(&mut ledger);
        let files = [(1, ("visits", 10)), (2, ("visits", 10))].into();
        ledger.check_against(&files).map_or_else(|error| error.to_string(), |()| "adds up".to_owned())
    }

    #[test]
    fn one_row_too_few_anywhere_is_told() {
        assert_eq!(told(|_| {}), "adds up");
        assert!(told(|ledger| ledger.deliveries.get_mut(&1).unwrap().kept -= 1).contains("delivery 1 of 10 rows"));
        assert!(told(|ledger| ledger.deliveries.get_mut(&2).unwrap().rows_in += 1).contains("delivery 2 of 10 rows"));
        assert!(told(|ledger| _ = ledger.deliveries.remove(&2)).contains("its deliveries came to 10 in"));
        assert!(
            told(|ledger| _ = ledger.deliveries.insert(3, counts(8, 0))).contains("delivery 3 is none of this run's")
        );
        assert!(told(|ledger| ledger.datasets.clear()).contains("but not the dataset"));
        // The sum is right and the reasons are not.
        let moved = |ledger: &mut Ledger| {
            let dataset = ledger.datasets.get_mut("visits").unwrap();
            dataset.quarantined = [("too-long".to_owned(), 4)].into();
        };
        assert!(told(moved).contains("its deliveries came to"));
    }
}
