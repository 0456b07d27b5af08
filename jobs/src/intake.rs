//! The ingest job: files of the inbox become deliveries, or are refused whole with a reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
};

use jiff::Timestamp;
use prem_ingest::{
    Found, IngestError, IngestOptions, Ingested, RefusalCause, Settled, SkipReason, discover, ingest_file,
};
use prem_spec::{Export, Sequence};
use prem_store::{Covered, Delivery, LockedStore, NewDelivery, Pending, Refusal, arrival_sequence};

use crate::{error::JobError, session::Session};

/// What the inbox held.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    pub new: Vec<Delivery>,
    /// Files whose bytes are registered already.
    pub known: usize,
    /// Files that are refused as they lie in the inbox now.
    pub refused: Vec<Refusal>,
    /// Files passed over, by reason.
    pub skipped: BTreeMap<String, Vec<String>>,
}

impl Intake {
    fn skip(&mut self, name: String, reason: SkipReason) {
        if reason != SkipReason::NoExport {
            tracing::warn!(file = name, %reason, "file passed over");
        }
        self.skipped.entry(reason.to_string()).or_default().push(name);
    }
}

/// When a file of the inbox counts as complete.
pub fn settled(session: &Session) -> Settled {
    match session.config.settle_seconds {
        Some(seconds) => Settled::Since { now: session.now, seconds },
        None => Settled::Always,
    }
}

/// How the files of one run are registered.
#[derive(Debug, Clone, Copy)]
pub struct Registration {
    pub delivered_at: Timestamp,
    pub accept_again: bool,
}

/// A file that is not a delivery yet.
struct Fresh {
    found: Found,
    sha256: String,
}

/// Takes in what is new.
///
/// # Errors
/// When the inbox cannot be read or the store not written. A refused file is no error: it is in the result.
pub fn take_in(session: &Session, store: &LockedStore, registration: Registration) -> Result<Intake, JobError> {
    let mut intake = Intake::default();
    if !session.config.inbox.is_dir() {
        let inbox = session.config.inbox.display();
        return Err(JobError::InputMissing(format!("the inbox {inbox} is not a folder; create it or correct `inbox`")));
    }
    let inbox = discover(&session.plan, &session.config.inbox, settled(session))?;
    for skipped in inbox.skipped.into_iter().filter(|skipped| skipped.name != prem_sample::MARK) {
        intake.skip(skipped.name, skipped.reason);
    }
    let mut seen = store.seen();
    let known = store.deliveries()?;
    let refused = store.refusals()?;
    let present: BTreeSet<PathBuf> = inbox.found.iter().map(|found| found.path.clone()).collect();
    let mut fresh = Vec::new();
    for found in inbox.found {
        let Some(export) = session.plan.exports.get(&found.export) else { continue };
        // A file that went away or may not be read is no reason to stop the night.
        let sha256 = match seen.sha256(&found.path) {
            Ok(sha256) => sha256,
            Err(error) => {
                tracing::debug!(%error, "not read");
                intake.skip(found.name, SkipReason::Unreadable);
                continue;
            }
        };
        let is_again = is_superseded_since(&known, export, &found.name, &sha256);
        if is_again && !registration.accept_again {
            tracing::warn!(file = found.name, "an earlier content is back; it counts only with --accept-again");
        }
        if is_known(&known, export, &sha256) && !(is_again && registration.accept_again) {
            intake.known += 1;
        } else if let Some(refusal) = refused.iter().find(|refusal| is_same(refusal, session, &found, &sha256)) {
            intake.refused.push(refusal.clone());
        } else {
            fresh.push(Fresh { found, sha256 });
        }
    }
    for file in fresh {
        take_one(session, store, registration, &file, &mut intake)?;
    }
    // A new row of an erased person may have named a contact that stands in rows stored before.
    store.finish_erasures()?;
    seen.retain(&present);
    store.save_seen(&seen)?;
    Ok(intake)
}

fn is_known(known: &[Delivery], export: &Export, sha256: &str) -> bool {
    known.iter().any(|delivery| delivery.dataset == export.dataset && delivery.sha256 == sha256)
}

/// The file held these bytes before, and others after them.
fn is_superseded_since(known: &[Delivery], export: &Export, file_name: &str, sha256: &str) -> bool {
    let of_file = known.iter().filter(|delivery| delivery.export == export.name && delivery.file_name == file_name);
    let latest = of_file.max_by_key(|delivery| delivery.number);
    is_known(known, export, sha256) && latest.is_some_and(|latest| latest.sha256 != sha256)
}

/// Whether the file was refused before, by the same declarations and the same program: then it would be refused again.
pub fn is_same(refusal: &Refusal, session: &Session, found: &Found, sha256: &str) -> bool {
    refusal.export == found.export
        && refusal.sha256 == sha256
        && refusal.plan_hash == session.plan_hash
        && refusal.program == env!("CARGO_PKG_VERSION")
}

fn take_one(
    session: &Session,
    store: &LockedStore,
    registration: Registration,
    file: &Fresh,
    intake: &mut Intake,
) -> Result<(), JobError> {
    let Some(export) = session.plan.exports.get(&file.found.export) else { return Ok(()) };
    let pending = store.begin()?;
    let options = IngestOptions { secret: Some(store.secret()?), ..IngestOptions::default() };
    match ingest_file(&session.plan, export, &file.found.path, pending.path(), &options) {
        Ok(ingested) => {
            for note in &ingested.notes {
                tracing::info!(file = file.found.name, "{note}");
            }
            let committed = commit(store, pending, export, file, registration, ingested)?;
            if committed.is_new {
                let erased = committed.delivery.counts.erased;
                if erased > 0 {
                    tracing::info!(file = file.found.name, rows = erased, "rows of erased persons were kept out");
                }
                intake.new.push(committed.delivery);
            } else {
                intake.known += 1;
            }
        }
        // Not a judgement of what the file says: it is looked at again in the next run.
        Err(IngestError::Refused(refusal)) if refusal.cause == RefusalCause::Changed => {
            intake.skip(file.found.name.clone(), SkipReason::Changed);
        }
        Err(IngestError::Io { .. }) => intake.skip(file.found.name.clone(), SkipReason::Unreadable),
        Err(IngestError::Refused(refusal)) => {
            tracing::error!("{refusal}");
            let record = Refusal {
                dataset: export.dataset.clone(),
                export: export.name.clone(),
                file_name: file.found.name.clone(),
                sha256: file.sha256.clone(),
                bytes: file.found.bytes,
                refused_at: registration.delivered_at,
                plan_hash: session.plan_hash.clone(),
                program: env!("CARGO_PKG_VERSION").to_owned(),
                reason: refusal.cause.to_string(),
                counts: refusal.counts,
                first: refusal.first,
            };
            store.refuse(&record)?;
            intake.refused.push(record);
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

fn commit(
    store: &LockedStore,
    pending: Pending,
    export: &Export,
    file: &Fresh,
    registration: Registration,
    ingested: Ingested,
) -> Result<prem_store::Committed, JobError> {
    let sequence = match &export.sequence {
        Sequence::FileName => export.place_in_sequence(&file.found.name).to_owned(),
        Sequence::Column(_) => ingested.sequence.clone().unwrap_or_default(),
        Sequence::Arrival => arrival_sequence(registration.delivered_at),
    };
    let detected = ingested.detected();
    let record = NewDelivery {
        dataset: export.dataset.clone(),
        export: export.name.clone(),
        file_name: file.found.name.clone(),
        sha256: ingested.sha256,
        bytes: ingested.bytes,
        sequence,
        mode: export.mode,
        covers: ingested.covered.map(|(column, months)| Covered { column, months }),
        delivered_at: registration.delivered_at,
        counts: ingested.counts,
        detected,
        accept_again: registration.accept_again,
    };
    Ok(store.commit(pending, record)?)
}
