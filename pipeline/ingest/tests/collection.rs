//! The collection of hostile files, each in one line with what becomes of it: a refusal's word, or `kept/rows` and reasons. Files that
//! need more than a line to explain are in `hostile`, those of other formats in `hostile_formats`.

use std::io::Write;

use flate2::{Compression, write::GzEncoder};
use prem_ingest::Limits;

use crate::fixture::{GOOD, HEADER, Tried, ingest_with, plan};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    zstd::encode_all(bytes, 3).unwrap()
}

/// A header and lines.
fn file(lines: &[&str]) -> Vec<u8> {
    format!("{HEADER}\n{}\n", lines.join("\n")).into_bytes()
}

/// The good row with another value in one column.
fn with(column: &str, value: &str) -> String {
    let at = HEADER.split(';').position(|name| name == column).unwrap();
    let cells = GOOD.split(';').enumerate().map(|(place, cell)| if place == at { value } else { cell });
    cells.collect::<Vec<_>>().join(";")
}

/// A file of the good row and the same with another value.
fn one(column: &str, value: &str) -> Vec<u8> {
    file(&[GOOD, &with(column, value)])
}

fn outcome(tried: &Tried) -> String {
    if tried.result.is_err() {
        return tried.cause().code().to_owned();
    }
    let (rows, kept, reasons) = tried.counts();
    let reasons: String = reasons.into_iter().map(|(reason, rows)| format!(" {reason}={rows}")).collect();
    format!("{kept}/{rows}{reasons}")
}

#[test]
fn every_file_of_the_collection() {
    let good = file(&[GOOD, GOOD]);
    let long = good.repeat(40);
    let huge = "x".repeat((1 << 20) + 1);
    let lines = [good.clone(), vec![b'\n'; 8 << 20]].concat();
    let cut = |packed: Vec<u8>| packed[..packed.len() - 9].to_vec();
    let joined = |parts: &[&[u8]]| parts.concat();
    let collection: Vec<(&str, Vec<u8>, &str)> = vec![
        ("nothing wrong", good.clone(), "2/2"),
        ("zero bytes", Vec::new(), "empty"),
        ("line ends only", b"\n\n\r\n".to_vec(), "empty"),
        ("byte order mark only", b"\xef\xbb\xbf".to_vec(), "empty"),
        ("header only", format!("{HEADER}\n").into_bytes(), "0/0"),
        ("header without line end", HEADER.into(), "0/0"),
        ("no header", format!("{GOOD}\n{GOOD}\n").into_bytes(), "duplicate-headers"),
        ("the required header missing", HEADER[3..].into(), "missing-headers"),
        ("optional headers cut off", HEADER[..20].into(), "0/0"),
        ("header in capitals", HEADER.to_uppercase().into_bytes(), "missing-headers"),
        ("a header twice", joined(&[b"id;", &good]), "duplicate-headers"),
        ("header's quote never closed", joined(&[b"\"", &good]), "unreadable-header"),
        ("header not in UTF-8", joined(&[b"\xf8", &good]), "unreadable-header"),
        (
            "another separator",
            good.iter().copied().map(|b| if b == b';' { b'\t' } else { b }).collect(),
            "missing-headers",
        ),
        ("empty trailing rows", joined(&[&good, b"\n\n;;;;;;;;;;\n   \n"]), "2/2"),
        ("last line without end", good[..good.len() - 1].to_vec(), "2/2"),
        ("last line cut", good[..good.len() - 30].to_vec(), "1/2 wrong-field-count=1"),
        ("Windows line ends", String::from_utf8_lossy(&good).replace('\n', "\r\n").into_bytes(), "2/2"),
        (
            "old Macintosh line ends",
            String::from_utf8_lossy(&good).replace('\n', "\r").into_bytes(),
            "duplicate-headers",
        ),
        ("truncated gzip", cut(gzip(&long)), "broken-compression"),
        ("truncated zstd", cut(zstd(&long)), "broken-compression"),
        ("gzip header only", gzip(&long)[..10].to_vec(), "broken-compression"),
        ("bytes behind the gzip", joined(&[&gzip(&good), b"rest"]), "broken-compression"),
        ("gzip of nothing", gzip(b""), "empty"),
        ("gzip in gzip", gzip(&gzip(&good)), "not-delimited-text"),
        ("zstd in gzip", gzip(&zstd(&good)), "not-delimited-text"),
        ("bomb of gzip", gzip(&lines), "bomb"),
        ("bomb of zstd", zstd(&lines), "bomb"),
        ("NUL in a cell", one("unit", "a\0b"), "not-delimited-text"),
        ("UTF-16", good.iter().flat_map(|byte| [*byte, 0]).collect(), "not-delimited-text"),
        ("UTF-16 with its mark", joined(&[b"\xff\xfe", b"i\0d\0"]), "not-delimited-text"),
        ("a ZIP archive", b"PK\x03\x04....".to_vec(), "not-delimited-text"),
        ("a Parquet file", b"PAR1....PAR1".to_vec(), "not-delimited-text"),
        ("an SPSS file", b"$FL2@(#)....".to_vec(), "not-delimited-text"),
        ("mark in the middle", joined(&[&good, b"\xef\xbb\xbf", &good]), "4/5 control-character=1"),
        ("mixed encodings", joined(&[&one("unit", "ø"), b"a-3;\xf8;;;;;;;;;\n"]), "2/3 not-utf8=1"),
        ("surrogates in UTF-8", joined(&[&good, b"a-3;\xed\xa0\x80;;;;;;;;;\n"]), "2/3 not-utf8=1"),
        ("quote never closed", one("unit", "\"W1"), "1/2 malformed-quote=1"),
        ("text behind a quote", one("unit", "\"W\"1"), "1/2 malformed-quote=1"),
        ("line end in quotes", one("unit", "\"W\n1\""), "2/2"),
        ("a field too many", file(&[GOOD, &format!("{GOOD};x")]), "1/2 wrong-field-count=1"),
        ("a cell of a megabyte", one("unit", &huge), "1/2 too-long=1"),
        ("control characters", one("unit", "W\u{7}"), "1/2 control-character=1"),
        ("31 February", one("discharged", "31.02.2025"), "1/2 not-a-date=1"),
        ("month before day", one("discharged", "01.31.2025"), "1/2 not-a-date=1"),
        ("a year of two digits", one("discharged", "31.01.25"), "1/2 not-a-date=1"),
        ("the year 9999", one("discharged", "31.12.9999"), "1/2 out-of-range=1"),
        ("serial day of a spreadsheet", one("discharged", "45688"), "1/2 not-a-date=1"),
        ("wrong decimal sign", one("weight", "71.5"), "1/2 not-a-number=1"),
        ("thousands separated", one("weight", "1 000,5"), "1/2 not-a-number=1"),
        ("1e3", one("age", "1e3"), "1/2 not-a-number=1"),
        ("more than 64 bits", one("age", "99999999999999999999"), "1/2 out-of-range=1"),
        ("infinity", one("weight", "inf"), "1/2 not-a-number=1"),
        ("Arabic digits", one("age", "٦٧"), "1/2 not-a-number=1"),
        ("a code with a zero before it", one("sex", "01"), "1/2 not-a-code=1"),
        ("a spreadsheet's error", one("age", "#N/A"), "1/2 not-a-number=1"),
        ("an identity number in a text", one("unit", "15076500565"), "1/2 identity-number=1"),
        ("discharged before admitted", one("discharged", "29.01.2025"), "1/2 rule:stay-order=1"),
    ];
    assert!(collection.len() >= 40);
    let limits = Limits { expansion_free_bytes: 1 << 20, ..Limits::default() };
    let wrong: Vec<String> = collection
        .iter()
        .filter_map(|(name, bytes, expected)| {
            let found = outcome(&ingest_with(&plan(), bytes, limits));
            (found != *expected).then(|| format!("{name}: {found} instead of {expected}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
