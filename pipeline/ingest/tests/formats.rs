//! The same 500 answers in every format, as the programs that people use write them (`formats/make.py`, `formats/make.R`): all give
//! the same stored table.

use std::{fs, path::Path};

use arrow::datatypes::SchemaRef;
use prem_ingest::{IngestOptions, Ingested, Note, ingest_file};
use prem_spec::{compile, load_folder, model::Plan};
use prem_store::read_rows;

use crate::fixture::text_rows;

/// Export and file.
const FILES: [(&str, &str); 21] = [
    ("utf-8", "utf-8.csv.gz"),
    ("utf-8", "utf-8.csv.zst"),
    ("bom", "bom.csv"),
    ("windows-1252", "windows-1252.csv"),
    ("iso-8859-1", "iso-8859-1.csv.zst"),
    ("quotes", "quotes.csv.zst"),
    ("detected", "utf-8.csv.gz"),
    ("detected", "bom.csv"),
    ("detected", "windows-1252.csv"),
    ("redcap", "redcap.csv.zst"),
    ("excel", "answers.xlsx"),
    ("excel", "answers.xlsx.gz"),
    ("parquet", "pandas.parquet"),
    ("parquet", "pandas.parquet.zst"),
    ("parquet", "gzip.parquet"),
    ("parquet", "lz4.parquet"),
    ("parquet", "typed.parquet"),
    ("spss", "bytes.sav.zst"),
    ("spss", "plain.sav.zst"),
    ("spss", "answers.zsav"),
    ("fhir", "answers.ndjson.zst"),
];

pub fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/formats")
}

pub fn plan() -> Plan {
    let compiled = compile(&load_folder(&folder().join("schemas")).unwrap());
    compiled.plan.unwrap_or_else(|| panic!("{:#?}", compiled.diagnostics))
}

struct Read {
    ingested: Ingested,
    schema: SchemaRef,
    rows: Vec<Vec<String>>,
}

fn read(plan: &Plan, export: &str, path: &Path) -> Read {
    let out = tempfile::tempdir().unwrap();
    let export = &plan.exports[export];
    let ingested = ingest_file(plan, export, path, out.path(), &IngestOptions::default())
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let columns = plan.stored_columns(export);
    let batches: Vec<_> = read_rows(&out.path().join("rows.parquet"), &plan.datasets["responses"], &columns)
        .unwrap()
        .map(Result::unwrap)
        .collect();
    let schema = batches[0].schema();
    Read { ingested, schema, rows: batches.iter().flat_map(text_rows).collect() }
}

#[test]
fn every_format_gives_the_same_table() {
    let plan = plan();
    let first = read(&plan, FILES[0].0, &folder().join("files").join(FILES[0].1));
    // As the first line of bom.csv has it; 2025-09-11 is day 20342.
    let answer = "1;r0001;i0001;c0003;ward;1.0;KIR-Ø2;1757635020000;20342;digital;nn;1 -9;-;233;true;9;2;4;4";
    assert_eq!(first.rows[0].join(";"), answer);
    assert_eq!(first.rows.len(), 500);
    for (export, file) in FILES {
        let other = read(&plan, export, &folder().join("files").join(file));
        let counts = &other.ingested.counts;
        assert_eq!((counts.rows_in, counts.kept), (500, 500), "{export} {file}");
        assert_eq!(other.schema, first.schema, "{export} {file}");
        for (row, (a, b)) in first.rows.iter().zip(&other.rows).enumerate() {
            assert_eq!(a, b, "{export} {file}, row {row}");
        }
        assert_eq!(other.ingested.bytes, fs::metadata(folder().join("files").join(file)).unwrap().len());
    }
}

#[test]
fn detection_is_told() {
    let plan = plan();
    let told = |file: &str| {
        let notes = read(&plan, "detected", &folder().join("files").join(file)).ingested.notes;
        let found = |note: &Note| match note {
            Note::Detected { what, value } => Some(format!("{what} {value}")),
            _ => None,
        };
        notes.iter().filter_map(found).collect::<Vec<_>>().join(", ")
    };
    assert_eq!(told("bom.csv"), "encoding utf-8, separator semicolon");
    assert_eq!(told("windows-1252.csv"), "encoding windows-1252, separator tab");
    assert_eq!(told("utf-8.csv.gz"), "encoding utf-8, separator semicolon");
}
