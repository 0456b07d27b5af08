//! Catchment rows that contradict each other.

use prem_stages::catchment_overlaps;
use tempfile::TempDir;

use crate::world::{dates, frame, part, plan, text};

/// municipality, district, hf, from, to
type Row = (&'static str, &'static str, &'static str, &'static str, &'static str);

fn overlaps(rows: &[Row]) -> Option<String> {
    let folder = TempDir::new().expect("a folder");
    let column = |of: fn(&Row) -> &'static str| -> Vec<Option<&str>> {
        rows.iter().map(|row| Some(of(row)).filter(|value| !value.is_empty())).collect()
    };
    let days = |of: fn(&Row) -> &'static str| -> Vec<&str> { rows.iter().map(of).collect() };
    let frame = frame(vec![
        text("municipality", &column(|row| row.0)),
        text("district", &column(|row| row.1)),
        text("hf", &column(|row| row.2)),
        dates("valid_from", &days(|row| row.3)),
        dates("valid_to", &days(|row| row.4)),
    ]);
    catchment_overlaps(&plan(), &[part(folder.path(), "catchment", frame)]).expect("readable")
}

#[test]
fn rows_that_meet_do_not_overlap() {
    let rows = [
        ("3203", "", "east", "2015-01-01", "2024-01-01"),
        ("3203", "", "west", "2024-01-01", ""),
        ("0301", "030101", "east", "2015-01-01", ""),
        ("0301", "030102", "west", "2015-01-01", ""),
        ("0301", "", "west", "2015-01-01", ""),
    ];
    assert_eq!(overlaps(&rows), None);
}

#[test]
fn an_overlap_names_its_place_its_day_and_its_rows() {
    let rows = [
        ("3203", "", "east", "2015-01-01", "2024-01-02"),
        ("0301", "030101", "east", "2020-01-01", ""),
        ("3203", "", "west", "2024-01-01", ""),
        ("0301", "030101", "east", "2015-01-01", ""),
    ];
    let told = overlaps(&rows).expect("two overlaps");
    assert_eq!(
        told,
        "two rows say where one place belongs on the same day: 030101 from 2020-01-01 in rows 4 and 2; \
         3203 from 2024-01-01 in rows 1 and 3"
    );
}
