//! The plan of the repository, and files read back as their exports say.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use prem_spec::{Encoding, Export, FileFormat, Plan, SourceValue};

pub fn plan() -> Plan {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../schemas");
    let compiled = prem_spec::compile(&prem_spec::load_folder(&folder).expect("schemas"));
    assert!(compiled.plan.is_some(), "{:#?}", compiled.diagnostics);
    compiled.plan.expect("a plan")
}

/// The plan with its main questionnaire only, so that there is one export of responses and every score has a truth.
pub fn plan_of_one() -> Plan {
    let mut plan = plan();
    plan.questionnaires.retain(|id, _| id == "adult-inpatient");
    let is_kept = |questionnaire: Option<&String>| questionnaire.is_none_or(|id| plan.questionnaires.contains_key(id));
    let exports = plan.exports.iter().filter(|(_, export)| is_kept(export.questionnaire.as_ref()));
    let exports = exports.map(|(name, export)| (name.clone(), export.clone())).collect();
    let indicators = plan.indicators.iter().filter(|(_, one)| is_kept(one.population.questionnaire.as_ref()));
    let indicators = indicators.map(|(id, one)| (id.clone(), one.clone())).collect();
    Plan { exports, indicators, ..plan }
}

/// Stored column → value as stored; missing values are empty.
pub type Record = BTreeMap<String, String>;

/// Files of a dataset in the order of their names, with their rows.
pub fn read(plan: &Plan, inbox: &Path, dataset: &str) -> Vec<(String, Vec<Record>)> {
    let export = plan.exports.values().find(|export| export.dataset == dataset).expect("an export");
    let (prefix, suffix) = export.files[0].split_once('*').expect("a pattern");
    let mut paths: Vec<PathBuf> = fs::read_dir(inbox)
        .expect("an inbox")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            name.starts_with(prefix) && name.ends_with(suffix)
        })
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| (path.file_name().expect("a name").to_string_lossy().into_owned(), rows(plan, export, path)))
        .collect()
}

fn rows(plan: &Plan, export: &Export, path: &Path) -> Vec<Record> {
    let FileFormat::Delimited { separator: Some(separator), quote, encoding: Some(encoding), .. } = export.format
    else {
        panic!("not delimited text of a declared kind")
    };
    let bytes = fs::read(path).expect("a file");
    let text = match encoding {
        Encoding::Utf8 => String::from_utf8(bytes).expect("UTF-8").trim_start_matches('\u{feff}').to_owned(),
        Encoding::Windows1252 | Encoding::Iso8859_1 => bytes.into_iter().map(char::from).collect(),
    };
    let mut reader =
        csv::ReaderBuilder::new().delimiter(separator as u8).quote(quote as u8).from_reader(text.as_bytes());
    let headers = reader.headers().expect("a header line").clone();
    let columns = plan.stored_columns(export);
    let place = |name: &str| {
        let own = vec![name.to_owned()];
        let names = match export.columns.get(name).map(|column| &column.value) {
            Some(SourceValue::Header(names)) => names.clone(),
            Some(_) => return None,
            None => own,
        };
        Some(headers.iter().position(|header| names.iter().any(|name| name == header)).expect("a header of the column"))
    };
    let places: Vec<(String, usize)> =
        columns.iter().filter_map(|column| Some((column.name.clone(), place(&column.name)?))).collect();
    assert_eq!(places.len(), headers.len(), "every column of the file is declared");
    reader
        .records()
        .map(|record| {
            let record = record.expect("a record");
            let stored = |(name, place): &(String, usize)| {
                let value = &record[*place];
                let recoded = export.columns.get(name).and_then(|column| column.recode.get(value));
                let missing = export.missing.iter().any(|text| text == value);
                let value = if missing { String::new() } else { recoded.cloned().unwrap_or_else(|| value.to_owned()) };
                (name.clone(), value)
            };
            places.iter().map(stored).collect()
        })
        .collect()
}
