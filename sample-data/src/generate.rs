//! The work in blocks: each has its own random stream and its own rows; the blocks' rows are written in their order.

use std::path::Path;

use jiff::civil::Date;
use prem_spec::Plan;
use rayon::prelude::*;

use crate::{
    SampleError, Settings, Truth,
    draw::{Purpose, round_at_random, stream},
    files::Files,
    output::{Deliveries, Output},
    reference,
    register::{self, Part, Treating},
    stays,
    tables::Kind,
    tally::Tally,
    truth,
    world::World,
};

/// Stays or contacts in a block: it bounds memory, and decides which random numbers a stay sees.
const BLOCK: u64 = 8_192;
/// Numbers reserved for a block, so that ids need no counter across blocks.
const NUMBERS: u64 = 2 * BLOCK;
/// Blocks whose rows are in memory at the same time.
const AT_ONCE: usize = 16;

/// Writes `<out>/inbox/…` (files as the plan's exports declare them) and `<out>/truth/…`, and returns the truth.
///
/// The same plan and settings give the same bytes on any number of threads. Memory does not grow with the number of
/// rows. All files appear at the end, under their names, or none.
pub fn generate(plan: &Plan, settings: &Settings, out: &Path) -> Result<Truth, SampleError> {
    let world = World::new(plan, settings)?;
    let mut files = Files::new(&out.join("inbox"))?;
    let mut tally = Tally::new(&world);
    let mut deliveries = Deliveries::new();
    reference::write(plan, &world, &mut files, &mut deliveries)?;
    let amounts = Amounts::new(&world)?;
    let mut block_number = 0;
    for month in 0..settings.months {
        let treating: Vec<Treating> = {
            let open = open_wards(&world, month)?;
            (0..world.region.areas.len()).map(|area| Treating::new(&world, area, &open)).collect()
        };
        let blocks = amounts.blocks(&world, month, &mut block_number)?;
        for group in blocks.chunks(AT_ONCE) {
            let outputs: Vec<Output> = group.par_iter().map(|block| block.run(&world, month, &treating)).collect();
            for output in outputs {
                write(&world, &output, &mut files)?;
                tally.add(&world, &output);
                for (key, count) in output.deliveries {
                    *deliveries.entry(key).or_default() += count;
                }
            }
        }
        for kind in Kind::ALL {
            files.close(&file_name(&world, kind, month)?);
        }
    }
    let mut truth = truth::make(plan, &world, &tally, &deliveries);
    truth.files = files.finish()?;
    truth.write(&out.join("truth"))?;
    Ok(truth)
}

fn write(world: &World, output: &Output, files: &mut Files) -> Result<(), SampleError> {
    for ((kind, month), rows) in &output.files {
        files.append(&file_name(world, *kind, *month)?, || world.tables.sheet(*kind).table.header(), rows)?;
    }
    Ok(())
}

fn file_name(world: &World, kind: Kind, month: u32) -> Result<String, SampleError> {
    let first = month_start(&world.settings, month)?;
    Ok(world.tables.sheet(kind).table.file_name(&format!("{:04}-{:02}", first.year(), first.month())))
}

fn month_start(settings: &Settings, month: u32) -> Result<Date, SampleError> {
    settings.month(month).ok_or_else(|| SampleError::Setting {
        name: "months",
        value: settings.months.to_string(),
        expected: "months within the calendar",
    })
}

fn open_wards(world: &World, month: u32) -> Result<Vec<usize>, SampleError> {
    let (from, to) = (month_start(&world.settings, month)?, month_start(&world.settings, month + 1)?);
    let open: Vec<usize> = (0..world.wards.len()).filter(|&ward| world.wards[ward].is_open(from, to)).collect();
    if open.is_empty() {
        return Err(SampleError::NoWard { month: format!("{:04}-{:02}", from.year(), from.month()) });
    }
    Ok(open)
}

/// How many stays and ordinary contacts the settings ask for.
struct Amounts {
    /// Stays a month of a ward of size 1.
    stays: f64,
    /// Ordinary contacts a month in the region.
    ordinary: f64,
}

impl Amounts {
    fn new(world: &World) -> Result<Self, SampleError> {
        let settings = &world.settings;
        let (mut responses, mut sizes) = (0.0, 0.0);
        for month in 0..settings.months {
            for ward in open_wards(world, month)? {
                let ward = &world.wards[ward];
                // Some answers stray or break, and are not what was asked for.
                responses += ward.size * ward.expected_responses(&world.characteristics);
                sizes += ward.size;
            }
        }
        let stays = settings.responses as f64 / responses;
        let events = if world.rates.is_empty() { 0.0 } else { settings.contacts as f64 * settings.rate_share };
        let ordinary = (settings.contacts as f64 - stays * sizes - events).max(0.0) / f64::from(settings.months);
        Ok(Self { stays, ordinary })
    }

    fn blocks(&self, world: &World, month: u32, number: &mut u64) -> Result<Vec<Block>, SampleError> {
        let mut blocks = Vec::new();
        for ward in open_wards(world, month)? {
            let mut sizes = stream(world.settings.seed, Purpose::Sizes, month, ward, 0);
            let stays = round_at_random(&mut sizes, self.stays * world.wards[ward].size);
            for part in 0..stays.div_ceil(BLOCK) {
                let count = BLOCK.min(stays - part * BLOCK);
                blocks.push(Block { first_number: *number * NUMBERS, part, task: Task::Stays { ward, count } });
                *number += 1;
            }
        }
        let year = world.population.year(world.year_of(month));
        for area in 0..world.region.areas.len() {
            let ordinary = self.ordinary * year.areas[area].persons() as f64 / year.persons() as f64;
            let events: f64 = world.rates.iter().map(|source| source.events(year, area).0 / 12.0).sum();
            let parts = ((ordinary + events) / BLOCK as f64).ceil().max(1.0) as u64;
            for part in 0..parts {
                let task = Task::Contacts { area, parts, ordinary };
                blocks.push(Block { first_number: *number * NUMBERS, part, task });
                *number += 1;
            }
        }
        Ok(blocks)
    }
}

struct Block {
    first_number: u64,
    part: u64,
    task: Task,
}

enum Task {
    Stays { ward: usize, count: u64 },
    Contacts { area: usize, parts: u64, ordinary: f64 },
}

impl Block {
    fn run(&self, world: &World, month: u32, treating: &[Treating]) -> Output {
        let seed = world.settings.seed;
        match self.task {
            Task::Stays { ward, count } => {
                let mut stream = stream(seed, Purpose::Stays, month, ward, self.part);
                let numbers = self.first_number..self.first_number + count;
                stays::stays(world, month, ward, numbers, &mut stream)
            }
            Task::Contacts { area, parts, ordinary } => {
                let mut stream = stream(seed, Purpose::Register, month, area, self.part);
                let treating = &treating[area];
                let part = Part { month, area, parts, ordinary, treating, first_number: self.first_number };
                register::contacts(world, &part, &mut stream)
            }
        }
    }
}
