//! Values and intervals as a picture: one line per unit, sorted by value, with the region as a dashed line.

use prem_protect::tables::Estimate;
use serde::Serialize;

use crate::{names::UnitName, number::Style, texts::Texts};

/// Fewest units for a picture to say more than the table.
const UNITS_MIN: usize = 2;

/// Lengths in the picture's own units.
const WIDTH: f64 = 760.0;
const NAMES_WIDTH: f64 = 270.0;
const RIGHT_MARGIN: f64 = 24.0;
const ROW_HEIGHT: f64 = 24.0;
const TOP_MARGIN: f64 = 28.0;
const AXIS_HEIGHT: f64 = 30.0;
/// Longer names are cut; the table has them whole.
const NAME_LENGTH_MAX: usize = 36;
const TICKS: f64 = 5.0;

#[derive(Debug, Clone, Serialize)]
pub(super) struct Plot {
    id: String,
    title: String,
    description: String,
    width: String,
    height: String,
    left: String,
    right: String,
    bottom: String,
    label_y: String,
    reference: Option<Reference>,
    ticks: Vec<Tick>,
    points: Vec<Point>,
}

#[derive(Debug, Clone, Serialize)]
struct Reference {
    x: String,
    label: String,
}

#[derive(Debug, Clone, Serialize)]
struct Tick {
    x: String,
    label: String,
}

#[derive(Debug, Clone, Serialize)]
struct Point {
    name: String,
    y: String,
    text_y: String,
    x: String,
    low: String,
    high: String,
}

/// What the picture is about.
pub(super) struct Subject<'a> {
    pub(super) id: &'a str,
    pub(super) indicator: &'a str,
    pub(super) period: &'a str,
    /// The word for the units' level.
    pub(super) level: &'a str,
    /// Confidence level in per cent.
    pub(super) ci_level: &'a str,
}

impl Plot {
    /// The picture of `units` (name and row); `None` when too few of them have figures.
    pub(super) fn of(
        subject: &Subject<'_>,
        units: &[(UnitName, &Estimate)],
        style: Style,
        texts: &Texts,
    ) -> Option<Self> {
        let mut shown: Vec<(String, [f64; 3])> = units
            .iter()
            .filter_map(|(name, row)| {
                Some((
                    name.shortened(NAME_LENGTH_MAX),
                    [row.value?, row.ci_low?, row.ci_high?].map(|v| style.scaled(v)),
                ))
            })
            .collect();
        if shown.len() < UNITS_MIN {
            return None;
        }
        shown.sort_by(|(a, x), (b, y)| y[0].total_cmp(&x[0]).then_with(|| a.cmp(b)));
        let reference = units.iter().find_map(|(_, row)| row.reference);
        let scaled = reference.map(|value| style.scaled(value));
        let axis = Axis::between(shown.iter().flat_map(|(_, values)| *values).chain(scaled));
        let height = TOP_MARGIN + ROW_HEIGHT * shown.len() as f64 + AXIS_HEIGHT;
        let points = shown.iter().enumerate().map(|(index, (name, [value, low, high]))| {
            let y = TOP_MARGIN + ROW_HEIGHT * (index as f64 + 0.5);
            Point {
                name: name.clone(),
                y: place(y),
                text_y: place(y + 4.0),
                x: axis.at(*value),
                low: axis.at(*low),
                high: axis.at(*high),
            }
        });
        let count = shown.len().to_string();
        let region = reference.map(|value| style.value(value)).unwrap_or_default();
        let description = if reference.is_some() { "plot_description" } else { "plot_description_plain" };
        Some(Self {
            id: subject.id.to_owned(),
            title: texts.fill(
                "plot_title",
                &[
                    ("indicator", subject.indicator),
                    ("period", subject.period),
                    ("level", subject.level),
                    ("ci_level", subject.ci_level),
                ],
            ),
            description: texts.fill(description, &[("count", &count), ("reference", &region)]),
            width: place(WIDTH),
            height: place(height),
            left: place(NAMES_WIDTH),
            right: place(WIDTH - RIGHT_MARGIN),
            bottom: place(height - AXIS_HEIGHT),
            label_y: place(height - AXIS_HEIGHT + 18.0),
            reference: scaled
                .map(|value| Reference { x: axis.at(value), label: format!("{} {region}", texts.get("plot_region")) }),
            ticks: axis.ticks(style),
            points: points.collect(),
        })
    }
}

/// A scale between round numbers.
pub(super) struct Axis {
    low: f64,
    high: f64,
    step: f64,
}

impl Axis {
    /// From a round number below the values to one above them.
    pub(super) fn between(values: impl Iterator<Item = f64>) -> Self {
        let (least, most) = values.fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let span = (most - least).max(1e-9);
        let magnitude = 10_f64.powf((span / TICKS).log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].map(|m| m * magnitude).into_iter().find(|step| span / step <= TICKS);
        let step = step.unwrap_or(span);
        Self { low: (least / step).floor() * step, high: (most / step).ceil() * step, step }
    }

    /// Where `value` lies when the scale is drawn from `start` to `end`.
    pub(super) fn place_of(&self, value: f64, (start, end): (f64, f64)) -> f64 {
        start + (value - self.low) / (self.high - self.low).max(1e-9) * (end - start)
    }

    /// The round numbers of the scale.
    pub(super) fn values(&self) -> impl Iterator<Item = f64> {
        let steps = ((self.high - self.low) / self.step).round() as usize;
        (0..=steps).map(|index| self.low + self.step * index as f64)
    }

    pub(super) fn label(&self, value: f64, style: Style) -> String {
        let decimals = if self.step >= 1.0 { 0 } else { (-self.step.log10().floor()).max(0.0) as usize };
        crate::number::fixed(value, decimals, style.language)
    }

    fn at(&self, value: f64) -> String {
        place(self.place_of(value, (NAMES_WIDTH, WIDTH - RIGHT_MARGIN)))
    }

    fn ticks(&self, style: Style) -> Vec<Tick> {
        self.values().map(|value| Tick { x: self.at(value), label: self.label(value, style) }).collect()
    }
}

/// A length as the picture writes it.
pub(super) fn place(value: f64) -> String {
    format!("{value:.1}")
}
