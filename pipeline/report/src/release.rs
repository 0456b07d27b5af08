//! A release: one folder for the region, one per trust, and the description of them all.

use std::{collections::BTreeMap, fs, path::Path};

use prem_protect::Protected;
use prem_spec::{Plan, Unit};
use rayon::prelude::*;

use crate::{
    ReportError, RunFacts, datapackage, file_hashes,
    folder::{self, Reader},
    hashes,
    texts::Texts,
};

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseSummary {
    /// Folders below the release's root, the region first, trusts in the order of the organisation.
    pub folders: Vec<String>,
    /// Path → bytes and SHA-256 of every file.
    pub files: BTreeMap<String, (u64, String)>,
}

/// Writes a whole release into `staging`, an existing folder that is the caller's to publish or to throw away.
/// `manifest.json` is the caller's too.
///
/// Only [`Protected`] is accepted; there is no way to hand over numbers that have not been through protection:
///
/// ```compile_fail
/// # use prem_report::{write_release, RunFacts};
/// # fn wrong(plan: &prem_spec::Plan, unprotected: &prem_protect::Unprotected) {
/// write_release(plan, unprotected, &RunFacts::default(), std::path::Path::new("staging"));
/// # }
/// ```
///
/// # Errors
/// When a file cannot be written, or a trust's id cannot be a folder's name.
pub fn write_release(
    plan: &Plan,
    protected: &Protected,
    facts: &RunFacts,
    staging: &Path,
) -> Result<ReleaseSummary, ReportError> {
    let texts = Texts::load(facts.language)?;
    let trusts: Vec<&Unit> = plan.organisation.trusts().collect();
    let mut folders = vec!["region".to_owned()];
    for trust in &trusts {
        folders.push(trust_folder(trust)?);
    }
    for folder in &folders {
        let path = staging.join(folder);
        fs::create_dir_all(&path).map_err(ReportError::io("create", &path))?;
    }
    let readers: Vec<Reader<'_>> =
        std::iter::once(Reader::Region).chain(trusts.iter().map(|trust| Reader::Trust(trust))).collect();
    readers.par_iter().zip(&folders).try_for_each(|(reader, folder)| {
        let view = match reader {
            Reader::Region => None,
            Reader::Trust(trust) => Some(protected.restricted_to(plan, &trust.id)),
        };
        folder::write(&staging.join(folder), plan, view.as_ref().unwrap_or(protected), *reader, facts, &texts)
    })?;
    let mut files = file_hashes(staging)?;
    datapackage::write(staging, facts, &texts, &files)?;
    files.insert(datapackage::FILE.to_owned(), hashes::of_file(&staging.join(datapackage::FILE))?);
    Ok(ReleaseSummary { folders, files })
}

/// A trust's folder is its unit id, which stays the same when its name changes.
fn trust_folder(trust: &Unit) -> Result<String, ReportError> {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if trust.id.is_empty() || !trust.id.bytes().all(is_plain) {
        return Err(ReportError::FolderName { id: trust.id.clone() });
    }
    Ok(format!("hf/{}", trust.id))
}
