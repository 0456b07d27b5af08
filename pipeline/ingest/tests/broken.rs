//! A random share of rows broken in random ways: the counts are what was broken, per reason and line, and every row is accounted
//! for. Each way stands here with the one reason that it must be counted under.

use std::collections::{BTreeMap, BTreeSet};

use prem_ingest::Limits;
use prem_spec::model::{Code, Column, ColumnKind, Condition, OnBreak, Plan, RuleKind, Text};

use crate::fixture::{Tried, column, ingest_with, plan, rule};

const ROWS: usize = 1_200;
const SEEDS: u64 = 6;

/// A small generator of its own (SplitMix64): the same seed breaks the same rows.
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).expect("below a usize")
    }
}

/// The fixture's columns, and those that rules need.
fn checked_plan() -> Plan {
    let mut plan = plan();
    let dataset = plan.datasets.get_mut("stays").unwrap();
    let codes = |codes: &[&str]| ColumnKind::Code {
        codes: codes.iter().map(|code| Code { code: (*code).to_owned(), label: Text::default() }).collect(),
    };
    dataset.columns.extend([
        Column { unique: true, ..column("serial", ColumnKind::Integer { min: 0, max: i64::MAX }) },
        column("days", ColumnKind::Integer { min: 0, max: 400 }),
        column("paid", ColumnKind::Number { min: 0.0, max: 400.0 }),
        column("surgery", codes(&["1", "2"])),
        column("wound", codes(&["1", "2", "3"])),
        column("contact", ColumnKind::Text { max_length: 30, pattern: None }),
        column("other", ColumnKind::Text { max_length: 30, pattern: None }),
    ]);
    let when = |column: &str, codes: &[&str]| {
        vec![Condition { column: column.to_owned(), codes: codes.iter().map(|code| (*code).to_owned()).collect() }]
    };
    let name = str::to_owned;
    dataset.rules.extend([
        rule("paid-days", RuleKind::LessOrEqual { smaller: name("paid"), larger: name("days") }, OnBreak::Row),
        rule("women-weigh", RuleKind::RequiredIf { column: name("weight"), when: when("sex", &["2"]) }, OnBreak::Row),
        rule("wound-after", RuleKind::OnlyIf { column: name("wound"), when: when("surgery", &["1"]) }, OnBreak::Cell),
        rule("diagnosed", RuleKind::OnlyIf { column: name("diagnoses"), when: when("admitted", &[]) }, OnBreak::Row),
        rule("reachable", RuleKind::OneOfPresent { columns: vec![name("contact"), name("other")] }, OnBreak::Row),
    ]);
    plan
}

const HEADER: &str = "id;unit;sex;mode;diagnoses;age;weight;admitted;discharged;consent;person;serial;days;paid;surgery;wound;contact;other";

/// A row that breaks nothing.
fn good(row: usize) -> Vec<String> {
    let sex = ["0", "1", "2", "9"][row % 4];
    let cells = [
        &format!("a-{row}"),
        "W1",
        sex,
        "web",
        "i21 k70",
        "67",
        "71,5",
        "2025-01-30T12:15",
        "31.01.2025",
        "1",
        "01010112345",
        &row.to_string(),
        "3",
        "2,5",
        "1",
        "2",
        "post",
        "",
    ];
    cells.iter().map(|cell| (*cell).to_owned()).collect()
}

/// A way to break a row: the cells to replace, and the reason.
const WAYS: [(&[(usize, &str)], &str); 22] = [
    (&[(0, "")], "missing-required"),
    (&[(0, "NULL")], "missing-required"),
    (&[(0, "A_1")], "pattern"),
    (&[(1, "W12345")], "too-long"),
    (&[(1, "W\u{1}")], "control-character"),
    (&[(2, "7")], "not-a-code"),
    (&[(3, "Web")], "not-a-code"),
    (&[(4, "I21 7")], "pattern"),
    (&[(5, "1e3")], "not-a-number"),
    (&[(5, "121")], "out-of-range"),
    (&[(6, "71.5")], "not-a-number"),
    (&[(7, "2025-01-30T25:00")], "not-a-date"),
    (&[(8, "31.02.2025")], "not-a-date"),
    (&[(8, "29.01.2025")], "rule:stay-order"),
    (&[(9, "ja")], "not-a-boolean"),
    (&[(16, "15076500565")], "identity-number"),
    (&[(16, "kari@nordmann.no")], "contact-details"),
    (&[(13, "3,01")], "rule:paid-days"),
    (&[(2, "2"), (6, "")], "rule:women-weigh"),
    (&[(7, "")], "rule:diagnosed"),
    (&[(16, ""), (17, "NULL")], "rule:reachable"),
    (&[(1, "\"W\"1")], "malformed-quote"),
];
/// Ways that are no replaced cell.
const FIELD_LOST: usize = WAYS.len();
const BAD_BYTE: usize = FIELD_LOST + 1;
const REPEATED: usize = BAD_BYTE + 1;
/// Kept, with a cell set to missing.
const NOT_ASKED: usize = REPEATED + 1;
/// Kept as it is: a rule that lacks a value breaks nothing.
const NOT_SAID: usize = NOT_ASKED + 1;
/// Kept: the dataset's key may stand again, since a later row replaces an earlier one.
const KEY_REPEATED: usize = NOT_SAID + 1;
/// Two or three cells at once, and perhaps a rule and a repeated value besides; the first column's reason counts.
const SEVERAL: usize = KEY_REPEATED + 1;
const ALL_WAYS: usize = SEVERAL + 1;

/// Columns that a way's reason depends on.
fn columns_of(way: usize) -> Vec<usize> {
    match WAYS[way].1 {
        "rule:stay-order" => vec![7, 8],
        "rule:paid-days" => vec![12, 13],
        "rule:diagnosed" => vec![4, 7],
        _ => WAYS[way].0.iter().map(|(place, _)| *place).collect(),
    }
}

/// Ways that break different columns, those of single cells first and in the order of their columns.
fn several(draw: &mut Draw) -> Vec<usize> {
    let is_of_one_cell = |way: &usize| !WAYS[*way].1.starts_with("rule:") && WAYS[*way].1 != "malformed-quote";
    let add = |ways: &mut Vec<usize>, way: usize| {
        let taken: Vec<usize> = ways.iter().flat_map(|way| columns_of(*way)).collect();
        if !columns_of(way).iter().any(|column| taken.contains(column)) {
            ways.push(way);
        }
    };
    let mut ways = Vec::new();
    let count = 2 + draw.below(2);
    while ways.len() < count {
        let way = draw.below(WAYS.len());
        if is_of_one_cell(&way) {
            add(&mut ways, way);
        }
    }
    ways.sort_by_key(|way| WAYS[*way].0[0].0);
    let rule = draw.below(WAYS.len());
    if WAYS[rule].1.starts_with("rule:") {
        add(&mut ways, rule);
    }
    ways
}

#[derive(Default)]
struct Broken {
    file: Vec<u8>,
    /// Line → reason.
    lines: BTreeMap<i64, String>,
    cleared: u64,
    kept: u64,
}

fn broken(seed: u64) -> Broken {
    let mut draw = Draw(seed);
    let mut broken = Broken { file: format!("{HEADER}\n").into_bytes(), ..Broken::default() };
    let mut serials: Vec<usize> = Vec::new();
    for row in 0..ROWS {
        let line = row as i64 + 2;
        let mut cells = good(row);
        let way = if draw.below(10) < 3 { Some(draw.below(ALL_WAYS)) } else { None };
        let mut reason = None;
        match way {
            Some(way) if way < WAYS.len() => {
                let (changes, why) = WAYS[way];
                changes.iter().for_each(|(place, value)| cells[*place] = (*value).to_owned());
                reason = Some(why);
            }
            Some(FIELD_LOST) => {
                cells.pop();
                reason = Some("wrong-field-count");
            }
            Some(REPEATED) if !serials.is_empty() => {
                cells[11] = serials[draw.below(serials.len())].to_string();
                reason = Some("not-unique");
            }
            Some(NOT_ASKED) => {
                cells[14] = "2".to_owned();
                broken.cleared += 1;
            }
            Some(NOT_SAID) => cells[14] = String::new(),
            Some(KEY_REPEATED) if row > 0 => cells[0] = format!("a-{}", draw.below(row)),
            Some(SEVERAL) => {
                let ways = several(&mut draw);
                let changes = ways.iter().flat_map(|way| WAYS[*way].0);
                changes.for_each(|(place, value)| cells[*place] = (*value).to_owned());
                if !serials.is_empty() && draw.below(2) == 0 {
                    cells[11] = serials[draw.below(serials.len())].to_string();
                }
                reason = Some(WAYS[ways[0]].1);
            }
            _ => {}
        }
        let mut text = cells.join(";").into_bytes();
        if way == Some(BAD_BYTE) {
            text[2] = 0xff;
            reason = Some("not-utf8");
        }
        text.push(b'\n');
        broken.file.extend(text);
        match reason {
            Some(reason) => _ = broken.lines.insert(line, reason.to_owned()),
            None => {
                serials.push(row);
                broken.kept += 1;
            }
        }
    }
    broken
}

fn first_reasons(tried: &Tried) -> BTreeMap<i64, String> {
    let mut first = BTreeMap::new();
    for row in tried.quarantine() {
        assert_eq!(row.source_file, "stays_1.csv");
        first.entry(row.line).or_insert(row.reason);
    }
    first
}

#[test]
fn what_was_broken_is_what_is_counted() {
    let mut seen = BTreeSet::new();
    for seed in 1..=SEEDS {
        let broken = broken(seed);
        // Unique values in memory, some of them, none.
        for (chunk_bytes, unique_values_max) in [(700, 1 << 20), (1 << 20, 1 << 20), (700, 300), (1 << 20, 0)] {
            let limits = Limits { chunk_bytes, unique_values_max, ..Limits::default() };
            let tried = ingest_with(&checked_plan(), &broken.file, limits);
            let counts = &tried.taken().counts;
            let mut expected: BTreeMap<String, u64> = BTreeMap::new();
            for reason in broken.lines.values() {
                *expected.entry(reason.clone()).or_default() += 1;
            }
            assert_eq!(counts.quarantined, expected, "seed {seed}");
            assert_eq!((counts.rows_in, counts.kept), (ROWS as u64, broken.kept), "seed {seed}");
            assert_eq!(tried.rows().len() as u64, broken.kept, "seed {seed}");
            assert_eq!(first_reasons(&tried), broken.lines, "seed {seed}");
            let cleared = counts.cleared.get("wound").and_then(|reasons| reasons.get("rule:wound-after"));
            assert_eq!(cleared.copied().unwrap_or_default(), broken.cleared, "seed {seed}");
            // The person's pseudonym identifies: it never stands in quarantine.
            assert!(
                tried.quarantine().iter().all(|row| row.column.as_deref() != Some("person") || row.value.is_none())
            );
        }
        seen.extend(broken.lines.into_values());
    }
    // Every reason that a text file can give was drawn at least once.
    assert_eq!(seen.len(), 20, "{seen:?}");
}

#[test]
fn a_refusal_names_the_first_bad_rows_and_all_reasons() {
    let mut plan = checked_plan();
    crate::fixture::export(&mut plan).max_bad_share = 0.05;
    let broken = broken(1);
    let tried = ingest_with(&plan, &broken.file, Limits::default());
    let refusal = tried.refusal();
    let told = refusal.to_string();
    let expected: Vec<(u64, &str)> =
        broken.lines.iter().map(|(line, reason)| (*line as u64, reason.as_str())).take(10).collect();
    let named: Vec<(u64, &str)> = refusal.first.iter().map(|row| (row.line, row.reason.as_str())).collect();
    assert_eq!(named, expected);
    assert!(told.contains(&format!("The first: line {} ", expected[0].0)), "{told}");
    assert_eq!(refusal.counts.quarantined.values().sum::<u64>(), broken.lines.len() as u64);
    for cell in ["15076500565", "kari@nordmann.no"] {
        assert!(!told.contains(cell), "{told}");
    }
}
