//! Other register contacts of one area's residents in a month: events of the rate indicators, and ordinary contacts.

use crate::{
    contact::{Contact, discharge_minute, duration},
    draw::{Choice, Stream, below, chance, poisson},
    output::Output,
    population::{AGES, Year},
    tables::Kind,
    wards::Ward,
    world::World,
};

/// Share of contacts that continue in another ward within some hours: two contacts, one episode.
const TRANSFER_SHARE: f64 = 0.03;
const TRANSFER_GAP_MINUTES: usize = 300;
/// Ordinary contacts by care level: inpatient, day, outpatient.
const CARE_LEVELS: [(&str, f64); 3] = [("1", 0.15), ("2", 0.2), ("3", 0.65)];
/// Ordinary contacts fall on few persons: a person's number within a cell is n·u³.
const SKEW: i32 = 3;

/// Where residents of an area are treated in a month.
pub(crate) struct Treating {
    own: Option<(Vec<usize>, Choice)>,
    any: (Vec<usize>, Choice),
}

impl Treating {
    pub(crate) fn new(world: &World, area: usize, open: &[usize]) -> Self {
        let by_size = |wards: Vec<usize>| {
            let choice = Choice::new(wards.iter().map(|&ward| world.wards[ward].size));
            (wards, choice)
        };
        let own: Vec<usize> = open.iter().copied().filter(|&ward| world.wards[ward].area == Some(area)).collect();
        Self { own: (!own.is_empty()).then(|| by_size(own)), any: by_size(open.to_vec()) }
    }

    fn draw<'a>(&self, world: &'a World, stream: &mut Stream) -> &'a Ward {
        let own = self.own.as_ref().filter(|_| chance(stream, world.region.own_trust_share));
        let (wards, choice) = own.unwrap_or(&self.any);
        &world.wards[wards[choice.draw(stream)]]
    }
}

/// One of `parts` equal parts of an area's contacts in a month.
pub(crate) struct Part<'a> {
    pub(crate) month: u32,
    pub(crate) area: usize,
    pub(crate) parts: u64,
    /// Expected ordinary contacts of all parts.
    pub(crate) ordinary: f64,
    pub(crate) treating: &'a Treating,
    pub(crate) first_number: u64,
}

pub(crate) fn contacts(world: &World, part: &Part<'_>, stream: &mut Stream) -> Output {
    let year = world.population.year(world.year_of(part.month));
    let mut block = Block { world, part, year, number: part.first_number, output: Output::default(), stream };
    for source in &world.rates {
        let (events, who) = source.events(year, part.area);
        for _ in 0..poisson(block.stream, events / 12.0 / part.parts as f64) {
            let variant = &source.variants[below(block.stream, source.variants.len())];
            let cell = who.draw(block.stream);
            block.write(cell, 1, false, &variant.care_level, &variant.urgency, |_| {
                (&variant.diagnosis, "", &variant.procedure, "")
            });
        }
    }
    let users = &world.users[usize::try_from(year.year - world.population.years()[0].year).unwrap_or(0)][part.area];
    let levels = Choice::new(CARE_LEVELS.map(|(_, share)| share));
    for _ in 0..poisson(block.stream, part.ordinary / part.parts as f64) {
        let cell = users.draw(block.stream);
        let (care_level, _) = CARE_LEVELS[levels.draw(block.stream)];
        let urgency = if chance(block.stream, 0.3) { "1" } else { "4" };
        block.write(cell, SKEW, true, care_level, urgency, |stream| {
            world
                .case(care_level, stream)
                .map_or(("", "", "", ""), |case| (&case.diagnosis, &case.other, &case.procedures, &case.drg))
        });
    }
    block.output.finish();
    block.output
}

struct Block<'a> {
    world: &'a World,
    part: &'a Part<'a>,
    year: &'a Year,
    number: u64,
    output: Output,
    stream: &'a mut Stream,
}

impl Block<'_> {
    /// Writes a contact, and before it the one that the patient was transferred from. Only ordinary contacts are broken.
    fn write<'a>(
        &mut self,
        cell: usize,
        skew: i32,
        ordinary: bool,
        care_level: &'a str,
        urgency: &'a str,
        codes: impl FnOnce(&mut Stream) -> (&'a str, &'a str, &'a str, &'a str),
    ) {
        let world = self.world;
        let (sex, age) = (cell / AGES, cell % AGES);
        let person = if ordinary {
            self.year.resident(self.stream, self.part.area, sex, age, skew)
        } else {
            self.year.resident_of_cell(self.stream, self.part.area, sex, age)
        };
        let (diagnosis, other, procedures, drg) = codes(self.stream);
        let source = &world.tables.sheet(Kind::Contacts).source;
        let progress = world.progress(self.part.month);
        let discharged = discharge_minute(world, self.part.month, self.stream);
        let admitted = discharged - duration(care_level, self.stream);
        let mut contact = Contact {
            number: self.number,
            person,
            unit_code: self.part.treating.draw(world, self.stream).code(source, progress),
            admitted,
            discharged,
            age: &world.ages[age],
            sex: if sex == 1 { "2" } else { "1" },
            urgency,
            care_level,
            diagnosis,
            other,
            procedures,
            drg,
            dead: false,
        };
        self.number += 1;
        let broken = ordinary && chance(self.stream, world.settings.broken_share);
        contact.write(world, self.part.month, broken.then_some(&mut *self.stream), &mut self.output);
        if care_level == "1" && chance(self.stream, TRANSFER_SHARE) {
            contact.number = self.number;
            contact.unit_code = self.part.treating.draw(world, self.stream).code(source, progress);
            contact.discharged = admitted - 30 - below(self.stream, TRANSFER_GAP_MINUTES) as i64;
            contact.admitted = contact.discharged - duration("1", self.stream);
            self.number += 1;
            contact.write(world, self.part.month, None, &mut self.output);
            self.output.count(Kind::Contacts, "episode", "transferred");
        }
    }
}
