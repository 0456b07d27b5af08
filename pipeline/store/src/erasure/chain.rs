//! The keys by which a person can be found, from the person down.

use serde::{Deserialize, Serialize};

/// A column that names a person, or something of one person's. Its name is the same in every dataset that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyColumn {
    PersonId,
    ContactId,
    InvitationId,
    ResponseId,
}

impl KeyColumn {
    /// From the person down: what a row says of a later one hangs below what it says of an earlier one.
    pub const ALL: [Self; 4] = [Self::PersonId, Self::ContactId, Self::InvitationId, Self::ResponseId];

    pub fn name(self) -> &'static str {
        match self {
            Self::PersonId => "person_id",
            Self::ContactId => "contact_id",
            Self::InvitationId => "invitation_id",
            Self::ResponseId => "response_id",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|column| column.name() == name)
    }
}
