//! The same answers (20 columns) as text into Parquet: our ingest with every check on, DuckDB's plain copy and pandas, alternately in
//! the same run, each in a process of its own so that its peak memory is its own. One row in a hundred is bad, in eight ways.
//!
//! Fails where the fastest of ours takes more than 1.5 times the fastest of DuckDB, where DuckDB is not there to compare with, or
//! where the bad rows found are not those that were written:
//!
//! ```sh
//! pip install duckdb pandas pyarrow
//! cargo bench -p prem-benches --bench ingest
//! ```
//!
//! `PREM_BENCH_ROWS` sets the number of rows (10 million by default, about 1.3 GB of text), `PREM_BENCH_TIMES` how often each side
//! runs (3), `PREM_BENCH_FOLDER` where files are written (default: a folder of the build), `PREM_BENCH_PEERS=0` leaves the others and
//! the comparison out, `PREM_BENCH_KEEP` keeps the files. `peers/csv_to_parquet.py` runs the peers.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a measurement that fails ends, and its result is printed"
)]

use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::Instant,
};

use prem_benches::{Times, memory::peak_megabytes, setting};
use prem_ingest::{IngestOptions, ingest_file};
use prem_spec::{SourceFile, compile, model::Plan};

/// Our time over DuckDB's, at most.
const RATIO_MAX: f64 = 1.5;
const ITEMS: usize = 9;
/// One row in this many is bad.
const BAD_EVERY: u64 = 100;
/// Which of them.
const BAD_AT: u64 = 37;

/// Patterns, codes, ranges, a unique column, required ones and rules across columns; no column is without a check.
const DATASET: &str = r#"
name = "answers"
version = "1"
title = "Svar"
row = "et svar"
key = ["response_id"]
column = [
  { name = "response_id", type = "text", required = true, max_length = 16, pattern = "r[0-9]{9}", description = "Id" },
  { name = "serial", type = "integer", required = true, unique = true, min = 1, max = 999999999, description = "Nummer" },
  { name = "contact_id", type = "text", pattern = "c[0-9]{9}", description = "Kontakt" },
  { name = "form", type = "text", required = true, max_length = 8, pattern = "[a-z]+-[0-9]", description = "Skjema" },
  { name = "unit_code", type = "text", required = true, pattern = "W[0-9]{4}", description = "Enhet" },
  { name = "admitted_on", type = "date", min = 2024-01-01, max = 2026-12-31, description = "Inn" },
  { name = "discharged_on", type = "date", required = true, min = 2024-01-01, max = 2026-12-31, description = "Ut" },
  { name = "answered_on", type = "date", required = true, min = 2024-01-01, max = 2026-12-31, description = "Svart" },
  { name = "mode", type = "code", codes = { paper = "Papir", digital = "Digitalt" }, description = "Måte" },
  { name = "language", type = "code", codes = { nb = "Bokmål", nn = "Nynorsk", en = "Engelsk" }, description = "Språk" },
  { name = "weight", type = "number", min = 0.0, max = 50.0, description = "Vekt" },
"#;
const RULES: &str = r#"
rule = [
  { id = "out-after-in", type = "later-or-equal", earlier = "admitted_on", later = "discharged_on" },
  { id = "answer-after-out", type = "later-or-equal", earlier = "discharged_on", later = "answered_on" },
  { id = "paper-has-language", type = "required-if", column = "language", when = { column = "mode", codes = ["paper"] } },
]
"#;
const EXPORT: &str = r#"
name = "answers"
dataset = "answers"
source = "survey"
files = ["*.csv"]
mode = "upsert"
sequence = "file-name"
format = { type = "delimited", decimal = "." }
"#;

fn plan() -> Plan {
    let mut dataset = DATASET.to_owned();
    for item in 1..=ITEMS {
        let codes = "codes = { 1 = \"1\", 2 = \"2\", 3 = \"3\", 4 = \"4\", 5 = \"5\", 9 = \"Vet ikke\" }";
        _ = writeln!(dataset, "  {{ name = \"item_{item}\", type = \"code\", {codes}, description = \"Spørsmål\" }},");
    }
    _ = writeln!(dataset, "]\n{RULES}");
    let sources = [("datasets/answers.toml", dataset.as_str()), ("exports/answers.toml", EXPORT)];
    let sources = sources.map(|(name, text)| SourceFile::new(name, text));
    let compiled = compile(&sources);
    compiled.plan.unwrap_or_else(|| panic!("sound declarations, not {:?}", compiled.diagnostics))
}

/// A mixer of 64 bits: the same file everywhere.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

/// One row; `bad` says in which of eight ways it is bad. Every way leaves the types that a reader of CSV finds for the columns.
fn write_row(line: &mut String, row: u64, bad: Option<u64>) {
    let is = |way: u64| bad == Some(way);
    let chance = mixed(row);
    let (month, day) = (chance % 12 + 1, chance / 12 % 9 + 1);
    let serial = if is(1) { row } else { row + 1 };
    let contact = chance % 1_000_000_000;
    let unit = if is(2) { String::new() } else { format!("W{:04}", chance >> 20 & 0x7ff) };
    let out = if is(3) { day } else { day + 10 };
    let admitted = if is(3) { day + 10 } else { day };
    let answered_in = if is(4) { 2030 } else { 2025 };
    let mode = if is(5) { "fax" } else { ["paper", "digital"][(chance & 1) as usize] };
    let language = ["nb", "nb", "nn", "en"][(chance >> 8 & 3) as usize];
    let weight = if is(6) { 99.5 } else { f64::from((chance >> 40 & 0xff) as u8) / 16.0 };
    let id = if is(0) { "R" } else { "r" };
    line.clear();
    _ = write!(
        line,
        "{id}{row:09};{serial};c{contact:09};adult-1;{unit};2025-{month:02}-{admitted:02};2025-{month:02}-{out:02}"
    );
    _ = write!(line, ";{answered_in}-{month:02}-28;{mode};{language};{weight}");
    let mut answers = mixed(row ^ 0x5555);
    for item in 0..ITEMS {
        // One answer in sixteen is missing, and one in sixteen is «don't know».
        let code =
            ["", "9", "1", "2", "2", "3", "3", "3", "4", "4", "4", "4", "5", "5", "5", "5"][(answers & 15) as usize];
        answers >>= 4;
        line.push(';');
        line.push_str(if item == 0 && is(7) { "7" } else { code });
    }
    line.push('\n');
}

fn write_file(path: &Path, rows: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let items: Vec<String> = (1..=ITEMS).map(|item| format!("item_{item}")).collect();
    let names =
        "response_id;serial;contact_id;form;unit_code;admitted_on;discharged_on;answered_on;mode;language;weight";
    writeln!(out, "{names};{}", items.join(";")).expect("a line");
    let mut line = String::new();
    for row in 0..rows {
        write_row(&mut line, row, (row % BAD_EVERY == BAD_AT).then_some(row / BAD_EVERY % 8));
        out.write_all(line.as_bytes()).expect("a line");
    }
    out.flush().expect("a file");
}

fn bad_rows(rows: u64) -> u64 {
    (rows + BAD_EVERY - 1 - BAD_AT) / BAD_EVERY
}

/// `name seconds megabytes rows` on one line, as the peers print it too.
fn ours(file: &Path, out: &Path) {
    let plan = plan();
    fs::create_dir_all(out).expect("a folder");
    let start = Instant::now();
    let ingested =
        ingest_file(&plan, &plan.exports["answers"], file, out, &IngestOptions::default()).expect("a good file");
    let seconds = start.elapsed().as_secs_f64();
    println!("prem {seconds:.2} {:.0} {}", peak_megabytes().unwrap_or(f64::NAN), ingested.counts.kept);
}

/// Seconds and rows of a process that says so; `None` where it could not.
fn report(name: &str, mut command: Command) -> Option<(f64, u64)> {
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let Some(fields) = text.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>()).filter(|f| f.len() == 4)
    else {
        println!("{name:<28} absent: {}", text.unwrap_or_else(|| "it could not be run".to_owned()));
        return None;
    };
    println!("{name:<28}{:>8} s{:>8} MB peak{:>12} rows", fields[1], fields[2], fields[3]);
    Some((fields[1].parse().ok()?, fields[3].parse().ok()?))
}

/// Whether ours is fast enough beside DuckDB, and found what was written.
fn compare(file: &Path, folder: &Path, rows: u64) -> bool {
    let own = std::env::current_exe().expect("the bench itself");
    let peer = |name: &str| {
        let mut command = Command::new("python3");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/csv_to_parquet.py"));
        command.arg(name).arg(file).arg(folder.join(format!("{name}.parquet")));
        report(name, command)
    };
    let with_peers = setting("PREM_BENCH_PEERS", 1) == 1;
    let (mut prem, mut duckdb) = (Times::default(), Times::default());
    for _ in 0..setting("PREM_BENCH_TIMES", 3) {
        let mut command = Command::new(&own);
        command.arg("--ours").arg(file).arg(folder.join("ours"));
        let Some((seconds, kept)) = report("prem, all checks", command) else { return false };
        if kept + bad_rows(rows) != rows {
            println!("FAILED: {kept} of {rows} rows were kept, but {} are bad", bad_rows(rows));
            return false;
        }
        prem.push(seconds);
        if let Some((seconds, _)) = with_peers.then(|| peer("duckdb")).flatten() {
            duckdb.push(seconds);
        }
    }
    if !with_peers {
        return true;
    }
    peer("pandas");
    if duckdb.is_empty() {
        println!("FAILED: no DuckDB to compare with; PREM_BENCH_PEERS=0 goes without");
        return false;
    }
    let ratio = prem.smallest() / duckdb.smallest();
    let verdict = if ratio <= RATIO_MAX { "within" } else { "FAILED: above" };
    println!("prem / duckdb, the fastest of each: {ratio:.2}, {verdict} {RATIO_MAX}");
    ratio <= RATIO_MAX
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, file, out] = arguments.as_slice()
        && word == "--ours"
    {
        ours(Path::new(file), Path::new(out));
        return ExitCode::SUCCESS;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let rows = setting("PREM_BENCH_ROWS", 10_000_000) as u64;
    let folder =
        std::env::var_os("PREM_BENCH_FOLDER").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let folder = folder.join("prem-bench-ingest");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("answers-of-20-{rows}.csv"));
    if !file.exists() {
        write_file(&file, rows);
    }
    let megabytes = fs::metadata(&file).map_or(0, |file| file.len()) / 1_000_000;
    println!("{rows} rows of 20 columns, {} of them bad, {megabytes} MB of text", bad_rows(rows));
    let is_good = compare(&file, &folder, rows);
    if std::env::var_os("PREM_BENCH_KEEP").is_none() {
        _ = fs::remove_dir_all(&folder);
    }
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
