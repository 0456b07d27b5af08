//! Files that are broken or mean harm, each with its outcome. None may panic, hang, or take memory without bound.

use std::{fs, io::Write, process::Command};

use flate2::{Compression, write::GzEncoder};
use prem_ingest::{IngestError, IngestOptions, Limits, RefusalCause, ingest_file};

use crate::fixture::{GOOD, HEADER, ingest, ingest_with, lines, plan, text_plan};

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn good_file(rows: usize) -> Vec<u8> {
    let mut text = format!("{HEADER}\n");
    for row in 0..rows {
        text.push_str(&GOOD.replace("a-1", &format!("a-{row}")));
        text.push('\n');
    }
    text.into_bytes()
}

#[test]
fn compressed_files_are_read_and_damaged_ones_refused() {
    let text = good_file(1000);
    let zstd = zstd::encode_all(&text[..], 3).unwrap();
    let two_members = [gzip(&text[..500]), gzip(&text[500..])].concat();
    let plain = ingest(&plan(), &text);
    for (format, packed) in [("gzip", gzip(&text)), ("zstd", zstd), ("gzip", two_members)] {
        let tried = ingest(&plan(), &packed);
        assert_eq!(tried.counts(), (1000, 1000, vec![]));
        assert_eq!(tried.bytes(), plain.bytes());
        assert_eq!(tried.taken().bytes, packed.len() as u64);
        assert_ne!(tried.taken().sha256, plain.taken().sha256);
        let cut = ingest(&plan(), &packed[..packed.len() - 20]);
        assert_eq!(cut.cause(), &RefusalCause::BrokenCompression { format });
    }
    // gzip carries a checksum.
    let mut damaged = gzip(&text);
    let middle = damaged.len() / 2;
    damaged[middle] ^= 0x55;
    assert_eq!(ingest(&plan(), &damaged).cause(), &RefusalCause::BrokenCompression { format: "gzip" });
}

#[test]
fn bombs_are_refused() {
    let limits = Limits { expansion_free_bytes: 1 << 20, ..Limits::default() };
    // Line ends alone pack about a thousandfold, whichever library and level packs them.
    let mut text = format!("{HEADER}\n{GOOD}\n").into_bytes();
    text.resize(20_000_000, b'\n');
    for (format, packed) in [("gzip", gzip(&text)), ("zstd", zstd::encode_all(&text[..], 19).unwrap())] {
        let tried = ingest_with(&plan(), &packed, limits);
        assert!(
            matches!(tried.cause(), RefusalCause::Bomb { format: found, .. } if *found == format),
            "{:?}",
            tried.cause()
        );
    }
    let limits = Limits { text_bytes_max: 1 << 20, ..Limits::default() };
    let tried = ingest_with(&plan(), gzip(&good_file(20_000)), limits);
    assert!(matches!(tried.cause(), RefusalCause::Bomb { .. }));
}

#[test]
fn other_formats_are_named() {
    let what = |bytes: &[u8]| match ingest(&plan(), bytes).cause() {
        RefusalCause::NotDelimitedText { what } => *what,
        other => panic!("{other:?}"),
    };
    assert_eq!(what(b"PK\x03\x04rest"), "a ZIP archive or Excel workbook");
    assert_eq!(what(b"\xff\xfei\0d\0"), "text in UTF-16");
    assert_eq!(what(&gzip(&gzip(b"x"))), "compressed twice");
    assert_eq!(what(format!("{HEADER}\n{GOOD}\na;\0\n").as_bytes()), "binary (it has NUL bytes)");
    assert_eq!(what(&[&good_file(100_000)[..], b"\0"].concat()), "binary (it has NUL bytes)");
}

#[test]
fn nothing_at_all() {
    for bytes in ["", "\u{feff}", "\n", "\r\n \r\n"] {
        assert_eq!(ingest(&plan(), bytes).cause(), &RefusalCause::Empty, "{bytes:?}");
    }
    assert_eq!(ingest(&plan(), gzip(b"")).cause(), &RefusalCause::Empty);
}

#[test]
fn unclosed_quotes_cost_their_own_lines() {
    let open = GOOD.replace(";W1;", ";\"W1;");
    let inside = GOOD.replace(";W1;", ";\"W\"1;");
    let quoted = GOOD.replace(";W1;", ";\"W1\";");
    let tried = lines(&plan(), &[GOOD, &open, GOOD, &inside, &quoted, &open]);
    assert_eq!(tried.counts(), (6, 3, vec![("malformed-quote", 3)]));
    let numbers: Vec<i64> = tried.quarantine().iter().map(|row| row.line).collect();
    assert_eq!(numbers, [3, 5, 7]);
    // A quote inside an unquoted value is a character.
    let inch = GOOD.replace(";W1;", ";5\"x;");
    assert_eq!(lines(&plan(), &[&inch]).rows()[0][2], "5\"x");
}

#[test]
fn an_unclosed_quote_at_the_beginning_of_a_large_file_costs_one_row() {
    let mut text = format!("{HEADER}\n\"open\n").into_bytes();
    text.extend_from_slice(&good_file(60_000)[HEADER.len() + 1..]);
    let limits = Limits { chunk_bytes: 1 << 16, record_bytes_max: 1 << 18, ..Limits::default() };
    let tried = ingest_with(&plan(), &text, limits);
    assert_eq!(tried.counts(), (60_001, 60_000, vec![("malformed-quote", 1)]));
    assert_eq!(tried.rows()[59_999][0], "60001");
}

#[test]
fn an_unclosed_quote_in_the_header() {
    let tried = ingest(&plan(), format!("\"{HEADER}\n{GOOD}\n"));
    assert!(matches!(tried.cause(), RefusalCause::UnreadableHeader { .. }));
}

#[test]
fn a_cell_of_a_megabyte_costs_its_row() {
    let huge = "x".repeat((1 << 20) + 1);
    let tried = lines(&plan(), &[GOOD, &GOOD.replace(";67;", &format!(";{huge};")), GOOD]);
    assert_eq!(tried.counts(), (3, 2, vec![("too-long", 1)]));
    assert_eq!(tried.mistakes()[0].3, "");
}

#[test]
fn a_line_without_end_is_refused() {
    let tried = ingest_with(
        &plan(),
        format!("{HEADER}\n{GOOD}\n{}", "x".repeat(1 << 16)),
        Limits { chunk_bytes: 1 << 10, record_bytes_max: 1 << 12, ..Limits::default() },
    );
    assert_eq!(tried.cause(), &RefusalCause::LineTooLong { line: 3, bytes_max: 1 << 12 });
}

#[test]
fn duplicate_headers() {
    let tried = ingest(&text_plan(&["id"], 5), "id;a; a ;;\n1;2;3;;\n");
    assert_eq!(tried.cause(), &RefusalCause::DuplicateHeaders { names: vec!["«a»".to_owned()] });
}

#[test]
fn a_header_of_thousands_of_columns() {
    let tried = ingest(&plan(), "a;".repeat(5000));
    assert_eq!(tried.cause(), &RefusalCause::TooManyColumns { columns_max: 4096 });
}

#[test]
fn bytes_that_are_no_text_cost_their_rows() {
    let mut bytes = format!("{HEADER}\n{GOOD}\n").into_bytes();
    bytes.extend_from_slice(b"a-2;\xf8;1;web;;;;;;;\n");
    bytes.extend_from_slice("a-3;ø;1;web;;;;;;;\n".as_bytes());
    bytes.extend_from_slice(b"a-4;\xc3;1\n\xff\n");
    let tried = ingest(&plan(), &bytes);
    assert_eq!(tried.counts(), (5, 2, vec![("not-utf8", 3)]));
    assert!(tried.quarantine().iter().all(|row| row.value.is_none()));
    let tried = ingest(&plan(), b"id;un\xefit\n");
    assert!(matches!(tried.cause(), RefusalCause::UnreadableHeader { .. }));
}

#[test]
fn files_joined_in_the_middle_show_their_seam() {
    let text = format!("\u{feff}{HEADER}\n{GOOD}\n\u{feff}{HEADER}\n\u{feff}{GOOD}\n{GOOD}\n");
    let tried = ingest(&plan(), &text);
    assert_eq!(tried.counts(), (4, 2, vec![("control-character", 2)]));
}

#[test]
fn wrong_field_counts_show_no_value() {
    let tried = lines(&plan(), &[GOOD, "a;b", &format!("{GOOD};x")]);
    assert_eq!(tried.counts(), (3, 1, vec![("wrong-field-count", 2)]));
    assert!(tried.quarantine().iter().all(|row| row.value.is_none() && row.column.is_none()));
}

#[test]
fn what_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let (plan, out) = (plan(), folder.path().join("out"));
    fs::create_dir(&out).unwrap();
    let attempt = |name: &str| {
        ingest_file(&plan, &plan.exports["register"], &folder.path().join(name), &out, &IngestOptions::default())
    };
    let what = |name: &str| match attempt(name).unwrap_err().refusal().map(|refusal| refusal.cause.clone()) {
        Some(RefusalCause::NotAFile { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(what("out"), "a folder");
    assert!(matches!(attempt("nowhere.csv"), Err(IngestError::Io { action: "find", .. })));
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink(folder.path().join("out"), folder.path().join("link.csv")).unwrap();
        assert_eq!(what("link.csv"), "a link");
        let fifo = folder.path().join("pipe.csv");
        if Command::new("mkfifo").arg(&fifo).status().is_ok_and(|status| status.success()) {
            assert_eq!(what("pipe.csv"), "a pipe or device");
        }
    }
}

#[test]
fn messages_quote_no_cell() {
    let secret = "hemmelig";
    let texts = [
        format!("{HEADER}\n{secret};{secret}\n"),
        format!("{HEADER}\n{}\n", GOOD.replace(";67;", &format!(";{secret};"))),
        format!("{HEADER}\n{}\n", GOOD.replace("31.01.2025", secret)),
        format!("{HEADER}\n\"{secret}\n"),
    ];
    for text in texts {
        let mut plan = plan();
        crate::fixture::export(&mut plan).max_bad_share = 0.0;
        let tried = ingest(&plan, &text);
        let message = format!("{} {:?}", tried.refusal(), tried.refusal());
        assert!(!message.contains(secret), "{message}");
        assert!(message.contains("stays_1.csv"), "{message}");
    }
}
