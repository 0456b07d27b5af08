#![no_main]
//! QuestionnaireResponse, one a line.

mod common;

use std::{cell::OnceCell, fs};

use libfuzzer_sys::fuzz_target;
use prem_spec::model::FileFormat;

thread_local! {
    static FOLDER: OnceCell<tempfile::TempDir> = const { OnceCell::new() };
}

fuzz_target!(|bytes: &[u8]| {
    let plan = common::plan(FileFormat::FhirQuestionnaireResponse);
    FOLDER.with(|folder| {
        let folder = folder.get_or_init(|| tempfile::tempdir().expect("a folder")).path();
        fs::write(folder.join("file"), bytes).expect("a file");
        common::ingest(&plan, folder, 1 << 22);
    });
});
