//! A whole file: reading, parsing and writing at the same time, each chunk in its turn.

use std::{collections::BTreeMap, fs::Metadata, path::Path};

use jiff::civil::Date;
use prem_spec::model::{Export, ExtraColumns, Plan};
use prem_store::{BadRow, IngestCounts, Secret, StoreError};
use rayon::prelude::*;

use crate::{
    chunk::{Parsed, parse},
    error::{IngestError, Refusal, RefusalCause},
    formats::{self, Batch, Opened, Records, next_batches},
    header::show_all,
    identity::{Context, Counts, without_identity},
    layout::{Declared, Layout},
    limits::Limits,
    note::Note,
    share::{exceeds, falls_short},
    sink::{Sink, Tally},
    source::SourceFault,
};

/// Where a month had fewer rows before, half of them may well be gone for good reasons.
const JUDGED_FROM: u64 = 20;

/// Chunks that are parsed at the same time, at most: bounds memory on machines of many cores.
const CHUNKS_AT_ONCE_MAX: usize = 16;
/// Identity numbers at a file's beginning that make reading on pointless.
const IDENTITY_PLAIN_MIN: u64 = 100;
/// Reasons that a refusal for bad rows names.
const REASONS_NAMED: usize = 5;

/// How files are read.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    pub limits: Limits,
    /// The store's secret, with which quarantine notes whose a row is, so that an erasure finds it.
    pub secret: Option<Secret>,
}

/// A file that was taken. Its rows are in `rows.parquet`, the bad ones in `quarantine.parquet`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ingested {
    /// Of the file as it was delivered, in lower-case hexadecimal.
    pub sha256: String,
    /// Size of the file as it was delivered.
    pub bytes: u64,
    pub counts: IngestCounts,
    pub notes: Vec<Note>,
    /// With `mode = "replace-period"`: the column that places rows in months, and the first day of each month that the file
    /// covers → rows kept of it.
    pub covered: Option<(String, BTreeMap<Date, u64>)>,
    /// With `sequence = { column = … }`: the file's place among deliveries, as text that sorts.
    pub sequence: Option<String>,
}

impl Ingested {
    /// What the export leaves to each file and was found in this one.
    pub fn detected(&self) -> BTreeMap<String, String> {
        let found = self.notes.iter().filter_map(|note| match note {
            Note::Detected { what, value } => Some(((*what).to_owned(), value.clone())),
            _ => None,
        });
        found.collect()
    }

    /// Why a snapshot is not to be taken where the one before it kept `rows_before`: most of them would be gone.
    pub fn too_few_rows(&self, export: &Export, rows_before: u64) -> Option<RefusalCause> {
        too_few(None, self.counts.kept, rows_before, export)
    }

    /// Why a file that replaces months is not to be taken where `rows_before` were kept of each: most rows of the first month that
    /// is named would be gone. Months of few rows are not judged.
    pub fn too_few_rows_of_a_month(&self, export: &Export, rows_before: &BTreeMap<Date, u64>) -> Option<RefusalCause> {
        let (_, months) = self.covered.as_ref()?;
        months.iter().find_map(|(month, kept)| {
            let before = rows_before.get(month).filter(|rows| **rows >= JUDGED_FROM)?;
            too_few(Some(*month), *kept, *before, export)
        })
    }
}

fn too_few(month: Option<Date>, kept: u64, rows_before: u64, export: &Export) -> Option<RefusalCause> {
    let share_min = export.min_rows_share;
    let is_short = falls_short(kept, share_min, rows_before);
    is_short.then_some(RefusalCause::TooFewRows { month, kept, rows_before, share_min })
}

/// Reads one file of `export` and writes its good rows and its quarantine into the existing folder `out`.
///
/// Memory does not grow with the file, and the written bytes depend on the file and the declarations alone.
///
/// # Errors
/// [`IngestError::Refused`] when the file is not to be taken; then nothing of it is left in `out`.
pub fn ingest_file(
    plan: &Plan,
    export: &Export,
    path: &Path,
    out: &Path,
    options: &IngestOptions,
) -> Result<Ingested, IngestError> {
    let mut declared = Declared::new(plan, export)?;
    declared.secret.clone_from(&options.secret);
    let before = std::fs::symlink_metadata(path);
    let taken = take(&declared, path, out, options);
    if taken.is_err() {
        Sink::remove(out);
    }
    taken.map_err(|failure| match failure {
        Failure::Refused(cause, read) => {
            // Half a file may be wrong in any way: what it is refused for says nothing while somebody writes it.
            let after = std::fs::symlink_metadata(path);
            let is_stable = before.ok().zip(after.ok()).is_some_and(|(before, after)| !changed(&before, &after));
            let cause = if is_stable { cause } else { RefusalCause::Changed };
            let AsRead { counts, first } = *read;
            Refusal { file: shown_file_name(path), export: export.name.clone(), cause, counts, first }.into()
        }
        Failure::Error(error) => error,
    })
}

/// Why a file was not taken; a cause still lacks the file's name.
enum Failure {
    Refused(RefusalCause, Box<AsRead>),
    Error(IngestError),
}

/// What a refused file held, as far as it was read.
#[derive(Default)]
struct AsRead {
    counts: IngestCounts,
    first: Vec<BadRow>,
}

impl AsRead {
    fn of(tally: &Tally, declared: &Declared<'_>) -> Box<Self> {
        Box::new(Self { counts: tally.ingest_counts(declared), first: tally.first.clone() })
    }
}

impl From<RefusalCause> for Failure {
    fn from(cause: RefusalCause) -> Self {
        Self::Refused(cause, Box::default())
    }
}

impl From<IngestError> for Failure {
    fn from(error: IngestError) -> Self {
        Self::Error(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Error(error.into())
    }
}

fn file_name(path: &Path) -> String {
    let name = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    name.chars().filter(|character| !character.is_control()).collect()
}

/// As a message may have it.
fn shown_file_name(path: &Path) -> String {
    let name = file_name(path);
    without_identity(&name).unwrap_or(name)
}

fn take(declared: &Declared<'_>, path: &Path, out: &Path, options: &IngestOptions) -> Result<Ingested, Failure> {
    let name = file_name(path);
    if without_identity(&name).is_some() {
        return Err(RefusalCause::IdentityNumberInName.into());
    }
    let before = std::fs::symlink_metadata(path).map_err(IngestError::io("find", path))?;
    let fault = |fault: SourceFault| match fault {
        SourceFault::Io(source) => IngestError::Io { action: "read", path: path.to_path_buf(), source }.into(),
        SourceFault::Refused(cause) => Failure::from(cause),
        SourceFault::Error(error) => Failure::from(error),
    };
    let Opened { header, mut records } = formats::open(path, declared, options.limits, out).map_err(fault)?;
    let mut layout = declared.bind(&header)??;
    layout.window = declared.wanted.window(&name)?;
    let mut sink = Sink::create(out, declared, &layout, &name, header.lines, options.limits)?;
    let run = Run { declared, layout: &layout };
    run.all(records.as_mut(), &mut sink, path).map_err(|failure| match failure {
        Stopped::Source(source) => match fault(source) {
            Failure::Refused(cause, _) => Failure::Refused(cause, AsRead::of(sink.tally(), declared)),
            error @ Failure::Error(_) => error,
        },
        Stopped::Error(error) => error.into(),
    })?;
    let mut told = records.notes();
    let (sha256, bytes) = records.finish().map_err(IngestError::io("read", path))?;
    let tally = sink.finish()?;
    let counts = tally.ingest_counts(declared);
    let after = std::fs::symlink_metadata(path).map_err(IngestError::io("find", path))?;
    let cause = if changed(&before, &after) || bytes != after.len() {
        Some(RefusalCause::Changed)
    } else {
        judge(declared, &layout, &tally, &counts)
    };
    match cause {
        Some(cause) => Err(Failure::Refused(cause, AsRead::of(&tally, declared))),
        None => {
            told.extend(notes(&layout));
            let covered = tally.facts.covered(&declared.wanted, layout.window.as_ref());
            let sequence = tally.facts.sequence(&declared.wanted)?;
            Ok(Ingested { sha256, bytes, counts, notes: told, covered, sequence })
        }
    }
}

fn changed(before: &Metadata, after: &Metadata) -> bool {
    before.len() != after.len() || before.modified().ok() != after.modified().ok()
}

struct Run<'a> {
    declared: &'a Declared<'a>,
    layout: &'a Layout,
}

enum Stopped {
    Source(SourceFault),
    Error(IngestError),
}

impl Run<'_> {
    /// The first chunk alone, since it tells what the columns look like; then as many at once as there are threads, while the
    /// chunks before them are written and those after them read.
    fn all(&self, records: &mut dyn Records, sink: &mut Sink<'_>, path: &Path) -> Result<(), Stopped> {
        let at_once = rayon::current_num_threads().clamp(1, CHUNKS_AT_ONCE_MAX);
        let Some(first) = records.next().map_err(Stopped::Source)? else { return Ok(()) };
        let parsed = self.parse(first.clone(), &[], path)?;
        if let Some(cause) = identity_numbers(self.layout, &parsed.counts).filter(|_| is_plain(&parsed.counts)) {
            return Err(Stopped::Source(SourceFault::Refused(cause)));
        }
        let contexts: Vec<Context> = parsed.counts.iter().copied().map(Context::from).collect();
        // What was chance in a column of long codes cost rows while the column was unknown.
        let known = contexts.iter().any(|context| context.long_codes);
        let parsed = if known { self.parse(first, &contexts, path)? } else { parsed };
        let mut ready = vec![parsed];
        let mut waiting = next_batches(records, at_once).map_err(Stopped::Source)?;
        loop {
            let batches = std::mem::take(&mut waiting);
            let parsed = std::mem::take(&mut ready);
            let done = batches.is_empty();
            let (written, (next, parsed)) = rayon::join(
                || parsed.into_iter().try_for_each(|parsed| sink.write(parsed)),
                || {
                    rayon::join(
                        || if done { Ok(Vec::new()) } else { next_batches(records, at_once) },
                        || batches.into_par_iter().map(|batch| self.parse(batch, &contexts, path)).collect::<Vec<_>>(),
                    )
                },
            );
            written.map_err(|error| Stopped::Error(error.into()))?;
            if done {
                return Ok(());
            }
            ready = parsed.into_iter().collect::<Result<_, _>>()?;
            waiting = next.map_err(Stopped::Source)?;
        }
    }

    fn parse(&self, batch: Batch, contexts: &[Context], path: &Path) -> Result<Parsed, Stopped> {
        let parsed = parse(batch, self.declared, self.layout, contexts)
            .map_err(|error| Stopped::Error(StoreError::parquet(path, error).into()))?;
        if self.declared.export.extra_columns == ExtraColumns::Refuse && !parsed.unread.is_empty() {
            let names = show_all(parsed.unread.iter().map(String::as_str));
            return Err(Stopped::Source(SourceFault::Refused(RefusalCause::ExtraHeaders { names })));
        }
        Ok(parsed)
    }
}

/// Columns whose values look like identity numbers.
fn identity_numbers(layout: &Layout, counts: &[Counts]) -> Option<RefusalCause> {
    let stored = layout.readers.iter().map(|reader| reader.name.as_str());
    let names = stored.chain(layout.extra.iter().map(|extra| extra.name.as_str()));
    let columns = columns_with(names.zip(counts), Counts::is_identity_column, |counts| counts.identity);
    (!columns.is_empty()).then_some(RefusalCause::IdentityNumbers { columns })
}

/// Stored columns whose values look like addresses or telephone numbers.
fn contact_details(layout: &Layout, counts: &[Counts]) -> Option<RefusalCause> {
    let names = layout.readers.iter().map(|reader| reader.name.as_str());
    let columns = columns_with(names.zip(counts), Counts::is_contact_column, |counts| counts.contact);
    (!columns.is_empty()).then_some(RefusalCause::ContactDetails { columns })
}

fn columns_with<'a>(
    columns: impl Iterator<Item = (&'a str, &'a Counts)>,
    is: impl Fn(&Counts) -> bool,
    hits: impl Fn(&Counts) -> u64,
) -> Vec<String> {
    columns
        .filter(|(_, counts)| is(counts))
        .map(|(name, counts)| format!("column {name} has {} of {} values", hits(counts), counts.values))
        .collect()
}

/// Whether the file's beginning alone is enough to refuse it, before anything of it is written.
fn is_plain(counts: &[Counts]) -> bool {
    counts.iter().any(|counts| counts.is_identity_column() && counts.identity >= IDENTITY_PLAIN_MIN)
}

/// Why a file that was read to its end is not taken all the same.
fn judge(declared: &Declared<'_>, layout: &Layout, tally: &Tally, counts: &IngestCounts) -> Option<RefusalCause> {
    let named = identity_numbers(layout, &tally.counts).or_else(|| contact_details(layout, &tally.counts));
    if named.is_some() {
        return named;
    }
    let quarantined = counts.quarantined_total();
    let share_max = declared.export.max_bad_share;
    if exceeds(quarantined, share_max, counts.rows_in) {
        let mut reasons: Vec<(&String, &u64)> = counts.quarantined.iter().collect();
        reasons.sort_by_key(|(reason, rows)| (std::cmp::Reverse(**rows), *reason));
        let reasons =
            reasons.into_iter().take(REASONS_NAMED).map(|(reason, rows)| format!("{reason}: {rows}")).collect();
        let first = tally.first.iter().map(ToString::to_string).collect();
        return Some(RefusalCause::TooManyBadRows { quarantined, rows_in: counts.rows_in, share_max, reasons, first });
    }
    None
}

fn notes(layout: &Layout) -> Vec<Note> {
    let extra = (!layout.extra.is_empty()).then_some(Note::ExtraColumns { count: layout.extra.len() });
    let absent = (!layout.absent.is_empty()).then(|| Note::AbsentColumns { names: layout.absent.clone() });
    extra.into_iter().chain(absent).collect()
}
