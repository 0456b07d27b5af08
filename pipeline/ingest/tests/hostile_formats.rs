//! Workbooks, Parquet files, SPSS files and resources that are broken or mean harm, each with its outcome. None may panic, hang, or
//! take memory without bound.

use std::{
    fs,
    io::{Cursor, Read, Write},
    path::Path,
};

use prem_ingest::{IngestOptions, Ingested, Limits, Note, RefusalCause, ingest_file};
use prem_spec::model::{ExtraColumns, FileFormat, Plan};
use prem_store::{Quarantine, tables::read_table};
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::{
    fixture,
    formats::{folder, plan},
};

pub struct Outcome {
    pub result: Result<Ingested, RefusalCause>,
    quarantine: Vec<Quarantine>,
}

pub fn attempt(plan: &Plan, export: &str, name: &str, bytes: &[u8], limits: Limits) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    fs::write(&path, bytes).unwrap();
    let out = folder.path().join("out");
    fs::create_dir(&out).unwrap();
    match ingest_file(plan, &plan.exports[export], &path, &out, &IngestOptions { limits, ..IngestOptions::default() }) {
        Ok(ingested) => {
            assert!(ingested.counts.reconciles());
            assert_eq!(fs::read_dir(&out).unwrap().count(), 2, "something is left beside the tables");
            let quarantine = read_table::<Quarantine>(&out.join("quarantine.parquet")).unwrap().0;
            Outcome { result: Ok(ingested), quarantine }
        }
        Err(error) => {
            assert_eq!(fs::read_dir(&out).unwrap().count(), 0, "something is left of a refused file");
            let refusal = error.refusal().unwrap_or_else(|| panic!("not a refusal: {error}"));
            Outcome { result: Err(refusal.cause.clone()), quarantine: Vec::new() }
        }
    }
}

impl Outcome {
    pub fn code(&self) -> &'static str {
        self.result.as_ref().map_or_else(RefusalCause::code, |_| "taken")
    }

    pub fn counts(&self) -> (u64, u64, Vec<(&str, u64)>) {
        let counts = &self.result.as_ref().unwrap_or_else(|cause| panic!("{cause}")).counts;
        let reasons = counts.quarantined.iter().map(|(reason, rows)| (reason.as_str(), *rows)).collect();
        (counts.rows_in, counts.kept, reasons)
    }
}

fn fixture(name: &str) -> Vec<u8> {
    let bytes = fs::read(folder().join("files").join(name)).unwrap();
    if name.ends_with(".zst") { zstd::decode_all(&bytes[..]).unwrap() } else { bytes }
}

/// The plan of the formats, with files full of bad rows accepted.
fn lenient() -> Plan {
    let mut plan = plan();
    plan.exports.values_mut().for_each(|export| export.max_bad_share = 1.0);
    plan
}

const WHOLE: [(&str, &str); 6] = [
    ("excel", "answers.xlsx"),
    ("parquet", "pandas.parquet"),
    ("spss", "answers.zsav"),
    ("spss", "bytes.sav.zst"),
    ("spss", "plain.sav.zst"),
    ("fhir", "answers.ndjson.zst"),
];

#[test]
fn cut_files_are_refused_or_cost_their_last_row() {
    let plan = lenient();
    for (export, name) in WHOLE {
        let bytes = fixture(name);
        for part in 1..24 {
            let cut = bytes.len() * part / 24 + part % 7;
            let outcome = attempt(&plan, export, "cut", &bytes[..cut], Limits::default());
            if export == "fhir" {
                let (rows, kept, reasons) = outcome.counts();
                let whole = bytes[..cut].iter().filter(|byte| **byte == b'\n').count() as u64;
                assert_eq!((rows, kept), (whole + 1, whole), "{cut}");
                assert_eq!(reasons, [("not-a-resource", 1)]);
            } else {
                assert_eq!(outcome.code(), "unreadable", "{name} at {cut}");
            }
        }
        assert_eq!(attempt(&plan, export, "none", b"", Limits::default()).code(), "empty");
    }
}

#[test]
fn changed_bytes_never_panic() {
    let plan = lenient();
    for (export, name) in WHOLE {
        let bytes = fixture(name);
        for step in 0..60_usize {
            let mut changed = bytes.clone();
            // The beginning and the end hold what directs the reading.
            let at = match step % 3 {
                0 => step * 7 % 600,
                1 => bytes.len() - 1 - step * 11 % 900,
                _ => bytes.len() / 61 * (step + 1),
            };
            changed[at] ^= [0xff, 0x80, 0x01][step % 3];
            attempt(&plan, export, "changed", &changed, Limits::default());
        }
    }
}

#[test]
fn every_format_refuses_the_others() {
    let plan = plan();
    let files =
        [("utf-8", "bom.csv"), ("excel", "answers.xlsx"), ("parquet", "pandas.parquet"), ("spss", "answers.zsav")];
    for (export, _) in files {
        for (other, name) in files {
            if export != other {
                let code = attempt(&plan, export, "other", &fixture(name), Limits::default()).code();
                let expected = if export == "utf-8" { "not-delimited-text" } else { "unreadable" };
                assert_eq!(code, expected, "{export} given {name}");
            }
        }
    }
    for name in ["answers.xlsx", "pandas.parquet", "answers.zsav"] {
        assert_eq!(attempt(&plan, "fhir", "other", &fixture(name), Limits::default()).code(), "not-resources");
    }
    // Text is lines, of which none is a resource.
    assert_eq!(attempt(&plan, "fhir", "other", &fixture("bom.csv"), Limits::default()).code(), "too-many-bad-rows");
}

#[test]
fn packed_containers_are_unpacked_once_and_within_bounds() {
    let plan = plan();
    let gzip = |bytes: &[u8]| {
        let mut packed = Vec::new();
        flate2::read::GzEncoder::new(bytes, flate2::Compression::best()).read_to_end(&mut packed).unwrap();
        packed
    };
    let zstd = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
    for (export, name) in [("excel", "answers.xlsx"), ("parquet", "pandas.parquet")] {
        let whole = fixture(name);
        for (format, packed) in [("gzip", gzip(&whole)), ("zstd", zstd(&whole))] {
            let outcome = attempt(&plan, export, "packed", &packed, Limits::default());
            let taken = outcome.result.as_ref().unwrap();
            assert_eq!((taken.bytes, taken.counts.kept), (packed.len() as u64, 500));
            assert_eq!(taken.notes.first(), Some(&Note::Compressed { format }));
            for cut in [12, packed.len() / 2, packed.len() - 1] {
                let code = attempt(&plan, export, "packed", &packed[..cut], Limits::default()).code();
                assert_eq!(code, "broken-compression", "{name} {format} {cut}");
            }
            assert_eq!(attempt(&plan, export, "twice", &zstd(&packed), Limits::default()).code(), "unreadable");
        }
        for empty in [gzip(b""), zstd(b"")] {
            assert_eq!(attempt(&plan, export, "empty", &empty, Limits::default()).code(), "empty");
        }
        let limits = Limits { expansion_free_bytes: 1 << 20, ..Limits::default() };
        let bomb = vec![0; 16 << 20];
        for packed in [gzip(&bomb), zstd(&bomb)] {
            assert_eq!(attempt(&plan, export, "bomb", &packed, limits).code(), "bomb");
        }
    }
}

/// A plan for a workbook with the text columns `id` and `note` and the number `age`.
fn small_plan(format: FileFormat) -> Plan {
    use prem_spec::model::ColumnKind;
    let text = |name: &str| fixture::column(name, ColumnKind::Text { max_length: 40, pattern: None });
    let age = fixture::column("age", ColumnKind::Integer { min: 0, max: 120 });
    let mut plan = fixture::plan_of(vec![text("id"), text("note"), age], Vec::new());
    fixture::export(&mut plan).format = format;
    plan
}

fn excel_plan() -> Plan {
    small_plan(FileFormat::Excel { sheet: None, header_row: 1, decimal: ',' })
}

const SHEET: &str = r#"<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>
<row r="1"><c r="A1" t="s"><v>0</v></c><c r="B1" t="inlineStr"><is><t>note</t></is></c><c r="C1" t="str"><v>age</v></c></row>
CELLS</sheetData></worksheet>"#;
const TEXTS: &str = r#"<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" uniqueCount="1"><si><t>id</t></si></sst>"#;

/// The smallest workbook of one sheet.
fn workbook(cells: &str, texts: &[u8]) -> Vec<u8> {
    const RELATIONS: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let package = format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELATIONS}/officeDocument" Target="xl/workbook.xml"/></Relationships>"#
    );
    let book = format!(
        r#"<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r="{RELATIONS}"><sheets><sheet name="Ark 1" sheetId="1" r:id="r1"/></sheets></workbook>"#
    );
    let parts = format!(
        r#"<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships"><Relationship Id="r1" Type="{RELATIONS}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>"#
    );
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let sheet = SHEET.replace("CELLS", cells);
    let files: [(&str, &[u8]); 5] = [
        ("_rels/.rels", package.as_bytes()),
        ("xl/workbook.xml", book.as_bytes()),
        ("xl/_rels/workbook.xml.rels", parts.as_bytes()),
        ("xl/worksheets/sheet1.xml", sheet.as_bytes()),
        ("xl/sharedStrings.xml", texts),
    ];
    for (name, content) in files {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn excel(cells: &str) -> Outcome {
    attempt(&excel_plan(), "register", "book.xlsx", &workbook(cells, TEXTS.as_bytes()), Limits::default())
}

#[test]
fn cells_of_a_workbook() {
    let outcome = excel(
        r#"<row r="2"><c r="A2" t="str"><v>a</v></c><c r="C2"><v>67</v></c></row>
        <row r="5"><c r="A5" t="str"><v>b</v></c><c r="C5" t="e"><v>#N/A</v></c></row>
        <row r="6"><c r="A6"><v>12345678901234567</v></c><c r="C6"><v>67</v></c><c r="D6"><v>9</v></c></row>
        <row r="7"><c r="C7"><v>67.5</v></c></row>
        <row r="8"><c r="C8"><v>1e3</v></c></row>
        <row r="9"><c r="B9" t="b"><v>1</v></c></row>"#,
    );
    let expected = [("inexact-number", 1), ("not-a-number", 1), ("out-of-range", 1), ("spreadsheet-error", 1)];
    assert_eq!(outcome.counts(), (6, 2, expected.to_vec()));
    let told: Vec<(i64, &str)> =
        outcome.quarantine.iter().map(|row| (row.line, row.column.as_deref().unwrap_or_default())).collect();
    assert_eq!(told, [(5, "age"), (6, "id"), (7, "age"), (8, "age")]);
    assert_eq!(excel("").counts(), (0, 0, vec![]));
}

#[test]
fn formulas_without_a_result_refuse_the_workbook() {
    // As programs write them that do not reckon; an empty text is a result, and blank cells are none of it, nor is what has no header.
    let reckoned = r#"<row r="2"><c r="A2" t="str"><v>a</v></c><c r="B2" t="str"><f>""</f><v></v></c><c r="C2"><f>66+1</f><v>67</v></c></row>
        <row r="3"><c r="A3" t="str"><v>b</v></c><c r="B3"/><c r="C3"/><c r="D3"><f>66+1</f></c></row>"#;
    assert_eq!(excel(reckoned).counts(), (2, 2, vec![]));
    for cell in ["<c r=\"C4\"><f>66+1</f></c>", "<c r=\"C4\"><f>66+1</f><v></v></c>", "<c r=\"C4\"><f>66+1</f><v/></c>"]
    {
        let rows = format!("{reckoned}<row r=\"4\"><c r=\"A4\" t=\"str\"><v>c</v></c>{cell}</row>");
        let expected = RefusalCause::FormulasWithoutResult { cells: 1, row: 4, column: "«age»".to_owned() };
        assert_eq!(excel(&rows).result, Err(expected), "{cell}");
    }
}

#[test]
fn workbooks_that_contradict_themselves() {
    let disorder = r#"<row r="9"><c r="A9"><v>1</v></c></row><row r="3"><c r="A3"><v>1</v></c></row>"#;
    assert_eq!(excel(disorder).code(), "unreadable");
    assert_eq!(excel(r#"<row r="2000000"><c r="A2000000"><v>1</v></c></row>"#).code(), "unreadable");
    assert_eq!(excel(r#"<row r="2"><c r="A2" t="s"><v>77</v></c></row>"#).code(), "unreadable");
    assert_eq!(excel("<row><c><v>1</row>").code(), "unreadable");
    // Far to the right, and with no end.
    assert_eq!(excel(r#"<row r="2"><c r="XFD2"><v>1</v></c></row>"#).counts(), (0, 0, vec![]));
    let mut plan = excel_plan();
    fixture::export(&mut plan).format =
        FileFormat::Excel { sheet: Some("Ark 2".to_owned()), header_row: 1, decimal: ',' };
    let outcome = attempt(&plan, "register", "book.xlsx", &workbook("", TEXTS.as_bytes()), Limits::default());
    assert_eq!(outcome.code(), "no-such-sheet");
}

#[test]
fn workbooks_that_unfold_without_end() {
    let bomb = vec![b' '; (128 << 20) + 1];
    let outcome = attempt(&excel_plan(), "register", "book.xlsx", &workbook("", &bomb), Limits::default());
    assert_eq!(outcome.code(), "too-large");
    let announces = TEXTS.replace("\"1\"", "\"99999999999999999\"");
    let outcome =
        attempt(&excel_plan(), "register", "book.xlsx", &workbook("", announces.as_bytes()), Limits::default());
    assert_eq!(outcome.code(), "unreadable");
    let long = format!(r#"<row r="2"><c r="A2" t="str"><v>{}</v></c></row>"#, "x".repeat(2 << 20));
    assert_eq!(excel(&long).counts(), (1, 0, vec![("too-long", 1)]));
}

#[test]
fn workbooks_that_repeat_one_long_text() {
    use std::fmt::Write as _;
    let texts = TEXTS.replace(">id<", &format!(">{}<", "x".repeat(4000)));
    let mut cells = String::new();
    for row in 2..140_000 {
        write!(cells, r#"<row r="{row}"><c r="A{row}" t="s"><v>0</v></c></row>"#).unwrap();
    }
    let book = workbook(&cells, texts.as_bytes());
    assert!(book.len() < 2 << 20);
    assert_eq!(attempt(&excel_plan(), "register", "book.xlsx", &book, Limits::default()).code(), "too-large");
}

#[test]
fn a_question_that_first_comes_late_in_the_file_is_an_extra_column() {
    let resource = |questions: &[&str]| {
        let item = |question: &&str| format!(r#"{{"linkId":"{question}","answer":[{{"valueString":"x"}}]}}"#);
        let items: Vec<String> = questions.iter().map(item).collect();
        let items = items.join(",");
        format!(r#"{{"resourceType":"QuestionnaireResponse","status":"completed","item":[{items}]}}"#) + "\n"
    };
    let good = resource(&["id", "note"]).repeat(100);
    // A group without an answer of its own is no question.
    let group =
        r#"{"resourceType":"QuestionnaireResponse","status":"completed","item":[{"linkId":"group","item":[]}]}"#;
    let late = format!("{good}{group}\n{}{good}", resource(&["id", "late", "note"]));
    let mut plan = small_plan(FileFormat::FhirQuestionnaireResponse);
    let limits = Limits { chunk_bytes: 1 << 10, ..Limits::default() };
    let attempt = |plan: &Plan, text: &str| attempt(plan, "register", "answers.ndjson", text.as_bytes(), limits);
    // Ignored, it is no mistake.
    assert_eq!(attempt(&plan, &late).counts(), (202, 202, vec![]));
    fixture::export(&mut plan).extra_columns = ExtraColumns::Refuse;
    assert_eq!(attempt(&plan, &good).counts(), (100, 100, vec![]));
    let refused = attempt(&plan, &late).result.map(|_| ());
    assert_eq!(refused, Err(RefusalCause::ExtraHeaders { names: vec!["«late»".to_owned()] }));
}

#[test]
fn what_is_no_text_is_told_before_anything_is_detected() {
    let detecting = FileFormat::Delimited { separator: None, quote: '"', encoding: None, decimal: ',' };
    for (bytes, expected) in
        [(&b"PK\x03\x04 x"[..], "a ZIP archive or Excel workbook"), (b"a\0b\n", "binary (it has NUL bytes)")]
    {
        let outcome = attempt(&small_plan(detecting.clone()), "register", "file.csv", bytes, Limits::default());
        assert_eq!(outcome.result, Err(RefusalCause::NotDelimitedText { what: expected }));
    }
}

#[test]
fn a_nested_column_is_refused_only_where_it_is_read() {
    let mut plan = lenient();
    let export = plan.exports.get_mut("parquet").unwrap();
    export.columns.insert("weight".to_owned(), fixture::header_of(&["ark"]));
    let outcome = attempt(&plan, "parquet", "typed.parquet", &fixture("typed.parquet"), Limits::default());
    assert_eq!(outcome.code(), "wrong-column-types");
}

/// An SPSS file by hand: the header, some records of the dictionary, and data.
fn saved(magic: &[u8; 4], compression: i32, records: &[&[u8]], data: &[u8]) -> Vec<u8> {
    let mut file = magic.to_vec();
    file.extend([b' '; 60]);
    for number in [2, 3, compression, 0, -1] {
        file.extend(i32::to_le_bytes(number));
    }
    file.extend(100_f64.to_le_bytes());
    file.extend([b' '; 84]);
    records.iter().for_each(|record| file.extend(*record));
    file.extend(integers(&[999, 0]));
    file.extend(data);
    file
}

fn integers(numbers: &[i32]) -> Vec<u8> {
    numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
}

fn variable(name: &[u8; 8], width: i32) -> Vec<u8> {
    [&integers(&[2, width, 0, 0, 5 << 16, 5 << 16])[..], name].concat()
}

fn spss(records: &[&[u8]], data: &[u8]) -> Outcome {
    let plan = small_plan(FileFormat::Spss { decimal: ',' });
    let names = [variable(b"ID      ", 8), variable(b"NOTE    ", 8), variable(b"AGE     ", 0)];
    let long = b"ID=id\tNOTE=note\tAGE=age";
    let long = [&integers(&[7, 13, 1, 23])[..], long].concat();
    let mut all: Vec<&[u8]> = names.iter().map(Vec::as_slice).collect();
    all.push(&long);
    all.extend(records);
    attempt(&plan, "register", "file.sav", &saved(b"$FL2", 0, &all, data), Limits::default())
}

#[test]
fn saved_files_that_announce_what_they_have_not() {
    let case = [&b"a       "[..], b"b       ", &67_f64.to_le_bytes()].concat();
    assert_eq!(spss(&[], &case).counts(), (1, 1, vec![]));
    assert_eq!(spss(&[], &case[..20]).code(), "unreadable");
    let most = i32::MAX;
    for record in [
        integers(&[3, most]),
        integers(&[4, most]),
        integers(&[6, most]),
        integers(&[7, 99, most, most]),
        integers(&[7, 13, most, most]),
        integers(&[7, 13, 1, 1 << 24]),
        integers(&[3, -1]),
        integers(&[2, 256, 0, 0, 0, 0, 0, 0]),
        integers(&[2, 0, 1, 0, 0, 0, 0, 0, most]),
        integers(&[2, 0, 0, 7, 0, 0, 0, 0]),
        integers(&[5]),
        // A text that is longer than the case.
        variable(b"LAST    ", 255),
    ] {
        let code = spss(&[&record], &case).code();
        assert!(["unreadable", "too-large"].contains(&code), "{code} {record:?}");
    }
    // A text of more segments than there are variables.
    let long = [&integers(&[7, 14, 1, 10])[..], b"NOTE=32767"].concat();
    assert_eq!(spss(&[&long], &case).code(), "unreadable");
    let encoding = [&integers(&[7, 20, 1, 9])[..], b"klingonsk"].concat();
    assert_eq!(spss(&[&encoding], &case).code(), "unreadable");
    let utf8 = [&integers(&[7, 20, 1, 5])[..], b"UTF-8"].concat();
    let bad = [&b"a\xff      "[..], b"b       ", &67_f64.to_le_bytes()].concat();
    assert_eq!(spss(&[&utf8], &bad).counts(), (1, 0, vec![("not-utf8", 1)]));
}

#[test]
fn saved_files_with_too_many_variables() {
    let plan = small_plan(FileFormat::Spss { decimal: ',' });
    let many = variable(b"V       ", 0).repeat(600_000);
    let outcome = attempt(&plan, "register", "file.sav", &saved(b"$FL2", 0, &[&many], &[]), Limits::default());
    assert!(["too-large", "too-many-columns"].contains(&outcome.code()), "{}", outcome.code());
}

#[test]
fn saved_files_that_unfold_without_end() {
    let plan = small_plan(FileFormat::Spss { decimal: ',' });
    let mut packed = Vec::new();
    let blanks = vec![254_u8; 8 << 20];
    flate2::read::ZlibEncoder::new(&blanks[..], flate2::Compression::best()).read_to_end(&mut packed).unwrap();
    let far: Vec<u8> = [0_i64, i64::MAX, 0].iter().flat_map(|number| number.to_le_bytes()).collect();
    let names = [variable(b"id      ", 8), variable(b"note    ", 8), variable(b"age     ", 8)].concat();
    let file = saved(b"$FL3", 2, &[&names], &[&far[..], &packed].concat());
    let limits = Limits { expansion_free_bytes: 1 << 20, ..Limits::default() };
    let mut plan_of_capitals = plan;
    for name in ["id", "note", "age"] {
        let header = fixture::header_of(&[&name.to_uppercase()]);
        fixture::export(&mut plan_of_capitals).columns.insert(name.to_owned(), header);
    }
    let outcome = attempt(&plan_of_capitals, "register", "file.zsav", &file, limits);
    assert_eq!(outcome.code(), "bomb");
}

#[test]
fn lines_that_are_no_resource_cost_themselves() {
    let good = String::from_utf8(fixture("answers.ndjson.zst")).unwrap();
    let good = good.lines().nth(1).unwrap();
    let deep = format!(
        "{{\"resourceType\":\"QuestionnaireResponse\",\"item\":{}",
        "[{\"linkId\":\"a\",\"item\":".repeat(50_000)
    );
    let cases: &[(String, &str)] = &[
        (good.to_owned(), ""),
        ("{}".to_owned(), "not-a-resource"),
        ("null".to_owned(), "not-a-resource"),
        (good[..good.len() - 1].to_owned(), "not-a-resource"),
        (format!("{good}{good}"), "not-a-resource"),
        (good.replace("QuestionnaireResponse\",\"id", "Patient\",\"id"), "not-a-resource"),
        (good.replace("\"completed\"", "\"in-progress\""), "resource-status"),
        (good.replace("\"completed\"", "\"entered-in-error\""), "resource-status"),
        (good.replace("\"linkId\":\"1\"", "\"linkId\":1"), "not-a-resource"),
        (deep, "not-a-resource"),
        ("[".repeat(1 << 20), "not-a-resource"),
        (good.replace("\"item\":[{", "\"item\":[{\"linkId\":\"weight\",\"answer\":[{\"valueDecimal\":1e400}]},{"), "not-a-resource"),
        (
            good.replace("\"item\":[{\"linkId\":\"1\"", "\"item\":[{\"linkId\":\"time\",\"answer\":[{\"valueInteger\":1},{\"valueInteger\":2}]},{\"linkId\":\"1\""),
            "several-answers",
        ),
        (
            good.replace("\"item\":[{\"linkId\":\"1\"", "\"item\":[{\"linkId\":\"symptoms\",\"answer\":[{\"valueAttachment\":{}}]},{\"linkId\":\"1\""),
            "answer-type",
        ),
    ];
    let plan = lenient();
    for (line, reason) in cases {
        let file = format!("{good}\n\n{line}\n");
        let outcome = attempt(&plan, "fhir", "lines.ndjson", file.as_bytes(), Limits::default());
        let expected = if reason.is_empty() { vec![] } else { vec![(*reason, 1)] };
        let shown: String = line.chars().take(60).collect();
        assert_eq!(outcome.counts(), (2, 2 - expected.len() as u64, expected), "{shown}");
        assert!(outcome.quarantine.iter().all(|row| row.line == 3));
    }
    let bytes = [good.as_bytes(), b"\n{\"resourceType\":\"\xff\"}\n"].concat();
    let outcome = attempt(&plan, "fhir", "lines.ndjson", &bytes, Limits::default());
    assert_eq!(outcome.counts(), (2, 1, vec![("not-utf8", 1)]));
    let nul = [good.as_bytes(), b"\n\0\n"].concat();
    assert_eq!(attempt(&plan, "fhir", "lines.ndjson", &nul, Limits::default()).code(), "not-resources");
    let limits = Limits { chunk_bytes: 1 << 10, record_bytes_max: 1 << 11, ..Limits::default() };
    assert_eq!(attempt(&plan, "fhir", "lines.ndjson", "x".repeat(1 << 16).as_bytes(), limits).code(), "line-too-long");
}

#[test]
fn who_answered_is_nowhere_in_what_is_stored() {
    let plan = plan();
    let out = tempfile::tempdir().unwrap();
    let path = folder().join("files/answers.ndjson.zst");
    ingest_file(&plan, &plan.exports["fhir"], &path, out.path(), &IngestOptions::default()).unwrap();
    for name in ["rows.parquet", "quarantine.parquet"] {
        let stored = fs::read(Path::new(out.path()).join(name)).unwrap();
        assert!(!stored.windows(9).any(|bytes| bytes == b"Oppdiktet"), "{name}");
    }
}
