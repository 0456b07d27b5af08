//! A series over time as a picture: points in order, centre and limits, and what the rules say in words.

use prem_protect::{POINTS_MIN, Protected, SeriesPoint, tables::Trend};
use prem_spec::Stratifier;
use serde::Serialize;

use super::plot::{Axis, place};
use crate::{number::Style, texts::Texts};

/// Lengths in the picture's own units.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 64.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 16.0;
const BOTTOM: f64 = 196.0;
const HEIGHT: f64 = 226.0;
/// Half the side of a special point, which is a square where the others are round.
const SQUARE: f64 = 6.0;
/// Labels of periods below the picture, at most.
const LABELS_MAX: usize = 8;

#[derive(Debug, Clone, Serialize)]
pub(super) struct RunChart {
    id: String,
    title: String,
    /// All that the picture shows, in words: its text alternative and its caption.
    description: String,
    width: String,
    height: String,
    left: String,
    right: String,
    label_y: String,
    ticks: Vec<Tick>,
    lines: Vec<Level>,
    path: String,
    points: Vec<Point>,
}

#[derive(Debug, Clone, Serialize)]
struct Tick {
    y: String,
    text_y: String,
    label: String,
}

#[derive(Debug, Clone, Serialize)]
struct Level {
    y: String,
    class: &'static str,
}

#[derive(Debug, Clone, Serialize)]
struct Point {
    x: String,
    y: String,
    is_special: bool,
    corner_x: String,
    corner_y: String,
    label: Option<String>,
}

impl RunChart {
    /// The picture of the unit's longest series of `indicator`; `None` where there are too few points for limits.
    pub(super) fn of(
        protected: &Protected,
        (indicator, title): (&str, &str),
        (unit, name, level): (&str, &str, &str),
        (id, style): (&str, Style),
        texts: &Texts,
    ) -> Option<Self> {
        let own = |trend: &&Trend| {
            trend.indicator == indicator && trend.unit_id == unit && trend.stratum == Stratifier::TOTAL
        };
        let trend = protected.trends().iter().filter(own).max_by_key(|trend| trend.n_points)?;
        let points = protected.series(trend);
        let (centre, low, high) = (trend.centre?, trend.limit_low?, trend.limit_high?);
        let scaled = |value: f64| style.scaled(value);
        let axis = Axis::between(points.iter().map(|point| point.value).chain([centre, low, high]).map(scaled));
        let y = |value: f64| axis.place_of(scaled(value), (BOTTOM, TOP));
        let ticks = axis.values().map(|value| {
            let at = axis.place_of(value, (BOTTOM, TOP));
            Tick { y: place(at), text_y: place(at + 4.0), label: axis.label(value, style) }
        });
        let drawn: Vec<Point> = drawn(&points, y);
        let path = drawn.iter().map(|point| format!("{},{}", point.x, point.y)).collect::<Vec<_>>().join(" ");
        Some(Self {
            id: id.to_owned(),
            title: texts.fill("run_title", &[("indicator", title), ("name", name), ("level", level)]),
            description: in_words(trend, (centre, low, high), style, texts),
            width: place(WIDTH),
            height: place(HEIGHT),
            left: place(LEFT),
            right: place(RIGHT),
            label_y: place(BOTTOM + 20.0),
            ticks: ticks.collect(),
            lines: [(centre, "region"), (low, "limit"), (high, "limit")]
                .map(|(value, class)| Level { y: place(y(value)), class })
                .to_vec(),
            path,
            points: drawn,
        })
    }
}

/// Points at their places in time order; every so many carries its period.
fn drawn(points: &[SeriesPoint], y: impl Fn(f64) -> f64) -> Vec<Point> {
    let last = points.len().saturating_sub(1);
    let every = points.len().div_ceil(LABELS_MAX).max(1);
    let step = (RIGHT - LEFT - 60.0) / last.max(1) as f64;
    let point = |(index, point): (usize, &SeriesPoint)| {
        let (x, y) = (LEFT + 30.0 + step * index as f64, y(point.value));
        Point {
            x: place(x),
            y: place(y),
            is_special: point.is_special,
            corner_x: place(x - SQUARE),
            corner_y: place(y - SQUARE),
            label: (last - index).is_multiple_of(every).then(|| point.period.clone()),
        }
    };
    points.iter().enumerate().map(point).collect()
}

fn in_words(trend: &Trend, (centre, low, high): (f64, f64, f64), style: Style, texts: &Texts) -> String {
    let count = trend.n_points.to_string();
    let about: [(&str, &str); 6] = [
        ("count", count.as_str()),
        ("first", &trend.first_period),
        ("last", &trend.last_period),
        ("centre", &style.value(centre)),
        ("limits", &style.interval(low, high)),
        ("value", &trend.last_value.map(|value| style.value(value)).unwrap_or_default()),
    ];
    let mut text = texts.fill("run_description", &about);
    let left_out = trend.n_periods - trend.n_points;
    if left_out > 0 {
        text.push(' ');
        text.push_str(&texts.fill("run_left_out", &[("count", &left_out.to_string())]));
    }
    text.push(' ');
    let rules: Vec<&str> = trend.rules.iter().flat_map(|rules| rules.split(", ")).map(rule_key).collect();
    if rules.is_empty() {
        text.push_str(texts.get("run_no_signal"));
    } else {
        let rules: Vec<&str> = rules.into_iter().map(|key| texts.get(key)).collect();
        text.push_str(&texts.fill("run_signal", &[("rules", &rules.join("; "))]));
    }
    text
}

fn rule_key(rule: &str) -> &'static str {
    match rule {
        "outside" => "rule_outside",
        "shift" => "rule_shift",
        "trend" => "rule_trend",
        "two-of-three" => "rule_two_of_three",
        "long-run" => "rule_long_run",
        _ => "rule_few_crossings",
    }
}

/// The note below the heading, which says what the picture needs.
pub(super) fn note(texts: &Texts) -> String {
    texts.fill("run_note", &[("points", &POINTS_MIN.to_string())])
}
