//! A small export, and what holds for any file of it.

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

/// What a file came to, and its two tables; `None` where it was refused.
pub fn ingest(plan: &Plan, folder: &Path, chunk_bytes: usize) -> Option<(Ingested, Vec<u8>, Vec<u8>)> {
    let out = folder.join(format!("out-{chunk_bytes}"));
    fs::create_dir_all(&out).expect("a folder");
    let limits = Limits { chunk_bytes, expansion_free_bytes: 1 << 20, text_bytes_max: 16 << 20, ..Limits::default() };
    let result = ingest_file(plan, &plan.exports["fuzzed"], &folder.join("file"), &out, &IngestOptions { limits, ..IngestOptions::default() });
    let found = match result {
        Ok(ingested) => {
            assert!(ingested.counts.reconciles(), "{:?}", ingested.counts);
            let columns = plan.stored_columns(&plan.exports["fuzzed"]);
            let batches = prem_store::read_rows(&out.join("rows.parquet"), &plan.datasets["stays"], &columns).expect("rows");
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
