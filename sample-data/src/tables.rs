//! The three files that grow with the region, and what the plan says of them.

use prem_spec::{Dataset, Export, Plan, Questionnaire};

use crate::{SampleError, Settings, faults::Faults, surveys::Survey, table::Table};

/// A dataset that is written contact by contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    Contacts,
    Invitations,
    Responses,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Contacts, Self::Invitations, Self::Responses];

    pub(crate) fn dataset(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Invitations => "invitations",
            Self::Responses => "responses",
        }
    }
}

pub(crate) const CONTACT_FIELDS: [&str; 16] = [
    "contact_id",
    "person_id",
    "unit_code",
    "admitted_at",
    "discharged_at",
    "age",
    "sex",
    "municipality",
    "district",
    "urgency",
    "care_level",
    "main_diagnosis",
    "other_diagnoses",
    "procedures",
    "drg",
    "discharge_status",
];

pub(crate) const INVITATION_FIELDS: [&str; 7] =
    ["invitation_id", "contact_id", "questionnaire_id", "sent_at", "outcome", "stratum", "inclusion_probability"];

/// Before one field per item.
pub(crate) const RESPONSE_FIELDS: [&str; 9] = [
    "response_id",
    "invitation_id",
    "contact_id",
    "questionnaire_id",
    "questionnaire_version",
    "unit_code",
    "answered_at",
    "mode",
    "language",
];

pub(crate) struct Sheet {
    pub(crate) table: Table,
    pub(crate) faults: Faults,
    /// Share of a file's rows that may be bad before the export refuses it.
    pub(crate) bad_share_max: f64,
    pub(crate) fields: Vec<String>,
    /// The source whose unit codes the file uses.
    pub(crate) source: String,
}

pub(crate) struct Tables {
    sheets: [Sheet; 3],
}

impl Tables {
    /// The first export of each dataset in the plan's order, and for responses the survey's.
    pub(crate) fn new(
        plan: &Plan,
        survey: Survey<'_>,
        settings: &Settings,
        answer_days_max: i64,
    ) -> Result<Self, SampleError> {
        let days =
            i32::try_from(i64::from(settings.months) * 31 + answer_days_max).unwrap_or(i32::MAX).min(20_000) + 100;
        let sheet = |kind: Kind| {
            let export = match kind {
                Kind::Responses => survey.export,
                _ => export(plan, kind.dataset()).ok_or(SampleError::NoExport(kind.dataset()))?,
            };
            let dataset = plan.datasets.get(kind.dataset()).ok_or(SampleError::NoExport(kind.dataset()))?;
            let names = match kind {
                Kind::Contacts => CONTACT_FIELDS.as_slice(),
                Kind::Invitations => INVITATION_FIELDS.as_slice(),
                Kind::Responses => RESPONSE_FIELDS.as_slice(),
            };
            let mut fields: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
            if kind == Kind::Responses {
                fields.extend(survey.questionnaire.items.iter().map(|item| item.id.clone()));
            }
            let table = Table::new(plan, export, &fields, settings.first_month, days)?;
            let faults = Faults::new(dataset, &plan.stored_columns(export), export, &table, &fields);
            Ok(Sheet { table, faults, bad_share_max: export.max_bad_share, fields, source: export.source.clone() })
        };
        Ok(Self { sheets: [sheet(Kind::Contacts)?, sheet(Kind::Invitations)?, sheet(Kind::Responses)?] })
    }

    pub(crate) fn sheet(&self, kind: Kind) -> &Sheet {
        &self.sheets[kind as usize]
    }
}

pub(crate) fn export<'a>(plan: &'a Plan, dataset: &str) -> Option<&'a Export> {
    plan.exports.values().find(|export| export.dataset == dataset)
}

pub(crate) fn questionnaire<'a>(plan: &'a Plan, export: &Export) -> Option<&'a Questionnaire> {
    plan.questionnaires.get(export.questionnaire.as_deref()?)
}

pub(crate) fn dataset(plan: &Plan, kind: Kind) -> Result<&Dataset, SampleError> {
    plan.datasets.get(kind.dataset()).ok_or(SampleError::NoExport(kind.dataset()))
}
