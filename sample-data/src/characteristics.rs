//! Patient characteristics: what case mix is made of, and what each value adds to the experience.
//!
//! Every adjuster of the questionnaire reads one column. The sample makes all columns discrete, so a patient's x'β is a sum
//! of table look-ups, and the region's mean x'β is exact whatever the kind of the adjuster.

use prem_spec::{Adjuster, AdjusterKind, Dataset, Questionnaire};

use crate::{
    draw::{Stream, between},
    population::AGES,
    table::{FieldSource, Table},
};

/// Effects of adjusters on the scale 0–100 before they are compressed into it: bands rise, answers of patients fall.
const BANDS_EFFECT: (f64, f64) = (3.0, 6.0);
const MANY_LEVELS_EFFECT: (f64, f64) = (-10.0, -5.0);
const FEW_LEVELS_EFFECT: (f64, f64) = (-3.0, -1.0);
const COLUMN_EFFECT: (f64, f64) = (-3.0, 2.0);
const CONTINUOUS_EFFECT: (f64, f64) = (3.0, 6.0);
const MISSING_EFFECT: (f64, f64) = (-2.0, 1.0);

/// Share of a patient characteristic that is missing because the question was not answered.
const UNANSWERED_SHARE: f64 = 0.03;

/// Where a characteristic stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Age,
    Sex,
    Urgency,
    Mode,
    Language,
    Item(usize),
}

/// Values and how common they are.
type Weighted = Vec<(String, f64)>;

/// One column with its values, how common they are in the region, and what each adds to the experience.
#[derive(Debug, Clone)]
pub(crate) struct Characteristic {
    pub(crate) source: Source,
    pub(crate) column: String,
    pub(crate) values: Vec<String>,
    pub(crate) weights: Vec<f64>,
    pub(crate) effects: Vec<f64>,
}

/// The truth of one adjuster.
#[derive(Debug, Clone)]
pub(crate) struct AdjusterEffect {
    pub(crate) id: String,
    pub(crate) column: String,
    /// Label and effect of each level; the first is 0. For a continuous adjuster one entry: the slope per unit.
    pub(crate) levels: Vec<(String, f64)>,
    pub(crate) missing: f64,
    kind: AdjusterKind,
}

impl AdjusterEffect {
    pub(crate) fn draw(adjuster: &Adjuster, is_item: bool, stream: &mut Stream) -> Self {
        let draw = |stream: &mut Stream, (low, high): (f64, f64)| between(stream, low, high);
        let levels = match &adjuster.kind {
            AdjusterKind::Continuous { min, max } => {
                let range = draw(stream, CONTINUOUS_EFFECT);
                let sign = if is_item { -1.0 } else { 1.0 };
                vec![("slope".to_owned(), sign * range / (max - min).max(1e-9))]
            }
            AdjusterKind::Bands { bands } => {
                let labels = bands.iter().map(|band| band.label.clone());
                ramp(labels, draw(stream, BANDS_EFFECT), stream)
            }
            AdjusterKind::Levels { levels } if is_item => {
                let range = if levels.len() > 3 { MANY_LEVELS_EFFECT } else { FEW_LEVELS_EFFECT };
                ramp(levels.iter().cloned(), draw(stream, range), stream)
            }
            AdjusterKind::Levels { levels } => {
                let effect = |(index, level): (usize, &String)| {
                    (level.clone(), if index == 0 { 0.0 } else { draw(stream, COLUMN_EFFECT) })
                };
                levels.iter().enumerate().map(effect).collect()
            }
        };
        let missing = draw(stream, MISSING_EFFECT);
        let (id, column) = (adjuster.id.clone(), adjuster.column.clone());
        Self { id, column, levels, missing, kind: adjuster.kind.clone() }
    }

    /// What a value adds. A continuous adjuster counts from the middle of its range.
    pub(crate) fn of(&self, value: &str) -> f64 {
        match self.level(value) {
            Some(index) => match &self.kind {
                AdjusterKind::Continuous { min, max } => {
                    value.parse::<f64>().map_or(0.0, |number| self.levels[0].1 * (number - (min + max) / 2.0))
                }
                _ => self.levels[index].1,
            },
            None => self.missing,
        }
    }

    /// The level that a value belongs to; `None` is missing.
    pub(crate) fn level(&self, value: &str) -> Option<usize> {
        let number = value.parse::<f64>().ok();
        match &self.kind {
            AdjusterKind::Continuous { min, max } => number.filter(|number| (*min..=*max).contains(number)).map(|_| 0),
            AdjusterKind::Bands { bands } => {
                let number = number?;
                bands.iter().position(|band| band.from <= number && band.to.is_none_or(|to| number < to))
            }
            AdjusterKind::Levels { levels } => levels.iter().position(|level| level == value),
        }
    }

    /// Smallest and largest effect of any value.
    pub(crate) fn reach(&self) -> (f64, f64) {
        let slope = |(min, max): (f64, f64)| {
            let half = self.levels[0].1 * (max - min) / 2.0;
            vec![half, -half]
        };
        let effects = match &self.kind {
            AdjusterKind::Continuous { min, max } => slope((*min, *max)),
            _ => self.levels.iter().map(|(_, effect)| *effect).collect(),
        };
        let least = effects.iter().fold(self.missing.min(0.0), |least, effect| least.min(*effect));
        (least, effects.iter().fold(self.missing.max(0.0), |most, effect| most.max(*effect)))
    }

    pub(crate) fn compress(&mut self, factor: f64) {
        self.levels.iter_mut().for_each(|(_, effect)| *effect *= factor);
        self.missing *= factor;
    }
}

/// Effects that go evenly from 0 to `end`, each moved a little.
fn ramp(labels: impl Iterator<Item = String>, end: f64, stream: &mut Stream) -> Vec<(String, f64)> {
    let labels: Vec<String> = labels.collect();
    let steps = labels.len().saturating_sub(1).max(1) as f64;
    let step = |(index, label): (usize, String)| {
        let effect = if index == 0 { 0.0 } else { end * (index as f64 + between(stream, -0.3, 0.3)) / steps };
        (label, effect)
    };
    labels.into_iter().enumerate().map(step).collect()
}

/// The columns that every sample has, and the items that adjusters read.
///
/// `age_weights` is how often each age stays in hospital. Values that the contract does not know are left out, and an export
/// that declares a constant or an absent column decides the value.
pub(crate) fn characteristics(
    questionnaire: &Questionnaire,
    adjusters: &[AdjusterEffect],
    age_weights: &[f64; AGES],
    contacts: (&Dataset, &Table, &[String]),
    responses: (&Dataset, &Table, &[String]),
) -> Vec<Characteristic> {
    let ages = (0..AGES).map(|age| (age.to_string(), age_weights[age])).collect();
    let coded = |values: &[(&str, f64)]| values.iter().map(|(value, weight)| ((*value).to_owned(), *weight)).collect();
    let columns: [(Source, &str, Weighted, _); 5] = [
        (Source::Age, "age", ages, contacts),
        (Source::Sex, "sex", coded(&[("1", 0.47), ("2", 0.53)]), contacts),
        (Source::Urgency, "urgency", coded(&[("1", 0.4), ("2", 0.1), ("3", 0.1), ("4", 0.35), ("5", 0.05)]), contacts),
        (Source::Mode, "mode", coded(&[("digital", 0.65), ("paper", 0.35)]), responses),
        (
            Source::Language,
            "language",
            coded(&[("nb", 0.86), ("nn", 0.06), ("en", 0.05), ("se", 0.005), ("other", 0.025)]),
            responses,
        ),
    ];
    let mut all: Vec<Characteristic> = columns
        .into_iter()
        .map(|(source, column, values, (dataset, table, fields))| {
            let values = allowed(values, dataset, column, table, fields);
            Characteristic::new(source, column, values, adjusters)
        })
        .collect();
    for (index, item) in questionnaire.items.iter().enumerate() {
        if !adjusters.iter().any(|adjuster| adjuster.column == item.id) {
            continue;
        }
        let answered = (item.scale.low..=item.scale.high).collect::<Vec<_>>();
        // Lower codes are somewhat more common than higher ones.
        let middle = |position: usize| 1.0 / (1.0 + 0.35 * (position as f64 - answered.len() as f64 * 0.3).abs());
        let scored: f64 = (0..answered.len()).map(middle).sum();
        let mut values: Weighted =
            answered.iter().enumerate().map(|(i, code)| (code.to_string(), middle(i) / scored)).collect();
        values.push((String::new(), UNANSWERED_SHARE / (1.0 - UNANSWERED_SHARE)));
        all.push(Characteristic::new(Source::Item(index), &item.id, values, adjusters));
    }
    all
}

impl Characteristic {
    fn new(source: Source, column: &str, values: Weighted, adjusters: &[AdjusterEffect]) -> Self {
        let effect = |(value, _): &(String, f64)| {
            adjusters.iter().filter(|adjuster| adjuster.column == column).map(|adjuster| adjuster.of(value)).sum()
        };
        let effects = values.iter().map(effect).collect();
        let (values, weights) = values.into_iter().unzip();
        Self { source, column: column.to_owned(), values, weights, effects }
    }

    /// Leaves only these values; all where none are named.
    pub(crate) fn keep_only(&mut self, values: &[String]) {
        for (value, weight) in self.values.iter().zip(&mut self.weights) {
            if !values.is_empty() && !values.contains(value) {
                *weight = 0.0;
            }
        }
    }

    /// How common the values are in a ward that draws favourable patients with strength `tilt`. Missing values are as
    /// common everywhere, so that they say nothing about the ward.
    pub(crate) fn tilted(&self, tilt: f64) -> Vec<f64> {
        let range = self.effects.iter().fold(0.0_f64, |largest, effect| largest.max(effect.abs())).max(1e-9);
        let (missing, present): (Vec<usize>, Vec<usize>) =
            (0..self.values.len()).partition(|&index| self.values[index].is_empty());
        let mut weights = self.weights.clone();
        for &index in &present {
            weights[index] *= (tilt * self.effects[index] / range).exp();
        }
        let (before, after): (f64, f64) =
            present.iter().fold((0.0, 0.0), |(b, a), &index| (b + self.weights[index], a + weights[index]));
        if before > 0.0 {
            missing.iter().for_each(|&index| weights[index] *= after / before);
        }
        weights
    }
}

fn allowed(values: Weighted, dataset: &Dataset, column: &str, table: &Table, fields: &[String]) -> Weighted {
    let source = fields.iter().position(|field| field == column).map(|field| table.source(field));
    match source {
        Some(FieldSource::Constant(value)) => return vec![(value.clone(), 1.0)],
        Some(FieldSource::Absent) | None => return vec![(String::new(), 1.0)],
        Some(FieldSource::Written) => {}
    }
    let Some(prem_spec::ColumnKind::Code { codes }) = dataset.column(column).map(|column| &column.kind) else {
        return values;
    };
    let known: Vec<_> = values.into_iter().filter(|(value, _)| codes.iter().any(|code| code.code == *value)).collect();
    if known.is_empty() { vec![(String::new(), 1.0)] } else { known }
}
