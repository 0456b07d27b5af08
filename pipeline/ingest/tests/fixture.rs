//! A small dataset with every kind of column, and a way to ingest bytes.

use std::{collections::BTreeMap, fs, path::PathBuf};

use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::{Date32Type, Float64Type, Int16Type, Int64Type, TimestampMillisecondType};
use jiff::civil::date;
use prem_ingest::{IngestError, IngestOptions, Ingested, Limits, Refusal, RefusalCause, ingest_file};
use prem_spec::model::{
    Code, Column, ColumnKind, Dataset, DeliveryMode, Encoding, Export, ExtraColumns, FileFormat, OnBreak, Organisation,
    Plan, Rule, RuleKind, Sequence, SourceColumn, SourceValue, Text,
};
use prem_store::{Quarantine, read_rows, tables::read_table};
use tempfile::TempDir;

pub const HEADER: &str = "id;unit;sex;mode;diagnoses;age;weight;admitted;discharged;consent;person";
pub const GOOD: &str = "a-1;W1;1;web;i21 k70;67;71,5;2025-01-30T12:15;31.01.2025;1;01010112345";

pub fn column(name: &str, kind: ColumnKind) -> Column {
    Column {
        name: name.to_owned(),
        kind,
        required: false,
        unique: false,
        references: None,
        identifying: false,
        eleven_digits_are_pseudonyms: false,
        leading_zeros: false,
        description: Text::default(),
    }
}

fn codes(codes: &[&str]) -> ColumnKind {
    ColumnKind::Code {
        codes: codes.iter().map(|code| Code { code: (*code).to_owned(), label: Text::default() }).collect(),
    }
}

pub fn rule(id: &str, kind: RuleKind, on_break: OnBreak) -> Rule {
    Rule { id: id.to_owned(), description: Text::default(), kind, on_break }
}

pub fn plan() -> Plan {
    let (min, max) = (date(2000, 1, 1), date(2030, 12, 31));
    let text = |max_length, pattern: Option<&str>| ColumnKind::Text { max_length, pattern: pattern.map(str::to_owned) };
    let columns = vec![
        Column { required: true, ..column("id", text(16, Some("[a-z0-9-]+"))) },
        column("unit", text(5, None)),
        column("sex", codes(&["0", "1", "2", "9"])),
        column("mode", codes(&["web", "paper", "01"])),
        column("diagnoses", ColumnKind::CodeList { pattern: Some("[A-Z][0-9]{2}".to_owned()) }),
        column("age", ColumnKind::Integer { min: 0, max: 120 }),
        column("weight", ColumnKind::Number { min: 0.0, max: 500.0 }),
        column("admitted", ColumnKind::DateTime { min, max }),
        column("discharged", ColumnKind::Date { min, max }),
        column("consent", ColumnKind::Boolean),
        Column {
            identifying: true,
            eleven_digits_are_pseudonyms: true,
            ..column("person", text(11, Some("[0-9]{11}")))
        },
    ];
    let order = RuleKind::LaterOrEqual { earlier: "admitted".to_owned(), later: "discharged".to_owned() };
    let rule = rule("stay-order", order, OnBreak::Row);
    plan_of(columns, vec![rule])
}

pub fn plan_of(columns: Vec<Column>, rules: Vec<Rule>) -> Plan {
    let dataset = Dataset {
        name: "stays".to_owned(),
        version: "1.0.0".to_owned(),
        title: Text::default(),
        row: Text::default(),
        key: vec!["id".to_owned()],
        columns,
        rules,
    };
    let export = Export {
        name: "register".to_owned(),
        dataset: "stays".to_owned(),
        source: "register".to_owned(),
        files: vec!["stays_*.csv*".to_owned()],
        format: FileFormat::Delimited {
            separator: Some(';'),
            quote: '"',
            encoding: Some(Encoding::Utf8),
            decimal: ',',
        },
        mode: DeliveryMode::Upsert,
        period: None,
        sequence: Sequence::FileName,
        questionnaire: None,
        max_bad_share: 1.0,
        min_rows_share: 0.0,
        extra_columns: ExtraColumns::Ignore,
        missing: vec!["NULL".to_owned()],
        date_formats: vec!["%Y-%m-%dT%H:%M".to_owned(), "%Y-%m-%d".to_owned(), "%d.%m.%Y".to_owned()],
        columns: BTreeMap::new(),
        expected: None,
    };
    Plan {
        datasets: BTreeMap::from([("stays".to_owned(), dataset)]),
        exports: BTreeMap::from([("register".to_owned(), export)]),
        questionnaires: BTreeMap::new(),
        indicators: BTreeMap::new(),
        organisation: Organisation { units: Vec::new() },
        municipalities: prem_spec::Municipalities::default(),
        draws: BTreeMap::new(),
    }
}

/// A plan whose columns are all text.
pub fn text_plan(names: &[&str], max_length: usize) -> Plan {
    plan_of(names.iter().map(|name| column(name, ColumnKind::Text { max_length, pattern: None })).collect(), Vec::new())
}

pub fn header_of(names: &[&str]) -> SourceColumn {
    let names = names.iter().map(|name| (*name).to_owned()).collect();
    SourceColumn { value: SourceValue::Header(names), missing: Vec::new(), recode: BTreeMap::new() }
}

pub fn export(plan: &mut Plan) -> &mut Export {
    plan.exports.get_mut("register").unwrap()
}

pub fn encoding(plan: &mut Plan, to: Encoding) {
    let FileFormat::Delimited { encoding, .. } = &mut export(plan).format else { return };
    *encoding = Some(to);
}

/// A folder with an ingested file, or what became of it.
pub struct Tried {
    folder: TempDir,
    plan: Plan,
    pub result: Result<Ingested, IngestError>,
}

pub fn ingest(plan: &Plan, bytes: impl AsRef<[u8]>) -> Tried {
    ingest_with(plan, bytes, Limits::default())
}

pub fn ingest_with(plan: &Plan, bytes: impl AsRef<[u8]>, limits: Limits) -> Tried {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("stays_1.csv");
    fs::write(&path, bytes).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    let result = ingest_file(
        plan,
        &plan.exports["register"],
        &path,
        &out,
        &IngestOptions { limits, ..IngestOptions::default() },
    );
    Tried { folder, plan: plan.clone(), result }
}

/// Ingests a header and some lines.
pub fn lines(plan: &Plan, lines: &[&str]) -> Tried {
    ingest(plan, format!("{HEADER}\n{}\n", lines.join("\n")))
}

impl Tried {
    pub fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    pub fn taken(&self) -> &Ingested {
        let taken = self.result.as_ref().unwrap_or_else(|error| panic!("{error}"));
        assert!(taken.counts.reconciles(), "{:?}", taken.counts);
        taken
    }

    pub fn refusal(&self) -> &Refusal {
        let error = self.result.as_ref().expect_err("a refusal");
        assert_eq!(fs::read_dir(self.out()).unwrap().count(), 0, "something is left of a refused file");
        error.refusal().unwrap_or_else(|| panic!("not a refusal: {error}"))
    }

    pub fn cause(&self) -> &RefusalCause {
        &self.refusal().cause
    }

    /// `(rows in, kept)` and the reasons with their rows.
    pub fn counts(&self) -> (u64, u64, Vec<(&str, u64)>) {
        let counts = &self.taken().counts;
        let reasons = counts.quarantined.iter().map(|(reason, rows)| (reason.as_str(), *rows)).collect();
        (counts.rows_in, counts.kept, reasons)
    }

    pub fn quarantine(&self) -> Vec<Quarantine> {
        read_table::<Quarantine>(&self.out().join("quarantine.parquet")).unwrap().0
    }

    /// Line, column, reason and value of each mistake.
    pub fn mistakes(&self) -> Vec<(i64, String, String, String)> {
        let rows = self.quarantine().into_iter();
        let or_empty = Option::<String>::unwrap_or_default;
        rows.map(|row| (row.line, or_empty(row.column), row.reason, or_empty(row.value))).collect()
    }

    pub fn batches(&self) -> Vec<RecordBatch> {
        let columns = self.plan.stored_columns(&self.plan.exports["register"]);
        let path = self.out().join("rows.parquet");
        read_rows(&path, &self.plan.datasets["stays"], &columns).unwrap().map(Result::unwrap).collect()
    }

    /// Stored rows as text, null as `-`.
    pub fn rows(&self) -> Vec<Vec<String>> {
        self.batches().iter().flat_map(text_rows).collect()
    }

    pub fn bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let read = |name: &str| fs::read(self.out().join(name)).unwrap();
        (read("rows.parquet"), read("quarantine.parquet"))
    }
}

/// Stored rows as text, null as `-`.
pub fn text_rows(batch: &RecordBatch) -> Vec<Vec<String>> {
    (0..batch.num_rows()).map(|row| text_row(batch, row)).collect()
}

fn text_row(batch: &RecordBatch, row: usize) -> Vec<String> {
    batch.columns().iter().map(|column| cell(column.as_ref(), row)).collect()
}

fn cell(column: &dyn Array, row: usize) -> String {
    if column.is_null(row) {
        return "-".to_owned();
    }
    if let Some(texts) = column.as_string_opt::<i32>() {
        return texts.value(row).to_owned();
    }
    if let Some(truths) = column.as_boolean_opt() {
        return truths.value(row).to_string();
    }
    macro_rules! numbers {
        ($($kind:ty),+) => {
            $( if let Some(numbers) = column.as_primitive_opt::<$kind>() { return numbers.value(row).to_string(); } )+
        };
    }
    numbers!(Int16Type, Int64Type, Float64Type, Date32Type, TimestampMillisecondType);
    panic!("{}", column.data_type())
}
