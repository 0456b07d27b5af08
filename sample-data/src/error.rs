//! Why a sample could not be made or read.

use std::{io, path::PathBuf};

use thiserror::Error;

#[derive(Debug, Error)]
pub enum SampleError {
    #[error("no export is declared for the dataset «{0}», so no file can be written: add one under schemas/exports")]
    NoExport(&'static str),
    #[error("no export of responses names a questionnaire that the plan has")]
    NoQuestionnaire,
    #[error("the export «{export}» has no usable file pattern: «{pattern}» needs exactly one *")]
    FilePattern { export: String, pattern: String },
    #[error("the export «{export}»: {message}")]
    Export { export: String, message: String },
    #[error("the setting {name} is {value}: {expected}")]
    Setting { name: &'static str, value: String, expected: &'static str },
    #[error("region.toml: {0}")]
    Region(String),
    #[error("no ward is open in {month}: check the validity dates of the organisation")]
    NoWard { month: String },
    #[error("{path}: {source}")]
    Io { path: PathBuf, source: io::Error },
    #[error("{path}: {message}")]
    Truth { path: PathBuf, message: String },
}

impl SampleError {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { path, source }
    }
}
