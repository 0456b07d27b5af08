//! Columns whose values may stand once in a file: exact, in memory that does not grow with the file.
//!
//! Every value of such a column is kept as 128 bits of its SHA-256 with its row. Past a bound the list is sorted and put on disk;
//! at the end the sorted lists are merged, and equal values stand side by side. The first row of a value stays, so what comes out
//! are the later ones, in the order of rows.

use std::{
    cmp::Reverse,
    collections::BinaryHeap,
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{Date32Type, Float64Type, Int16Type, Int64Type, TimestampMillisecondType},
};
use sha2::{Digest, Sha256};

/// Entries in memory: 64 MiB.
const ENTRIES_MAX: usize = 1 << 21;
const WORDS: usize = 4;
const ENTRY_BYTES: usize = WORDS * 8;

type Entry = [u64; WORDS];

/// A value of a unique column in a kept row of a chunk.
pub(crate) struct Keyed {
    /// Place among the stored columns.
    pub(crate) column: usize,
    /// Place among the chunk's kept rows.
    pub(crate) row: usize,
    /// As in the chunk.
    pub(crate) line: u32,
    hash: [u64; 2],
}

/// The values of `column` in rows that are kept; a missing one is no value. `kept` gives the chunk's row and line of each.
pub(crate) fn keyed(column: usize, array: &ArrayRef, kept: &[(usize, u32)]) -> Vec<Keyed> {
    let mut bytes = Vec::new();
    let mut all = Vec::new();
    for (place, (row, line)) in kept.iter().enumerate() {
        if array.is_null(*row) {
            continue;
        }
        bytes.clear();
        write_value(array, *row, &mut bytes);
        let digest = Sha256::digest(&bytes);
        let word = |from: usize| digest[from..from + 8].iter().fold(0, |word, byte| word << 8 | u64::from(*byte));
        all.push(Keyed { column, row: place, line: *line, hash: [word(0), word(8)] });
    }
    all
}

/// The stored value: two spellings of one number or date are the same.
fn write_value(array: &ArrayRef, row: usize, bytes: &mut Vec<u8>) {
    if let Some(texts) = array.as_string_opt::<i32>() {
        bytes.extend(texts.value(row).as_bytes());
    } else if let Some(truths) = array.as_boolean_opt() {
        bytes.push(u8::from(truths.value(row)));
    } else if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
        bytes.extend(numbers.value(row).to_bits().to_le_bytes());
    } else if let Some(numbers) = array.as_primitive_opt::<Int64Type>() {
        bytes.extend(numbers.value(row).to_le_bytes());
    } else if let Some(codes) = array.as_primitive_opt::<Int16Type>() {
        bytes.extend(codes.value(row).to_le_bytes());
    } else if let Some(days) = array.as_primitive_opt::<Date32Type>() {
        bytes.extend(days.value(row).to_le_bytes());
    } else if let Some(times) = array.as_primitive_opt::<TimestampMillisecondType>() {
        bytes.extend(times.value(row).to_le_bytes());
    }
}

/// A row whose value stood before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Repeated {
    /// Place among the file's kept rows, from 0.
    pub(crate) row: u64,
    pub(crate) column: usize,
    pub(crate) line: u64,
}

/// A cell that a rule has set to missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClearedCell {
    /// Place among the file's kept rows, from 0.
    pub(crate) row: u64,
    pub(crate) rule: usize,
}

/// Collects the values of a whole file.
pub(crate) struct Uniques {
    values: Sorter,
    /// Row and rule of each cell that a rule has set to missing.
    cleared: Sorter,
    folder: PathBuf,
    entries_max: usize,
}

impl Uniques {
    /// Lists that do not fit in memory go to `folder`.
    pub(crate) fn new(folder: &Path) -> Self {
        Self::with_entries_max(folder, ENTRIES_MAX)
    }

    fn with_entries_max(folder: &Path, entries_max: usize) -> Self {
        Self {
            values: Sorter::new(folder, "values", entries_max),
            cleared: Sorter::new(folder, "cleared", entries_max),
            folder: folder.to_path_buf(),
            entries_max,
        }
    }

    /// `rows` and `lines` are those before the chunk.
    pub(crate) fn add(&mut self, keyed: &Keyed, rows: u64, lines: u64) -> io::Result<()> {
        // The column is mixed into the hash, so that equal values of two columns are no repetition.
        let hash = keyed.hash[1] ^ (keyed.column as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let column_and_line = (keyed.column as u64) << 48 | (lines + u64::from(keyed.line) + 1);
        self.values.add([keyed.hash[0], hash, rows + keyed.row as u64, column_and_line])
    }

    /// A cell of the kept row `row` that `rule` has set to missing.
    pub(crate) fn add_cleared(&mut self, rule: usize, row: u64) -> io::Result<()> {
        self.cleared.add([row, rule as u64, 0, 0])
    }

    /// Rows whose value stood in an earlier row, in the order of rows and columns; and the cells that were set to missing, in
    /// the order of rows.
    pub(crate) fn finish(
        self,
    ) -> io::Result<(impl Iterator<Item = io::Result<Repeated>>, impl Iterator<Item = io::Result<ClearedCell>>)> {
        let mut repeated = Sorter::new(&self.folder, "repeated", self.entries_max);
        let mut before: Option<Entry> = None;
        for entry in self.values.finish()? {
            let entry = entry?;
            if before.is_some_and(|before| before[..2] == entry[..2]) {
                repeated.add([entry[2], entry[3] >> 48, entry[3] & ((1 << 48) - 1), 0])?;
            }
            before = Some(entry);
        }
        let repeated = repeated.finish()?.map(|entry| {
            entry.map(|[row, column, line, _]| Repeated { row, column: usize::try_from(column).unwrap_or(0), line })
        });
        let cleared = self.cleared.finish()?;
        let cleared = cleared.map(|entry| {
            entry.map(|[row, rule, ..]| ClearedCell { row, rule: usize::try_from(rule).unwrap_or(usize::MAX) })
        });
        Ok((repeated, cleared))
    }
}

/// Sorts more entries than fit in memory. Its files are gone when it is.
struct Sorter {
    entries: Vec<Entry>,
    entries_max: usize,
    stem: PathBuf,
    runs: Vec<PathBuf>,
}

impl Sorter {
    fn new(folder: &Path, what: &str, entries_max: usize) -> Self {
        Self { entries: Vec::new(), entries_max, stem: folder.join(format!("unique-{what}")), runs: Vec::new() }
    }

    fn add(&mut self, entry: Entry) -> io::Result<()> {
        self.entries.push(entry);
        if self.entries.len() >= self.entries_max { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        self.entries.sort_unstable();
        let path = self.stem.with_extension(format!("{}.run", self.runs.len()));
        self.runs.push(path.clone());
        let mut file = BufWriter::new(File::create(&path)?);
        for entry in self.entries.drain(..) {
            for word in entry {
                file.write_all(&word.to_le_bytes())?;
            }
        }
        file.flush()
    }

    fn finish(mut self) -> io::Result<Merge> {
        self.entries.sort_unstable();
        let mut sources = vec![Run::Memory(std::mem::take(&mut self.entries).into_iter())];
        for path in &self.runs {
            sources.push(Run::Disk(BufReader::new(File::open(path)?)));
        }
        let mut heads = BinaryHeap::new();
        for (index, source) in sources.iter_mut().enumerate() {
            heads.extend(source.next()?.map(|entry| Reverse((entry, index))));
        }
        Ok(Merge { sources, heads, _files: self })
    }
}

impl Drop for Sorter {
    fn drop(&mut self) {
        for path in &self.runs {
            // The folder is pending: what cannot be removed here goes with it, or fails its commit.
            let _ = fs::remove_file(path);
        }
    }
}

enum Run {
    Memory(std::vec::IntoIter<Entry>),
    Disk(BufReader<File>),
}

impl Run {
    fn next(&mut self) -> io::Result<Option<Entry>> {
        let file = match self {
            Self::Memory(entries) => return Ok(entries.next()),
            Self::Disk(file) => file,
        };
        let mut bytes = [0_u8; ENTRY_BYTES];
        match file.read_exact(&mut bytes) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
        let mut entry = [0; WORDS];
        for (word, bytes) in entry.iter_mut().zip(bytes.chunks_exact(8)) {
            *word = bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte));
        }
        Ok(Some(entry))
    }
}

struct Merge {
    sources: Vec<Run>,
    heads: BinaryHeap<Reverse<(Entry, usize)>>,
    _files: Sorter,
}

impl Iterator for Merge {
    type Item = io::Result<Entry>;

    fn next(&mut self) -> Option<Self::Item> {
        let Reverse((entry, index)) = self.heads.pop()?;
        match self.sources[index].next() {
            Ok(next) => self.heads.extend(next.map(|entry| Reverse((entry, index)))),
            Err(error) => return Some(Err(error)),
        }
        Some(Ok(entry))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::Arc;

    use arrow::array::Int64Array;

    use super::*;

    /// Places of repeated values, with so little memory that lists go to disk.
    fn repeated(values: &[i64], entries_max: usize) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let array: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        let kept: Vec<(usize, u32)> = (0..values.len()).zip(0_u32..).collect();
        let mut uniques = Uniques::with_entries_max(folder.path(), entries_max);
        for keyed in keyed(0, &array, &kept) {
            uniques.add(&keyed, 0, 0).unwrap();
        }
        let found = uniques.finish().unwrap().0.map(|repeated| repeated.unwrap().row).collect();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "lists are left on disk");
        found
    }

    #[test]
    fn every_later_row_of_a_value_is_found_in_the_order_of_rows() {
        let values = [7, 1, 7, 3, 1, 7, 9, 9, -1, 3];
        for entries_max in [1, 2, 3, 100] {
            assert_eq!(repeated(&values, entries_max), [2, 4, 5, 7, 9], "{entries_max}");
        }
    }

    #[test]
    fn many_values_with_little_memory_are_as_with_a_set() {
        let values: Vec<i64> = (0..5_000_i64).map(|i| i.wrapping_mul(7_919) % 3_001).collect();
        let mut seen = std::collections::HashSet::new();
        let expected: Vec<u64> =
            (0..).zip(&values).filter(|(_, value)| !seen.insert(**value)).map(|(row, _)| row).collect();
        assert_eq!(repeated(&values, 64), expected);
    }
}
