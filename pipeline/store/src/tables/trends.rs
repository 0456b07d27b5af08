//! Series over time: one row per indicator, unit, stratum and length of period.

use super::table;

table! {
    /// A row of `trends`.
    Trend, "trends", "1.0.0";
    /// Indicator id.
    indicator: String,
    /// Level of the unit.
    level: String,
    /// Unit id.
    unit_id: String,
    /// Name of the unit.
    unit_name: String,
    /// `total`, or the part of the population.
    stratum: String,
    /// Length of the periods: year, tertial, quarter or month.
    length: String,
    /// First period with a published value.
    first_period: String,
    /// Last period with a published value.
    last_period: String,
    /// Periods from the first to the last, both included.
    n_periods: i64,
    /// Of these, periods with a published value: the points of the series.
    n_points: i64,
    /// Value of the last point.
    last_value: Option<f64>,
    /// Mean of the points: centre of the individuals chart; null with too few points.
    centre: Option<f64>,
    /// Lower limit of common-cause variation.
    limit_low: Option<f64>,
    /// Upper limit of common-cause variation.
    limit_high: Option<f64>,
    /// Points outside the limits.
    outside: Option<i64>,
    /// Points in a run of at least seven on one side of the centre.
    shift: Option<i64>,
    /// Points in a rise or fall of at least seven.
    trend: Option<i64>,
    /// Points close to a limit, two of three in succession.
    two_of_three: Option<i64>,
    /// Median of the points: centre of the runs analysis.
    median: Option<f64>,
    /// Longest run on one side of the median.
    longest_run: Option<i64>,
    /// Longest run that chance explains; null with fewer than ten points off the median.
    longest_run_max: Option<i64>,
    /// Crossings of the median.
    crossings: Option<i64>,
    /// Fewest crossings that chance explains.
    crossings_min: Option<i64>,
    /// Whether any rule says that the series has changed; null with too few points.
    signal: Option<bool>,
    /// The rules that are broken: outside, shift, trend, two-of-three, long-run, few-crossings.
    rules: Option<String>,
    /// Last period whose point breaks a rule of the individuals chart.
    signal_period: Option<String>,
    /// Method id of the values; it names the baseline period where there is one.
    value_method: String,
    /// Method id of the series' limits and runs.
    method: String,
    /// Version of the methods.
    method_version: String,
    /// The run that made the row.
    run_id: String,
}
