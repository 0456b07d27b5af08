//! Responses beside what is known of their invitation and their contact.

use polars::prelude::*;
use prem_spec::{Plan, Questionnaire};

use super::{LinkInputs, PERIOD_DATE, SAMPLING_STRATUM, WEIGHT};
use crate::{
    StageError,
    view::{DELIVERY, Part, SOURCE, current},
};

const RESPONSE: [&str; 9] = [
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
pub(super) const CONTACT: [&str; 12] = [
    "contact_id",
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
    "discharge_status",
];

/// Columns that the joins add.
pub(super) const SOURCE_OF_UNIT: &str = "unit_source";
pub(super) const INVITED_CONTACT: &str = "invited_contact";
pub(super) const CONTACT_FOUND: &str = "contact_found";
/// The contact has invitations that differ in stratum or inclusion probability, and the response names none that is known.
pub(super) const PROBABILITY_UNCLEAR: &str = "probability_unclear";
pub(super) const PROBABILITY: &str = "inclusion_probability";
pub(super) const STRATUM: &str = "stratum";
const BY_CONTACT: &str = "probability_by_contact";
const INVITATION_FOUND: &str = "invitation_found";

/// Responses that carry their own unit.
pub(super) fn read_responses(
    plan: &Plan,
    questionnaire: &Questionnaire,
    parts: &[Part],
) -> Result<Option<DataFrame>, StageError> {
    let Some(responses) = responses(plan, questionnaire, parts)? else { return Ok(None) };
    let frame = responses.with_columns([
        col("answered_at").alias(PERIOD_DATE),
        lit(1.0).alias(WEIGHT),
        lit(NULL).cast(DataType::String).alias(SAMPLING_STRATUM),
        col(SOURCE).alias(SOURCE_OF_UNIT),
    ]);
    frame.collect().map(Some).map_err(StageError::frame("read responses"))
}

fn responses(plan: &Plan, questionnaire: &Questionnaire, parts: &[Part]) -> Result<Option<LazyFrame>, StageError> {
    let Some(dataset) = plan.datasets.get("responses") else { return Ok(None) };
    let items = questionnaire.items.iter().map(|item| item.id.as_str());
    let columns: Vec<&str> = RESPONSE.into_iter().chain(items).collect();
    current(dataset, parts, &columns)
}

/// Left joins that keep the responses' order: a response without a partner stays, with nulls, to be counted.
pub(super) fn join_contacts(
    plan: &Plan,
    questionnaire: &Questionnaire,
    inputs: &LinkInputs,
) -> Result<Option<DataFrame>, StageError> {
    let Some(responses) = responses(plan, questionnaire, &inputs.responses)? else { return Ok(None) };
    let missing = |dataset| StageError::Missing { dataset, needed_by: format!("questionnaire {}", questionnaire.id) };
    let contacts_of = plan.datasets.get("contacts").ok_or_else(|| missing("contacts"))?;
    let invitations_of = plan.datasets.get("invitations").ok_or_else(|| missing("invitations"))?;
    let responses = responses.drop(cols([SOURCE, "unit_code"]));
    let columns = ["contact_id", "questionnaire_id", STRATUM, PROBABILITY];
    let invited = match current(invitations_of, &inputs.invitations, &columns)? {
        Some(invitations) => with_invitation(responses, &to_questionnaire(invitations, questionnaire)),
        None => responses.with_columns([
            lit(NULL).cast(DataType::String).alias(INVITED_CONTACT),
            lit(NULL).cast(DataType::Float64).alias(PROBABILITY),
            lit(NULL).cast(DataType::String).alias(SAMPLING_STRATUM),
            lit(false).alias(PROBABILITY_UNCLEAR),
        ]),
    };
    // A response's own contact id is the better witness; its invitation's contact is the usual one.
    let with_contact = invited.with_columns([
        when(col("contact_id").is_not_null())
            .then(col("contact_id"))
            .otherwise(col(INVITED_CONTACT))
            .alias("contact_id"),
        (lit(1.0) / col(PROBABILITY)).fill_null(lit(1.0)).alias(WEIGHT),
    ]);
    let contacts = current(contacts_of, &inputs.contacts, &CONTACT)?.ok_or_else(|| missing("contacts"))?;
    let contacts = contacts.with_columns([
        col("discharged_at").cast(DataType::Date).alias(PERIOD_DATE),
        col(SOURCE).alias(SOURCE_OF_UNIT),
        lit(true).alias(CONTACT_FOUND),
    ]);
    let joined = left_join(with_contact, contacts.drop(cols([SOURCE, DELIVERY])), "contact_id");
    joined.collect().map(Some).map_err(StageError::frame("join responses to contacts"))
}

/// Invitations to `questionnaire`: one that names no questionnaire is one to every questionnaire.
pub(super) fn to_questionnaire(invitations: LazyFrame, questionnaire: &Questionnaire) -> LazyFrame {
    let named = col("questionnaire_id");
    invitations.filter(named.clone().is_null().or(named.eq(lit(questionnaire.id.as_str()))))
}

/// The response's invitation: the one it names, where that is known and one to this questionnaire; else those of the contact
/// it names, which must agree on stratum and probability.
fn with_invitation(responses: LazyFrame, invitations: &LazyFrame) -> LazyFrame {
    let named = invitations.clone().select([
        col("invitation_id"),
        col("contact_id").alias(INVITED_CONTACT),
        col(STRATUM).alias(SAMPLING_STRATUM),
        col(PROBABILITY),
    ]);
    let named = named.with_columns([lit(true).alias(INVITATION_FOUND)]);
    let of_contact = invitations.clone().group_by([col("contact_id")]).agg([
        len().alias("invitations"),
        col(PROBABILITY).min().alias(BY_CONTACT),
        col(PROBABILITY).max().alias("probability_max"),
        col(PROBABILITY).count().alias("probability_count"),
        col(STRATUM).min().alias("stratum_min"),
        col(STRATUM).max().alias("stratum_max"),
        col(STRATUM).count().alias("stratum_count"),
    ]);
    let joined = left_join(left_join(responses, named, "invitation_id"), of_contact, "contact_id");
    let is_unnamed = || col(INVITATION_FOUND).is_null().and(col("contact_id").is_not_null());
    // The least and the greatest are of those that state one: some that do and some that do not differ too.
    let vary = |min: &str, max: &str, count: &str| {
        let only_some = col(count).gt(lit(0)).and(col(count).lt(col("invitations")));
        col(min).neq(col(max)).fill_null(lit(false)).or(only_some.fill_null(lit(false)))
    };
    let differ = vary(BY_CONTACT, "probability_max", "probability_count").or(vary(
        "stratum_min",
        "stratum_max",
        "stratum_count",
    ));
    joined
        .with_columns([
            when(is_unnamed()).then(col(BY_CONTACT)).otherwise(col(PROBABILITY)).alias(PROBABILITY),
            when(is_unnamed()).then(col("stratum_min")).otherwise(col(SAMPLING_STRATUM)).alias(SAMPLING_STRATUM),
            is_unnamed().and(differ).alias(PROBABILITY_UNCLEAR),
        ])
        .drop(cols([
            INVITATION_FOUND,
            "invitations",
            BY_CONTACT,
            "probability_max",
            "probability_count",
            "stratum_min",
            "stratum_max",
            "stratum_count",
        ]))
}

pub(super) fn left_join(left: LazyFrame, right: LazyFrame, on: &str) -> LazyFrame {
    left.join_builder().with(right).how(JoinType::Left).on([col(on)]).maintain_order(MaintainOrderJoin::Left).finish()
}
