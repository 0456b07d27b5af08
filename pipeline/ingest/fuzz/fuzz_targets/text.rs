#![no_main]
//! Delimited text, its separator and encoding declared or detected.

mod common;

use std::{cell::OnceCell, fs};

use libfuzzer_sys::fuzz_target;
use prem_spec::model::{Encoding, FileFormat};

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

fuzz_target!(|data: &[u8]| {
    let Some((choice, bytes)) = data.split_first() else { return };
    let encoding = [Some(Encoding::Utf8), Some(Encoding::Windows1252), Some(Encoding::Iso8859_1), None];
    let plan = common::plan(FileFormat::Delimited {
        separator: if choice & 4 == 0 { Some(';') } else { None },
        quote: '"',
        encoding: encoding[usize::from(choice & 3)],
        decimal: ',',
    });
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder")).path();
        fs::write(folder.join("file"), bytes).expect("a file");
        let whole = common::ingest(&plan, folder, 1 << 22);
        let pieces = common::ingest(&plan, folder, 1 + usize::from(choice >> 3));
        // The beginning of a file says what its columns look like to the identity guard; only there do blocks matter.
        let identity = ["identity-number", "contact-details"];
        let is_plain = |found: &Option<(prem_ingest::Ingested, Vec<u8>, Vec<u8>)>| {
            found.as_ref().is_some_and(|(found, ..)| !identity.iter().any(|reason| found.counts.quarantined.contains_key(*reason)))
        };
        if is_plain(&whole) && is_plain(&pieces) {
            assert_eq!(whole, pieces, "blocks matter");
        }
    });
});
