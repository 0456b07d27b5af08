//! What a run is a function of. The same inputs, the same run id, nothing to do.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{DeliveryMode, Indicator, Level, Link, Plan};
use prem_stages::{LinkInputs, METHOD_VERSION, Part, Replaces};
use prem_store::{Covered, Delivery, Refusal, Store, sha256_hex};
use serde::Serialize;

use crate::{
    cli::RunArgs,
    manifest::{self, Manifest},
    sample,
    session::Session,
};

/// Length of a run id: 64 bits of the hash, in hexadecimal.
const RUN_ID_LENGTH: usize = 16;

/// The deliveries a run sees, in sequence order, and what it holds back.
#[derive(Debug, Clone)]
pub struct Inputs {
    pub run_id: String,
    pub deliveries: Vec<Delivery>,
    /// Indicators that depend on an export with a refused file, with that export's name.
    pub held_back: BTreeMap<String, String>,
    /// Indicators that need a dataset of which nothing was delivered, with that dataset's name.
    pub without_data: BTreeMap<String, String>,
    /// Indicators to estimate.
    pub indicators: Vec<String>,
}

/// The fields of the run id. Times of delivery are not among them: they decide which deliveries are seen and in what order, not
/// what they say.
#[derive(Serialize)]
struct Identity<'a> {
    program: &'a str,
    methods: &'a str,
    plan: &'a str,
    seed: u64,
    deliveries: Vec<Seen<'a>>,
    periods: Vec<String>,
    indicators: &'a [String],
    units: &'a [String],
    /// A narrowed run never shares the id of a whole one, so it can never replace its release.
    is_narrowed: bool,
    held_back: &'a BTreeMap<String, String>,
    language: &'a str,
    is_synthetic: bool,
}

/// What a delivery says: its bytes, its place among others, and what it replaces.
#[derive(Serialize)]
pub struct Seen<'a> {
    dataset: &'a str,
    export: &'a str,
    sequence: &'a str,
    /// With what erasures left of it.
    content: String,
    mode: DeliveryMode,
    covers: Option<&'a Covered>,
}

impl<'a> Seen<'a> {
    pub fn of(delivery: &'a Delivery) -> Self {
        Self {
            dataset: &delivery.dataset,
            export: &delivery.export,
            sequence: &delivery.sequence,
            content: delivery.content_key(),
            mode: delivery.mode,
            covers: delivery.covers.as_ref(),
        }
    }
}

impl Inputs {
    pub fn of(session: &Session, deliveries: Vec<Delivery>, refused: &[Refusal], args: &RunArgs) -> Self {
        let mut deliveries = deliveries;
        deliveries.sort_by(Delivery::cmp_sequence);
        let held_back = held_back(&session.plan, refused);
        let is_wanted = |id: &String| args.indicators.is_empty() || args.indicators.contains(id);
        let mut without_data = without_data(&session.plan, &deliveries);
        without_data.retain(|id, _| is_wanted(id) && !held_back.contains_key(id));
        let indicators: Vec<String> = session
            .plan
            .indicators
            .keys()
            .filter(|id| is_wanted(id) && !held_back.contains_key(*id) && !without_data.contains_key(*id))
            .cloned()
            .collect();
        let identity = Identity {
            program: env!("CARGO_PKG_VERSION"),
            methods: METHOD_VERSION,
            plan: &session.plan_hash,
            seed: session.config.seed,
            deliveries: deliveries.iter().map(Seen::of).collect(),
            periods: args.periods.iter().map(ToString::to_string).collect(),
            indicators: &indicators,
            units: &args.units,
            is_narrowed: args.is_narrowed(),
            held_back: &held_back,
            language: session.config.language.as_str(),
            is_synthetic: sample::is_synthetic(&session.config),
        };
        let mut run_id = hash_of(&identity);
        run_id.truncate(RUN_ID_LENGTH);
        Self { run_id, deliveries, held_back, without_data, indicators }
    }

    /// The deliveries that a release was made of, for one indicator; `None` where the store has not all of them any more.
    pub fn of_release(released: &Manifest, deliveries: Vec<Delivery>, indicator: &str) -> Option<Self> {
        let mut wanted: Vec<&manifest::Input> = released.inputs.iter().collect();
        let mut found: Vec<Delivery> = Vec::with_capacity(wanted.len());
        for delivery in deliveries {
            if let Some(place) = wanted.iter().position(|input| input.is_of(&delivery)) {
                wanted.swap_remove(place);
                found.push(delivery);
            }
        }
        found.sort_by(Delivery::cmp_sequence);
        wanted.is_empty().then(|| Self {
            run_id: released.run_id.clone(),
            deliveries: found,
            held_back: released.held_back.clone(),
            without_data: released.without_data.clone(),
            indicators: vec![indicator.to_owned()],
        })
    }

    /// The parts of `dataset`, of the exports that `is_wanted`, in sequence order.
    pub fn parts(&self, plan: &Plan, store: &Store, dataset: &str, is_wanted: impl Fn(&str) -> bool) -> Vec<Part> {
        self.of_dataset(dataset)
            .filter(|delivery| is_wanted(&delivery.export))
            .filter_map(|delivery| part(plan, store, delivery))
            .collect()
    }

    pub fn of_dataset<'a>(&'a self, dataset: &'a str) -> impl Iterator<Item = &'a Delivery> {
        self.deliveries.iter().filter(move |delivery| delivery.dataset == dataset)
    }

    /// What linking `questionnaire` reads.
    pub fn link_inputs(&self, plan: &Plan, store: &Store, questionnaire: &str) -> LinkInputs {
        let holds = |export: &str| {
            plan.exports.get(export).is_some_and(|export| export.questionnaire.as_deref() == Some(questionnaire))
        };
        LinkInputs {
            responses: self.parts(plan, store, "responses", holds),
            invitations: self.parts(plan, store, "invitations", |_| true),
            contacts: self.parts(plan, store, "contacts", |_| true),
        }
    }

    /// Erasures that took rows of these deliveries after they were registered: what an earlier run may have read and this
    /// one cannot.
    pub fn later_erasures(&self) -> u64 {
        let numbers: BTreeSet<u64> = self.deliveries.iter().flat_map(|of| of.erasures.keys().copied()).collect();
        numbers.len() as u64
    }

    /// Questionnaires that an indicator of this run reads.
    pub fn questionnaires<'a>(&self, plan: &'a Plan) -> BTreeSet<&'a str> {
        let read = self.indicators.iter().filter_map(|id| plan.indicators.get(id));
        read.filter_map(|indicator| indicator.population.questionnaire.as_deref()).collect()
    }

    pub fn has_rates(&self, plan: &Plan) -> bool {
        self.indicators.iter().filter_map(|id| plan.indicators.get(id)).any(|indicator| indicator.measure.is_rate())
    }
}

/// A delivery's rows as the stages read them; `None` where its export is not declared any more.
pub fn part(plan: &Plan, store: &Store, delivery: &Delivery) -> Option<Part> {
    let export = plan.exports.get(&delivery.export)?;
    Some(Part {
        rows: store.rows_path(delivery),
        export: export.name.clone(),
        source: export.source.clone(),
        replaces: replaces(delivery),
        kept: delivery.counts.kept,
    })
}

fn replaces(delivery: &Delivery) -> Replaces {
    match (delivery.mode, &delivery.covers) {
        (DeliveryMode::Snapshot, _) => Replaces::Everything,
        (DeliveryMode::ReplacePeriod, Some(covers)) => {
            Replaces::Months { column: covers.column.clone(), months: covers.months.clone() }
        }
        (DeliveryMode::Upsert | DeliveryMode::ReplacePeriod, _) => Replaces::Keys,
    }
}

/// SHA-256 of a value's JSON.
pub fn hash_of(value: &impl Serialize) -> String {
    // Plain structs and maps with string keys always serialise.
    sha256_hex(&serde_json::to_vec(value).unwrap_or_default())
}

/// A refused file holds back the indicators that would need its rows.
fn held_back(plan: &Plan, refused: &[Refusal]) -> BTreeMap<String, String> {
    let mut held = BTreeMap::new();
    for refusal in refused {
        let of_questionnaire = plan.exports.get(&refusal.export).and_then(|export| export.questionnaire.as_ref());
        for indicator in plan.indicators.values() {
            let questionnaire = indicator.population.questionnaire.as_ref().and_then(|id| plan.questionnaires.get(id));
            let reads = match (refusal.dataset.as_str(), questionnaire) {
                ("responses", Some(questionnaire)) => of_questionnaire == Some(&questionnaire.id),
                ("invitations" | "contacts", Some(questionnaire)) => matches!(questionnaire.link, Link::Contact { .. }),
                ("contacts" | "population" | "catchment", None) => indicator.measure.is_rate(),
                _ => false,
            };
            if reads {
                held.insert(indicator.id.clone(), refusal.export.clone());
            }
        }
    }
    held
}

/// Rates count contacts, and answers that link via contacts are placed by them: where none were delivered, such indicators
/// wait, and the others go on. A survey without answers has nothing to place.
fn without_data(plan: &Plan, deliveries: &[Delivery]) -> BTreeMap<String, String> {
    const CONTACTS: &str = "contacts";
    let exports = |dataset: &'static str| {
        let of_dataset = deliveries.iter().filter(move |delivery| delivery.dataset == dataset);
        of_dataset.filter_map(|delivery| plan.exports.get(&delivery.export))
    };
    if exports(CONTACTS).next().is_some() {
        return BTreeMap::new();
    }
    let answered: BTreeSet<&String> = exports("responses").filter_map(|export| export.questionnaire.as_ref()).collect();
    let needs_contacts = |indicator: &&Indicator| match plan.questionnaire_of(indicator) {
        Some(questionnaire) => {
            matches!(questionnaire.link, Link::Contact { .. }) && answered.contains(&questionnaire.id)
        }
        None => indicator.measure.is_rate(),
    };
    let waiting = plan.indicators.values().filter(needs_contacts);
    waiting.map(|indicator| (indicator.id.clone(), CONTACTS.to_owned())).collect()
}

/// The trusts that hold one of `units`; all where none is named.
pub fn trusts_of(plan: &Plan, units: &[String]) -> Option<BTreeSet<String>> {
    if units.is_empty() {
        return None;
    }
    let trust = |unit: &String| Some(plan.organisation.ancestor_at(unit, Level::Hf)?.id.clone());
    Some(units.iter().filter_map(trust).collect())
}
