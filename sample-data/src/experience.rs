//! The latent experience and how it becomes answers.
//!
//! Patient i in ward j has m_i = μ + x_i'β + b_trust + b_hospital + b_department + b_ward + u_i on the scale 0–100, and item k
//! is met with m_i + s_k. All parts are bounded, and the spread of u_i narrows near the ends (its mean stays 0), so that
//! m_i + s_k lies within 3–97 without any cutting. Given it, the item's score is unbiased: half of the answers are
//! binomial on the scale's steps, half are the nearest two steps in the right mix. So E[score] is linear in x and in the
//! effects of units, which is what case-mix adjusted means assume.

use prem_spec::{Item, Questionnaire};

use crate::{
    draw::{Stream, below, between, chance, quick, uniform},
    table::Row,
    tables::RESPONSE_FIELDS,
};

/// Mean experience of a patient at all reference levels in an average ward.
const MEAN: f64 = 70.0;
const LOWEST: f64 = 3.0;
const HIGHEST: f64 = 97.0;
/// Room that the systematic parts leave to both ends.
const ROOM: f64 = 6.0;
const ITEM_SHIFT: f64 = 5.0;
/// Share of answers on the nearest steps instead of binomial ones: it makes answers of one patient hang together.
const CONSISTENT_SHARE: f64 = 0.5;

/// Points of the distribution of u_i, which has a long tail downwards: Kumaraswamy's with these shapes.
const POINTS: usize = 4_096;
const SHAPE_A: f64 = 4.0;
const SHAPE_B: f64 = 1.6;

pub(crate) struct Experience {
    pub(crate) mean: f64,
    pub(crate) items: Vec<ItemModel>,
    /// Equally likely values of u_i / width, with mean 0.
    points: Vec<f64>,
    width: f64,
    shift_low: f64,
    shift_high: f64,
    missing_share: f64,
}

/// How an item is answered.
pub(crate) struct ItemModel {
    pub(crate) kind: ItemKind,
    pub(crate) low: i16,
    pub(crate) steps: u32,
    pub(crate) reversed: bool,
    pub(crate) shift: f64,
    pub(crate) asked_if: Option<Filter>,
    /// Texts of the codes `low..=high`.
    codes: Vec<Vec<u8>>,
    missing_codes: Vec<Vec<u8>>,
}

/// Who is asked: those whose earlier answer has one of these texts.
pub(crate) struct Filter {
    /// Field of the earlier item in a response.
    field: usize,
    texts: Vec<Vec<u8>>,
}

impl Filter {
    fn new(questionnaire: &Questionnaire, item: &Item) -> Option<Self> {
        let filter = item.asked_if.as_ref()?;
        // Earlier on the form, hence answered already; a form of old versions only may be in another order.
        let earlier = questionnaire.items.iter().take_while(|other| other.id != item.id);
        let place = earlier.into_iter().position(|earlier| earlier.id == filter.item)?;
        let texts = filter.codes.iter().map(|code| code.to_string().into_bytes()).collect();
        Some(Self { field: RESPONSE_FIELDS.len() + place, texts })
    }

    /// Whether the answers so far keep the patient from the question. A blank answer keeps nobody.
    pub(crate) fn keeps_out(&self, row: &Row) -> bool {
        let answer = row.get(self.field);
        !answer.is_empty() && !self.texts.iter().any(|text| text == answer)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ItemKind {
    /// Answered from the experience.
    Experience,
    /// A patient characteristic, by its place among them.
    Characteristic(usize),
}

impl Experience {
    /// `characteristic` tells which items are patient characteristics.
    pub(crate) fn new(
        questionnaire: &Questionnaire,
        characteristic: impl Fn(usize) -> Option<usize>,
        patient_sd: f64,
        missing_share: f64,
        stream: &mut Stream,
    ) -> Self {
        let items: Vec<ItemModel> = questionnaire
            .items
            .iter()
            .enumerate()
            .map(|(index, item)| {
                let shift = between(stream, -ITEM_SHIFT, ITEM_SHIFT);
                let asked_if = Filter::new(questionnaire, item);
                ItemModel { asked_if, ..ItemModel::new(item, characteristic(index), shift) }
            })
            .collect();
        let raw: Vec<f64> = (0..POINTS)
            .map(|index| (index as f64 + 0.5) / POINTS as f64)
            .map(|u| (1.0 - (1.0 - u).powf(1.0 / SHAPE_B)).powf(1.0 / SHAPE_A))
            .collect();
        let mean = raw.iter().sum::<f64>() / POINTS as f64;
        let points: Vec<f64> = raw.iter().map(|value| value - mean).collect();
        let sd = (points.iter().map(|value| value * value).sum::<f64>() / POINTS as f64).sqrt();
        let mut experience =
            Self { mean: MEAN, items, points, width: patient_sd / sd, shift_low: 0.0, shift_high: 0.0, missing_share };
        experience.bound_shifts();
        experience
    }

    fn bound_shifts(&mut self) {
        let shifts = || self.items.iter().filter(|item| item.kind == ItemKind::Experience).map(|item| item.shift);
        (self.shift_low, self.shift_high) = (shifts().fold(0.0, f64::min), shifts().fold(0.0, f64::max));
    }

    /// The factor that brings the systematic parts, of which the others reach from `low` to `high`, within bounds.
    pub(crate) fn compression(&self, low: f64, high: f64) -> f64 {
        let above = (HIGHEST - ROOM - self.mean) / (high + self.shift_high).max(1e-9);
        let below = (self.mean - LOWEST - ROOM) / -(low + self.shift_low).min(-1e-9);
        above.min(below).min(1.0)
    }

    pub(crate) fn compress(&mut self, factor: f64) {
        self.items.iter_mut().for_each(|item| item.shift *= factor);
        self.bound_shifts();
    }

    /// How far u_i reaches for a patient whose systematic part is `fixed`.
    fn width_at(&self, fixed: f64) -> f64 {
        let (low, high) = (self.points[0], self.points[POINTS - 1]);
        let above = (HIGHEST - self.shift_high - fixed) / high;
        let below = (fixed + self.shift_low - LOWEST) / -low;
        self.width.min(above).min(below).max(0.0)
    }

    /// A patient's experience given the systematic part.
    pub(crate) fn latent(&self, fixed: f64, stream: &mut Stream) -> f64 {
        fixed + self.width_at(fixed) * self.points[below(stream, POINTS)]
    }

    /// The probability that item `item` gets one of `codes` from patients whose systematic part is `fixed`.
    pub(crate) fn probability(&self, item: &ItemModel, codes: &[i16], fixed: f64) -> f64 {
        const EVERY: usize = 16;
        let width = self.width_at(fixed);
        let points = self.points.iter().skip(EVERY / 2).step_by(EVERY);
        let count = POINTS / EVERY;
        points.map(|point| item.probability(codes, fixed + width * point)).sum::<f64>() / count as f64
    }

    pub(crate) fn is_missing(&self, stream: &mut Stream) -> bool {
        chance(stream, self.missing_share)
    }
}

impl ItemModel {
    fn new(item: &Item, characteristic: Option<usize>, shift: f64) -> Self {
        let missing = item.scale.codes.iter().filter(|code| code.missing_reason.is_some());
        Self {
            kind: characteristic.map_or(ItemKind::Experience, ItemKind::Characteristic),
            low: item.scale.low,
            steps: u32::try_from(i32::from(item.scale.high) - i32::from(item.scale.low)).unwrap_or(0),
            reversed: item.reversed,
            shift,
            asked_if: None,
            codes: (item.scale.low..=item.scale.high).map(|code| code.to_string().into_bytes()).collect(),
            missing_codes: missing.map(|code| code.code.to_string().into_bytes()).collect(),
        }
    }

    /// Blank, or where the scale has them one of its codes for a missing answer.
    pub(crate) fn missing_text(&self, stream: &mut Stream) -> &[u8] {
        match self.missing_codes.len() {
            0 => b"",
            codes => self.missing_codes.get(below(stream, codes + 1)).map_or(b"", Vec::as_slice),
        }
    }

    /// The code's text given the patient's experience, and whether the experience had to be cut.
    pub(crate) fn answer(&self, latent: f64, stream: &mut Stream) -> (&[u8], bool) {
        let met = latent + self.shift;
        let p = (met / 100.0).clamp(0.0, 1.0);
        let steps = if quick(stream) < CONSISTENT_SHARE { self.nearest(p, stream) } else { self.binomial(p, stream) };
        let index = if self.reversed { self.steps - steps } else { steps };
        let cut = !(LOWEST - 1e-9..=HIGHEST + 1e-9).contains(&met);
        (&self.codes[index as usize], cut)
    }

    fn nearest(&self, p: f64, stream: &mut Stream) -> u32 {
        ((p * f64::from(self.steps) + quick(stream)) as u32).min(self.steps)
    }

    /// By inversion: one uniform number, then along the probabilities.
    fn binomial(&self, p: f64, stream: &mut Stream) -> u32 {
        let odds = p / (1.0 - p);
        let mut probability = (1.0 - p).powi(self.steps as i32);
        let mut left = uniform(stream);
        let mut steps = 0;
        while left >= probability && steps < self.steps {
            left -= probability;
            probability *= odds * f64::from(self.steps - steps) / f64::from(steps + 1);
            steps += 1;
        }
        steps
    }

    fn probability(&self, codes: &[i16], latent: f64) -> f64 {
        let p = ((latent + self.shift) / 100.0).clamp(0.0, 1.0);
        let position = p * f64::from(self.steps);
        let mut binomial = (1.0 - p).powi(self.steps as i32);
        let mut sum = 0.0;
        for steps in 0..=self.steps {
            let nearest = (1.0 - (position - f64::from(steps)).abs()).max(0.0);
            let index = if self.reversed { self.steps - steps } else { steps };
            if codes.contains(&(self.low + index as i16)) {
                sum += CONSISTENT_SHARE * nearest + (1.0 - CONSISTENT_SHARE) * binomial;
            }
            binomial *= p / (1.0 - p) * f64::from(self.steps - steps) / f64::from(steps + 1);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draw::{Purpose, stream};

    fn item(high: i16, reversed: bool) -> ItemModel {
        ItemModel {
            kind: ItemKind::Experience,
            low: 1,
            steps: (high - 1) as u32,
            reversed,
            shift: 2.0,
            asked_if: None,
            codes: (1..=high).map(|code| code.to_string().into_bytes()).collect(),
            missing_codes: Vec::new(),
        }
    }

    /// The mean over 200,000 draws has a standard error below 0.07 on the scale 0–100.
    #[test]
    fn answers_are_unbiased() {
        for (high, reversed) in [(5, false), (5, true), (11, false), (2, false)] {
            let item = item(high, reversed);
            let mut stream = stream(3, Purpose::World, 0, 0, 0);
            let mut sum = 0.0;
            for _ in 0..200_000 {
                let (text, cut) = item.answer(61.0, &mut stream);
                let code: f64 = String::from_utf8_lossy(text).parse().expect("a code");
                sum += 100.0 * (code - 1.0) / f64::from(high - 1);
                assert!(!cut);
            }
            let mean = sum / 200_000.0;
            let expected = if reversed { 37.0 } else { 63.0 };
            assert!((mean - expected).abs() < 0.5, "{high} {reversed}: {mean}");
        }
    }

    #[test]
    fn probabilities_of_all_codes_add_up() {
        let item = item(5, true);
        let all: f64 = (1..=5).map(|code| item.probability(&[code], 73.0)).sum();
        assert!((all - 1.0).abs() < 1e-12);
        let mean: f64 = (1..=5).map(|code| f64::from(code - 1) * 25.0 * item.probability(&[code], 73.0)).sum();
        assert!((mean - 25.0).abs() < 1e-9, "{mean}");
    }
}
