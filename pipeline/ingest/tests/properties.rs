//! What holds for any file.

use std::collections::BTreeMap;

use prem_ingest::Limits;
use proptest::prelude::*;

use crate::fixture::{GOOD, HEADER, Tried, ingest, ingest_with, plan, text_plan};

/// What may stand in a cell of the fixture's columns.
fn cell() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => Just(String::new()),
        1 => "[a-z0-9]{0,12}",
        1 => "-?[0-9]{1,4}(,[0-9]{1,3})?",
        1 => "[0-9]{2}[.][0-9]{2}[.]20[0-9]{2}",
        1 => any::<String>().prop_map(|text| text.replace('\0', " ")),
        1 => "[\";\r\n a]{0,8}",
    ]
}

fn reconciles(tried: &Tried) {
    let counts = &tried.taken().counts;
    assert!(counts.reconciles());
    assert_eq!(tried.rows().len() as u64, counts.kept);
    // Each quarantined row stands in the table, under its first reason first.
    let mut first: BTreeMap<i64, String> = BTreeMap::new();
    for row in tried.quarantine() {
        first.entry(row.line).or_insert(row.reason);
    }
    let mut listed: BTreeMap<String, u64> = BTreeMap::new();
    for reason in first.into_values() {
        *listed.entry(reason).or_default() += 1;
    }
    assert_eq!(listed, counts.quarantined);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Broken cells anywhere: every row is either kept or counted.
    #[test]
    fn rows_in_are_rows_kept_and_quarantined(
        breaks in prop::collection::vec((0..40_usize, 0..11_usize, cell()), 0..60),
        chunk_bytes in 1..4000_usize,
    ) {
        let mut rows: Vec<Vec<String>> = (0..40).map(|_| GOOD.split(';').map(str::to_owned).collect()).collect();
        for (row, column, value) in breaks {
            rows[row][column] = value;
        }
        let body: String = rows.iter().map(|row| row.join(";") + "\n").collect();
        let text = format!("{HEADER}\n{body}");
        let tried = ingest_with(&plan(), &text, Limits { chunk_bytes, ..Limits::default() });
        // The guard may rightly refuse; otherwise everything adds up.
        if tried.result.is_ok() {
            reconciles(&tried);
            let again = ingest_with(&plan(), &text, Limits { chunk_bytes, ..Limits::default() });
            prop_assert_eq!(tried.bytes(), again.bytes());
            let whole = ingest(&plan(), &text);
            prop_assert_eq!(tried.counts(), whole.counts());
            prop_assert_eq!(tried.rows(), whole.rows());
            prop_assert_eq!(tried.mistakes(), whole.mistakes());
        }
    }

    /// Any bytes: an answer, and never a panic.
    #[test]
    fn arbitrary_bytes_are_survived(bytes in prop::collection::vec(any::<u8>(), 0..2000), headed in any::<bool>()) {
        let mut file = if headed { format!("{HEADER}\n").into_bytes() } else { Vec::new() };
        file.extend(bytes.into_iter().map(|byte| if headed && byte == 0 { b'"' } else { byte }));
        let tried = ingest_with(&plan(), &file, Limits { chunk_bytes: 64, ..Limits::default() });
        if tried.result.is_ok() {
            reconciles(&tried);
        }
    }

    /// What the csv crate writes is read as it was, and as the csv crate reads it.
    #[test]
    fn well_formed_files_are_read_as_the_csv_crate_reads_them(
        rows in prop::collection::vec(prop::collection::vec("[a-zæ0-9\";\r\n ]{0,6}", 3), 1..30),
        chunk_bytes in 1..300_usize,
    ) {
        let plan = text_plan(&["a", "b", "c"], 50);
        let mut writer = csv::WriterBuilder::new().delimiter(b';').from_writer(Vec::new());
        writer.write_record(["a", "b", "c"]).unwrap();
        for row in &rows {
            writer.write_record(row).unwrap();
        }
        let file = writer.into_inner().unwrap();
        let tried = ingest_with(&plan, &file, Limits { chunk_bytes, ..Limits::default() });
        let expected: Vec<Vec<String>> = csv::ReaderBuilder::new()
            .delimiter(b';')
            .from_reader(&file[..])
            .into_records()
            .map(|record| record.unwrap().iter().map(|cell| cell.trim().to_owned()).collect::<Vec<_>>())
            .filter(|row| row.iter().any(|cell| !cell.is_empty()))
            .map(|row| row.into_iter().map(|cell| if cell.is_empty() { "-".to_owned() } else { cell }).collect())
            .collect();
        let read: Vec<Vec<String>> = tried.rows().into_iter().map(|row| row[1..].to_vec()).collect();
        prop_assert_eq!(read, expected);
    }
}
