//! What the pages of a file unfold to, seen before they are read: the library makes room for whatever a page's header says of its
//! size and its number of values, so a file of a kilobyte could take gigabytes.

use std::{
    collections::VecDeque,
    fs::File,
    io::{self, BufReader, Read, Seek, SeekFrom},
};

use flate2::read::MultiGzDecoder;
use parquet::{
    basic::{Compression, Type},
    file::metadata::{ColumnChunkMetaData, ParquetMetaData},
};

use super::{
    FORMAT, contradictory,
    pages::{Page, PageKind, damaged, read_header},
    unreadable,
};
use crate::{
    error::RefusalCause,
    limits::{Limits, PARQUET_PAGE_BYTES_MAX, PARQUET_PAGES_BYTES_MAX, PARQUET_ROWS_PER_BYTE_MAX},
    source::SourceFault,
};

/// A text of a dictionary is held as its place in the page.
const VIEW_BYTES: u64 = 16;
/// The encodings of the format in which a text is written by what it shares with the one before, or by its length apart: they
/// unfold in proportion to nothing that a header says.
const DELTA_TEXTS: [i32; 2] = [6, 7];
/// What gzip can pack into a byte, at most.
const GZIP_RATIO_MAX: u64 = 1032;

/// Rows that a file may have: more in a small file are announced or repeated, and nobody's answers.
pub(super) fn rows_max(bytes: u64, limits: Limits) -> u64 {
    bytes.saturating_mul(PARQUET_ROWS_PER_BYTE_MAX).max(limits.parquet_rows_free)
}

/// Walks over the headers of all pages of the columns that are read, in batches of `batch_rows` at most.
pub(super) fn look_through(
    file: &File,
    metadata: &ParquetMetaData,
    batch_rows: usize,
    is_read: impl Fn(usize) -> bool,
) -> Result<(), SourceFault> {
    let mut file = BufReader::new(file.try_clone().map_err(SourceFault::Io)?);
    let columns = metadata.file_metadata().schema_descr().num_columns();
    let mut sum = 0;
    for column in (0..columns).filter(|column| is_read(*column)) {
        let mut held = None;
        for group in metadata.row_groups() {
            let chunk = group.columns().get(column).ok_or_else(contradictory)?;
            let held = held.get_or_insert_with(|| Held::new(chunk.column_type(), batch_rows));
            walk(&mut file, chunk, held)?;
        }
        sum += held.map_or(0, |held| held.dictionaries.most + held.pages.most);
        if sum > PARQUET_PAGES_BYTES_MAX {
            let what = "bytes of unfolded pages that are read at once";
            return Err(RefusalCause::TooLarge { format: FORMAT, what, max: PARQUET_PAGES_BYTES_MAX }.into());
        }
    }
    Ok(())
}

/// What reading a column holds in memory at most.
struct Held {
    dictionaries: Window,
    pages: Window,
}

impl Held {
    /// A batch refers to its texts where they stand in their pages; numbers are copied, so that one page is there at a time.
    fn new(kind: Type, batch_rows: usize) -> Self {
        let rows = if kind == Type::BYTE_ARRAY { batch_rows as u64 } else { 1 };
        Self { dictionaries: Window::new(rows), pages: Window::new(rows) }
    }
}

/// The most bytes of things that stand one after the other and that one batch of rows touches.
struct Window {
    batch: u64,
    open: VecDeque<(u64, u64)>,
    rows: u64,
    bytes: u64,
    most: u64,
}

impl Window {
    fn new(batch: u64) -> Self {
        Self { batch, open: VecDeque::new(), rows: 0, bytes: 0, most: 0 }
    }

    fn push(&mut self, rows: u64, bytes: u64) {
        // The batch has at least one row of the first and of the last, and all rows between.
        while let Some((first_rows, first_bytes)) = self.open.front().copied()
            && self.rows - first_rows + 2 > self.batch
        {
            self.open.pop_front();
            self.rows -= first_rows;
            self.bytes -= first_bytes;
        }
        self.open.push_back((rows, bytes));
        self.rows += rows;
        self.bytes += bytes;
        self.most = self.most.max(self.bytes);
    }
}

fn walk(file: &mut BufReader<File>, chunk: &ColumnChunkMetaData, held: &mut Held) -> Result<(), SourceFault> {
    let fault = |error: io::Error| match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => unreadable("its pages are damaged").into(),
        _ => SourceFault::Io(error),
    };
    let (start, mut left) = chunk.byte_range();
    file.seek(SeekFrom::Start(start)).map_err(fault)?;
    let (mut dictionary, mut values) = (0_u64, 0_u64);
    while left > 0 {
        let mut bounded = file.by_ref().take(left);
        let page = read_header(&mut bounded).map_err(fault)?;
        left = bounded.limit().checked_sub(page.packed).ok_or_else(|| fault(damaged()))?;
        let bytes = bytes_of(&page, chunk)?;
        if bytes > PARQUET_PAGE_BYTES_MAX {
            let max = PARQUET_PAGE_BYTES_MAX;
            return Err(RefusalCause::TooLarge { format: FORMAT, what: "bytes of an unfolded page", max }.into());
        }
        match page.kind {
            PageKind::Dictionary => dictionary = dictionary.max(bytes),
            PageKind::Data => {
                held.pages.push(page.values, bytes);
                values += page.values;
            }
            PageKind::Other => {}
        }
        let is_long = page.packed > PARQUET_PAGE_BYTES_MAX / GZIP_RATIO_MAX;
        let measured = if matches!(chunk.compression(), Compression::GZIP(_)) && page.is_packed && is_long {
            measure(file, &page).map_err(fault)?
        } else {
            0
        };
        let rest = i64::try_from(page.packed - measured).map_err(|_| fault(damaged()))?;
        file.seek_relative(rest).map_err(fault)?;
    }
    held.dictionaries.push(values, dictionary);
    Ok(())
}

/// Memory that a page takes once it is unfolded.
fn bytes_of(page: &Page, chunk: &ColumnChunkMetaData) -> Result<u64, RefusalCause> {
    let bytes = page.unfolded.max(page.packed);
    match page.kind {
        PageKind::Dictionary => {
            // The bytes that a value takes in the page, and beside it.
            let (least, beside) = match chunk.column_type() {
                Type::BYTE_ARRAY => (4, VIEW_BYTES),
                Type::FIXED_LEN_BYTE_ARRAY => {
                    let length = u64::try_from(chunk.column_descr().type_length()).unwrap_or(0).max(1);
                    (length, length)
                }
                Type::INT96 => (12, 12),
                Type::INT64 | Type::DOUBLE => (8, 8),
                Type::INT32 | Type::FLOAT => (4, 4),
                Type::BOOLEAN => (1, 1),
            };
            if page.values > bytes / least {
                return Err(unreadable("a dictionary announces more values than it has"));
            }
            Ok(bytes + page.values * beside)
        }
        PageKind::Data if DELTA_TEXTS.contains(&page.encoding) => {
            Err(unreadable("texts of it are delta-encoded, which is not read"))
        }
        PageKind::Data | PageKind::Other => Ok(bytes),
    }
}

/// Unfolds a page of gzip, whose library asks nobody how much it may unfold to; the number of bytes that were read of it.
fn measure(file: &mut BufReader<File>, page: &Page) -> io::Result<u64> {
    let plain = page.plain.min(page.packed);
    io::copy(&mut file.by_ref().take(plain), &mut io::sink())?;
    let mut packed = file.by_ref().take(page.packed - plain);
    let most = page.unfolded.saturating_sub(plain) + 1;
    let unfolded = io::copy(&mut MultiGzDecoder::new(&mut packed).take(most), &mut io::sink()).map_err(|error| {
        // What flate2 makes of damaged bytes.
        if error.kind() == io::ErrorKind::InvalidInput { damaged() } else { error }
    })?;
    if unfolded == most { Err(damaged()) } else { Ok(page.packed - packed.limit()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_holds_what_a_batch_touches() {
        let most = |batch, things: &[(u64, u64)]| {
            let mut window = Window::new(batch);
            things.iter().for_each(|(rows, bytes)| window.push(*rows, *bytes));
            window.most
        };
        assert_eq!(most(1, &[(1, 5), (1, 7), (1, 6)]), 7);
        assert_eq!(most(2, &[(1, 5), (1, 7), (1, 6)]), 13);
        assert_eq!(most(3, &[(1, 5), (1, 7), (1, 6)]), 18);
        assert_eq!(most(3, &[(9, 5), (2, 7), (9, 6)]), 13);
        assert_eq!(most(4, &[(9, 5), (2, 7), (9, 6)]), 18);
        // Empty pages cost no row.
        assert_eq!(most(2, &[(9, 5), (0, 7), (0, 7), (9, 6)]), 25);
    }
}
