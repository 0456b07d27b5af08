//! The ingest job: files of the inbox become deliveries, or are refused whole with a reason.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    fs,
    io::ErrorKind,
    iter,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use prem_ingest::{
    Found, IngestError, IngestOptions, Ingested, RefusalCause, Settled, SkipReason, discover, ingest_file,
};
use prem_spec::{DeliveryMode, Export, Sequence, printable};
use prem_stages::{Part, count_view};
use prem_store::{
    BadRow, Committed, Covered, Delivery, IngestCounts, LockedStore, Lying, NewDelivery, Pending, Place, Refusal,
    Store, arrival_sequence, cmp_places, month_rows_before, snapshot_rows_before,
};

use crate::{error::JobError, inputs::part, session::Session};

/// What the inbox held.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    pub new: Vec<Delivery>,
    /// Files whose bytes are registered already.
    pub known: usize,
    /// Files whose delivery was withdrawn.
    pub withdrawn: Vec<String>,
    /// Files that are refused as they lie in the inbox now.
    pub refused: Vec<Refusal>,
    /// Files passed over, by reason.
    pub skipped: BTreeMap<SkipReason, Vec<String>>,
}

impl Intake {
    pub fn skip(&mut self, name: String, reason: SkipReason) {
        if reason.is_finding() {
            tracing::error!(file = name, %reason, "file passed over");
        } else if reason != SkipReason::NoExport {
            tracing::warn!(file = name, %reason, "file passed over");
        }
        self.skipped.entry(reason).or_default().push(name);
    }
}

/// Files of the inbox, and what stands in the place of files, that no waiting makes readable, by reason.
///
/// # Errors
/// When a pattern of an export is none, or the inbox is a folder that cannot be read.
pub fn findings(session: &Session) -> Result<BTreeMap<SkipReason, Vec<String>>, JobError> {
    let mut found: BTreeMap<SkipReason, Vec<String>> = BTreeMap::new();
    if session.config.inbox.is_dir() {
        let inbox = discover(&session.plan, &session.config.inbox, Settled::Always)?;
        for file in inbox.skipped.into_iter().filter(|file| file.reason.is_finding()) {
            found.entry(file.reason).or_default().push(file.name);
        }
    }
    Ok(found)
}

/// Why a file that was found cannot be read after all.
pub fn why_unread(path: &Path) -> SkipReason {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => SkipReason::Gone,
        _ => SkipReason::Unreadable,
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
    /// Takes files that replace others, of however few rows.
    pub accept_fewer: bool,
}

/// A file that is not a delivery yet.
struct Fresh {
    found: Found,
    sha256: String,
    /// Its bytes are registered already, and are to count again.
    is_again: bool,
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
    let known = store.deliveries()?;
    let saved = store.seen();
    let last = known.last().filter(|_| saved.is_some()).map_or(0, |last| last.number);
    let mut seen = saved.unwrap_or_default();
    let refused = store.refusals()?;
    let withdrawals = store.withdrawals()?;
    let present: BTreeSet<PathBuf> = inbox.found.iter().map(|found| found.path.clone()).collect();
    let mut fresh = Vec::new();
    for found in inbox.found {
        let Some(export) = session.plan.exports.get(&found.export) else { continue };
        // A file that went away or may not be read is no reason to stop the night.
        let lying = match seen.look(&found.path, last) {
            Ok(lying) => lying,
            Err(error) => {
                tracing::debug!(%error, "not read");
                intake.skip(found.name, why_unread(&found.path));
                continue;
            }
        };
        let of_bytes = known.iter().filter(|of| of.dataset == export.dataset && of.sha256 == lying.sha256);
        if let Some(same) = of_bytes.max_by(|a, b| a.cmp_sequence(b)) {
            let is_again = is_back(session, store, (export, &found, &lying), same, &known)?;
            if is_again && registration.accept_again {
                fresh.push(Fresh { found, sha256: lying.sha256, is_again });
                continue;
            }
            if is_again {
                tracing::warn!(
                    file = found.name,
                    delivered_as = same.file_name,
                    "its content was delivered before and superseded since; it counts again only with --accept-again"
                );
            }
            intake.known += 1;
        } else if let Some(of) =
            withdrawals.iter().find(|of| !registration.accept_again && of.is_of(&export.dataset, &lying.sha256))
        {
            tracing::warn!(
                file = found.name,
                delivery = of.number,
                why = of.why,
                "its content was delivered before and withdrawn; it counts again only with --accept-again"
            );
            intake.withdrawn.push(found.name);
        } else if let Some(refusal) = refused
            .iter()
            // What was refused for too few rows is to be accepted now.
            .find(|refusal| !registration.accept_fewer && is_same(refusal, session, &found, &lying.sha256))
        {
            intake.refused.push(refusal.clone());
        } else {
            fresh.push(Fresh { found, sha256: lying.sha256, is_again: false });
        }
    }
    in_sequence(session, &mut fresh);
    for file in fresh {
        take_one(session, store, registration, (&file, &known), &mut intake)?;
    }
    // A new row of an erased person may have named a contact that stands in rows stored before.
    store.finish_erasures()?;
    seen.retain(&present);
    store.save_seen(&seen)?;
    Ok(intake)
}

/// Earlier files before later ones, which are compared with them, as far as names tell.
fn in_sequence(session: &Session, fresh: &mut [Fresh]) {
    let place = |file: &Fresh| {
        let export =
            session.plan.exports.get(&file.found.export).filter(|export| export.sequence == Sequence::FileName);
        export.map_or_else(String::new, |export| export.place_in_sequence(&file.found.name).to_owned())
    };
    fresh.sort_by(|a, b| a.found.export.cmp(&b.found.export).then_with(|| cmp_places(&place(a), &place(b))));
}

/// Whether known bytes have come back: rows of `same`, their latest delivery, were superseded by deliveries that the file as it
/// lies there would come after. Its name decides that, where names do, and of equal places its arrival.
fn is_back(
    session: &Session,
    store: &Store,
    (export, found, lying): (&Export, &Found, &Lying),
    same: &Delivery,
    known: &[Delivery],
) -> Result<bool, JobError> {
    let plan = &session.plan;
    let Some(dataset) = plan.datasets.get(&export.dataset) else { return Ok(false) };
    // Where other bytes were taken under its name after these, the file was written anew since.
    let of_name = known.iter().rev().find(|of| of.export == export.name && of.file_name == found.name);
    let since = of_name.filter(|of| of.sha256 != lying.sha256).map_or(lying.since, |of| lying.since.max(of.number));
    let comes_after = |other: &Delivery| {
        let by_place = match &export.sequence {
            Sequence::FileName => cmp_places(export.place_in_sequence(&found.name), &other.sequence),
            Sequence::Column(_) => cmp_places(&same.sequence, &other.sequence),
            Sequence::Arrival => Ordering::Equal,
        };
        by_place.then(since.cmp(&other.number)).is_ge()
    };
    let is_comparable = |other: &&Delivery| {
        let declared = plan.exports.get(&other.export);
        other.dataset == export.dataset && declared.is_some_and(|of| of.questionnaire == export.questionnaire)
    };
    let mut later: Vec<&Delivery> = known
        .iter()
        .filter(is_comparable)
        .filter(|other| other.cmp_sequence(same).is_gt() && comes_after(other))
        .collect();
    if later.is_empty() || !is_comparable(&same) {
        return Ok(false);
    }
    later.sort_by(|a, b| a.cmp_sequence(b));
    let parts: Vec<Part> = iter::once(same).chain(later).filter_map(|of| part(plan, store, of)).collect();
    Ok(count_view(dataset, &parts)?.first().is_some_and(|view| view.superseded > 0))
}

/// Whether the file was refused before, by the same declarations and the same program: then it would be refused again.
pub fn is_same(refusal: &Refusal, session: &Session, found: &Found, sha256: &str) -> bool {
    refusal.export == found.export
        && refusal.sha256 == sha256
        && refusal.plan_hash == session.plan_hash
        && refusal.program == env!("CARGO_PKG_VERSION")
}

/// `known` are the deliveries from before this run.
fn take_one(
    session: &Session,
    store: &LockedStore,
    registration: Registration,
    (file, known): (&Fresh, &[Delivery]),
    intake: &mut Intake,
) -> Result<(), JobError> {
    let Some(export) = session.plan.exports.get(&file.found.export) else { return Ok(()) };
    let pending = store.begin()?;
    let options = IngestOptions { secret: Some(store.secret()?), ..IngestOptions::default() };
    tracing::info!(file = file.found.name, bytes = file.found.bytes, "reading");
    match ingest_file(&session.plan, export, &file.found.path, pending.path(), &options) {
        Ok(ingested) => {
            for note in &ingested.notes {
                tracing::info!(file = file.found.name, "{note}");
            }
            let sequence = sequence_of(export, file, registration, &ingested);
            let place = Place {
                export: &export.name,
                sequence: &sequence,
                file_name: &file.found.name,
                delivered_at: registration.delivered_at,
                sha256: &ingested.sha256,
            };
            let too_few = too_few_rows(export, &ingested, known.iter().chain(&intake.new), place);
            if let Some(cause) = too_few.filter(|_| !registration.accept_fewer) {
                tracing::error!("{} ({}) is refused: {cause}", printable(&file.found.name), export.name);
                let refused = (cause.to_string(), ingested.counts, Vec::new());
                return refuse(session, store, registration, (file, refused), intake);
            }
            let committed = commit(store, pending, export, file, registration, (ingested, sequence))?;
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
        Err(IngestError::Io { .. }) => intake.skip(file.found.name.clone(), why_unread(&file.found.path)),
        Err(IngestError::Refused(refusal)) => {
            tracing::error!("{}", printable(&refusal.to_string()));
            let refused = (refusal.cause.to_string(), refusal.counts, refusal.first);
            return refuse(session, store, registration, (file, refused), intake);
        }
        Err(other) => return Err(other.into()),
    }
    Ok(())
}

/// Why a file is not to be taken in this place: most rows that it replaces would be gone.
fn too_few_rows<'a>(
    export: &Export,
    ingested: &Ingested,
    deliveries: impl Iterator<Item = &'a Delivery>,
    place: Place<'_>,
) -> Option<RefusalCause> {
    match export.mode {
        DeliveryMode::Upsert => None,
        DeliveryMode::ReplacePeriod => ingested.too_few_rows_of_a_month(export, &month_rows_before(deliveries, place)),
        DeliveryMode::Snapshot => ingested.too_few_rows(export, snapshot_rows_before(deliveries, place)?),
    }
}

/// Keeps a record of a refused file: why, its counts as far as it was read, and its first bad rows.
fn refuse(
    session: &Session,
    store: &LockedStore,
    registration: Registration,
    (file, (reason, counts, first)): (&Fresh, (String, IngestCounts, Vec<BadRow>)),
    intake: &mut Intake,
) -> Result<(), JobError> {
    let Some(export) = session.plan.exports.get(&file.found.export) else { return Ok(()) };
    let record = Refusal {
        dataset: export.dataset.clone(),
        export: export.name.clone(),
        file_name: file.found.name.clone(),
        sha256: file.sha256.clone(),
        bytes: file.found.bytes,
        refused_at: registration.delivered_at,
        plan_hash: session.plan_hash.clone(),
        program: env!("CARGO_PKG_VERSION").to_owned(),
        reason,
        counts,
        first,
    };
    store.refuse(&record)?;
    intake.refused.push(record);
    Ok(())
}

/// The place of a file among the deliveries of its export.
fn sequence_of(export: &Export, file: &Fresh, registration: Registration, ingested: &Ingested) -> String {
    match &export.sequence {
        Sequence::FileName => export.place_in_sequence(&file.found.name).to_owned(),
        Sequence::Column(_) => ingested.sequence.clone().unwrap_or_default(),
        Sequence::Arrival => arrival_sequence(registration.delivered_at),
    }
}

fn commit(
    store: &LockedStore,
    pending: Pending,
    export: &Export,
    file: &Fresh,
    registration: Registration,
    (ingested, sequence): (Ingested, String),
) -> Result<Committed, JobError> {
    let detected = ingested.detected();
    let (covers, month_rows) = match ingested.covered {
        Some((column, rows)) => (Some(Covered { column, months: rows.keys().copied().collect() }), rows),
        None => (None, BTreeMap::new()),
    };
    let record = NewDelivery {
        dataset: export.dataset.clone(),
        export: export.name.clone(),
        file_name: file.found.name.clone(),
        sha256: ingested.sha256,
        bytes: ingested.bytes,
        sequence,
        mode: export.mode,
        covers,
        month_rows,
        delivered_at: registration.delivered_at,
        counts: ingested.counts,
        detected,
        accept_again: file.is_again,
    };
    Ok(store.commit(pending, record)?)
}
