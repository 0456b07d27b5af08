//! Working tables of a run: what later stages need besides the hub. Never published.

use jiff::civil::Date;

use super::table;

table! {
    /// Variance components behind one indicator, period and level.
    Components, "components", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the units.
    level: String,
    /// Between-unit standard deviation after adjustment.
    between_sd: Option<f64>,
    /// The same before adjustment, on the same rows.
    between_sd_unadjusted: Option<f64>,
    /// Intraclass correlation after adjustment.
    icc: Option<f64>,
    /// Between-unit variance on the log-odds scale; proportions only.
    log_odds_variance: Option<f64>,
}

table! {
    /// Observed and expected events of one unit, for rates.
    Expected, "expected", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the units.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Observed events.
    observed: f64,
    /// Events expected at the region's rates by age and sex.
    expected: f64,
}

table! {
    /// Persons of one unit's area by how many events they had in the period, for rates: events of a person go together.
    PersonsByEvents, "persons_by_events", "1.0.0";
    /// Period label.
    period: String,
    /// Indicator id.
    indicator: String,
    /// Level of the units.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Events that each of these persons had.
    events: i64,
    /// Persons.
    persons: i64,
}

table! {
    /// Codes that could not be placed: units that no unit is, places in no catchment area.
    UnplacedCode, "unplaced_codes", "1.0.0";
    /// What was to be placed: responses, invitations, events, inhabitants or rows.
    what: String,
    /// Questionnaire, indicator or dataset.
    subject: String,
    /// Why it could not be placed.
    reason: String,
    /// The code.
    code: String,
    /// Rows with the code.
    count: i64,
}

table! {
    /// A person drawn to be asked. Never published: it holds keys.
    Drawn, "drawn", "1.0.0";
    /// Invitation id, to be given back with the invitation's outcome and the answer.
    invitation_id: String,
    /// Pseudonym of the person.
    person_id: String,
    /// Contact that the questions are about.
    contact_id: String,
    /// Questionnaire to be answered.
    questionnaire_id: String,
    /// Unit of discharge.
    unit_id: String,
    /// Unit that is the sampling stratum.
    stratum: String,
    /// Probability of being drawn, given the eligible persons of the stratum.
    inclusion_probability: f64,
    /// Day of the draw.
    drawn_on: Date,
}
