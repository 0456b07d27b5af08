//! The same responses (20 columns) as text into Parquet: our ingest with all its checks, DuckDB's plain copy and pandas, one after
//! the other in the same run, each in a process of its own so that its peak memory is its own.
//!
//! `PREM_BENCH_ROWS` sets the number of responses (10 million by default, about 1.2 GB of text), `PREM_BENCH_FOLDER` where files are
//! written (default: a folder of the build), `PREM_BENCH_PEERS=0` leaves the others out. `peers/csv_to_parquet.py` runs the
//! peers; a peer that is not installed is said to be absent.
#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    reason = "a measurement that fails ends, and its result is printed"
)]

use std::{
    fs::{self, File},
    io::{BufWriter, Write},
    path::{Path, PathBuf},
    process::Command,
    time::Instant,
};

use prem_ingest::{IngestOptions, ingest_file};
use prem_spec::{SourceFile, compile, model::Plan};

const ITEMS: usize = 11;

fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

/// The shipped dataset of responses, and a questionnaire of eleven items: twenty columns.
fn plan() -> Plan {
    let items: Vec<String> = (1..=ITEMS).map(|item| format!("item_{item}")).collect();
    let declared: Vec<String> =
        items.iter().map(|item| format!("{{ id = \"{item}\", scale = \"extent\", text = \"Spørsmål\" }}")).collect();
    let bank = format!(
        "kind = \"bank\"\nscale = [{{ id = \"extent\", low = 1, high = 5, missing = {{ \"9\" = \"dont-know\" }} }}]\nitem = [{}]\n",
        declared.join(", ")
    );
    let form = format!(
        "kind = \"questionnaire\"\nid = \"adult\"\nversion = \"1\"\ntitle = \"Voksne\"\nvalid_from = 2024-01-01\nitems = {items:?}\nlink = {{ via = \"response\" }}\n"
    );
    let export = "name = \"answers\"\ndataset = \"responses\"\nsource = \"survey\"\nfiles = [\"*.csv\"]\nmode = \"upsert\"\n\
        sequence = \"file-name\"\nquestionnaire = \"adult\"\nformat = { type = \"delimited\" }\n";
    let sources = [
        ("datasets/responses.toml", include_str!("../../schemas/datasets/responses.toml")),
        ("datasets/invitations.toml", include_str!("../../schemas/datasets/invitations.toml")),
        ("datasets/contacts.toml", include_str!("../../schemas/datasets/contacts.toml")),
        ("questionnaires/bank.toml", &bank),
        ("questionnaires/adult.toml", &form),
        ("exports/answers.toml", export),
    ];
    let sources: Vec<SourceFile> =
        sources.iter().map(|(name, text)| SourceFile { name: (*name).to_owned(), text: (*text).to_owned() }).collect();
    compile(&sources).plan.expect("sound declarations")
}

/// A mixer of 64 bits: the same file everywhere.
fn mixed(seed: u64) -> u64 {
    let mut z = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(0x1234_5678_9abc_def1);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn write_file(path: &Path, rows: u64) {
    let mut out = BufWriter::with_capacity(1 << 20, File::create(path).expect("a file"));
    let items: Vec<String> = (1..=ITEMS).map(|item| format!("item_{item}")).collect();
    let names = "response_id;invitation_id;contact_id;questionnaire_id;questionnaire_version;unit_code;answered_at;mode;language";
    writeln!(out, "{names};{}", items.join(";")).expect("a line");
    let mut line = String::new();
    for row in 0..rows {
        use std::fmt::Write as _;
        let chance = mixed(row);
        let (month, day) = (chance % 12 + 1, chance / 12 % 28 + 1);
        let mode = if chance & 1 == 0 { "paper" } else { "digital" };
        let language = ["nb", "nb", "nn", "en"][(chance >> 8 & 3) as usize];
        line.clear();
        _ = write!(line, "r{row:09};i{row:09};c{:09};adult;1;W{:04};", chance % 1_000_000_000, chance >> 20 & 0x7ff);
        _ = write!(line, "2025-{month:02}-{day:02};{mode};{language}");
        let mut answers = mixed(row ^ 0x5555);
        for _ in 0..ITEMS {
            // One answer in sixteen is missing, and one in sixteen is «don't know».
            let code = ["", "9", "1", "2", "2", "3", "3", "3", "4", "4", "4", "4", "5", "5", "5", "5"]
                [(answers & 15) as usize];
            answers >>= 4;
            line.push(';');
            line.push_str(code);
        }
        line.push('\n');
        out.write_all(line.as_bytes()).expect("a line");
    }
    out.flush().expect("a file");
}

/// Peak memory of this process in MB, where the system tells.
fn peak_memory() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok()).unwrap_or_default() / 1000
}

/// `name seconds megabytes rows` on one line, as the peers print it too.
fn ours(file: &Path, out: &Path) {
    let plan = plan();
    fs::create_dir_all(out).expect("a folder");
    let start = Instant::now();
    let ingested =
        ingest_file(&plan, &plan.exports["answers"], file, out, &IngestOptions::default()).expect("a good file");
    println!("prem {:.2} {} {}", start.elapsed().as_secs_f64(), peak_memory(), ingested.counts.kept);
}

fn report(name: &str, mut command: Command) -> Option<f64> {
    let output = command.output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    let Some(fields) = text.as_deref().map(|text| text.split_whitespace().collect::<Vec<_>>()).filter(|f| f.len() == 4)
    else {
        println!("{name:<28} absent: {}", text.unwrap_or_else(|| "it could not be run".to_owned()));
        return None;
    };
    println!("{name:<28}{:>8} s{:>8} MB peak{:>12} rows", fields[1], fields[2], fields[3]);
    fields[1].parse().ok()
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, word, file, out] = arguments.as_slice()
        && word == "--ours"
    {
        return ours(Path::new(file), Path::new(out));
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    let rows = setting("PREM_BENCH_ROWS", 10_000_000);
    let folder =
        std::env::var_os("PREM_BENCH_FOLDER").map_or_else(|| env!("CARGO_TARGET_TMPDIR").into(), PathBuf::from);
    let folder = folder.join("prem-bench-ingest");
    fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join(format!("answers-{rows}.csv"));
    if !file.exists() {
        write_file(&file, rows);
    }
    println!(
        "{rows} responses of 20 columns, {} MB of text",
        fs::metadata(&file).map_or(0, |file| file.len()) / 1_000_000
    );
    let own = std::env::current_exe().expect("the bench itself");
    let ours = || {
        let mut command = Command::new(&own);
        command.arg("--ours").arg(&file).arg(folder.join("ours"));
        report("prem, all checks", command).expect("our own run, whatever is installed beside it")
    };
    let peer = |name: &str| {
        let mut command = Command::new("python3");
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/csv_to_parquet.py"));
        command.arg(name).arg(&file).arg(folder.join(format!("{name}.parquet")));
        report(name, command)
    };
    // Ours first and last, so that a warm cache favours nobody.
    let first = ours();
    if setting("PREM_BENCH_PEERS", 1) == 1 {
        let duckdb = peer("duckdb");
        peer("pandas");
        let last = ours();
        if let Some(duckdb) = duckdb {
            println!("prem / duckdb: {:.2} (aim: at most 1.5)", first.min(last) / duckdb);
        }
    }
    if std::env::var_os("PREM_BENCH_KEEP").is_none() {
        _ = fs::remove_dir_all(&folder);
    }
}
