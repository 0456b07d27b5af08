//! Series over time, made from what is shown and nothing else.
//!
//! A unit's published values of one length of period, in order. A period that is withheld or was not estimated is left out;
//! the row says how many periods lie between the first and the last point and how many of them are points. Since centre,
//! limits and runs are functions of published values alone, they tell nothing that the published rows do not.
//!
//! Where a question was worded anew, added or dropped, the values before it are another series: only those since are points.
//!
//! Only calendar periods make a series: neighbouring windows of a run of months share respondents, so that their values
//! wander together and every rule would see a change.

use std::collections::BTreeMap;

use prem_spec::{Indicator, Period, PeriodKind, Plan, SeriesBreaks};
use prem_stats::time::{RunsAnalysis, Xmr, runs_analysis, xmr};
use prem_store::tables::{Estimate, Trend};

/// Fewest points for limits and signals. With eight points chance breaks a rule of the screened individuals chart in 3.5 of
/// 100 series, with twelve in 7, with twenty-four in 19 (simulated, independent normal points).
pub const POINTS_MIN: usize = 8;

/// Fewest points for a row: one is no series.
const SERIES_MIN: usize = 2;

/// Very large steps are left out of the limits once, so that a single outlier does not hide itself.
const SCREENED: bool = true;

const METHOD: &str = "xmr-screened+anhoej";

/// A point of a series as a picture needs it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct SeriesPoint {
    pub period: String,
    pub value: f64,
    /// Breaks a rule of the individuals chart.
    pub is_special: bool,
}

/// The points behind `trend`, in order.
pub(crate) fn points(rows: &[Estimate], breaks: &Breaks, trend: &Trend) -> Vec<SeriesPoint> {
    let is_own = |row: &&Estimate| {
        row.indicator == trend.indicator && row.unit_id == trend.unit_id && row.stratum == trend.stratum
    };
    let series = series(rows.iter().filter(is_own), breaks).into_iter();
    let mut of_length =
        series.filter(|points| points.iter().any(|(p, ..)| length(p.kind()) == Some(trend.length.as_str())));
    let points = of_length.next().unwrap_or_default();
    let chart = chart(&values(&points));
    let special = |place: usize| chart.as_ref().is_some_and(|chart| is_special(chart, place));
    let point = |(place, (period, value, _)): (usize, &Point<'_>)| SeriesPoint {
        period: period.to_string(),
        value: *value,
        is_special: special(place),
    };
    points.iter().enumerate().map(point).collect()
}

/// Days from which an indicator's questions are others: a series begins anew there.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Breaks(BTreeMap<String, SeriesBreaks>);

impl Breaks {
    pub fn of(plan: &Plan) -> Self {
        let of = |(id, indicator): (&String, &Indicator)| Some((id.clone(), plan.series_breaks(indicator)?));
        Self(plan.indicators.iter().filter_map(of).collect())
    }

    /// Whether values of the two periods, or of one of them, are of different questions.
    fn lies_between(&self, indicator: &str, first: Period, last: Period) -> bool {
        self.0.get(indicator).is_some_and(|breaks| breaks.holds(first.start(), last.end()))
    }
}

/// A published value of a series.
type Point<'a> = (Period, f64, &'a Estimate);

/// What makes a series: indicator, unit, stratum and length.
type Key<'a> = (&'a str, &'a str, &'a str, PeriodKind);

/// The series of `rows`, in the order in which they begin there.
pub(crate) fn of(rows: &[Estimate], breaks: &Breaks) -> Vec<Trend> {
    series(rows.iter(), breaks).iter().filter_map(|points| trend(points)).collect()
}

fn series<'a>(rows: impl Iterator<Item = &'a Estimate>, breaks: &Breaks) -> Vec<Vec<Point<'a>>> {
    let mut place: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut series: Vec<Vec<Point<'_>>> = Vec::new();
    for row in rows.filter(|row| !row.suppressed) {
        let (Some(value), Ok(period)) = (row.value, row.period.parse::<Period>()) else { continue };
        if length(period.kind()).is_none() {
            continue;
        }
        let key = (row.indicator.as_str(), row.unit_id.as_str(), row.stratum.as_str(), period.kind());
        let index = *place.entry(key).or_insert_with(|| {
            series.push(Vec::new());
            series.len() - 1
        });
        // The first row of a cell is its value; others tell of it by another method.
        if !series[index].iter().any(|(other, ..)| *other == period) {
            series[index].push((period, value, row));
        }
    }
    for points in &mut series {
        points.sort_by_key(|(period, ..)| period.start());
        let Some((last, _, row)) = points.last().copied() else { continue };
        points.retain(|(period, ..)| *period == last || !breaks.lies_between(&row.indicator, *period, last));
    }
    series
}

fn length(kind: PeriodKind) -> Option<&'static str> {
    match kind {
        PeriodKind::Year => Some("year"),
        PeriodKind::Tertial => Some("tertial"),
        PeriodKind::Quarter => Some("quarter"),
        PeriodKind::Month => Some("month"),
        PeriodKind::Months => None,
    }
}

fn values(points: &[Point<'_>]) -> Vec<f64> {
    points.iter().map(|(_, value, _)| *value).collect()
}

/// The individuals chart of enough values.
fn chart(values: &[f64]) -> Option<Xmr> {
    (values.len() >= POINTS_MIN).then(|| xmr(values, SCREENED).ok()).flatten()
}

fn is_special(chart: &Xmr, place: usize) -> bool {
    chart.points.get(place).is_some_and(|point| point.special_cause().is_some())
}

fn trend(points: &[Point<'_>]) -> Option<Trend> {
    let ((first, ..), (last, last_value, row)) = (points.first().copied()?, points.last().copied()?);
    if points.len() < SERIES_MIN {
        return None;
    }
    let values = values(points);
    let chart = chart(&values);
    let runs = chart.as_ref().and_then(|_| runs_analysis(&values).ok());
    let broken = broken(chart.as_ref(), runs.as_ref());
    let special = |place: &usize| chart.as_ref().is_some_and(|chart| is_special(chart, *place));
    let signal_period = (0..points.len()).rev().find(special).map(|place| points[place].0.to_string());
    let count = |rule: fn(&prem_stats::time::PointFlags) -> bool| {
        chart.as_ref().map(|chart| whole(chart.points.iter().filter(|point| rule(point)).count()))
    };
    let signal = chart.is_some().then_some(!broken.is_empty());
    Some(Trend {
        indicator: row.indicator.clone(),
        level: row.level.clone(),
        unit_id: row.unit_id.clone(),
        unit_name: row.unit_name.clone(),
        stratum: row.stratum.clone(),
        length: length(last.kind())?.to_owned(),
        first_period: first.to_string(),
        last_period: last.to_string(),
        n_periods: whole(steps(first, last)),
        n_points: whole(points.len()),
        last_value: Some(last_value),
        centre: chart.as_ref().map(|chart| chart.mean),
        limit_low: chart.as_ref().map(|chart| chart.limits.low),
        limit_high: chart.as_ref().map(|chart| chart.limits.high),
        outside: count(|point| point.outside),
        shift: count(|point| point.shift),
        trend: count(|point| point.trend),
        two_of_three: count(|point| point.two_of_three),
        median: runs.map(|runs| runs.centre),
        longest_run: runs.map(|runs| whole(runs.longest_run)),
        longest_run_max: runs.and_then(|runs| runs.longest_run_max).map(whole),
        crossings: runs.map(|runs| whole(runs.crossings)),
        crossings_min: runs.and_then(|runs| runs.crossings_min).map(whole),
        signal,
        rules: (!broken.is_empty()).then(|| broken.join(", ")),
        signal_period,
        value_method: row.method.clone(),
        method: METHOD.to_owned(),
        method_version: row.method_version.clone(),
        run_id: row.run_id.clone(),
    })
}

fn broken(chart: Option<&Xmr>, runs: Option<&RunsAnalysis>) -> Vec<&'static str> {
    let any = |rule: fn(&prem_stats::time::PointFlags) -> bool| chart.is_some_and(|c| c.points.iter().any(rule));
    [
        ("outside", any(|point| point.outside)),
        ("shift", any(|point| point.shift)),
        ("trend", any(|point| point.trend)),
        ("two-of-three", any(|point| point.two_of_three)),
        ("long-run", runs.is_some_and(|runs| runs.signal_run)),
        ("few-crossings", runs.is_some_and(|runs| runs.signal_crossings)),
    ]
    .into_iter()
    .filter_map(|(name, is_broken)| is_broken.then_some(name))
    .collect()
}

/// Periods from `first` to `last`, both included.
fn steps(first: Period, last: Period) -> usize {
    std::iter::successors(Some(last), |period| period.previous()).take_while(|period| *period >= first).count()
}

fn whole(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
