//! True values of units, from the model and from who answered.

use std::collections::BTreeMap;

use prem_spec::{Indicator, Item, Measure, Organisation, Plan, ValueScale, Weighting};

use super::{DeliveryCount, TrueAdjuster, TrueItem, TrueUnit, Truth, rates};
use crate::{
    Settings,
    characteristics::{AdjusterEffect, Source},
    draw::{Choice, Purpose, quick, stream},
    experience::{Experience, ItemKind},
    members::{self, Members},
    output::Deliveries,
    tally::{Respondents, Tally},
    wards::Ward,
    world::World,
};

/// Patients drawn from the region for the truth of proportions. The error that they leave is common to all units and
/// below 0.003.
const PATIENTS: u64 = 20_000;
/// Step of the table of probabilities, in points of the experience scale; between steps it is linear.
const STEP: f64 = 0.25;

/// The truth of the main survey's world and of the rates; surveys are added one by one.
pub(crate) fn begin(plan: &Plan, settings: &Settings, world: &World, deliveries: &Deliveries) -> Truth {
    Truth {
        settings: settings.clone(),
        plan_hash: plan.hash(),
        mean: world.experience.mean,
        items: Vec::new(),
        cut_answers: 0,
        files: Vec::new(),
        without_truth: BTreeMap::new(),
        units: Vec::new(),
        adjusters: Vec::new(),
        rates: rates::rates(plan, world),
        deliveries: deliveries
            .iter()
            .map(|((dataset, finding, reason), rows)| DeliveryCount {
                dataset: (*dataset).to_owned(),
                finding: (*finding).to_owned(),
                reason: reason.clone(),
                rows: *rows,
            })
            .collect(),
    }
}

/// Adds what is true of one survey.
pub(crate) fn add(truth: &mut Truth, plan: &Plan, world: &World, tally: &Tally) {
    let items = plan.questionnaires.get(&world.questionnaire).map_or(&[][..], |questionnaire| &questionnaire.items);
    let of_experience = items.iter().zip(&world.experience.items).filter(|(_, one)| one.kind == ItemKind::Experience);
    truth.items.extend(of_experience.map(|(item, one)| TrueItem {
        questionnaire: world.questionnaire.clone(),
        item: item.id.clone(),
        shift: one.shift,
    }));
    truth.cut_answers += tally.cut;
    let reads = |one: &&Indicator| one.population.questionnaire.as_ref() == Some(&world.questionnaire);
    let of_survey: Vec<&Indicator> = plan.indicators.values().filter(reads).collect();
    let without = |one: &&Indicator| Some((one.id.clone(), why_without(plan, world, one)?));
    truth.without_truth.extend(of_survey.iter().filter_map(without));
    let told = of_survey.into_iter().filter(|one| !truth.without_truth.contains_key(&one.id));
    truth.units.extend(units(plan, world, tally, items, told));
    truth.adjusters.extend(adjusters(world, tally));
}

/// Why units have no true value of an indicator; `None` where they have one.
fn why_without(plan: &Plan, world: &World, indicator: &Indicator) -> Option<String> {
    let is_varied = |column: &str| world.characteristics.iter().any(|one| one.column == column);
    let obstacle = members::obstacle(&indicator.population, &world.care_level, is_varied);
    obstacle.or_else(|| {
        let questionnaire = plan.questionnaires.get(&world.questionnaire)?;
        let is_for_some = |id: &&str| {
            !questionnaire.asks_always(id) || questionnaire.item(id).is_some_and(|item| item.asked_if.is_some())
        };
        let item = indicator.measure.items().into_iter().find(is_for_some)?;
        Some(format!("items: not every patient is asked {item}"))
    })
}

fn units<'a>(
    plan: &Plan,
    world: &World,
    tally: &Tally,
    items: &[Item],
    indicators: impl Iterator<Item = &'a Indicator>,
) -> Vec<TrueUnit> {
    let mut periods: Vec<(String, Option<i16>)> =
        tally.years.keys().map(|year| (year.to_string(), Some(*year))).collect();
    if periods.len() > 1 {
        let month =
            |index: u32| world.settings.month(index).map_or(String::new(), |day| day.strftime("%Y-%m").to_string());
        periods.push((format!("{}..{}", month(0), month(world.settings.months - 1)), None));
    }
    let mut all = Vec::new();
    for indicator in indicators {
        let members = Members::of(&indicator.population);
        let Some(population) = world.populations.iter().position(|other| *other == members) else { continue };
        let Some(measure) = Expected::new(indicator, world, items) else { continue };
        let table = measure.table(world, population);
        for (period, year) in &periods {
            let respondents = tally.respondents(*year, population);
            all.extend(of_period(&plan.organisation, world, indicator, &measure, &table, &respondents, period));
        }
    }
    all
}

fn of_period(
    organisation: &Organisation,
    world: &World,
    indicator: &Indicator,
    measure: &Expected<'_>,
    table: &[f64],
    respondents: &[Respondents],
    period: &str,
) -> Vec<TrueUnit> {
    let weighted = weights(world, indicator.weighting, respondents);
    let (all, x): (f64, f64) = weighted.iter().fold((0.0, 0.0), |(w, x), part| (w + part.0, x + part.1));
    if all <= 0.0 {
        return Vec::new();
    }
    let fixed = world.experience.mean + x / all;
    let values: Vec<f64> = world.wards.iter().map(|ward| measure.value(fixed, ward, table)).collect();
    let unit = |(place, unit): (usize, &prem_spec::Unit)| {
        let inside = |ward: &Ward| ward.ancestry.contains(&place);
        let (mut sum, mut value, mut effect, mut n) = (0.0, 0.0, 0.0, 0);
        for (index, ward) in world.wards.iter().enumerate().filter(|(_, ward)| inside(ward)) {
            let weight = weighted[index].0;
            sum += weight;
            value += weight * values[index];
            effect += weight * ward.effect;
            n += respondents[index].n;
        }
        (sum > 0.0).then(|| TrueUnit {
            period: period.to_owned(),
            unit_id: unit.id.clone(),
            level: unit.level.as_str().to_owned(),
            indicator: indicator.id.clone(),
            effect: effect / sum,
            value: value / sum,
            respondents: n,
            weight: sum,
        })
    };
    organisation.units.iter().enumerate().filter_map(unit).collect()
}

/// What each ward's respondents count for, and their Σx'β under it: once each, or so that every sampling stratum has the
/// weight of all who were asked there.
fn weights(world: &World, weighting: Weighting, respondents: &[Respondents]) -> Vec<(f64, f64)> {
    if weighting == Weighting::None {
        return respondents.iter().map(|one| (one.n as f64, one.x)).collect();
    }
    let mut strata: BTreeMap<&str, (f64, f64)> = BTreeMap::new();
    for (one, ward) in respondents.iter().zip(&world.wards) {
        let (population, weight) = strata.entry(&ward.stratum).or_default();
        *population += one.population;
        *weight += one.weight;
    }
    let factor = |ward: &Ward| {
        strata.get(ward.stratum.as_str()).filter(|(_, weight)| *weight > 0.0).map_or(1.0, |(all, weight)| all / weight)
    };
    let of = |(one, ward): (&Respondents, &Ward)| {
        let factor = factor(ward);
        (factor * one.weight, factor * one.x / ward.inclusion)
    };
    respondents.iter().zip(&world.wards).map(of).collect()
}

/// The expected value of a measure.
enum Expected<'a> {
    /// low + slope · (experience + shift), mean over items.
    Linear {
        low: f64,
        slope: f64,
        shift: f64,
    },
    TopBox {
        experience: &'a Experience,
        item: usize,
        codes: &'a [i16],
    },
}

impl<'a> Expected<'a> {
    /// `None` for what the sample has no truth for: rates, and items that are patient characteristics.
    fn new(indicator: &'a Indicator, world: &'a World, items: &[Item]) -> Option<Self> {
        let places: Vec<usize> = indicator
            .measure
            .items()
            .iter()
            .map(|id| items.iter().position(|item| item.id == *id))
            .collect::<Option<_>>()?;
        let models: Vec<_> = places.iter().map(|&place| &world.experience.items[place]).collect();
        if models.is_empty() || models.iter().any(|model| model.kind != ItemKind::Experience) {
            return None;
        }
        let count = models.len() as f64;
        let mean = |part: &dyn Fn(usize) -> f64| (0..models.len()).map(part).sum::<f64>() / count;
        Some(match &indicator.measure {
            Measure::TopBox { codes, .. } => {
                Self::TopBox { experience: &world.experience, item: places[0], codes: codes.as_slice() }
            }
            Measure::Scale { scale, .. } | Measure::Item { scale, .. } | Measure::Composite { scale, .. } => {
                match scale {
                    ValueScale::Score0To100 => Self::Linear { low: 0.0, slope: 1.0, shift: mean(&|k| models[k].shift) },
                    ValueScale::Native => {
                        let slope = mean(&|k| f64::from(models[k].steps) / 100.0);
                        let shift = mean(&|k| f64::from(models[k].steps) / 100.0 * models[k].shift) / slope.max(1e-12);
                        Self::Linear { low: mean(&|k| f64::from(models[k].low)), slope, shift }
                    }
                }
            }
            Measure::Rate { .. } => return None,
        })
    }

    /// For proportions: by ward, the mean over the region's patients.
    fn table(&self, world: &World, population: usize) -> Vec<f64> {
        let Self::TopBox { experience, item, codes } = self else { return Vec::new() };
        let model = &experience.items[*item];
        let steps = (100.0 / STEP) as usize;
        let grid: Vec<f64> = (0..=steps).map(|step| experience.probability(model, codes, step as f64 * STEP)).collect();
        let patients = patients(world, population);
        let of_ward = |ward: &Ward| {
            let probability = |x: &f64| {
                let position = ((experience.mean + x + ward.effect) / STEP).clamp(0.0, steps as f64 - 1e-9);
                let (below, part) = (position as usize, position.fract());
                grid[below] + part * (grid[below + 1] - grid[below])
            };
            patients.iter().map(probability).sum::<f64>() / patients.len().max(1) as f64
        };
        world.wards.iter().map(of_ward).collect()
    }

    fn value(&self, fixed: f64, ward: &Ward, table: &[f64]) -> f64 {
        match self {
            Self::Linear { low, slope, shift } => low + slope * (fixed + ward.effect + shift),
            Self::TopBox { .. } => table.get(ward.index).copied().unwrap_or(0.0),
        }
    }
}

/// x'β of respondents drawn from the region: a ward by its expected weight, then a patient who answers.
fn patients(world: &World, population: usize) -> Vec<f64> {
    let mut stream = stream(world.settings.seed, Purpose::TopBox, 0, population, 0);
    let expected = |ward: &Ward| ward.size * ward.expected_responses(&world.characteristics) / ward.inclusion;
    let wards = Choice::new(world.wards.iter().map(expected));
    let members = &world.populations[population];
    let mut patients = Vec::new();
    // Bounded: an age range without patients gives few or none.
    for _ in 0..PATIENTS * 20 {
        let ward = &world.wards[wards.draw(&mut stream)];
        let mut x = 0.0;
        let (mut age, mut woman) = (0, false);
        let mut values = Vec::with_capacity(world.characteristics.len());
        for (one, choice) in world.characteristics.iter().zip(&ward.choices) {
            let value = choice.draw(&mut stream);
            values.push(value);
            x += one.effects[value];
            match one.source {
                Source::Age => age = one.values[value].parse().unwrap_or(0),
                Source::Sex => woman = one.values[value] == "2",
                _ => {}
            }
        }
        if members.holds(age as i64, |column| world.value(&values, column))
            && quick(&mut stream) < ward.response(age, woman)
        {
            patients.push(x);
            if patients.len() as u64 == PATIENTS {
                break;
            }
        }
    }
    patients
}

fn adjusters(world: &World, tally: &Tally) -> Vec<TrueAdjuster> {
    world.adjusters.iter().flat_map(|adjuster| levels(adjuster, world, tally)).collect()
}

fn levels(adjuster: &AdjusterEffect, world: &World, tally: &Tally) -> Vec<TrueAdjuster> {
    let column = world.characteristics.iter().position(|one| one.column == adjuster.column);
    let mut shares = vec![0.0; adjuster.levels.len() + 1];
    if let Some(column) = column {
        let all: f64 = tally.values[column].iter().sum();
        for (value, weight) in world.characteristics[column].values.iter().zip(&tally.values[column]) {
            let level = adjuster.level(value).unwrap_or(adjuster.levels.len());
            shares[level] += weight / all.max(1e-300);
        }
    }
    let named = |((level, effect), share)| TrueAdjuster {
        questionnaire: world.questionnaire.clone(),
        adjuster: adjuster.id.clone(),
        level,
        effect,
        share,
    };
    let missing = ("missing".to_owned(), adjuster.missing);
    adjuster.levels.iter().cloned().chain([missing]).zip(shares).map(named).collect()
}
