//! Whole releases: the same bytes twice, nothing of another trust, nothing that runs.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use std::fs;

use common::{SCORE, facts, plan, protected, read, release, text};
use parquet::file::reader::{FileReader, SerializedFileReader};
use prem_protect::tables::{CaseMix, Estimate, SurveyQuality, Table, Trend, read_table};
use prem_report::{Language, ReportError, RunFacts, file_hashes, write_release};

#[test]
fn two_writes_give_the_same_bytes() {
    let plan = plan();
    let (first, second) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
    let summary = release(&plan, first.path());
    assert_eq!(summary, release(&plan, second.path()));
    assert_eq!(summary.folders, ["region", "hf/north", "hf/south", "hf/west"]);
    assert_eq!(summary.files.len(), 4 * 18 + 1);
    assert_eq!(file_hashes(first.path()).expect("hashed"), summary.files);
}

#[test]
fn no_foreign_ward_is_in_a_trusts_folder() {
    let plan = plan();
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan, staging.path());
    let folder = staging.path().join("hf/north");
    for file in fs::read_dir(&folder).expect("listed") {
        let path = file.expect("listed").path();
        let bytes = fs::read(&path).expect("readable");
        for foreign in ["s-ward", "w-ward", "s-hospital", "w-hospital", "Sørpost", "Vestpost", "Sørby", "Vestby"] {
            let found = bytes.windows(foreign.len()).any(|window| window == foreign.as_bytes());
            assert!(!found, "{} holds {foreign}", path.display());
        }
    }
    // Parquet is compressed: its rows are read.
    let (rows, _) = read_table::<Estimate>(&folder.join("estimates.parquet")).expect("readable");
    let units: std::collections::BTreeSet<&str> = rows.iter().map(|row| row.unit_id.as_str()).collect();
    let own = ["n-hospital", "n-ward-1", "n-ward-2", "n-ward-3", "north", "region", "south", "west"];
    assert_eq!(units.into_iter().collect::<Vec<_>>(), own);
    assert!(read(&folder.join("index.html")).contains("Kirurgi"));
}

#[test]
fn a_withheld_row_has_no_figure_anywhere() {
    let plan = plan();
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan, staging.path());
    let csv = read(&staging.path().join("region/estimates.csv"));
    let withheld: Vec<&str> = csv.lines().filter(|line| line.contains(";true;few-respondents;")).collect();
    assert!(!withheld.is_empty());
    for line in withheld {
        assert!(line.contains("n-ward-3") && line.contains(&";".repeat(20)), "{line}");
    }
    let page = read(&staging.path().join("hf/north/index.html"));
    assert!(page.contains("Skjult av hensyn til personvern: for få svar"));
}

#[test]
fn hostile_text_does_not_run_anywhere() {
    let mut plan = plan();
    let hostile = "<script>alert(1)</script>";
    plan.organisation.units[7].name = text(hostile);
    plan.organisation.units[8].name = text("=HYPERLINK(\"http://x\";\"y\")");
    plan.indicators.get_mut(SCORE).expect("declared").title = text("\"><img src=x onerror=alert(1)>");
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan, staging.path());
    let page = read(&staging.path().join("hf/north/index.html"));
    assert!(!page.contains("<script") && !page.contains("<img"));
    assert!(page.contains("&lt;script&gt;"));
    let csv = read(&staging.path().join("hf/north/estimates.csv"));
    assert!(csv.contains("'=HYPERLINK") && !csv.contains(";=HYPERLINK") && !csv.contains(";\"=HYPERLINK"));
}

#[test]
fn csv_is_for_a_norwegian_spreadsheet() {
    let plan = plan();
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan, staging.path());
    let bytes = fs::read(staging.path().join("region/estimates.csv")).expect("readable");
    assert!(bytes.starts_with(b"\xEF\xBB\xBFperiod;period_start;period_end;indicator;"));
    let csv = String::from_utf8(bytes).expect("UTF-8");
    let row = csv
        .lines()
        .find(|line| line.starts_with("2025;2025-01-01;2026-01-01;information;") && line.contains(";s-ward-1;"));
    let row = row.expect("a row");
    assert!(row.contains(";69;") && row.contains(";-") && !row.contains("'-"), "negative numbers stay numbers: {row}");
    assert!(csv.contains(";72,5;") && csv.ends_with("\r\n"));
}

#[test]
fn parquet_says_where_it_is_from() {
    let plan = plan();
    let staging = tempfile::tempdir().expect("a folder");
    release(&plan, staging.path());
    let written = [
        ("region", Estimate::NAME, Estimate::VERSION),
        ("region", Trend::NAME, Trend::VERSION),
        ("hf/south", SurveyQuality::NAME, SurveyQuality::VERSION),
        ("hf/west", CaseMix::NAME, CaseMix::VERSION),
    ];
    for (folder, table, version) in written {
        let file = fs::File::open(staging.path().join(folder).join(format!("{table}.parquet"))).expect("opened");
        let reader = SerializedFileReader::new(file).expect("Parquet");
        let pairs = reader.metadata().file_metadata().key_value_metadata().expect("metadata").clone();
        let value = |key: &str| pairs.iter().find(|pair| pair.key == key).and_then(|pair| pair.value.clone());
        assert_eq!(value("prem.contract").as_deref(), Some(table));
        assert_eq!(value("prem.contract_version").as_deref(), Some(version));
        assert_eq!(value("prem.run_id").as_deref(), Some("0123abcd"));
        assert_eq!(value("prem.plan_hash").as_deref(), Some("feedc0de"));
    }
}

#[test]
fn the_package_describes_every_table_file() {
    let plan = plan();
    let staging = tempfile::tempdir().expect("a folder");
    let summary = release(&plan, staging.path());
    let package: serde_json::Value =
        serde_json::from_str(&read(&staging.path().join("datapackage.json"))).expect("JSON");
    let resources = package["resources"].as_array().expect("a list");
    assert_eq!(resources.len(), 4 * 16);
    for resource in resources {
        let (bytes, hash) = &summary.files[resource["path"].as_str().expect("a path")];
        assert_eq!(resource["bytes"].as_u64(), Some(*bytes));
        assert_eq!(resource["hash"].as_str(), Some(format!("sha256:{hash}").as_str()));
        let fields = resource["schema"]["fields"].as_array().expect("fields");
        assert!(fields.iter().all(|field| field["description"].as_str().is_some_and(|text| !text.is_empty())));
    }
    let names: std::collections::BTreeSet<_> = resources.iter().map(|r| r["name"].as_str()).collect();
    assert_eq!(names.len(), resources.len());
    let csv = resources.iter().find(|r| r["path"] == "hf/north/estimates.csv").expect("described");
    assert_eq!((csv["dialect"]["delimiter"].as_str(), csv["encoding"].as_str()), (Some(";"), Some("utf-8")));
    let value = csv["schema"]["fields"].as_array().expect("fields").iter().find(|f| f["name"] == "value");
    assert_eq!(value.expect("a field")["decimalChar"].as_str(), Some(","));
}

#[test]
fn every_language_writes_a_page() {
    let plan = plan();
    for language in Language::ALL {
        let staging = tempfile::tempdir().expect("a folder");
        let facts = RunFacts { language, ..facts() };
        write_release(&plan, &protected(&plan), &facts, staging.path()).expect("written");
        let page = read(&staging.path().join("region/index.html"));
        assert!(page.contains(&format!("<html lang=\"{}\">", language.code())));
    }
}

#[test]
fn an_id_that_is_no_folder_name_is_refused() {
    let mut plan = plan();
    let protected = protected(&plan);
    plan.organisation.units[1].id = "../north".to_owned();
    let staging = tempfile::tempdir().expect("a folder");
    let refused = write_release(&plan, &protected, &facts(), staging.path());
    assert!(matches!(refused, Err(ReportError::FolderName { .. })));
}
