//! Parquet files whose pages are made by hand: what a page says of itself is believed by no more than fits in memory.

use std::{io::Read, sync::Arc};

use parquet::{
    basic::{Compression, GzipLevel},
    file::metadata::{ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData},
    schema::{parser::parse_message_type, types::SchemaDescriptor},
};
use prem_ingest::Limits;
use prem_spec::model::{ColumnKind, FileFormat};

use crate::{
    fixture,
    hostile_formats::{Outcome, attempt},
};

const DATA: i32 = 0;
const DICTIONARY: i32 = 2;
const PLAIN: i32 = 0;
const DELTA_LENGTHS: i32 = 6;
const DELTA_TEXTS: i32 = 7;
const BY_DICTIONARY: i32 = 8;
const MOST: i32 = i32::MAX;

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number > 0x7f {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(u8::try_from(number).unwrap());
    bytes
}

fn integer(number: i32) -> Vec<u8> {
    varint(u64::from(((number << 1) ^ (number >> 31)).cast_unsigned()))
}

/// A struct of integers, with the steps between their field numbers; whatever it says.
fn integers(fields: &[i32]) -> Vec<u8> {
    fields.iter().flat_map(|field| [vec![0x15], integer(*field)].concat()).collect()
}

/// A page with its header: kind, unfolded size, values, encoding, and the packed bytes.
fn page(kind: i32, unfolded: usize, values: i32, encoding: i32, packed: &[u8]) -> Vec<u8> {
    let size = |bytes: usize| i32::try_from(bytes).unwrap();
    let inner = if kind == DICTIONARY {
        [vec![0x4c], integers(&[values, PLAIN])].concat()
    } else {
        [vec![0x2c], integers(&[values, encoding, 3, 3])].concat()
    };
    [integers(&[kind, size(unfolded), size(packed.len())]), inner, vec![0, 0], packed.to_vec()].concat()
}

/// A file of the one column `id`, with a row group for each of `chunks`, which announces its rows and has its pages.
fn file(compression: Compression, chunks: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let schema = parse_message_type("message rows { required binary id (UTF8); }").unwrap();
    let schema = Arc::new(SchemaDescriptor::new(Arc::new(schema)));
    let mut bytes = b"PAR1".to_vec();
    let mut groups = Vec::new();
    for (rows, pages) in chunks {
        let column = ColumnChunkMetaData::builder(schema.column(0))
            .set_compression(compression)
            .set_num_values(*rows)
            .set_data_page_offset(bytes.len() as i64)
            .set_total_compressed_size(pages.len() as i64)
            .set_total_uncompressed_size(pages.len() as i64)
            .build()
            .unwrap();
        let group =
            RowGroupMetaData::builder(Arc::clone(&schema)).set_num_rows(*rows).set_column_metadata(vec![column]);
        groups.push(group.build().unwrap());
        bytes.extend(pages);
    }
    let rows = chunks.iter().map(|(rows, _)| *rows).fold(0, i64::saturating_add);
    let metadata = ParquetMetaData::new(FileMetaData::new(1, rows, None, None, schema, None), groups);
    ParquetMetaDataWriter::new(&mut bytes, &metadata).finish().unwrap();
    bytes
}

fn text(value: &[u8]) -> Vec<u8> {
    [&u32::try_from(value.len()).unwrap().to_le_bytes()[..], value].concat()
}

fn try_with(bytes: &[u8], limits: Limits) -> Outcome {
    let id = fixture::column("id", ColumnKind::Text { max_length: 40, pattern: None });
    let mut plan = fixture::plan_of(vec![id], Vec::new());
    fixture::export(&mut plan).format = FileFormat::Parquet { decimal: ',' };
    attempt(&plan, "register", "file.parquet", bytes, limits)
}

fn try_file(bytes: &[u8]) -> Outcome {
    try_with(bytes, Limits::default())
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 1).unwrap()
}

/// One value, `times` times, by a dictionary.
fn repeated(value: &[u8], times: i32) -> Vec<u8> {
    // One bit a value; a run is its length and the place in the dictionary.
    let run = [vec![1], varint(u64::from(times.unsigned_abs()) << 1), vec![0]].concat();
    let dictionary = text(value);
    [page(DICTIONARY, dictionary.len(), 1, PLAIN, &dictionary), page(DATA, run.len(), times, BY_DICTIONARY, &run)]
        .concat()
}

#[test]
fn pages_by_hand_are_read() {
    let body = [text(b"a"), text(b"b")].concat();
    let plain = |rows| (rows, page(DATA, body.len(), 2, PLAIN, &body));
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[plain(2)])).counts(), (2, 2, vec![]));
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[plain(2), plain(2)])).counts(), (4, 4, vec![]));
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(9, repeated(b"a", 9))])).counts(), (9, 9, vec![]));
    let packed = page(DATA, body.len(), 2, PLAIN, &zstd(&body));
    assert_eq!(try_file(&file(Compression::ZSTD(Default::default()), &[(2, packed)])).counts(), (2, 2, vec![]));
}

#[test]
fn pages_that_announce_gigabytes() {
    let claims = page(DATA, MOST as usize, 1, PLAIN, b"\x05\x10\x01\0\0\0a");
    assert_eq!(try_file(&file(Compression::SNAPPY, &[(1, claims)])).code(), "too-large");
    let zeros = vec![0; (64 << 20) + 4];
    let long = page(DATA, zeros.len(), 1, PLAIN, &zstd(&zeros));
    assert!(long.len() < 1 << 14);
    assert_eq!(try_file(&file(Compression::ZSTD(Default::default()), &[(1, long)])).code(), "too-large");
    // Room for their values is made before they are looked for.
    let many = [page(DICTIONARY, 5, MOST, PLAIN, &text(b"a")), repeated(b"a", 1)].concat();
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(1, many)])).code(), "unreadable");
    // Block size, mini blocks, 2^40 texts, the first of length 0.
    let lengths = [0x80, 1, 4, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20, 0, 0];
    for encoding in [DELTA_LENGTHS, DELTA_TEXTS] {
        let apart = page(DATA, lengths.len(), 1, encoding, &lengths);
        assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(1, apart)])).code(), "unreadable");
    }
}

#[test]
fn pages_that_fit_alone_and_not_together() {
    // One text fills its page, and a batch holds the pages of all its rows.
    let text = text(&vec![b'x'; 60 << 20]);
    let long = page(DATA, text.len(), 1, PLAIN, &zstd(&text));
    let zstd = Compression::ZSTD(Default::default());
    assert_eq!(try_file(&file(zstd, &[(1, long.clone())])).counts(), (1, 0, vec![("too-long", 1)]));
    assert_eq!(try_file(&file(zstd, &[(9, long.repeat(9))])).code(), "too-large");
    assert_eq!(try_file(&file(zstd, &vec![(1, long); 9])).code(), "too-large");
}

#[test]
fn rows_without_end_in_a_few_bytes() {
    let endless = repeated(b"a", MOST);
    assert!(endless.len() < 100);
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(i64::from(MOST), endless.clone())])).code(), "too-large");
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(i64::MAX, endless.clone())])).code(), "too-large");
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(-1, endless.clone())])).code(), "unreadable");
    // A footer that says less or more than there is.
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(1, endless)])).code(), "unreadable");
    assert_eq!(try_file(&file(Compression::UNCOMPRESSED, &[(9, repeated(b"a", 8))])).code(), "unreadable");
    assert_eq!(Limits::default().parquet_rows_free, 4 << 20);
    let equal = |rows: i32| file(Compression::UNCOMPRESSED, &[(i64::from(rows), repeated(b"a", rows))]);
    let limits = Limits { parquet_rows_free: 1 << 16, ..Limits::default() };
    assert_eq!(try_with(&equal(1 << 16), limits).counts(), (1 << 16, 1 << 16, vec![]));
    assert_eq!(try_with(&equal((1 << 16) + 1), limits).code(), "too-large");
}

/// Half a megabyte, thirty million rows: none of them has a key of its own.
#[test]
fn a_large_file_of_equal_rows_is_no_delivery() {
    let filled = |bytes: usize, rows: i32| {
        let filling = text(&vec![b'x'; bytes]);
        let pages = [repeated(b"a", rows - 1), page(DATA, filling.len(), 1, PLAIN, &filling)].concat();
        file(Compression::UNCOMPRESSED, &[(i64::from(rows), pages)])
    };
    assert_eq!(try_file(&filled(567_000, 30_000_000)).code(), "too-large");
    // Four rows a byte, and one more.
    let limits = Limits { parquet_rows_free: 0, ..Limits::default() };
    let most = i32::try_from(filled(30_000, 120_000).len() * 4).unwrap();
    assert_eq!(try_with(&filled(30_000, most + 1), limits).code(), "too-large");
    assert_eq!(try_with(&filled(30_000, most), limits).counts().0, u64::try_from(most).unwrap());
}

#[test]
fn gzip_that_unfolds_to_more_than_it_says() {
    let mut packed = Vec::new();
    let zeros = vec![0; 80 << 20];
    flate2::read::GzEncoder::new(&zeros[..], flate2::Compression::best()).read_to_end(&mut packed).unwrap();
    let gzip = Compression::GZIP(GzipLevel::default());
    let cause = try_file(&file(gzip, &[(1, page(DATA, 100, 1, PLAIN, &packed))])).result.unwrap_err();
    // Seen before the library unfolded it, which would say that the content is damaged.
    assert!(cause.to_string().contains("its pages are damaged"), "{cause}");
    // As large as it may be, and truly so.
    let mut packed = Vec::new();
    let text = text(&(0..3_000_000_u32).flat_map(u32::to_le_bytes).map(|byte| byte & 0x7f).collect::<Vec<_>>());
    flate2::read::GzEncoder::new(&text[..], flate2::Compression::fast()).read_to_end(&mut packed).unwrap();
    assert!(packed.len() > 1 << 17);
    let honest = page(DATA, text.len(), 1, PLAIN, &packed);
    assert_eq!(try_file(&file(gzip, &[(1, honest)])).counts(), (1, 0, vec![("too-long", 1)]));
}

#[test]
fn a_compression_that_is_not_read_is_named() {
    for (compression, name) in [(Compression::BROTLI(Default::default()), "brotli"), (Compression::LZ4, "old framing")]
    {
        let cause = try_file(&file(compression, &[(1, repeated(b"a", 1))])).result.unwrap_err();
        assert!(cause.to_string().contains(name), "{cause}");
    }
}
