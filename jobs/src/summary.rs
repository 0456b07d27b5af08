//! What a run did, for a person and for a program.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::{self, Write as _},
    path::PathBuf,
};

use prem_spec::printable;
use prem_store::{Refusal, RowCounts, tables::UnplacedCode};
use serde::Serialize;

use crate::{calendar::Awaited, inputs::Inputs, intake::Intake, manifest::Found, session::Session, unplaced};

/// Refused files that a person is shown.
const SHOWN_MAX: usize = 5;
/// Refused files that the last line names.
const NAMED_MAX: usize = 3;

#[derive(Debug, Clone, Default, Serialize)]
pub struct Summary {
    pub run_id: String,
    /// Nothing had changed since the current release.
    pub idle: bool,
    pub release: Option<PathBuf>,
    /// The release is the one that readers see.
    pub is_current: bool,
    /// The release of this run was rolled back and is left so.
    pub rolled_back: bool,
    /// The data are the synthetic region's.
    pub is_sample: bool,
    pub files_new: usize,
    pub files_known: usize,
    /// Files whose delivery was withdrawn, and which are not taken again.
    pub withdrawn: Vec<String>,
    /// Exports of which a delivery is past due.
    pub past_due: Vec<Awaited>,
    /// File → why it was refused whole.
    pub refused: BTreeMap<String, String>,
    /// Refused file → its bad rows and the rows that were read of it.
    #[serde(skip)]
    pub bad_rows: BTreeMap<String, (u64, u64)>,
    /// Files of the inbox that were passed over, by reason.
    pub skipped: BTreeMap<String, Vec<String>>,
    /// Of these, how many no waiting makes readable: somebody must see to them.
    pub unreadable: usize,
    /// Files that a run would take in; of a dry run only.
    pub waiting: Option<Vec<String>>,
    pub held_back: BTreeMap<String, String>,
    /// Indicator → dataset that it needs and of which nothing was delivered.
    pub without_data: BTreeMap<String, String>,
    /// Erasures of rows that an earlier run of the same deliveries may have read.
    pub later_erasures: u64,
    pub rows: BTreeMap<String, RowCounts>,
    /// Codes that could not be placed, with the number of rows that had them.
    pub unplaced: Vec<UnplacedCode>,
    /// Questionnaire → invitations placed, and those that enter no response rate by reason.
    pub invitations: BTreeMap<String, (u64, BTreeMap<String, u64>)>,
    /// Rate indicator → matching contacts, those of an episode counted already, and those left out by reason.
    pub rates: BTreeMap<String, (u64, u64, BTreeMap<String, u64>)>,
    pub indicators: usize,
    pub periods: usize,
    pub units: usize,
    pub estimates: usize,
    pub withheld: BTreeMap<String, usize>,
    pub not_estimated: usize,
    pub seconds: BTreeMap<String, f64>,
}

impl Summary {
    pub fn new(session: &Session, inputs: &Inputs, intake: &Intake) -> Self {
        let reason = |refusal: &Refusal| (refusal.file_name.clone(), refusal.reason.clone());
        let rows = |refusal: &Refusal| {
            let counts = &refusal.counts;
            (refusal.file_name.clone(), (counts.quarantined_total(), counts.rows_in))
        };
        Self {
            run_id: inputs.run_id.clone(),
            is_sample: session.config.is_sample,
            files_new: intake.new.len(),
            files_known: intake.known,
            withdrawn: intake.withdrawn.clone(),
            refused: intake.refused.iter().map(reason).collect(),
            bad_rows: intake.refused.iter().map(rows).collect(),
            skipped: intake.skipped.iter().map(|(reason, files)| (reason.to_string(), files.clone())).collect(),
            unreadable: intake
                .skipped
                .iter()
                .filter(|(reason, _)| reason.is_finding())
                .map(|(_, files)| files.len())
                .sum(),
            held_back: inputs.held_back.clone(),
            without_data: inputs.without_data.clone(),
            later_erasures: inputs.later_erasures(),
            ..Self::default()
        }
    }

    /// Adds what the run found.
    pub fn tell(&mut self, found: Found, seconds: BTreeMap<String, f64>) {
        self.unplaced = unplaced::of_run(&found.linked, &found.rates);
        self.invitations = found
            .linked
            .into_iter()
            .map(|(id, linked)| (id, linked.outcome.invitations))
            .filter(|(_, counts)| !counts.left_out.is_empty())
            .map(|(id, counts)| (id, (counts.placed, counts.left_out)))
            .collect();
        self.rates = found
            .rates
            .events
            .into_iter()
            .map(|(id, cells)| (id, (cells.contacts, cells.same_episode, cells.excluded)))
            .collect();
        self.rows = found.ledger.datasets;
        self.indicators = found.indicators;
        self.periods = found.periods;
        self.units = found.units;
        self.estimates = found.estimates;
        self.withheld = found.withheld;
        self.not_estimated = found.not_estimated.len();
        self.seconds = seconds;
    }

    /// What somebody must see to, on one line; `None` where nothing waits for anybody.
    pub fn finding(&self) -> Option<String> {
        if !self.refused.is_empty() {
            return Some(self.refusals());
        }
        let unreadable = self.unreadable as u64;
        (unreadable > 0).then(|| format!("{} cannot be read; see prem status", counted(unreadable, "file", "files")))
    }

    fn refusals(&self) -> String {
        let name = |file: &String| match self.bad_rows.get(file) {
            Some((bad, rows)) if *bad > 0 => format!("{} ({bad} of {rows} rows)", printable(file)),
            _ => printable(file),
        };
        let named: Vec<String> = self.refused.keys().take(NAMED_MAX).map(name).collect();
        let more = match self.refused.len().saturating_sub(NAMED_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let held_back = match self.held_back.len() {
            0 => String::new(),
            held_back => format!("; held back {}", counted(held_back as u64, "indicator", "indicators")),
        };
        format!("refused {}{more}{held_back}; see prem status", named.join(", "))
    }
}

/// Names from outside as a list on a line.
pub fn listed(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| printable(name)).collect();
    names.join(", ")
}

/// 12345 → `12 345`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// What became of rows, as cells under a head: in, kept, quarantined, duplicate, superseded, excluded.
pub fn cells_of(rows: &RowCounts) -> String {
    format!(
        "{:>12}{:>12}{:>13}{:>11}{:>12}{:>10}",
        grouped(rows.rows_in),
        grouped(rows.kept),
        grouped(rows.quarantined.values().sum()),
        grouped(rows.duplicate),
        grouped(rows.superseded),
        grouped(rows.excluded.values().sum())
    )
}

/// A number with what it counts: `1 file`, `12 345 files`.
pub fn counted(number: u64, one: &str, several: &str) -> String {
    format!("{} {}", grouped(number), if number == 1 { one } else { several })
}

pub fn reasons<N: Copy + Into<u64>>(counts: &BTreeMap<String, N>) -> String {
    let each: Vec<String> =
        counts.iter().map(|(reason, rows)| format!("{reason} {}", grouped((*rows).into()))).collect();
    each.join(", ")
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        if self.is_sample {
            writeln!(text, "The embedded synthetic region: no real data. For your own, give --config.")?;
        }
        self.write_files(&mut text)?;
        if let Some(waiting) = &self.waiting {
            writeln!(text, "Would take in {} files: {}", waiting.len(), listed(waiting))?;
        }
        if self.rolled_back && self.idle {
            writeln!(
                text,
                "Nothing to do: run {} was rolled back; `prem run --force` publishes it again.",
                self.run_id
            )?;
        } else if self.idle {
            writeln!(text, "Nothing to do: run {} stands.", self.run_id)?;
        }
        if !self.rows.is_empty() {
            self.write_rows(&mut text)?;
        }
        if self.estimates > 0 {
            let withheld: usize = self.withheld.values().sum();
            writeln!(
                text,
                "\n{} indicators, {} periods, {} units: {} estimates, of which {} withheld to protect patients.",
                self.indicators,
                self.periods,
                self.units,
                grouped(self.estimates as u64),
                grouped(withheld as u64)
            )?;
        }
        if self.not_estimated > 0 {
            writeln!(text, "{} indicator periods have too little data; the manifest names them.", self.not_estimated)?;
        }
        if self.later_erasures > 0 {
            writeln!(text, "Reproducible except {} later erasures.", self.later_erasures)?;
        }
        for (indicator, export) in &self.held_back {
            writeln!(text, "Held back: {indicator}, because a file of {export} was refused.")?;
        }
        for dataset in self.without_data.values().collect::<BTreeSet<_>>() {
            let waiting = self.without_data.iter().filter(|(_, needed)| *needed == dataset);
            let waiting: Vec<&str> = waiting.map(|(indicator, _)| indicator.as_str()).collect();
            writeln!(text, "Held back: {}, because no {dataset} have been delivered.", waiting.join(", "))?;
        }
        if let Some(release) = &self.release {
            let what =
                if self.is_current || self.idle { "Release" } else { "Release (not made current: a narrowed run)" };
            writeln!(text, "{what}: {}", release.display())?;
        }
        if let Some(total) = self.seconds.get("total") {
            writeln!(text, "Run {} took {total:.1} s.", self.run_id)?;
        }
        f.write_str(text.trim_start_matches('\n'))
    }
}

impl Summary {
    fn write_files(&self, text: &mut String) -> fmt::Result {
        let unreadable =
            if self.unreadable > 0 { format!(", {} that cannot be read", self.unreadable) } else { String::new() };
        let refused = self.refused.len();
        writeln!(text, "Files: {} new, {} known, {refused} refused{unreadable}.", self.files_new, self.files_known)?;
        for (file, reason) in self.refused.iter().take(SHOWN_MAX) {
            writeln!(text, "  refused {}: {}", printable(file), printable(reason))?;
        }
        if self.refused.len() > SHOWN_MAX {
            writeln!(text, "  … and {} more; `prem status` has all", self.refused.len() - SHOWN_MAX)?;
        }
        if !self.withdrawn.is_empty() {
            writeln!(
                text,
                "  not taken again, since it was withdrawn: {}; `prem run --accept-again` takes such files",
                listed(&self.withdrawn)
            )?;
        }
        for (reason, files) in &self.skipped {
            writeln!(text, "  passed over {} that {reason}", listed(files))?;
        }
        for awaited in &self.past_due {
            write!(text, "Expected: {awaited}")?;
        }
        Ok(())
    }

    fn write_rows(&self, text: &mut String) -> fmt::Result {
        writeln!(
            text,
            "\n{:<14}{:>12}{:>12}{:>13}{:>11}{:>12}{:>10}",
            "rows", "in", "kept", "quarantined", "duplicate", "superseded", "excluded"
        )?;
        for (dataset, rows) in &self.rows {
            writeln!(text, "{dataset:<14}{}", cells_of(rows))?;
        }
        for (dataset, rows) in &self.rows {
            if !rows.quarantined.is_empty() {
                writeln!(text, "  {dataset} quarantined: {}", reasons(&rows.quarantined))?;
            }
            if !rows.excluded.is_empty() {
                writeln!(text, "  {dataset} excluded: {}", reasons(&rows.excluded))?;
            }
            if rows.empty > 0 {
                writeln!(text, "  {dataset} lines without any value, which are no rows: {}", grouped(rows.empty))?;
            }
            for (column, cells) in &rows.cleared {
                writeln!(text, "  {dataset} cells of {column} set to missing: {}", reasons(cells))?;
            }
            for (column, rows) in &rows.unmatched {
                writeln!(text, "  {dataset}: {} rows whose {column} is not delivered (yet)", grouped(*rows))?;
            }
        }
        for (questionnaire, (placed, left_out)) in &self.invitations {
            writeln!(
                text,
                "  {questionnaire}: {} invitations in response rates, left out: {}",
                grouped(*placed),
                reasons(left_out)
            )?;
        }
        for (indicator, (contacts, same_episode, excluded)) in &self.rates {
            write!(
                text,
                "  {indicator}: {} contacts, {} of an episode counted already",
                grouped(*contacts),
                grouped(*same_episode)
            )?;
            let left_out =
                if excluded.is_empty() { String::new() } else { format!("; left out: {}", reasons(excluded)) };
            writeln!(text, "{left_out}")?;
        }
        if !self.unplaced.is_empty() {
            writeln!(text, "Codes that could not be placed, with rows:")?;
            unplaced::write(text, &self.unplaced)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Summary, counted, grouped};

    #[test]
    fn what_was_refused_is_one_line() {
        let mut summary = Summary::default();
        let mut refuse = |file: &str, bad_rows| {
            summary.refused.insert(file.to_owned(), "too many bad rows".to_owned());
            summary.bad_rows.insert(file.to_owned(), bad_rows);
            summary.finding().unwrap_or_default()
        };
        assert_eq!(refuse("a.csv", (1, 13)), "refused a.csv (1 of 13 rows); see prem status");
        assert_eq!(refuse("b\nc.csv", (0, 0)), "refused a.csv (1 of 13 rows), b\\nc.csv; see prem status");
        refuse("c.csv", (0, 0));
        refuse("d.csv", (0, 0));
        refuse("e.csv", (0, 0));
        summary.held_back = [("staff".to_owned(), "answers".to_owned())].into();
        let said = summary.finding().unwrap_or_default();
        assert!(said.ends_with(", c.csv and 2 more; held back 1 indicator; see prem status"), "{said}");
        let unreadable = Summary { unreadable: 1, ..Summary::default() };
        assert_eq!(unreadable.finding().as_deref(), Some("1 file cannot be read; see prem status"));
        assert_eq!(Summary::default().finding(), None);
    }

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let cases = [(0, "0"), (999, "999"), (1000, "1 000"), (1_234_567, "1 234 567")];
        for (number, text) in cases {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn only_one_is_singular() {
        let cases = [(0, "0 files"), (1, "1 file"), (21, "21 files"), (1000, "1 000 files")];
        for (number, text) in cases {
            assert_eq!(counted(number, "file", "files"), text);
        }
    }
}
