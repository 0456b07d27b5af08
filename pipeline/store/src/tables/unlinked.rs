//! Responses that stand but were not linked: kept apart beside the linked months, for whoever wants to know why.

use jiff::civil::Date;

use super::table;

table! {
    /// A response left out of the linked months, and of everything that is published.
    Unlinked, "unlinked", "1.0.0";
    /// Id of the response.
    response_id: String,
    /// The first reason that applies.
    reason: String,
    /// First day of the month it would have counted in, where its contact or its answer tells.
    month: Option<Date>,
    /// The unit code that no unit had on the day, where that is the reason.
    unit_code: Option<String>,
}
