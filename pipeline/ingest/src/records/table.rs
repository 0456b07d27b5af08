//! A chunk's cells: the one shape in which every format hands its rows to the checks.

use std::collections::BTreeSet;

use crate::{limits::FOREIGN_CELL_BYTES_MAX, reason::Reason};

/// The fields of a chunk as text, whatever the format. Rows are those with the right number of fields.
#[derive(Clone)]
pub(crate) struct Table {
    /// The cells' text; in delimited text the chunk's own, and behind it the fields whose doubled quotes were undone.
    pub(super) text: String,
    /// Row by row, `width` places each.
    pub(super) spans: Vec<(u32, u32)>,
    pub(super) width: usize,
    /// For each row its line, counted from the chunk's first, and its place among the chunk's records.
    pub(super) places: Vec<Place>,
    /// Cells whose value the format itself cannot give, in the order of rows; their text is empty.
    pub(crate) flaws: Vec<Flaw>,
    /// Records that are no rows.
    pub(crate) bad: Vec<BadRecord>,
    /// Records without any value.
    pub(crate) empty: u64,
    /// Line ends in the chunk.
    pub(crate) lines: u32,
    /// Names of values that no field holds. Only a format without a header of its own has any.
    pub(crate) unread: BTreeSet<String>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) line: u32,
    pub(crate) record: u32,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Flaw {
    pub(crate) row: usize,
    pub(crate) field: usize,
    pub(crate) reason: Reason,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct BadRecord {
    pub(crate) place: Place,
    pub(crate) reason: Reason,
}

impl Table {
    pub(super) fn new(width: usize) -> Self {
        Self {
            text: String::new(),
            spans: Vec::new(),
            width,
            places: Vec::new(),
            flaws: Vec::new(),
            bad: Vec::new(),
            empty: 0,
            lines: 0,
            unread: BTreeSet::new(),
        }
    }

    pub(crate) fn rows(&self) -> usize {
        self.places.len()
    }

    /// Rows and bad records: everything but empty ones.
    pub(crate) fn records(&self) -> u64 {
        (self.places.len() + self.bad.len()) as u64
    }

    pub(crate) fn place(&self, row: usize) -> Place {
        self.places[row]
    }

    pub(crate) fn cell(&self, row: usize, field: usize) -> &str {
        let (start, end) = self.spans[row * self.width + field];
        &self.text[start as usize..end as usize]
    }
}

/// Fills a table cell by cell, row by row; for the formats that are no delimited text. Every row is a line.
pub(crate) struct TableBuilder {
    table: Table,
    /// Cells of the row so far, and where they begin in `spans`.
    first: usize,
    filled: bool,
}

impl TableBuilder {
    pub(crate) fn new(width: usize) -> Self {
        Self { table: Table::new(width), first: 0, filled: false }
    }

    /// Cells of the row so far.
    pub(crate) fn cells_in_row(&self) -> usize {
        self.table.spans.len() - self.first
    }

    /// Bytes of all cells.
    pub(crate) fn bytes(&self) -> usize {
        self.table.text.len()
    }

    /// Cells of all rows.
    pub(crate) fn cells(&self) -> usize {
        self.table.spans.len()
    }

    pub(crate) fn blank(&mut self) {
        let end = self.table.text.len();
        self.table.spans.push((small(end), small(end)));
    }

    pub(crate) fn text(&mut self, text: &str) {
        if text.len() > FOREIGN_CELL_BYTES_MAX {
            return self.flaw(Reason::TooLong);
        }
        self.try_write(|to| {
            to.push_str(text);
            Ok(())
        });
    }

    /// Appends a cell as `write` writes it, or with the reason why it cannot. A text that is longer than any value is not kept.
    pub(crate) fn try_write(&mut self, write: impl FnOnce(&mut String) -> Result<(), Reason>) {
        let start = self.table.text.len();
        let written = write(&mut self.table.text);
        let end = self.table.text.len();
        if let Err(reason) = written {
            self.table.text.truncate(start);
            return self.flaw(reason);
        }
        if end - start > FOREIGN_CELL_BYTES_MAX {
            self.table.text.truncate(start);
            return self.flaw(Reason::TooLong);
        }
        self.filled |= self.table.text.as_bytes()[start..].iter().any(|byte| !byte.is_ascii_whitespace());
        self.table.spans.push((small(start), small(end)));
    }

    /// A cell whose value cannot be had.
    pub(crate) fn flaw(&mut self, reason: Reason) {
        let flaw = Flaw { row: self.table.places.len(), field: self.cells_in_row(), reason };
        self.table.flaws.push(flaw);
        self.filled = true;
        self.blank();
    }

    /// Cells that were not given are blank, and a row of blanks is no row; cells past the header have no column.
    pub(crate) fn end_row(&mut self) {
        let width = self.table.width;
        if self.filled {
            while self.cells_in_row() < width {
                self.blank();
            }
            self.table.spans.truncate(self.first + width);
            let row = self.table.places.len();
            while self.table.flaws.last().is_some_and(|flaw| flaw.row == row && flaw.field >= width) {
                self.table.flaws.pop();
            }
            let place = self.next_place();
            self.table.places.push(place);
        } else {
            self.table.spans.truncate(self.first);
            self.table.empty += 1;
        }
        self.begin();
    }

    /// As [`Self::end_row`], for records that are rows also without any value.
    pub(crate) fn end_record(&mut self) {
        self.filled = true;
        self.end_row();
    }

    /// A record that is no row.
    pub(crate) fn bad_row(&mut self, reason: Reason) {
        self.table.spans.truncate(self.first);
        let row = self.table.places.len();
        while self.table.flaws.last().is_some_and(|flaw| flaw.row == row) {
            self.table.flaws.pop();
        }
        let place = self.next_place();
        self.table.bad.push(BadRecord { place, reason });
        self.begin();
    }

    /// Notes that a value of that name has no field.
    pub(crate) fn unread(&mut self, name: &str) {
        if !self.table.unread.contains(name) {
            self.table.unread.insert(name.to_owned());
        }
    }

    pub(crate) fn finish(self) -> Table {
        self.table
    }

    fn next_place(&self) -> Place {
        let record = small(self.table.places.len() + self.table.bad.len());
        Place { line: self.table.lines, record }
    }

    fn begin(&mut self) {
        self.first = self.table.spans.len();
        self.filled = false;
        self.table.lines += 1;
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a chunk is some megabytes, far below 4 GiB: see the module of limits"
)]
pub(super) fn small(number: usize) -> u32 {
    number as u32
}
