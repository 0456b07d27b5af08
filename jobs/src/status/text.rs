//! The status as a person reads it.

use std::fmt::{self, Write as _};

use prem_spec::printable;
use prem_store::{Refusal, RowCounts, Withdrawal};

use super::{Dataset, Delivered, Status};
use crate::{
    calendar,
    summary::{cells_of, counted, grouped, reasons},
    unplaced,
};

/// Deliveries of a dataset that a person is shown, the latest; the program's output has all.
const DELIVERIES_SHOWN_MAX: usize = 12;
/// Bad rows of a refused file that a person is shown.
const BAD_ROWS_SHOWN_MAX: usize = 5;
/// Releases that a person is shown, the latest.
const RELEASES_SHOWN_MAX: usize = 5;
/// Characters of a file's path that a person is shown, the last.
const PATH_SHOWN_MAX: usize = 44;
/// Head of the first column.
const FIRST_COLUMN: &str = "dataset, delivery";

impl Dataset {
    /// The deliveries that a person is shown.
    fn shown(&self) -> &[Delivered] {
        let earlier = self.deliveries.len().saturating_sub(DELIVERIES_SHOWN_MAX);
        self.deliveries.get(earlier..).unwrap_or_default()
    }
}

impl Delivered {
    /// What stands in the first column: the number, by which `prem withdraw` knows a delivery, and the file.
    fn label(&self) -> String {
        let mark = if self.in_current_release { "" } else { "*" };
        format!("  {} {}{mark}", self.number, shortened(&printable(&self.file), PATH_SHOWN_MAX))
    }
}

/// The last `max` characters of a path: its beginning is the same for many.
fn shortened(path: &str, max: usize) -> String {
    let length = path.chars().count();
    if length <= max {
        return path.to_owned();
    }
    let rest: String = path.chars().skip(length + 1 - max).collect();
    format!("…{rest}")
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for refusal in &self.refusals {
            write_refusal(&mut text, refusal)?;
        }
        for (reason, files) in &self.unreadable {
            writeln!(text, "CANNOT BE READ {}: {reason}", files.join(", "))?;
        }
        writeln!(text, "Store {}", self.store)?;
        self.write_deliveries(&mut text)?;
        for awaited in &self.expected {
            write!(text, "Expected: {awaited}")?;
        }
        if self.erasures > 0 {
            writeln!(text, "Erased: {}", counted(self.erasures as u64, "key", "keys"))?;
        }
        for withdrawal in &self.withdrawn {
            write_withdrawal(&mut text, withdrawal)?;
        }
        self.write_derived(&mut text)?;
        if !self.unplaced.is_empty() {
            writeln!(text, "Codes that could not be placed, with rows:")?;
            unplaced::write(&mut text, &self.unplaced)?;
        }
        for (indicator, count) in &self.population {
            let left_out = if count.left_out.is_empty() { "nobody".to_owned() } else { reasons(&count.left_out) };
            let (counts, linked) = (grouped(count.counted), grouped(count.linked));
            writeln!(text, "{indicator}: {counts} of {linked} linked count; left out: {left_out}")?;
        }
        self.write_releases(&mut text)?;
        f.write_str(&text)
    }
}

impl Status {
    fn write_deliveries(&self, text: &mut String) -> fmt::Result {
        if self.deliveries.is_empty() {
            return writeln!(text, "Nothing has been delivered.");
        }
        let datasets = self.deliveries.iter().map(|(name, dataset)| title(name, dataset));
        let shown = self.deliveries.values().flat_map(Dataset::shown).map(Delivered::label);
        let labels = datasets.chain(shown).map(|label| label.chars().count());
        let width = labels.max().unwrap_or_default().max(FIRST_COLUMN.len());
        writeln!(
            text,
            "{FIRST_COLUMN:<width$}{:>12}{:>12}{:>13}{:>11}{:>12}{:>10}  delivered, export",
            "rows in", "kept", "quarantined", "duplicate", "superseded", "excluded"
        )?;
        self.deliveries.iter().try_for_each(|(name, dataset)| write_dataset(text, name, dataset, width))
    }

    fn write_derived(&self, text: &mut String) -> fmt::Result {
        let tables = |is_current: bool| -> Vec<&str> {
            let wanted = self.derived.iter().filter(|stored| stored.is_current == is_current);
            wanted.map(|stored| stored.table.as_str()).collect()
        };
        for (what, tables) in [("current", tables(true)), ("stale, made again by the next run", tables(false))] {
            if !tables.is_empty() {
                writeln!(text, "Derived tables ({what}): {}", tables.join(", "))?;
            }
        }
        for (questionnaire, linked) in &self.linked {
            let kept = counted(linked.kept, "response", "responses");
            let left_out: u64 = linked.excluded.values().sum();
            writeln!(text, "{questionnaire}: {kept} linked, {} left out", grouped(left_out))?;
            for (reason, rows) in &linked.excluded {
                writeln!(text, "    {reason}: {}", grouped(*rows))?;
            }
            for (reason, rows) in &linked.invitations.left_out {
                writeln!(text, "    invitations in no response rate, {reason}: {}", grouped(*rows))?;
            }
        }
        Ok(())
    }

    fn write_releases(&self, text: &mut String) -> fmt::Result {
        if self.releases.is_empty() {
            writeln!(text, "Releases: none")?;
        } else {
            let label = |run_id: &String| {
                let mark = if self.narrowed.contains(run_id) { " (narrowed)" } else { "" };
                format!("{run_id}{mark}")
            };
            let latest: Vec<String> = self.releases.iter().rev().take(RELEASES_SHOWN_MAX).map(label).collect();
            let more = if self.releases.len() > RELEASES_SHOWN_MAX { ", …" } else { "" };
            let number = grouped(self.releases.len() as u64);
            writeln!(text, "Releases: {number}, the latest first: {}{more}", latest.join(", "))?;
        }
        writeln!(text, "Current: {}", self.current.as_deref().unwrap_or("none"))
    }
}

/// What is wrong, where, and since when: the first thing to read when a run ended with 65.
fn write_refusal(text: &mut String, refusal: &Refusal) -> fmt::Result {
    let since = calendar::shown(refusal.refused_at);
    writeln!(text, "REFUSED {} ({}), {since}", printable(&refusal.file_name), refusal.export)?;
    writeln!(text, "  {}", printable(&refusal.reason))?;
    if !refusal.counts.quarantined.is_empty() {
        writeln!(text, "  bad rows: {}", reasons(&refusal.counts.quarantined))?;
    }
    for row in refusal.first.iter().take(BAD_ROWS_SHOWN_MAX) {
        writeln!(text, "    {}", printable(&row.to_string()))?;
    }
    writeln!(
        text,
        "  Nothing of the file is stored, and what depends on it is held back until it is replaced or taken out of the inbox."
    )
}

fn write_withdrawal(text: &mut String, withdrawal: &Withdrawal) -> fmt::Result {
    let Withdrawal { number, dataset, file_name, counts, withdrawn_at, why, .. } = withdrawal;
    let (file, rows) = (printable(file_name), counted(counts.rows_in, "row", "rows"));
    let when = calendar::shown(*withdrawn_at);
    writeln!(text, "Withdrawn: delivery {number} of {dataset}, {file} ({rows}), {when}: {}", printable(why))
}

fn title(name: &str, dataset: &Dataset) -> String {
    format!("{name} ({})", counted(dataset.files, "file", "files"))
}

fn write_dataset(text: &mut String, name: &str, dataset: &Dataset, width: usize) -> fmt::Result {
    write_rows(text, &title(name, dataset), width, &dataset.rows, "")?;
    write_reasons(text, "    ", &dataset.rows)?;
    for (column, rows) in &dataset.rows.unmatched {
        writeln!(text, "    rows whose {column} is not delivered (yet): {}", grouped(*rows))?;
    }
    for (found, files) in &dataset.detected {
        writeln!(text, "    detected {found}: {}", counted(*files, "file", "files"))?;
    }
    let shown = dataset.shown();
    let earlier = dataset.deliveries.len() - shown.len();
    if earlier > 0 {
        let earlier = counted(earlier as u64, "earlier delivery", "earlier deliveries");
        writeln!(text, "  … {earlier}; --output json has all")?;
    }
    for delivered in shown {
        let origin = format!("{}, {}", calendar::shown(delivered.delivered_at), delivered.export);
        write_rows(text, &delivered.label(), width, &delivered.rows, &origin)?;
        write_reasons(text, "      ", &delivered.rows)?;
    }
    if shown.iter().any(|delivered| !delivered.in_current_release) {
        writeln!(
            text,
            "    * not in the current release: counted when it was taken in, before later files were compared with it"
        )?;
    }
    Ok(())
}

fn write_rows(text: &mut String, what: &str, width: usize, rows: &RowCounts, origin: &str) -> fmt::Result {
    let line = format!("{what:<width$}{}  {origin}", cells_of(rows));
    writeln!(text, "{}", line.trim_end())
}

/// Why rows were quarantined or left out, and cells set to missing.
fn write_reasons(text: &mut String, indent: &str, rows: &RowCounts) -> fmt::Result {
    for (what, counts) in [("quarantined", &rows.quarantined), ("excluded", &rows.excluded)] {
        if counts.values().any(|rows| *rows > 0) {
            writeln!(text, "{indent}{what}: {}", reasons(counts))?;
        }
    }
    if rows.empty > 0 {
        writeln!(text, "{indent}lines without any value, which are no rows: {}", grouped(rows.empty))?;
    }
    for (column, cells) in &rows.cleared {
        writeln!(text, "{indent}cells of {column} set to missing: {}", reasons(cells))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use prem_ingest::SkipReason;
    use prem_stages::{LinkOutcome, PopulationCount};

    use super::*;
    use crate::derive::Stored;

    fn reason(reason: &str, rows: u64) -> BTreeMap<String, u64> {
        [(reason.to_owned(), rows)].into()
    }

    fn status() -> Status {
        let delivered = |number: u64, file: &str, rows: RowCounts| Delivered {
            number,
            export: "answers".to_owned(),
            file: file.to_owned(),
            delivered_at: "2025-01-31T23:00:00.25Z".parse().expect("a time"),
            sequence: String::new(),
            rows,
            in_current_release: number == 1,
        };
        let first = RowCounts {
            rows_in: 12_345,
            kept: 12_000,
            quarantined: reason("not-a-code", 40),
            duplicate: 5,
            superseded: 1,
            empty: 1_000,
            excluded: reason("unit-unknown", 299),
            ..RowCounts::default()
        };
        let second = RowCounts { rows_in: 10, kept: 10, ..RowCounts::default() };
        let mut rows = first.clone();
        rows.merge(&second);
        let responses = Dataset {
            files: 2,
            rows,
            detected: [("encoding utf-8".to_owned(), 1)].into(),
            last_delivered_at: None,
            deliveries: vec![
                delivered(1, "2025/a.csv", first),
                delivered(2, "from-the-hospital/of-the-second-quarter/answers_2025-02.csv", second),
            ],
        };
        let outcome = LinkOutcome { kept: 1, excluded: reason("no-invitation", 1_000), ..LinkOutcome::default() };
        let table = |table: &str, is_current| Stored { table: table.to_owned(), is_current };
        Status {
            store: "store".to_owned(),
            deliveries: [("responses".to_owned(), responses)].into(),
            refusals: vec![Refusal {
                dataset: "responses".to_owned(),
                export: "answers".to_owned(),
                file_name: "bad.csv".to_owned(),
                sha256: String::new(),
                bytes: 1,
                refused_at: "2025-07-01T10:00:00.5Z".parse().expect("a time"),
                plan_hash: String::new(),
                program: String::new(),
                reason: "too many bad rows".to_owned(),
                counts: prem_store::IngestCounts::default(),
                first: Vec::new(),
            }],
            withdrawn: vec![Withdrawal {
                number: 3,
                dataset: "responses".to_owned(),
                export: "answers".to_owned(),
                file_name: "other.csv".to_owned(),
                sha256: String::new(),
                delivered_at: "2025-07-01T10:00:00Z".parse().expect("a time"),
                counts: prem_store::IngestCounts { rows_in: 1_200, ..Default::default() },
                withdrawn_at: "2025-07-02T10:00:00Z".parse().expect("a time"),
                why: "of another hospital".to_owned(),
            }],
            unreadable: [(SkipReason::Unreadable.to_string(), vec!["closed.csv".to_owned(), "inner/".to_owned()])]
                .into(),
            expected: Vec::new(),
            erasures: 1,
            derived: vec![table("linked/stay", true), table("scored/stay", false)],
            linked: [("stay".to_owned(), outcome)].into(),
            unplaced: Vec::new(),
            population: [(
                "listened".to_owned(),
                PopulationCount { linked: 1_001, counted: 1_001, ..Default::default() },
            )]
            .into(),
            releases: ["a", "b", "c", "d", "e", "f"].map(str::to_owned).to_vec(),
            narrowed: ["a", "e"].map(str::to_owned).into(),
            current: Some("f".to_owned()),
        }
    }

    #[test]
    fn a_person_reads_what_went_where() {
        let expected = "\
REFUSED bad.csv (answers), 2025-07-01 12:00:00
  too many bad rows
  Nothing of the file is stored, and what depends on it is held back until it is replaced or taken out of the inbox.
CANNOT BE READ closed.csv, inner/: cannot be read; check its permissions
Store store
dataset, delivery                                     rows in        kept  quarantined  duplicate  superseded  excluded  delivered, export
responses (2 files)                                    12 355      12 010           40          5           1       299
    quarantined: not-a-code 40
    excluded: unit-unknown 299
    lines without any value, which are no rows: 1 000
    detected encoding utf-8: 1 file
  1 2025/a.csv                                         12 345      12 000           40          5           1       299  2025-02-01 00:00:00, answers
      quarantined: not-a-code 40
      excluded: unit-unknown 299
      lines without any value, which are no rows: 1 000
  2 …l/of-the-second-quarter/answers_2025-02.csv*          10          10            0          0           0         0  2025-02-01 00:00:00, answers
    * not in the current release: counted when it was taken in, before later files were compared with it
Erased: 1 key
Withdrawn: delivery 3 of responses, other.csv (1 200 rows), 2025-07-02 12:00:00: of another hospital
Derived tables (current): linked/stay
Derived tables (stale, made again by the next run): scored/stay
stay: 1 response linked, 1 000 left out
    no-invitation: 1 000
listened: 1 001 of 1 001 linked count; left out: nobody
Releases: 6, the latest first: f, e (narrowed), d, c, b, …
Current: f
";
        assert_eq!(status().to_string(), expected);
    }

    #[test]
    fn what_there_is_nothing_of_is_not_listed() {
        let nothing = Status {
            deliveries: BTreeMap::new(),
            refusals: Vec::new(),
            withdrawn: Vec::new(),
            unreadable: BTreeMap::new(),
            erasures: 0,
            derived: Vec::new(),
            linked: BTreeMap::new(),
            population: BTreeMap::new(),
            releases: Vec::new(),
            current: None,
            ..status()
        };
        assert_eq!(nothing.to_string(), "Store store\nNothing has been delivered.\nReleases: none\nCurrent: none\n");
    }

    #[test]
    fn a_file_name_adds_no_lines() {
        let mut forged = status();
        "bad.csv\nREFUSED other.csv\u{1b}[2J".clone_into(&mut forged.refusals[0].file_name);
        let responses = forged.deliveries.get_mut("responses").expect("a dataset");
        "a.csv\nCurrent: g".clone_into(&mut responses.deliveries[0].file);
        let said = forged.to_string();
        assert!(said.starts_with("REFUSED bad.csv\\nREFUSED other.csv\\u{1b}[2J (answers)"), "{said}");
        assert!(said.contains("\n  1 a.csv\\nCurrent: g "), "{said}");
        assert_eq!(said.lines().count(), status().to_string().lines().count());
    }

    #[test]
    fn long_paths_lose_their_beginning() {
        assert_eq!(shortened("øst/år.csv", 10), "øst/år.csv");
        assert_eq!(shortened("øst/år.csv", 9), "…t/år.csv");
    }
}
