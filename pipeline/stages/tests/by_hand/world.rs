//! A small region: two trusts, three wards, a questionnaire and a rate; and deliveries written as Parquet.

use std::path::Path;

use jiff::civil::{Date, DateTime, date};
use polars::prelude::*;
use prem_spec::{Plan, SourceFile, compile, load_folder};
use prem_stages::{Part, Replaces};

const ORGANISATION: &str = r#"
name = "region"
units = [
  { id = "region", level = "rhf", name = "Regionen", valid_from = 2010-01-01 },
  { id = "east", level = "hf", name = "Øst", parent = "region", valid_from = 2010-01-01 },
  { id = "east-1", level = "ward", name = "Sengepost 1", parent = "east", valid_from = 2010-01-01, codes = { pas = ["W-1"] } },
  { id = "east-2", level = "ward", name = "Sengepost 2", parent = "east", valid_from = 2010-01-01, codes = { pas = ["W-2"] } },
  { id = "east-0", level = "ward", name = "Nedlagt", parent = "east", valid_from = 2010-01-01, valid_to = 2024-01-01, codes = { pas = ["OLD"] } },
  { id = "west", level = "hf", name = "Vest", parent = "region", valid_from = 2010-01-01 },
]
"#;
const BANK: &str = r#"
kind = "bank"
scale = [{ id = "extent", low = 1, high = 5 }]
item = [{ id = "listened", scale = "extent", text = "Lyttet personalet?" }]
"#;
const QUESTIONNAIRE: &str = r#"
kind = "questionnaire"
id = "stay"
version = "1"
title = "Opphold"
valid_from = 2025-01-01
items = ["listened"]
link = { via = "contact", answer_days_max = 180 }
"#;
const RATE: &str = r#"
id = "hip"
version = "1"
title = "Hofteprotese"
description = "Hofteprotese per 1000"
theme = "Kirurgi"
direction = "neutral"
levels = ["rhf", "hf"]
periods = ["year"]
[measure]
type = "rate"
per = 1000
contacts = { procedures = ["NFB"] }
standardise = { age_bands = [0] }
"#;

pub fn plan() -> Plan {
    plan_with(&[])
}

/// The region with more declarations: file and text.
pub fn plan_with(more: &[(&str, &str)]) -> Plan {
    let schemas = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../schemas");
    let is_standard = |name: &str| name.starts_with("datasets/") || name.starts_with("municipalities/");
    let standard = load_folder(&schemas).expect("shipped declarations");
    let mut sources: Vec<SourceFile> = standard.into_iter().filter(|source| is_standard(&source.name)).collect();
    let own = [
        ("organisations/region.toml", ORGANISATION),
        ("questionnaires/bank.toml", BANK),
        ("questionnaires/stay.toml", QUESTIONNAIRE),
        ("indicators/hip.toml", RATE),
    ];
    for (name, text) in own.iter().chain(more) {
        sources.push(SourceFile::new(*name, *text));
    }
    let compiled = compile(&sources);
    compiled.plan.unwrap_or_else(|| panic!("{:?}", compiled.diagnostics))
}

/// A delivery of the `pas` source. Row numbers are those of the frame, from 1.
pub fn part(folder: &Path, name: &str, mut frame: DataFrame) -> Part {
    let rows = i64::try_from(frame.height()).expect("few rows");
    frame.with_column(Column::new("_row".into(), (1..=rows).collect::<Vec<i64>>())).expect("a column");
    let path = folder.join(format!("{name}.parquet"));
    let file = std::fs::File::create(&path).expect("a file");
    ParquetWriter::new(file).finish(&mut frame).expect("a Parquet file");
    Part {
        rows: path,
        export: name.to_owned(),
        source: "pas".to_owned(),
        replaces: Replaces::Keys,
        kept: rows.unsigned_abs(),
    }
}

pub fn text(name: &str, values: &[Option<&str>]) -> Column {
    Column::new(name.into(), values)
}

fn days(day: Date) -> i32 {
    (day - date(1970, 1, 1)).get_days()
}

/// Dates written as `2025-03-10`; empty is missing.
pub fn dates(name: &str, values: &[&str]) -> Column {
    let days: Vec<Option<i32>> = values.iter().map(|value| value.parse().ok().map(days)).collect();
    Column::new(name.into(), days).cast(&DataType::Date).expect("days are dates")
}

/// Times written as `2025-03-10T12:00` or `2025-03-10T12:00:30`; empty is missing.
pub fn times(name: &str, values: &[&str]) -> Column {
    let millis: Vec<Option<i64>> = values
        .iter()
        .map(|value| {
            let time: DateTime = value.parse().ok()?;
            let seconds = (i64::from(time.hour()) * 60 + i64::from(time.minute())) * 60 + i64::from(time.second());
            Some((i64::from(days(time.date())) * 86_400 + seconds) * 1000)
        })
        .collect();
    let kind = DataType::Datetime(TimeUnit::Milliseconds, None);
    Column::new(name.into(), millis).cast(&kind).expect("milliseconds are times")
}

pub fn frame(columns: Vec<Column>) -> DataFrame {
    let height = columns.first().map_or(0, Column::len);
    DataFrame::new(height, columns).expect("columns of one length")
}
