//! The units that treat patients: their effect, size, case mix, sampling and willingness to answer.

use std::collections::BTreeMap;

use jiff::civil::Date;
use prem_spec::{Level, Organisation, Unit};

use crate::{
    Settings,
    characteristics::{Characteristic, Source},
    draw::{Choice, Purpose, Stream, between, bounded_normal, chance, stream},
    population::AGES,
    region::Region,
};

/// How strongly a ward's tilt moves its case mix: log odds between a characteristic's best and worst value.
const TILT: f64 = 0.5;
/// Range of wards' response rates at average age.
const RESPONSE: (f64, f64) = (0.38, 0.58);
const RESPONSE_WOMEN: f64 = 0.03;
/// Outcomes of an invitation besides `sent`.
pub(crate) const UNDELIVERABLE: f64 = 0.02;
pub(crate) const INELIGIBLE: f64 = 0.01;
pub(crate) const RESERVED: f64 = 0.015;
/// Share of stays that end with the patient's death; nobody is asked about them.
pub(crate) const DEAD: f64 = 0.015;

/// A unit without units below it.
pub(crate) struct Ward {
    /// Its place among the wards.
    pub(crate) index: usize,
    pub(crate) unit: String,
    /// The ward and the units above it, as places in the organisation.
    pub(crate) ancestry: Vec<usize>,
    /// Sum of the effects of the ward and all units above it.
    pub(crate) effect: f64,
    /// The same without the ward's own.
    above: f64,
    /// Place of the trust among the region's areas; `None` treats patients from everywhere.
    pub(crate) area: Option<usize>,
    pub(crate) trust: String,
    /// Relative number of stays a month.
    pub(crate) size: f64,
    pub(crate) inclusion: f64,
    /// As the invitations' export writes it.
    pub(crate) inclusion_text: Vec<u8>,
    pub(crate) stratum: String,
    /// One per characteristic.
    pub(crate) choices: Vec<Choice>,
    response: f64,
    codes: BTreeMap<String, Vec<String>>,
    valid_from: Date,
    valid_to: Option<Date>,
}

impl Ward {
    pub(crate) fn is_open(&self, from: Date, to: Date) -> bool {
        self.valid_from <= from && self.valid_to.is_none_or(|end| to <= end)
    }

    /// The code by which a source knows the ward: old codes in the first part of the span, new ones later.
    pub(crate) fn code(&self, source: &str, progress: f64) -> &str {
        let codes = self.codes.get(source).map_or(&[][..], Vec::as_slice);
        let index = ((progress * codes.len() as f64) as usize).min(codes.len().saturating_sub(1));
        codes.get(index).map_or(&self.unit, String::as_str)
    }

    /// Probability that a patient who got the invitation answers: age, sex and ward decide, not health.
    pub(crate) fn response(&self, age: usize, woman: bool) -> f64 {
        self.response + age_response(age) + if woman { RESPONSE_WOMEN } else { 0.0 }
    }

    /// Expected responses per stay.
    pub(crate) fn expected_responses(&self, characteristics: &[Characteristic]) -> f64 {
        let mut rate = self.response;
        for (characteristic, choice) in characteristics.iter().zip(&self.choices) {
            for (index, value) in characteristic.values.iter().enumerate() {
                rate += match characteristic.source {
                    Source::Age => choice.probability(index) * age_response(value.parse().unwrap_or(0)),
                    Source::Sex if value == "2" => choice.probability(index) * RESPONSE_WOMEN,
                    _ => 0.0,
                };
            }
        }
        (1.0 - DEAD) * self.inclusion * (1.0 - UNDELIVERABLE - INELIGIBLE - RESERVED) * rate
    }
}

/// Highest around 70 years.
fn age_response(age: usize) -> f64 {
    let distance = (age.min(AGES) as f64 - 70.0) / 50.0;
    0.08 - 0.2 * distance * distance
}

/// Own effects of all units by id, compressed by `factor`.
pub(crate) fn unit_effects(
    organisation: &Organisation,
    settings: &Settings,
    factor: f64,
    stream: &mut Stream,
) -> BTreeMap<String, f64> {
    let sd = |level: Level| match level {
        Level::Rhf => 0.0,
        Level::Hf => settings.unit_sd[0],
        Level::Hospital => settings.unit_sd[1],
        Level::Department => settings.unit_sd[2],
        Level::Ward => settings.unit_sd[3],
    };
    let draw = |unit: &Unit| (unit.id.clone(), factor * sd(unit.level) * bounded_normal(stream));
    organisation.units.iter().map(draw).collect()
}

/// All units without units below them. `tilt` of a ward correlates with its effect as `confounding` says.
pub(crate) fn wards(
    organisation: &Organisation,
    region: &Region,
    settings: &Settings,
    effects: &BTreeMap<String, f64>,
    characteristics: &[Characteristic],
    decimal: u8,
) -> Vec<Ward> {
    let mut stream = stream(settings.seed, Purpose::World, 0, 1, 0);
    let leaves: Vec<&Unit> = organisation
        .units
        .iter()
        .filter(|unit| !organisation.units.iter().any(|other| other.parent.as_deref() == Some(&unit.id)))
        .collect();
    let mut wards: Vec<Ward> = leaves
        .iter()
        .enumerate()
        .map(|(index, unit)| ward(index, unit, organisation, region, effects, &mut stream))
        .collect();
    if settings.effect_share < 1.0 {
        two_groups(&mut wards, settings, effects);
    }
    let sd = (wards.iter().map(|ward| ward.effect * ward.effect).sum::<f64>() / wards.len().max(1) as f64).sqrt();
    for ward in &mut wards {
        let quality = if sd > 0.0 { ward.effect / sd } else { 0.0 };
        let rho = settings.confounding;
        let tilt = rho * quality + (1.0 - rho * rho).sqrt() * bounded_normal(&mut stream);
        ward.choices =
            characteristics.iter().map(|characteristic| Choice::new(characteristic.tilted(TILT * tilt))).collect();
    }
    stratify(&mut wards, settings);
    for ward in &mut wards {
        let point = |byte| if byte == b'.' { decimal } else { byte };
        ward.inclusion_text = format!("{:.6}", ward.inclusion).bytes().map(point).collect();
    }
    wards
}

/// Takes their own effect from all wards but a share of them, and moves the effects that are left so that their mean, weighted
/// by the wards' expected answers as design weights count them, is 0. The draws come from a stream of their own: a region without
/// two groups sees the same numbers as ever.
fn two_groups(wards: &mut [Ward], settings: &Settings, effects: &BTreeMap<String, f64>) {
    let mut stream = stream(settings.seed, Purpose::World, 0, 3, 0);
    let (mut sum, mut all) = (0.0, 0.0);
    let mut differs = Vec::with_capacity(wards.len());
    for ward in wards.iter_mut() {
        let own = effects.get(&ward.unit).copied().unwrap_or(0.0);
        let is_different = chance(&mut stream, settings.effect_share);
        if is_different {
            // Quotas cancel against the weights that mend them.
            let weight = ward.size * ward.response;
            sum += weight * own;
            all += weight;
        } else {
            // Subtracting would leave a rounding error where the rest is not 0.
            ward.effect = ward.above;
        }
        differs.push(is_different);
    }
    if all > 0.0 {
        wards.iter_mut().zip(differs).filter(|(_, differs)| *differs).for_each(|(ward, _)| ward.effect -= sum / all);
    }
}

fn ward(
    index: usize,
    unit: &Unit,
    organisation: &Organisation,
    region: &Region,
    effects: &BTreeMap<String, f64>,
    stream: &mut Stream,
) -> Ward {
    let ancestry = organisation.ancestry(&unit.id);
    let place = |above: &&Unit| organisation.units.iter().position(|other| other.id == above.id);
    let places = ancestry.iter().filter_map(place).collect();
    let trust = ancestry.iter().find(|unit| unit.level == Level::Hf).map_or("", |unit| unit.id.as_str());
    let factor = region.sizes.factors.get(trust).copied().unwrap_or(1.0);
    Ward {
        index,
        unit: unit.id.clone(),
        ancestry: places,
        effect: ancestry.iter().filter_map(|unit| effects.get(&unit.id)).sum(),
        above: ancestry.iter().filter(|above| above.id != unit.id).filter_map(|above| effects.get(&above.id)).sum(),
        area: region.areas.iter().position(|area| area.hf == trust),
        trust: trust.to_owned(),
        size: factor * (region.sizes.ward_log_sd * bounded_normal(stream)).exp(),
        inclusion: 1.0,
        inclusion_text: Vec::new(),
        stratum: String::new(),
        choices: Vec::new(),
        response: between(stream, RESPONSE.0, RESPONSE.1),
        codes: unit.codes.clone(),
        valid_from: unit.valid_from,
        valid_to: unit.valid_to,
    }
}

/// Thirds by size: small wards are asked whole, large ones by a share.
fn stratify(wards: &mut [Ward], settings: &Settings) {
    let mut order: Vec<usize> = (0..wards.len()).collect();
    order.sort_by(|&a, &b| wards[a].size.total_cmp(&wards[b].size));
    let count = order.len();
    for (rank, index) in order.into_iter().enumerate() {
        let third = rank * 3 / count;
        let ward = &mut wards[index];
        ward.inclusion = settings.inclusion[third];
        ward.stratum = format!("{}-{}", ward.trust, ["small", "middle", "large"][third]);
    }
}
