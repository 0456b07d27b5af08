//! Rows in = kept + quarantined + duplicate + superseded + excluded, per dataset and reason, checked before anything is
//! published.

use std::collections::{BTreeMap, BTreeSet};

use prem_stages::count_view;
use prem_store::{RowCounts, Store};

use crate::{derive::Linked, error::JobError, inputs::Inputs, session::Session};

/// Row counts per dataset.
///
/// # Errors
/// [`JobError::Irreconcilable`] when they do not add up.
pub fn row_counts(
    session: &Session,
    store: &Store,
    inputs: &Inputs,
    linked: &BTreeMap<String, Linked>,
) -> Result<BTreeMap<String, RowCounts>, JobError> {
    let plan = &session.plan;
    let mut all = BTreeMap::new();
    let datasets: BTreeSet<&str> = inputs.deliveries.iter().map(|delivery| delivery.dataset.as_str()).collect();
    for name in datasets {
        let Some(dataset) = plan.datasets.get(name) else { continue };
        let mut counts = RowCounts::default();
        for delivery in inputs.of_dataset(name) {
            counts.merge(&RowCounts::from(&delivery.counts));
        }
        let ingested = counts.kept;
        // Keys of one questionnaire's responses are those of its own exports.
        let groups: BTreeSet<Option<&String>> = inputs
            .of_dataset(name)
            .filter_map(|delivery| plan.exports.get(&delivery.export))
            .map(|export| export.questionnaire.as_ref())
            .collect();
        let mut current = 0;
        for group in groups {
            let in_group =
                |export: &str| plan.exports.get(export).is_some_and(|export| export.questionnaire.as_ref() == group);
            let view = count_view(dataset, &inputs.parts(plan, store, name, in_group))?;
            counts.duplicate += view.duplicate;
            counts.superseded += view.superseded;
            let excluded: u64 = match group.and_then(|id| linked.get(id)) {
                Some(linked) => {
                    for (reason, rows) in &linked.outcome.excluded {
                        counts.exclude(reason, *rows);
                    }
                    let left_out: u64 = linked.outcome.excluded.values().sum();
                    if linked.outcome.kept + left_out != view.current() {
                        return Err(JobError::Irreconcilable {
                            dataset: name.to_owned(),
                            detail: format!(
                                "{} rows stand, but linking kept {} and left out {left_out}",
                                view.current(),
                                linked.outcome.kept
                            ),
                        });
                    }
                    left_out
                }
                None => 0,
            };
            current += view.current() - excluded;
        }
        counts.kept = current;
        if !counts.reconciles() {
            return Err(JobError::Irreconcilable {
                dataset: name.to_owned(),
                detail: format!("{} rows in, {ingested} ingested, {current} kept", counts.rows_in),
            });
        }
        all.insert(name.to_owned(), counts);
    }
    Ok(all)
}
