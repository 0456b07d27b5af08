//! A small export, what holds for any file of it, and the targets themselves. The tests of the crate run them over the seeds.
#![allow(dead_code, reason = "each target calls one function of these")]

use std::{fs, path::Path};

use jiff::civil::date;
use prem_ingest::{IngestOptions, Ingested, Limits, ingest_file};
use prem_spec::model::*;

pub fn plan(format: FileFormat) -> Plan {
    let column = |name: &str, kind: ColumnKind, required: bool| Column {
        name: name.to_owned(),
        kind,
        required,
        unique: false,
        references: None,
        identifying: false,
        eleven_digits_are_pseudonyms: false,
        leading_zeros: false,
        description: Text::default(),
    };
    let code = |code: &str| Code { code: code.to_owned(), label: Text::default() };
    let columns = vec![
        column("id", ColumnKind::Text { max_length: 16, pattern: None }, true),
        column("sex", ColumnKind::Code { codes: ["0", "1", "2", "9"].map(code).to_vec() }, false),
        column("age", ColumnKind::Integer { min: 0, max: 120 }, false),
        column("weight", ColumnKind::Number { min: 0.0, max: 500.0 }, false),
        column("day", ColumnKind::Date { min: date(2000, 1, 1), max: date(2030, 12, 31) }, false),
        column("codes", ColumnKind::CodeList { pattern: None }, false),
    ];
    let dataset = Dataset {
        name: "stays".to_owned(),
        version: "1.0.0".to_owned(),
        title: Text::default(),
        row: Text::default(),
        key: vec!["id".to_owned()],
        columns,
        rules: Vec::new(),
    };
    let export = Export {
        name: "fuzzed".to_owned(),
        dataset: "stays".to_owned(),
        source: "fuzzer".to_owned(),
        files: vec!["*".to_owned()],
        format,
        mode: DeliveryMode::Upsert,
        period: None,
        sequence: Sequence::FileName,
        questionnaire: None,
        max_bad_share: 1.0,
        min_rows_share: 0.0,
        extra_columns: ExtraColumns::Ignore,
        missing: vec!["NA".to_owned()],
        date_formats: vec!["%d.%m.%Y".to_owned()],
        columns: Default::default(),
        expected: None,
    };
    Plan {
        datasets: [("stays".to_owned(), dataset)].into(),
        exports: [("fuzzed".to_owned(), export)].into(),
        questionnaires: Default::default(),
        indicators: Default::default(),
        organisation: Organisation { units: Vec::new() },
        municipalities: prem_spec::Municipalities::default(),
        draws: Default::default(),
    }
}

/// What a file came to, and its two tables.
type Taken = (Ingested, Vec<u8>, Vec<u8>);

/// Delimited text, its separator and encoding declared or detected: the first byte says which, and in blocks of how many bytes it
/// is read. As the other targets, gives the rows that were kept; `None` where the file was refused.
pub fn text(data: &[u8], folder: &Path) -> Option<u64> {
    let (choice, bytes) = data.split_first()?;
    let encoding = [Some(Encoding::Utf8), Some(Encoding::Windows1252), Some(Encoding::Iso8859_1), None];
    let plan = plan(FileFormat::Delimited {
        separator: if choice & 4 == 0 { Some(';') } else { None },
        quote: '"',
        encoding: encoding[usize::from(choice & 3)],
        decimal: ',',
    });
    fs::write(folder.join("file"), bytes).expect("a file");
    let whole = ingest(&plan, folder, 1 << 22);
    let pieces = ingest(&plan, folder, 1 + usize::from(choice >> 3));
    // The beginning of a file says what its columns look like to the identity guard; only there do blocks matter.
    let identity = ["identity-number", "contact-details"];
    let is_plain = |found: &Option<Taken>| {
        found
            .as_ref()
            .is_some_and(|(found, ..)| !identity.iter().any(|reason| found.counts.quarantined.contains_key(*reason)))
    };
    if is_plain(&whole) && is_plain(&pieces) {
        assert_eq!(whole, pieces, "blocks matter");
    }
    whole.map(|(found, ..)| found.counts.kept)
}

/// SPSS system files.
pub fn saved(bytes: &[u8], folder: &Path) -> Option<u64> {
    whole(bytes, folder, FileFormat::Spss { decimal: ',' })
}

/// QuestionnaireResponse, one a line.
pub fn resources(bytes: &[u8], folder: &Path) -> Option<u64> {
    whole(bytes, folder, FileFormat::FhirQuestionnaireResponse)
}

fn whole(bytes: &[u8], folder: &Path, format: FileFormat) -> Option<u64> {
    fs::write(folder.join("file"), bytes).expect("a file");
    ingest(&plan(format), folder, 1 << 22).map(|(found, ..)| found.counts.kept)
}

/// `None` where the file was refused.
fn ingest(plan: &Plan, folder: &Path, chunk_bytes: usize) -> Option<Taken> {
    let out = folder.join(format!("out-{chunk_bytes}"));
    fs::create_dir_all(&out).expect("a folder");
    let limits = Limits {
        chunk_bytes,
        expansion_free_bytes: 1 << 20,
        text_bytes_max: 16 << 20,
        parquet_rows_free: 1 << 16,
        ..Limits::default()
    };
    let result = ingest_file(
        plan,
        &plan.exports["fuzzed"],
        &folder.join("file"),
        &out,
        &IngestOptions { limits, ..IngestOptions::default() },
    );
    let found = match result {
        Ok(ingested) => {
            assert!(ingested.counts.reconciles(), "{:?}", ingested.counts);
            let columns = plan.stored_columns(&plan.exports["fuzzed"]);
            let batches =
                prem_store::read_rows(&out.join("rows.parquet"), &plan.datasets["stays"], &columns).expect("rows");
            let rows: usize = batches.map(|batch| batch.expect("a batch").num_rows()).sum();
            assert_eq!(rows as u64, ingested.counts.kept);
            let read = |name: &str| fs::read(out.join(name)).expect("a table");
            Some((ingested, read("rows.parquet"), read("quarantine.parquet")))
        }
        Err(error) => {
            assert!(error.refusal().is_some(), "{error}");
            assert_eq!(fs::read_dir(&out).expect("a folder").count(), 0);
            None
        }
    };
    fs::remove_dir_all(&out).expect("a folder");
    found
}
