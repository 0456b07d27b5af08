//! Response: who was asked and who answered, per questionnaire, year, unit and group.

use jiff::civil::Date;

use super::table;

table! {
    /// A row of `response`.
    Response, "response", "1.0.0";
    /// Period label: a calendar year, by the date of discharge.
    period: String,
    /// First day.
    period_start: Date,
    /// First day after the period.
    period_end: Date,
    /// Questionnaire id.
    questionnaire: String,
    /// Level of the unit.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Unit name, bokmål.
    unit_name: String,
    /// Unit above.
    parent_id: Option<String>,
    /// `total`, or a group that the register knows, for example `sex=2`.
    stratum: String,
    /// Persons invited.
    invited: Option<i64>,
    /// Invitations that could not be delivered.
    undeliverable: Option<i64>,
    /// Invited persons who did not belong to the survey's population.
    ineligible: Option<i64>,
    /// Invited persons who asked not to be contacted; they stay in the denominator.
    reserved: Option<i64>,
    /// Denominator: invited − undeliverable − ineligible.
    asked: Option<i64>,
    /// Answers that count.
    answered: Option<i64>,
    /// answered / asked, 0–1.
    response_rate: Option<f64>,
    /// The row's figures are withheld.
    suppressed: bool,
    /// Why.
    suppression_reason: Option<String>,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
