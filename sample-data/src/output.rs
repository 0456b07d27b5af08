//! What a block of work makes: rows for files, counts of what was planted, and who answered.

use std::collections::BTreeMap;

use crate::{
    table::{Row, Table},
    tables::Kind,
};

/// Counts by dataset, kind of finding and reason.
pub(crate) type Deliveries = BTreeMap<(&'static str, &'static str, String), u64>;

#[derive(Default)]
pub(crate) struct Output {
    /// By dataset and file.
    pub(crate) files: BTreeMap<(Kind, u32), Lines>,
    pub(crate) deliveries: Deliveries,
    pub(crate) respondents: Option<Respondents>,
    spare: Vec<Row>,
}

/// Rows of one file, without header.
#[derive(Default)]
pub(crate) struct Lines {
    pub(crate) bytes: Vec<u8>,
    pub(crate) rows: u64,
    /// Numbers of those that were broken.
    pub(crate) broken: Vec<u64>,
}

/// The respondents of one ward and month that the truth counts.
pub(crate) struct Respondents {
    pub(crate) ward: usize,
    pub(crate) year: i16,
    /// Number and sum of x'β of those within each population of the indicators.
    pub(crate) by_population: Vec<(u64, f64)>,
    /// Eligible invitations within each population.
    pub(crate) eligible: Vec<u64>,
    /// How often each value of each characteristic occurs.
    pub(crate) values: Vec<Vec<u64>>,
    /// Answers whose experience had to be cut; always 0 by design.
    pub(crate) cut: u64,
}

impl Output {
    /// A cleared row, reused between rows.
    pub(crate) fn take_row(&mut self) -> Row {
        let mut row = self.spare.pop().unwrap_or_default();
        row.clear();
        row
    }

    pub(crate) fn give_row(&mut self, row: Row) {
        self.spare.push(row);
    }

    pub(crate) fn write(&mut self, table: &Table, kind: Kind, file: u32, row: &Row) {
        let lines = self.files.entry((kind, file)).or_default();
        lines.rows += 1;
        table.write(row, &mut lines.bytes);
    }

    /// Counts a row that was broken before it is written.
    pub(crate) fn broken(&mut self, kind: Kind, file: u32, number: u64, reason: &str) {
        self.files.entry((kind, file)).or_default().broken.push(number);
        self.count(kind, "quarantine", reason);
    }

    pub(crate) fn count(&mut self, kind: Kind, finding: &'static str, reason: &str) {
        *self.deliveries.entry((kind.dataset(), finding, reason.to_owned())).or_default() += 1;
    }

    /// The counts, with the rows written.
    pub(crate) fn finish(&mut self) {
        for kind in Kind::ALL {
            let of_kind = self.files.iter().filter(|((of, _), _)| *of == kind);
            let rows: u64 = of_kind.map(|(_, lines)| lines.rows).sum();
            *self.deliveries.entry((kind.dataset(), "rows", "written".to_owned())).or_default() += rows;
        }
        self.spare.clear();
    }
}
