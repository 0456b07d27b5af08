//! A protected set on disk: Parquet tables and a list of their hashes.
//!
//! The list's own hash is what a run remembers. Opening needs it, so a folder that somebody edited, or that another run
//! wrote, is not taken for protected.

use std::{collections::BTreeMap, fs, path::Path};

use prem_spec::Plan;
use prem_store::{
    StoreError,
    tables::{
        CaseMix, Estimate, Response, Sensitivity, SurveyQuality, Table, TableMeta, Variation, Weighting, read_table,
        write_table,
    },
};
use sha2::{Digest, Sha256};

use crate::{
    ProtectError, Protected, audit_beside, before::Unchanged, beside::Beside, respondents::Respondents, response,
    sensitivity, trends,
};

/// The list of a protected folder's files and their SHA-256.
pub const MANIFEST_FILE: &str = "protected.json";

fn file_name<T: Table>() -> String {
    format!("{}.parquet", T::NAME)
}

impl Protected {
    /// Writes the set into the folder `dir`, which must exist, and gives the SHA-256 that [`Self::open`] will ask for.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<String, ProtectError> {
        let mut hashes = BTreeMap::new();
        write_one(dir, &self.estimates, &self.meta, &mut hashes)?;
        write_one(dir, &self.variation, &self.meta, &mut hashes)?;
        write_one(dir, &self.case_mix, &self.meta, &mut hashes)?;
        write_one(dir, &self.sensitivity, &self.meta, &mut hashes)?;
        write_one(dir, &self.survey_quality, &self.meta, &mut hashes)?;
        write_one(dir, &self.response, &self.meta, &mut hashes)?;
        write_one(dir, &self.weighting, &self.meta, &mut hashes)?;
        let path = dir.join(MANIFEST_FILE);
        // A map of strings always serialises.
        let list = serde_json::to_vec_pretty(&hashes).unwrap_or_default();
        fs::write(&path, &list).map_err(StoreError::io("write", &path))?;
        Ok(sha256(&list))
    }

    /// Reads a set that [`Self::write`] made: hashes, contracts and origin must agree, and the proof is repeated.
    ///
    /// # Errors
    /// When anything differs from what was written.
    pub fn open(plan: &Plan, dir: &Path, manifest_sha256: &str) -> Result<Self, ProtectError> {
        let path = dir.join(MANIFEST_FILE);
        let list = fs::read(&path).map_err(StoreError::io("read", &path))?;
        let differs = |reason: String| ProtectError::NotAuthentic { path: dir.to_path_buf(), reason };
        if sha256(&list) != manifest_sha256 {
            return Err(differs(format!("{MANIFEST_FILE} has another hash than the run that made it recorded")));
        }
        let hashes: BTreeMap<String, String> =
            serde_json::from_slice(&list).map_err(|_| differs(format!("{MANIFEST_FILE} is not readable")))?;
        let (estimates, meta) = open_one::<Estimate>(dir, &hashes)?;
        let (variation, variation_meta) = open_one::<Variation>(dir, &hashes)?;
        let (case_mix, case_mix_meta) = open_one::<CaseMix>(dir, &hashes)?;
        let (other_models, sensitivity_meta) = open_one::<Sensitivity>(dir, &hashes)?;
        let (survey_quality, survey_quality_meta) = open_one::<SurveyQuality>(dir, &hashes)?;
        let (response, response_meta) = open_one::<Response>(dir, &hashes)?;
        let (weighting, weighting_meta) = open_one::<Weighting>(dir, &hashes)?;
        let others =
            [&variation_meta, &case_mix_meta, &sensitivity_meta, &survey_quality_meta, &response_meta, &weighting_meta];
        if others.iter().any(|other| **other != meta) {
            return Err(differs("its tables come from different runs or plans".to_owned()));
        }
        let mut cells = audit_beside(plan, &estimates, &response)?;
        let respondents = Beside::Respondents(Respondents::of(plan, &estimates));
        cells.extend(response::audit(plan, &response, &respondents)?);
        if !cells.is_empty() {
            return Err(ProtectError::Recoverable { cells });
        }
        let sensitivity = sensitivity::protect(plan, other_models.clone(), &estimates);
        if sensitivity != other_models {
            return Err(differs("values by other models do not fit what the estimates show".to_owned()));
        }
        // Series follow from the estimates: made again, they cannot disagree with them.
        let breaks = trends::Breaks::of(plan);
        let trends = trends::of(&estimates, &breaks);
        let spread = Vec::new();
        Ok(Self {
            unchanged: Unchanged::of(&estimates),
            estimates,
            variation,
            case_mix,
            sensitivity,
            survey_quality,
            response,
            weighting,
            trends,
            breaks,
            spread,
            meta,
        })
    }
}

fn write_one<T: Table>(
    dir: &Path,
    rows: &[T],
    meta: &TableMeta,
    hashes: &mut BTreeMap<String, String>,
) -> Result<(), ProtectError> {
    let name = file_name::<T>();
    let path = dir.join(&name);
    write_table(&path, rows, meta)?;
    hashes.insert(name, sha256(&fs::read(&path).map_err(StoreError::io("read", &path))?));
    Ok(())
}

fn open_one<T: Table>(dir: &Path, hashes: &BTreeMap<String, String>) -> Result<(Vec<T>, TableMeta), ProtectError> {
    let name = file_name::<T>();
    let path = dir.join(&name);
    let bytes = fs::read(&path).map_err(StoreError::io("read", &path))?;
    if hashes.get(&name) != Some(&sha256(&bytes)) {
        return Err(ProtectError::NotAuthentic { path, reason: "its hash is not the one in the list".to_owned() });
    }
    Ok(read_table::<T>(&path)?)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
