//! Columns whose values may stand once in a file: exact, in bounded memory.
//!
//! Every value of such a column is kept as 128 bits of its SHA-256. Up to a bound they are in a set, which says of each row, as it
//! comes, whether a value of it stood before. Values beyond the bound that are not in the set go into a list with their rows; it is
//! sorted piece by piece and put on disk. At the end the pieces are merged, and equal values stand side by side. The first row of a
//! value stays, so what comes out are the later ones, in the order of rows. (A row that is out for one column is not reported again for
//! another whose repetition shows at the end alone.)

use std::{
    cmp::Reverse,
    collections::{BinaryHeap, HashSet},
    fs::{self, File},
    hash::{BuildHasherDefault, Hasher},
    io::{self, BufReader, BufWriter, Read, Write},
    path::{Path, PathBuf},
};

use arrow::{
    array::{Array, ArrayRef, AsArray},
    datatypes::{Date32Type, Float64Type, Int16Type, Int64Type, TimestampMillisecondType},
};
use sha2::{Digest, Sha256};

/// Entries of a list in memory: 64 MiB.
const ENTRIES_MAX: usize = 1 << 21;
/// Parts of the set of values, each of which grows by itself: growing takes half as much again for a moment.
const PARTS: usize = 1 << 6;
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
    /// Among the file's records, from 1: the row's number.
    pub(crate) record: u64,
    pub(crate) column: usize,
    pub(crate) line: u64,
}

/// A cell that a rule has set to missing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ClearedCell {
    /// As of [`Repeated`].
    pub(crate) record: u64,
    pub(crate) rule: usize,
}

/// Values as hashes.
struct Seen {
    parts: Vec<HashSet<u128, BuildHasherDefault<HashItself>>>,
    len: usize,
}

/// Takes a hash as its own hash.
#[derive(Default)]
struct HashItself(u64);

impl Hasher for HashItself {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |word, byte| word << 8 | u64::from(*byte));
    }

    #[expect(clippy::cast_possible_truncation, reason = "the lower half")]
    fn write_u128(&mut self, hash: u128) {
        self.0 = hash as u64;
    }
}

impl Seen {
    fn new() -> Self {
        Self { parts: (0..PARTS).map(|_| HashSet::default()).collect(), len: 0 }
    }

    fn contains(&self, hash: [u64; 2]) -> bool {
        self.parts[part_of(hash)].contains(&whole(hash))
    }

    /// Whether the value is new.
    fn insert(&mut self, hash: [u64; 2]) -> bool {
        let is_new = self.parts[part_of(hash)].insert(whole(hash));
        self.len += usize::from(is_new);
        is_new
    }
}

#[expect(clippy::cast_possible_truncation, reason = "below the number of parts")]
fn part_of([first, _]: [u64; 2]) -> usize {
    (first % PARTS as u64) as usize
}

/// The second half stands where [`HashItself`] looks.
fn whole([first, second]: [u64; 2]) -> u128 {
    u128::from(first) << 64 | u128::from(second)
}

/// Collects the values of a whole file.
pub(crate) struct Uniques {
    seen: Seen,
    seen_max: usize,
    /// Values that are not in the full set.
    values: Sorter,
    /// Row and rule of each cell that a rule has set to missing, since the set is full.
    cleared: Sorter,
    folder: PathBuf,
    entries_max: usize,
}

impl Uniques {
    /// At most `seen_max` values stay in memory; what does not fit goes to `folder`.
    pub(crate) fn new(folder: &Path, seen_max: usize) -> Self {
        Self::with_entries_max(folder, seen_max, ENTRIES_MAX)
    }

    fn with_entries_max(folder: &Path, seen_max: usize, entries_max: usize) -> Self {
        Self {
            seen: Seen::new(),
            seen_max,
            values: Sorter::new(folder, "values", entries_max),
            cleared: Sorter::new(folder, "cleared", entries_max),
            folder: folder.to_path_buf(),
            entries_max,
        }
    }

    /// Whether the value is known to have stood before. Where the set is full, that may come out at the end alone.
    ///
    /// `record` is the row's number, `lines` are those before the chunk.
    pub(crate) fn is_repeated(&mut self, keyed: &Keyed, record: u64, lines: u64) -> io::Result<bool> {
        // The column is mixed into the hash, so that equal values of two columns are no repetition.
        let second = keyed.hash[1] ^ (keyed.column as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let hash = [keyed.hash[0], second];
        if !self.is_full() {
            return Ok(!self.seen.insert(hash));
        }
        if self.seen.contains(hash) {
            return Ok(true);
        }
        let column_and_line = (keyed.column as u64) << 48 | (lines + u64::from(keyed.line) + 1);
        self.values.add([hash[0], hash[1], record, column_and_line]).map(|()| false)
    }

    /// Whether rows from now on may turn out to be repeated when all have been written.
    pub(crate) fn is_full(&self) -> bool {
        self.seen.len >= self.seen_max
    }

    /// A cell of the kept row `record` that `rule` has set to missing.
    pub(crate) fn add_cleared(&mut self, rule: usize, record: u64) -> io::Result<()> {
        self.cleared.add([record, rule as u64, 0, 0])
    }

    /// Rows that were not known to repeat a value and do, in the order of rows and columns; and the cells that were set to missing,
    /// in the order of rows.
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
            entry.map(|[record, column, line, _]| Repeated {
                record,
                column: usize::try_from(column).unwrap_or(0),
                line,
            })
        });
        let cleared = self.cleared.finish()?;
        let cleared = cleared.map(|entry| {
            entry.map(|[record, rule, ..]| ClearedCell { record, rule: usize::try_from(rule).unwrap_or(usize::MAX) })
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

    /// Rows with repeated values, with so little memory that lists go to disk.
    fn repeated(values: &[i64], seen_max: usize, entries_max: usize) -> Vec<u64> {
        let folder = tempfile::tempdir().unwrap();
        let array: ArrayRef = Arc::new(Int64Array::from(values.to_vec()));
        let kept: Vec<(usize, u32)> = (0..values.len()).zip(0_u32..).collect();
        let mut uniques = Uniques::with_entries_max(folder.path(), seen_max, entries_max);
        let mut found = Vec::new();
        for keyed in keyed(0, &array, &kept) {
            let record = keyed.row as u64;
            found.extend(uniques.is_repeated(&keyed, record, 0).unwrap().then_some(record));
        }
        let later: Vec<u64> = uniques.finish().unwrap().0.map(|repeated| repeated.unwrap().record).collect();
        assert!(later.is_sorted());
        found.extend(later);
        found.sort_unstable();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "lists are left on disk");
        found
    }

    #[test]
    fn every_later_row_of_a_value_is_found() {
        let values = [7, 1, 7, 3, 1, 7, 9, 9, -1, 3];
        for seen_max in [0, 1, 2, 3, 4, 100] {
            for entries_max in [1, 2, 3, 100] {
                assert_eq!(repeated(&values, seen_max, entries_max), [2, 4, 5, 7, 9], "{seen_max}, {entries_max}");
            }
        }
    }

    #[test]
    fn many_values_with_little_memory_are_as_with_a_set() {
        let values: Vec<i64> = (0..5_000_i64).map(|i| i.wrapping_mul(7_919) % 3_001).collect();
        let mut seen = HashSet::new();
        let expected: Vec<u64> =
            (0..).zip(&values).filter(|(_, value)| !seen.insert(**value)).map(|(row, _)| row).collect();
        for seen_max in [0, 100, 2_999, 5_000] {
            assert_eq!(repeated(&values, seen_max, 64), expected, "{seen_max}");
        }
    }

    #[test]
    fn equal_values_of_two_columns_are_no_repetition() {
        let folder = tempfile::tempdir().unwrap();
        let array: ArrayRef = Arc::new(Int64Array::from(vec![5]));
        for seen_max in [0, 10] {
            let mut uniques = Uniques::new(folder.path(), seen_max);
            for column in [0, 1] {
                assert!(!uniques.is_repeated(&keyed(column, &array, &[(0, 0)])[0], 1, 0).unwrap());
            }
            assert_eq!(uniques.finish().unwrap().0.count(), 0);
        }
    }
}
