//! The work in blocks: each has its own random stream and its own rows; the blocks' rows are written in their order.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::civil::Date;
use prem_spec::Plan;
use rayon::prelude::*;

use crate::{
    SampleError, Settings, Truth,
    draw::{Purpose, round_at_random, stream},
    files::Files,
    output::{Deliveries, Output},
    reference,
    region::Region,
    register::{self, Part, Treating},
    stays,
    surveys::surveys,
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

/// The file beside the generator's data files that says that nobody's answers are in them.
pub const MARK: &str = "SYNTHETIC.txt";
const MARK_TEXT: &str =
    "The data in this folder are made up by the sample generator. They say nothing of the units they name.\n";

/// Writes `<out>/inbox/…` ([`MARK`] and files as the plan's exports declare them) and `<out>/truth/…`, and returns the truth.
///
/// The same plan and settings give the same bytes on any number of threads. Of the rows, memory holds no more than the
/// numbers of the broken ones. All files appear at the end, under their names, or none. No file has more broken rows than its
/// export accepts: where chance would break more, the last of them stay whole, and all else is drawn as it would have been.
pub fn generate(plan: &Plan, settings: &Settings, out: &Path) -> Result<Truth, SampleError> {
    settings.check()?;
    let region = Region::read()?;
    let mut surveys = surveys(plan, &region, settings)?;
    if settings.other_share == 0.0 {
        surveys.truncate(1);
    }
    let mut worlds = Vec::new();
    for (place, survey) in (0..).zip(&surveys) {
        let of_survey = if place == 0 { settings.clone() } else { settings.of_other(place) };
        worlds.push(World::new(plan, *survey, &of_survey)?);
    }
    let mut made = Made::new(plan, settings, &worlds, out)?;
    let spared = made.too_many();
    if !spared.is_empty() {
        // How long a file becomes is known when it is written: once more, with those rows whole.
        drop(made);
        worlds.iter_mut().for_each(|world| world.spared.clone_from(&spared));
        made = Made::new(plan, settings, &worlds, out)?;
    }
    let mut truth = made.truth;
    made.files.append(MARK, Vec::new, MARK_TEXT.as_bytes())?;
    truth.files = made.files.finish()?;
    truth.files.retain(|name| name != MARK);
    truth.write(&out.join("truth"))?;
    Ok(truth)
}

/// Everything that was made, under names that say it is not finished.
struct Made {
    files: Files,
    lengths: BTreeMap<String, Length>,
    truth: Truth,
}

/// How much of a file was broken.
#[derive(Default)]
struct Length {
    rows: u64,
    /// In the order of writing.
    broken: Vec<(Kind, u64)>,
    bad_share_max: f64,
}

impl Made {
    fn new(plan: &Plan, settings: &Settings, worlds: &[World], out: &Path) -> Result<Self, SampleError> {
        let Some(main) = worlds.first() else { return Err(SampleError::NoQuestionnaire) };
        let mut files = Files::new(&out.join("inbox"))?;
        let mut lengths = BTreeMap::new();
        let mut deliveries = Deliveries::new();
        reference::write(plan, main, &mut files, &mut deliveries)?;
        let mut tallies: Vec<Tally> = worlds.iter().map(Tally::new).collect();
        let amounts = amounts(worlds)?;
        let mut block_number = 0;
        for month in 0..settings.months {
            for ((place, world), tally) in worlds.iter().enumerate().zip(&mut tallies) {
                let treating: Vec<Treating> = {
                    let open = open_wards(world, month)?;
                    (0..world.region.areas.len()).map(|area| Treating::new(world, area, &open)).collect()
                };
                let blocks = amounts[place].blocks(world, month, place == 0, &mut block_number)?;
                for group in blocks.chunks(AT_ONCE) {
                    let outputs: Vec<Output> =
                        group.par_iter().map(|block| block.run(world, month, &treating)).collect();
                    for output in outputs {
                        write(world, &output, &mut files, &mut lengths)?;
                        tally.add(world, &output);
                        for (key, count) in output.deliveries {
                            *deliveries.entry(key).or_default() += count;
                        }
                    }
                }
            }
            for world in worlds {
                for kind in Kind::ALL {
                    files.close(&file_name(world, kind, month)?);
                }
            }
        }
        let mut truth = truth::begin(plan, settings, main, &deliveries);
        for (world, tally) in worlds.iter().zip(&tallies) {
            truth::add(&mut truth, plan, world, tally);
        }
        Ok(Self { files, lengths, truth })
    }

    /// The broken rows beyond what their files may have, the last of each.
    fn too_many(&self) -> BTreeSet<(Kind, u64)> {
        let beyond = |length: &Length| {
            let accepted = (length.bad_share_max * length.rows as f64).floor() as usize;
            length.broken.iter().skip(accepted).copied().collect::<Vec<_>>()
        };
        self.lengths.values().flat_map(beyond).collect()
    }
}

/// Amounts of each survey; the other surveys' stays are among the contacts that the main one's settings ask for.
fn amounts(worlds: &[World]) -> Result<Vec<Amounts>, SampleError> {
    let mut all: Vec<Amounts> = worlds.iter().map(Amounts::new).collect::<Result<_, _>>()?;
    let others: f64 = all.iter().skip(1).map(|amounts| amounts.stays_in_all).sum();
    let months = worlds.first().map_or(1, |world| world.settings.months);
    if let Some(main) = all.first_mut() {
        main.ordinary = (main.ordinary - others / f64::from(months)).max(0.0);
    }
    Ok(all)
}

fn write(
    world: &World,
    output: &Output,
    files: &mut Files,
    lengths: &mut BTreeMap<String, Length>,
) -> Result<(), SampleError> {
    for ((kind, month), lines) in &output.files {
        let (name, sheet) = (file_name(world, *kind, *month)?, world.tables.sheet(*kind));
        files.append(&name, || sheet.table.header(), &lines.bytes)?;
        let length = lengths.entry(name).or_default();
        length.rows += lines.rows;
        length.broken.extend(lines.broken.iter().map(|number| (*kind, *number)));
        length.bad_share_max = sheet.bad_share_max;
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
    /// Expected stays of the whole span.
    stays_in_all: f64,
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
        Ok(Self { stays, stays_in_all: stays * sizes, ordinary })
    }

    /// Blocks of stays, and with `with_register` those of other contacts.
    fn blocks(
        &self,
        world: &World,
        month: u32,
        with_register: bool,
        number: &mut u64,
    ) -> Result<Vec<Block>, SampleError> {
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
        for area in (0..world.region.areas.len()).filter(|_| with_register) {
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
