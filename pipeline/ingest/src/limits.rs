//! Bounds that keep a hostile or broken file from taking memory or disk. Every one says why it has its value.

/// Bytes of text that are parsed as one unit. Large enough that the cost of handing it over vanishes, small enough that a
/// few per core fit in memory beside their columns. Fixed, because it decides where batches end.
pub const CHUNK_BYTES: usize = 4 << 20;

/// A record may span lines inside quotes, but not more than this: past it, an open quote counts as never closed, and a line
/// without an end as no text file.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// A cell longer than this is no value of any column.
pub const CELL_BYTES_MAX: usize = 1 << 20;

/// The same for formats whose cells are not parts of one text: four times the longest text that is stored, in characters of four
/// bytes. It keeps the text of a chunk small where a file repeats one huge value.
pub const FOREIGN_CELL_BYTES_MAX: usize = 1 << 12;

/// Cells that are parsed as one unit in formats that do not come as text.
pub const CHUNK_CELLS: usize = 1 << 16;

/// XML that an Excel workbook unfolds to, at most: a full sheet of a million rows and a dozen columns. A workbook cannot be read as
/// a stream, since its texts stand in a part of their own, so this bounds memory.
pub const WORKBOOK_BYTES_MAX: u64 = 1 << 30;

/// Of that, the part with the texts, which is held in memory whole.
pub const WORKBOOK_TEXTS_BYTES_MAX: u64 = 128 << 20;

/// Cells of a workbook's sheet, at most, blank ones counted: a full sheet of 64 columns.
pub const WORKBOOK_CELLS_MAX: usize = 1 << 26;

/// Cells of a workbook without a value, at most, which are remembered until its formulas have been looked at: 256 MiB.
pub const WORKBOOK_BLANKS_MAX: usize = 1 << 25;

/// Text of these cells. A workbook names a text that is repeated by its number, so that a few bytes may stand for a long one.
pub const WORKBOOK_CELLS_BYTES_MAX: usize = 512 << 20;

/// A page of a Parquet file, unfolded: writers begin a new one at a mebibyte.
pub const PARQUET_PAGE_BYTES_MAX: u64 = 64 << 20;

/// All pages that are in memory at the same time while a batch of rows is read: a few per column.
pub const PARQUET_PAGES_BYTES_MAX: u64 = 512 << 20;

/// Rows of a Parquet file of whatever size, repeated or not: thirty million equal ones fit in half a megabyte, and took 5 GB later in
/// the run.
pub const PARQUET_ROWS_FREE: u64 = 4 << 20;

/// Beyond them, rows for each byte of the file, at most: rows with a key of their own take bytes and not parts of one.
pub const PARQUET_ROWS_PER_BYTE_MAX: u64 = 4;

/// Text from which encoding and separator are detected, at most.
pub const DETECT_BYTES_MAX: u64 = 256 << 20;

/// Bytes of one case of an SPSS file: 4096 numbers take 32 KiB; long texts take more.
pub const SPSS_CASE_BYTES_MAX: usize = 4 << 20;

/// Bytes of one named record of an SPSS file's dictionary that is kept while it is read.
pub const SPSS_RECORD_BYTES_MAX: u64 = 16 << 20;

/// More columns than any survey or register has; a «header» beyond it is not one.
pub const COLUMNS_MAX: usize = 4096;

/// Text files of rows compress 5–50 times; gzip cannot exceed about 1030. More than this is a bomb or an empty shell.
pub const EXPANSION_MAX: u64 = 200;

/// Expansion is judged only past this many bytes of text: a short file of equal rows may compress very well.
pub const EXPANSION_FREE_BYTES: u64 = 64 << 20;

/// Text that comes out of a compressed file, at most: ten times the largest delivery that is planned for.
pub const TEXT_BYTES_MAX: u64 = 100 << 30;

/// Base-2 logarithm of the zstd window that is accepted: 128 MiB, what `zstd --long` writes.
pub const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Problems that one row may put in quarantine; the count of rows is not affected.
pub const PROBLEMS_PER_ROW_MAX: u8 = 5;

/// Bad rows that the message and the record of a refusal name: enough to see a pattern, few enough to read.
pub const BAD_ROWS_NAMED_MAX: usize = 10;

/// Values of unique columns that are kept in memory: 290 MiB. Files with more of them are read, written and, where one is repeated,
/// written anew.
pub const UNIQUE_VALUES_MAX: usize = 12 << 20;

/// Characters of a raw value that quarantine shows.
pub const RAW_CHARACTERS_MAX: usize = 200;

/// Characters of a header name that a message shows.
pub const HEADER_CHARACTERS_MAX: usize = 60;

/// Header names that a message lists.
pub const HEADER_NAMES_MAX: usize = 60;

/// The limits a caller may tighten; [`Limits::default`] is the constants of this module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub chunk_bytes: usize,
    pub record_bytes_max: usize,
    pub expansion_max: u64,
    pub expansion_free_bytes: u64,
    pub text_bytes_max: u64,
    pub parquet_rows_free: u64,
    pub unique_values_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            chunk_bytes: CHUNK_BYTES,
            record_bytes_max: RECORD_BYTES_MAX,
            expansion_max: EXPANSION_MAX,
            expansion_free_bytes: EXPANSION_FREE_BYTES,
            text_bytes_max: TEXT_BYTES_MAX,
            parquet_rows_free: PARQUET_ROWS_FREE,
            unique_values_max: UNIQUE_VALUES_MAX,
        }
    }
}
