//! Codes that could not be placed: every one for the operator, and what of it may be told outside the house.

use std::{
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use prem_spec::printable;
use prem_stages::Unplaced;
use prem_store::tables::UnplacedCode;
use serde::{Deserialize, Serialize};

use crate::{derive::Linked, figures::Rates};

/// A release shows no count of persons below this; the same number as the default `minimum_count` of indicators.
const COUNT_SHOWN_MIN: i64 = 5;
/// Rows of a table of areas. They are no persons, so a release may show however few there are.
const ROWS: &str = "rows";
/// Codes of one reason that a person is shown; the program's output has all.
const CODES_SHOWN_MAX: usize = 12;

/// Codes of one reason as a release may show them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownCodes {
    /// responses, invitations, events, inhabitants or rows.
    pub what: String,
    /// Questionnaire, indicator or dataset.
    pub subject: String,
    pub reason: String,
    pub counts: BTreeMap<String, i64>,
    /// Further codes. They have small counts and are not named: beside the reason's total a name would tell of few persons.
    pub not_named: usize,
}

/// All codes of a run, in a fixed order.
pub fn of_run(linked: &BTreeMap<String, Linked>, rates: &Rates) -> Vec<UnplacedCode> {
    let mut rows = Vec::new();
    for (id, linked) in linked {
        add(&mut rows, "responses", id, &linked.outcome.unplaced);
        add(&mut rows, "invitations", id, &linked.outcome.invitations.unplaced);
    }
    for (id, cells) in &rates.events {
        add(&mut rows, "events", id, &cells.unplaced);
    }
    add(&mut rows, "inhabitants", "population", &rates.areas.unplaced_persons);
    add(&mut rows, ROWS, "catchment", &rates.areas.unknown_units);
    rows
}

fn add(rows: &mut Vec<UnplacedCode>, what: &str, subject: &str, unplaced: &Unplaced) {
    for (reason, codes) in unplaced {
        rows.extend(codes.iter().map(|(code, count)| UnplacedCode {
            what: what.to_owned(),
            subject: subject.to_owned(),
            reason: reason.clone(),
            code: code.clone(),
            count: i64::try_from(*count).unwrap_or(i64::MAX),
        }));
    }
}

/// The rows of each reason together.
fn by_reason(rows: &[UnplacedCode]) -> impl Iterator<Item = &[UnplacedCode]> {
    rows.chunk_by(|a, b| (&a.what, &a.subject, &a.reason) == (&b.what, &b.subject, &b.reason))
}

/// What a release may show: codes with small counts of persons are not named.
pub fn shown(rows: &[UnplacedCode]) -> Vec<ShownCodes> {
    by_reason(rows)
        .filter_map(|rows| {
            let first = rows.first()?;
            let named = rows.iter().filter(|row| row.what == ROWS || row.count >= COUNT_SHOWN_MIN);
            let counts: BTreeMap<String, i64> = named.map(|row| (row.code.clone(), row.count)).collect();
            Some(ShownCodes {
                what: first.what.clone(),
                subject: first.subject.clone(),
                reason: first.reason.clone(),
                not_named: rows.len() - counts.len(),
                counts,
            })
        })
        .collect()
}

/// A line per reason, the most frequent codes first.
pub fn write(text: &mut String, rows: &[UnplacedCode]) -> fmt::Result {
    for rows in by_reason(rows) {
        let Some(first) = rows.first() else { continue };
        let mut sorted: Vec<&UnplacedCode> = rows.iter().collect();
        sorted.sort_by_key(|row| std::cmp::Reverse(row.count));
        let codes: Vec<String> = sorted
            .iter()
            .take(CODES_SHOWN_MAX)
            .map(|row| format!("{} ({})", printable(&row.code), row.count))
            .collect();
        let more = match sorted.len().saturating_sub(CODES_SHOWN_MAX) {
            0 => String::new(),
            more => format!(", … and {more} more"),
        };
        writeln!(text, "  {} {}, {}: {}{more}", first.subject, first.what, first.reason, codes.join(", "))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(reason: &str, codes: &[(&str, i64)]) -> Vec<UnplacedCode> {
        let row = |(code, count): &(&str, i64)| UnplacedCode {
            what: "events".to_owned(),
            subject: "hip".to_owned(),
            reason: reason.to_owned(),
            code: (*code).to_owned(),
            count: *count,
        };
        codes.iter().map(row).collect()
    }

    #[test]
    fn codes_of_few_stay_in_the_house() {
        let all = rows("area-gap", &[("0301", 9), ("1103", 1), ("3203", 1), ("4601", 5)]);
        let shown = shown(&all);
        assert_eq!(shown[0].counts, [("0301".to_owned(), 9), ("4601".to_owned(), 5)].into());
        // Named, each of the two would be one person beside the total of 16.
        assert_eq!(shown[0].not_named, 2);
        let told = serde_json::to_string(&shown).expect("JSON");
        assert!(!told.contains("1103") && !told.contains("3203"), "{told}");
    }

    #[test]
    fn rows_of_a_table_of_areas_are_no_persons() {
        let mut all = rows("unit-unknown", &[("nowhere", 1)]);
        all.iter_mut().for_each(|row| row.what = ROWS.to_owned());
        let shown = shown(&all);
        assert_eq!((shown[0].counts["nowhere"], shown[0].not_named), (1, 0));
    }

    #[test]
    fn each_reason_is_a_line_with_its_most_frequent_codes_first() {
        let mut all = rows("area-gap", &[("0301", 2), ("3203", 7)]);
        all.extend(rows("district-unknown", &[("030199", 1)]));
        let mut text = String::new();
        write(&mut text, &all).expect("a text can be written to");
        assert_eq!(text, "  hip events, area-gap: 3203 (7), 0301 (2)\n  hip events, district-unknown: 030199 (1)\n");
    }
}
