//! Which of the contacts asked about are one stay: contacts of one person with at most eight hours between.
//!
//! Only persons who were asked about two contacts can have answered twice about one stay, so only their contacts are read.

use std::collections::HashMap;

use polars::prelude::*;
use prem_spec::Plan;

use super::join::{INVITED_CONTACT, left_join};
use crate::{
    StageError,
    episode::{EPISODE_GAP_HOURS_MAX, SECONDS_PER_HOUR, episodes},
    frames::{seconds, texts},
    view::{Part, current},
};

/// Contact → number of its stay, for contacts that may share one with another.
#[derive(Debug, Default)]
pub(super) struct Stays {
    of_contact: HashMap<String, usize>,
}

impl Stays {
    /// The stays of the contacts that `joined` responses name, themselves or by their invitation.
    pub fn of(plan: &Plan, joined: &DataFrame, contacts: &[Part]) -> Result<Self, StageError> {
        let Some(dataset) = plan.datasets.get("contacts") else { return Ok(Self::default()) };
        let columns = ["person_id", "admitted_at", "discharged_at"];
        let Some(contacts) = current(dataset, contacts, &columns)? else { return Ok(Self::default()) };
        let named = |column: &str| joined.clone().lazy().select([col(column).alias("contact_id")]);
        let asked = concat([named("contact_id"), named(INVITED_CONTACT)], UnionArgs::default())
            .map_err(StageError::frame("list the contacts asked about"))?
            .filter(col("contact_id").is_not_null())
            .unique_generic(None, UniqueKeepStrategy::Any);
        let persons = left_join(asked, contacts.clone().select([col("contact_id"), col("person_id")]), "contact_id")
            .filter(col("person_id").is_not_null())
            .group_by([col("person_id")])
            .agg([len().alias("asked")])
            .filter(col("asked").gt(lit(1)))
            .collect()
            .map_err(StageError::frame("find persons asked twice"))?;
        if persons.height() == 0 {
            return Ok(Self::default());
        }
        let frame = contacts
            .semi_join(persons.lazy(), col("person_id"), col("person_id"))
            .sort(["person_id", "admitted_at", "contact_id"], SortMultipleOptions::default())
            .collect()
            .map_err(StageError::frame("select the contacts of persons asked twice"))?;
        let (ids, persons) = (texts(&frame, "contact_id")?, texts(&frame, "person_id")?);
        let (admitted, discharged) = (seconds(&frame, "admitted_at")?, seconds(&frame, "discharged_at")?);
        let mut of_contact = HashMap::new();
        let gap_max = EPISODE_GAP_HOURS_MAX * SECONDS_PER_HOUR;
        for (number, rows) in episodes(&persons, &admitted, &discharged, gap_max).into_iter().enumerate() {
            if rows.len() > 1 {
                of_contact.extend(rows.filter_map(|row| Some((ids[row]?.to_owned(), number))));
            }
        }
        Ok(Self { of_contact })
    }

    /// The same for all contacts of one stay.
    pub fn key<'a>(&self, contact: &'a str) -> Stay<'a> {
        self.of_contact.get(contact).map_or(Stay::Contact(contact), |number| Stay::Several(*number))
    }
}

/// What two answers about the same stay have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Stay<'a> {
    /// One contact alone.
    Contact(&'a str),
    /// An episode of several.
    Several(usize),
}
