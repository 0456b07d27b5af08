//! The hub: everything the statistics produce, one row per indicator, period, unit and stratum.

use jiff::civil::Date;

use super::table;

table! {
    /// A row of `estimates`. Missing is null; proportions are 0–1, scores 0–100, rates per the indicator's `per`.
    Estimate, "estimates", "1.0.0";
    /// Period label, for example 2025, 2025-T2, 2025-Q3 or 2025-10.
    period: String,
    /// First day of the period.
    period_start: Date,
    /// First day after the period.
    period_end: Date,
    /// Indicator id.
    indicator: String,
    /// Version of the indicator's declaration.
    indicator_version: String,
    /// Level of the unit: rhf, hf, hospital, department or ward.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Unit name in bokmål.
    unit_name: String,
    /// Id of the unit above; null for the top unit.
    parent_id: Option<String>,
    /// `total`, or the subgroup such as age=67-79.
    stratum: String,
    /// Respondents (scores, proportions) or persons (rates) behind the value.
    n: Option<i64>,
    /// Kish's effective number of respondents; null when unweighted.
    n_effective: Option<f64>,
    /// Count of events or of answers in the declared set.
    numerator: Option<f64>,
    /// What the count is taken of: answers, or person-years.
    denominator: Option<f64>,
    /// Answered / (invited − undeliverable − ineligible), 0–1.
    response_rate: Option<f64>,
    /// Share of the target population that the source covers, 0–1.
    coverage: Option<f64>,
    /// Unadjusted value.
    raw: Option<f64>,
    /// Adjusted or standardised value: the one to compare.
    value: Option<f64>,
    /// Standard error of `value`.
    se: Option<f64>,
    /// Lower confidence limit of `value`.
    ci_low: Option<f64>,
    /// Upper confidence limit of `value`.
    ci_high: Option<f64>,
    /// Confidence level of every interval in the row.
    ci_level: Option<f64>,
    /// Value shrunken towards the mean of the units by its reliability.
    shrunken: Option<f64>,
    /// Lower limit of `shrunken`.
    shrunken_low: Option<f64>,
    /// Upper limit of `shrunken`.
    shrunken_high: Option<f64>,
    /// Share of the unit's variance that is signal, 0–1.
    reliability: Option<f64>,
    /// What the unit is compared with: the region's value.
    reference: Option<f64>,
    /// `value` − `reference`.
    difference: Option<f64>,
    /// Standard error of `difference`.
    difference_se: Option<f64>,
    /// p-value that the difference is at most the minimal one.
    p: Option<f64>,
    /// p-value corrected within the family of one indicator, level, period and stratum.
    q: Option<f64>,
    /// better, as-expected, worse, higher, lower or not-assessed.
    comparison: Option<String>,
    /// Change of `value` since the previous disjoint period.
    change: Option<f64>,
    /// Lower limit of `change`.
    change_low: Option<f64>,
    /// Upper limit of `change`.
    change_high: Option<f64>,
    /// p-value of `change`.
    change_p: Option<f64>,
    /// high, moderate or low.
    goal_level: Option<String>,
    /// Method id that made `value` and its interval.
    method: String,
    /// Version of the methods.
    method_version: String,
    /// Whether figures are withheld to protect patients.
    suppressed: bool,
    /// Why they are withheld.
    suppression_reason: Option<String>,
    /// The run that made the row.
    run_id: String,
}
