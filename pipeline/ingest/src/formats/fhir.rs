//! HL7 FHIR R4 QuestionnaireResponse as NDJSON: one resource a line.
//!
//! Answers are found by the linkId of their item, however deep it is nested (items in groups, and items under an answer); elements
//! of the resource by name. What no column reads is not kept: the subject, the author and the source of the answers are not even
//! parsed into a value. A question with several answers is a list where the column is a list of codes; elsewhere the row has no
//! single value and goes to quarantine. Resources that are not completed, or were entered in error, are no responses.
//!
//! A resource leaves out the questions that were not answered. Therefore a linkId that no resource has is no wrong header. Questions
//! that no column reads are looked through for identity numbers where the file's first chunk has them; where an export refuses
//! extra columns, one that is answered anywhere in the file refuses it.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
    fmt, io,
    path::Path,
    sync::Arc,
};

use prem_spec::model::{ColumnKind, ResourceElement};
use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, Visitor},
};

use super::{Batch, Opened, Records, moment};
use crate::{
    error::RefusalCause,
    header::Header,
    layout::Declared,
    limits::{COLUMNS_MAX, Limits},
    note::Note,
    reason::Reason,
    records::{Table, TableBuilder},
    source::{BlockReader, Framing, Source, SourceFault},
};

const MARK: &[u8] = b"\xef\xbb\xbf";
const RESOURCE_TYPE: &str = "QuestionnaireResponse";
/// Statuses of answers that count: those of a form that was sent in, and one that was corrected afterwards.
const STATUSES: [&str; 2] = ["completed", "amended"];

/// Where the cells of a row come from.
pub(crate) struct Fields {
    fields: Vec<Field>,
    /// Places by linkId: the field, and which of its names it is.
    links: BTreeMap<String, Vec<(usize, usize)>>,
}

struct Field {
    /// In the order in which they are tried.
    names: Vec<Name>,
    is_list: bool,
}

enum Name {
    Link,
    Element(ResourceElement),
}

struct Lines {
    blocks: BlockReader,
    first: Option<Vec<u8>>,
    fields: Arc<Fields>,
    notes: Vec<Note>,
}

pub(super) fn open(path: &Path, declared: &Declared<'_>, limits: Limits) -> Result<Opened, SourceFault> {
    let source = Source::open(path, limits)??;
    let mut notes: Vec<Note> = source.compression().map(|format| Note::Compressed { format }).into_iter().collect();
    let mut blocks = BlockReader::new(source, Framing::Lines, limits);
    let mut first = blocks.next_chunk()?.ok_or(RefusalCause::Empty)?;
    if first.starts_with(MARK) {
        first.drain(..MARK.len());
        notes.push(Note::ByteOrderMark);
    }
    let (fields, names) = bind(declared, &first);
    let header = Header::of(names, 0)?;
    Ok(Opened::new(header, Lines { blocks, first: Some(first), fields: Arc::new(fields), notes }))
}

/// A field per stored column, then one per question of the file's beginning that no column reads: those are looked through for
/// identity numbers, as unused columns of other formats are.
fn bind(declared: &Declared<'_>, beginning: &[u8]) -> (Fields, Vec<String>) {
    let mut fields = Fields { fields: Vec::new(), links: BTreeMap::new() };
    let mut headers: Vec<String> = Vec::new();
    for column in &declared.columns {
        let names = declared.sought(column);
        let Some(first) = names.first() else { continue };
        // Two columns may read the same answer.
        let place = headers.iter().position(|header| header == first).unwrap_or_else(|| {
            headers.push(first.clone());
            fields.fields.push(Field { names: Vec::new(), is_list: false });
            headers.len() - 1
        });
        fields.fields[place].is_list |= matches!(column.kind, ColumnKind::CodeList { .. });
        for name in names {
            fields.add(place, &name);
        }
    }
    for link in links_of(beginning) {
        if headers.len() < COLUMNS_MAX && !fields.links.contains_key(&link) && !headers.contains(&link) {
            fields.fields.push(Field { names: Vec::new(), is_list: true });
            fields.add(headers.len(), &link);
            headers.push(link);
        }
    }
    (fields, headers)
}

impl Fields {
    fn add(&mut self, place: usize, name: &str) {
        let names = &mut self.fields[place].names;
        let rank = names.len();
        match name.strip_prefix(ResourceElement::PREFIX) {
            // An unknown element is a mistake of the declaration, which has been told.
            Some(element) => names.extend(ResourceElement::of(element).map(Name::Element)),
            None => {
                names.push(Name::Link);
                self.links.entry(name.to_owned()).or_default().push((place, rank));
            }
        }
    }
}

/// The linkIds of a text's resources, in the order of the alphabet.
fn links_of(bytes: &[u8]) -> Vec<String> {
    fn collect(items: &[ResponseItem], links: &mut BTreeSet<String>) {
        for item in items {
            if !item.answer.is_empty() {
                links.insert(item.link_id.clone());
            }
            collect(&item.item, links);
            item.answer.iter().for_each(|answer| collect(&answer.item, links));
        }
    }
    let mut links = BTreeSet::new();
    for line in bytes.split(|byte| *byte == b'\n') {
        if let Ok(resource) = serde_json::from_slice::<Resource>(line) {
            collect(&resource.item, &mut links);
        }
    }
    links.into_iter().collect()
}

impl Records for Lines {
    fn next(&mut self) -> Result<Option<Batch>, SourceFault> {
        let bytes = match self.first.take() {
            Some(first) => Some(first),
            None => self.blocks.next_chunk()?,
        };
        Ok(bytes.map(|bytes| Batch::Resources { bytes, fields: Arc::clone(&self.fields) }))
    }

    fn notes(&self) -> Vec<Note> {
        self.notes.clone()
    }

    fn finish(self: Box<Self>) -> io::Result<(String, u64)> {
        self.blocks.into_source().finish()
    }
}

/// What is read of a resource; everything else is passed over without being kept.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Resource {
    resource_type: String,
    id: Option<String>,
    identifier: Option<Identifier>,
    questionnaire: Option<String>,
    status: Option<String>,
    authored: Option<String>,
    language: Option<String>,
    encounter: Option<Reference>,
    #[serde(default)]
    based_on: Vec<Reference>,
    #[serde(default)]
    extension: Vec<Valued>,
    #[serde(default)]
    item: Vec<ResponseItem>,
}

#[derive(Deserialize)]
struct Identifier {
    value: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    identifier: Option<Identifier>,
    reference: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResponseItem {
    link_id: String,
    #[serde(default)]
    answer: Vec<Valued>,
    #[serde(default)]
    item: Vec<ResponseItem>,
}

/// An answer, or an extension: something with a `value[x]`.
struct Valued {
    url: Option<String>,
    /// As a cell; nothing where there is no value, as in an answer that only holds further items.
    value: Result<Option<String>, Reason>,
    item: Vec<ResponseItem>,
}

#[derive(Deserialize)]
struct Coding {
    code: Option<String>,
}

impl<'de> Deserialize<'de> for Valued {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ValuedVisitor)
    }
}

struct ValuedVisitor;

impl<'de> Visitor<'de> for ValuedVisitor {
    type Value = Valued;

    fn expecting(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        to.write_str("an answer")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Valued, A::Error> {
        let mut found = Valued { url: None, value: Ok(None), item: Vec::new() };
        while let Some(key) = map.next_key::<Cow<'de, str>>()? {
            let text = match key.as_ref() {
                "valueString" | "valueCode" => Ok(Some(map.next_value::<String>()?)),
                "valueDate" | "valueDateTime" => Ok(Some(local_time(&map.next_value::<String>()?))),
                "valueBoolean" => Ok(Some(map.next_value::<bool>()?.to_string())),
                "valueInteger" => Ok(Some(map.next_value::<i64>()?.to_string())),
                "valueDecimal" => Ok(Some(map.next_value::<serde_json::Number>()?.to_string())),
                // A coding without a code is a text that somebody chose or wrote: no code of ours.
                "valueCoding" => map.next_value::<Coding>()?.code.map(Some).ok_or(Reason::AnswerType),
                other if other.starts_with("value") => {
                    map.next_value::<IgnoredAny>()?;
                    Err(Reason::AnswerType)
                }
                "url" => {
                    found.url = Some(map.next_value()?);
                    continue;
                }
                "item" => {
                    found.item = map.next_value()?;
                    continue;
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                    continue;
                }
            };
            found.value = text;
        }
        Ok(found)
    }
}

/// Lines as rows.
pub(super) fn table(bytes: &[u8], fields: &Fields, width: usize) -> Table {
    let mut table = TableBuilder::new(width);
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    for line in bytes.split(|byte| *byte == b'\n') {
        if line.iter().all(u8::is_ascii_whitespace) {
            table.end_row();
            continue;
        }
        match read(line) {
            Ok(resource) => row(&resource, fields, &mut table),
            Err(reason) => table.bad_row(reason),
        }
    }
    table.finish()
}

fn read(line: &[u8]) -> Result<Resource, Reason> {
    if std::str::from_utf8(line).is_err() {
        return Err(Reason::NotUtf8);
    }
    let resource: Resource = serde_json::from_slice(line).map_err(|_| Reason::NotAResource)?;
    if resource.resource_type != RESOURCE_TYPE {
        return Err(Reason::NotAResource);
    }
    if !resource.status.as_deref().is_some_and(|status| STATUSES.contains(&status)) {
        return Err(Reason::ResourceStatus);
    }
    Ok(resource)
}

/// The answers found for one field under one of its names.
type Found = Result<Vec<String>, Reason>;

fn row(resource: &Resource, fields: &Fields, table: &mut TableBuilder) {
    let mut answers: BTreeMap<(usize, usize), Found> = BTreeMap::new();
    collect(&resource.item, fields, &mut answers, table);
    for (place, field) in fields.fields.iter().enumerate() {
        let mut found: Found = Ok(Vec::new());
        for (rank, name) in field.names.iter().enumerate() {
            found = match name {
                Name::Link => answers.remove(&(place, rank)).unwrap_or_else(|| Ok(Vec::new())),
                Name::Element(element) => self::element(resource, element),
            };
            if found.as_ref().map_or(true, |values| !values.is_empty()) {
                break;
            }
        }
        match found {
            Ok(values) if values.len() > 1 && !field.is_list => table.flaw(Reason::SeveralAnswers),
            Ok(values) => table.text(&values.join(" ")),
            Err(reason) => table.flaw(reason),
        }
    }
    table.end_record();
}

fn collect(
    items: &[ResponseItem],
    fields: &Fields,
    answers: &mut BTreeMap<(usize, usize), Found>,
    table: &mut TableBuilder,
) {
    for item in items {
        let places = fields.links.get(&item.link_id);
        if places.is_none() && !item.answer.is_empty() {
            table.unread(&item.link_id);
        }
        for place in places.into_iter().flatten() {
            let found = answers.entry(*place).or_insert_with(|| Ok(Vec::new()));
            for answer in &item.answer {
                match (found.as_mut(), &answer.value) {
                    (Ok(values), Ok(value)) => values.extend(value.clone()),
                    (Ok(_), Err(reason)) => *found = Err(*reason),
                    (Err(_), _) => {}
                }
            }
        }
        collect(&item.item, fields, answers, table);
        for answer in &item.answer {
            collect(&answer.item, fields, answers, table);
        }
    }
}

fn element(resource: &Resource, element: &ResourceElement) -> Found {
    let canonical = |at: usize| {
        let address = resource.questionnaire.as_deref()?;
        address.splitn(2, '|').nth(at).map(str::to_owned)
    };
    let one = |value: Option<String>| Ok(value.into_iter().collect());
    match element {
        ResourceElement::Id => one(resource.id.clone()),
        ResourceElement::Identifier => {
            one(resource.identifier.as_ref().and_then(|identifier| identifier.value.clone()))
        }
        ResourceElement::Questionnaire => one(canonical(0)),
        ResourceElement::QuestionnaireVersion => one(canonical(1)),
        ResourceElement::Status => one(resource.status.clone()),
        ResourceElement::Authored => one(resource.authored.as_deref().map(local_time)),
        ResourceElement::Language => one(resource.language.clone()),
        ResourceElement::Encounter => one(resource.encounter.as_ref().and_then(Reference::id)),
        ResourceElement::BasedOn => Ok(resource.based_on.iter().filter_map(Reference::id).collect()),
        ResourceElement::Extension(address) => {
            let here = resource.extension.iter().filter(|extension| extension.url.as_deref() == Some(address));
            let values: Result<Vec<Option<String>>, Reason> = here.map(|extension| extension.value.clone()).collect();
            values.map(|values| values.into_iter().flatten().collect())
        }
    }
}

impl Reference {
    /// The identifier, or the id that the address ends with: `Encounter/123` and `…/Encounter/123/_history/2`.
    fn id(&self) -> Option<String> {
        if let Some(value) = self.identifier.as_ref().and_then(|identifier| identifier.value.clone()) {
            return Some(value);
        }
        let address = self.reference.as_deref()?.split("/_history/").next()?;
        Some(address.rsplit('/').next().unwrap_or(address).to_owned())
    }
}

/// A time with its zone as Norwegian local time; anything else as it is, to be judged by the column.
fn local_time(text: &str) -> String {
    let Ok(instant) = text.parse::<jiff::Timestamp>() else { return text.to_owned() };
    let mut local = String::new();
    if moment::write_seconds(&mut local, moment::norwegian_seconds(instant.as_second())) {
        local
    } else {
        text.to_owned()
    }
}
