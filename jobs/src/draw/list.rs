//! The invitation list as a file: as the export of invitations reads it, so that what the survey office makes of it comes back
//! without another declaration.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::{Path, PathBuf},
};

use prem_spec::{Encoding, Export, FileFormat, Plan, SourceValue};
use prem_store::tables::Drawn;

use crate::error::JobError;

/// What the list and the dataset `invitations` both have.
const SHARED: [&str; 5] = ["invitation_id", "contact_id", "questionnaire_id", "stratum", "inclusion_probability"];
/// What the survey office needs besides, and what does not come back.
const FOR_THE_OFFICE: [&str; 3] = ["person_id", "unit_id", "drawn_on"];

/// How the list is written: UTF-8, by the first delimited export of invitations, else with `;` and decimal point under the
/// dataset's own names.
struct Form<'a> {
    export: Option<&'a Export>,
    separator: char,
    quote: char,
    decimal: char,
}

impl<'a> Form<'a> {
    fn of(plan: &'a Plan) -> Self {
        let form = |export: &'a Export| match export.format {
            FileFormat::Delimited { separator, quote, encoding: None | Some(Encoding::Utf8), decimal } => {
                Some(Self { export: Some(export), separator: separator.unwrap_or(';'), quote, decimal })
            }
            _ => None,
        };
        let mut of_invitations = plan.exports.values().filter(|export| export.dataset == "invitations");
        of_invitations.find_map(form).unwrap_or(Self { export: None, separator: ';', quote: '"', decimal: '.' })
    }

    fn header(&self, column: &'static str) -> &'a str {
        match self.export.and_then(|export| export.columns.get(column)).map(|source| &source.value) {
            Some(SourceValue::Header(names)) => names.first().map_or(column, String::as_str),
            _ => column,
        }
    }

    fn row(&self, drawn: &Drawn) -> Vec<String> {
        let probability = drawn.inclusion_probability.to_string().replace('.', &self.decimal.to_string());
        vec![
            drawn.invitation_id.clone(),
            drawn.contact_id.clone(),
            drawn.questionnaire_id.clone(),
            drawn.stratum.clone(),
            probability,
            drawn.person_id.clone(),
            drawn.unit_id.clone(),
            drawn.drawn_on.to_string(),
        ]
    }
}

/// The list with its headers, for the file `path`.
///
/// # Errors
/// When a row cannot be written.
pub(super) fn bytes(plan: &Plan, rows: &[Drawn], path: &Path) -> Result<Vec<u8>, JobError> {
    written(&Form::of(plan), rows).map_err(JobError::write("write", path))
}

fn written(form: &Form<'_>, rows: &[Drawn]) -> std::io::Result<Vec<u8>> {
    let byte = |character: char, usual: u8| u8::try_from(character).unwrap_or(usual);
    let mut writer = csv::WriterBuilder::new()
        .delimiter(byte(form.separator, b';'))
        .quote(byte(form.quote, b'"'))
        .from_writer(Vec::new());
    writer.write_record(SHARED.map(|column| form.header(column)).iter().chain(&FOR_THE_OFFICE))?;
    for drawn in rows {
        writer.write_record(form.row(drawn))?;
    }
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// # Errors
/// [`JobError::Occupied`] when the file holds anything but this list, unless it is to be replaced.
pub(super) fn check_free(path: &Path, list: &[u8], may_replace: bool) -> Result<(), JobError> {
    match fs::read(path) {
        Ok(held) if held != list && !may_replace => Err(JobError::Occupied { path: path.to_path_buf() }),
        _ => Ok(()),
    }
}

/// A reader of the folder sees the whole list or none.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, list: &[u8]) -> Result<(), JobError> {
    let mut unfinished = path.as_os_str().to_owned();
    unfinished.push(".part");
    let unfinished = PathBuf::from(unfinished);
    // What an interrupted run left may be readable by others: it goes.
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(JobError::write("remove", &unfinished)(error)),
        _ => {}
    }
    write_new(&unfinished, list).map_err(JobError::write("write", &unfinished))?;
    fs::rename(&unfinished, path).map_err(JobError::write("rename to", path))
}

fn write_new(path: &Path, list: &[u8]) -> std::io::Result<()> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    file.write_all(list)?;
    file.sync_all()
}
