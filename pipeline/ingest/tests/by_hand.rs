//! Small files whose outcome was written down by hand, one for every reason and every liberty.

use std::collections::BTreeMap;

use prem_ingest::{IngestOptions, Limits, Note, RefusalCause, ingest_file};
use prem_spec::model::{Column, ColumnKind, Encoding, ExtraColumns, FileFormat, Plan, SourceColumn, SourceValue};
use prem_store::{Quarantine, tables::read_table};

use jiff::civil::date;

use crate::fixture::{
    GOOD, HEADER, column, encoding, export, header_of, ingest, ingest_with, lines, plan, plan_of, text_plan,
};

#[test]
fn a_good_row_is_typed() {
    let tried = lines(&plan(), &[GOOD]);
    assert_eq!(tried.counts(), (1, 1, vec![]));
    // 2025-01-31 is day 20119; 2025-01-30 12:15 is (20118 · 86400 + 44100) s.
    let expected =
        ["1", "a-1", "W1", "1", "web", "I21 K70", "67", "71.5", "1738239300000", "20119", "true", "01010112345"];
    assert_eq!(tried.rows(), vec![expected.map(str::to_owned).to_vec()]);
    assert!(tried.quarantine().is_empty());
    assert_eq!(tried.taken().sha256.len(), 64);
    assert_eq!(tried.taken().bytes, (HEADER.len() + GOOD.len() + 2) as u64);
}

#[test]
fn lost_zeros_come_back() {
    let mut plan = text_plan(&["municipality"], 4);
    let column = &mut plan.datasets.get_mut("stays").unwrap().columns[0];
    column.leading_zeros = true;
    column.kind = ColumnKind::Text { max_length: 4, pattern: Some("[0-9]{4}".to_owned()) };
    let tried = ingest(&plan, "municipality\n0301\n301\n3203\n31a\n03011\n");
    assert_eq!(tried.counts(), (5, 3, vec![("pattern", 1), ("too-long", 1)]));
    let stored: Vec<String> = tried.rows().into_iter().map(|row| row[1].clone()).collect();
    assert_eq!(stored, ["0301", "0301", "3203"]);
}

#[test]
fn every_reason_of_a_column() {
    // A column's place, a value, the reason, and what quarantine shows.
    let cases: &[(usize, &str, &str, &str)] = &[
        (0, "", "missing-required", ""),
        (0, "NULL", "missing-required", ""),
        (0, "a-123456789-123456789", "too-long", ""),
        (0, "A_1", "pattern", "A_1"),
        (1, "W12345", "too-long", ""),
        (1, "W\u{1}", "control-character", "W\\u{1}"),
        (1, "W\u{feff}", "control-character", "W\\u{feff}"),
        (2, "3", "not-a-code", "3"),
        (2, "01", "not-a-code", "01"),
        (2, "1.0", "not-a-code", "1.0"),
        (2, "+1", "not-a-code", "+1"),
        (3, "Web", "not-a-code", "Web"),
        (3, "1", "not-a-code", "1"),
        (4, "I21 7", "pattern", "I21 7"),
        (5, "1e3", "not-a-number", "1e3"),
        (5, "67,0", "not-a-number", "67,0"),
        (5, "-1", "out-of-range", "-1"),
        (5, "121", "out-of-range", "121"),
        (5, "99999999999999999999", "out-of-range", "99999999999999999999"),
        (6, "71.5", "not-a-number", "71.5"),
        (6, "NaN", "not-a-number", "NaN"),
        (6, "inf", "not-a-number", "inf"),
        (6, "1e3", "not-a-number", "1e3"),
        (6, "500,01", "out-of-range", "500,01"),
        (7, "2025-01-30T25:00", "not-a-date", "2025-01-30T25:00"),
        (7, "1999-12-31T23:59", "out-of-range", "1999-12-31T23:59"),
        (8, "31.02.2025", "not-a-date", "31.02.2025"),
        (8, "1.2.2025", "not-a-date", "1.2.2025"),
        (8, "01.01.2031", "out-of-range", "01.01.2031"),
        (9, "ja", "not-a-boolean", "ja"),
        (10, "1234567890", "pattern", ""),
    ];
    let names: Vec<&str> = HEADER.split(';').collect();
    for (place, value, reason, shown) in cases {
        let mut cells: Vec<&str> = GOOD.split(';').collect();
        cells[*place] = value;
        let tried = lines(&plan(), &[GOOD, &cells.join(";")]);
        assert_eq!(tried.counts(), (2, 1, vec![(*reason, 1)]), "{value}");
        let mistake = (3, names[*place].to_owned(), (*reason).to_owned(), (*shown).to_owned());
        assert_eq!(tried.mistakes(), vec![mistake], "{value}");
    }
}

#[test]
fn every_liberty_of_a_column() {
    // A column's place, a value, and what is stored.
    let cases: &[(usize, &str, &str)] = &[
        (0, "  a-2\t", "a-2"),
        (1, "\u{a0}Wø\u{a0}", "Wø"),
        (1, "NULL", "-"),
        (1, "«ÆØÅ»", "«ÆØÅ»"),
        (2, " 9 ", "9"),
        (3, "01", "01"),
        (4, " i21,k70 ;", "I21 K70"),
        (4, "", "-"),
        (5, "007", "7"),
        (5, "+7", "7"),
        (6, "71", "71"),
        (6, "0,1", "0.1"),
        (6, "-0", "0"),
        (7, "2025-01-30", "1738195200000"),
        (8, "2025-01-31", "20119"),
        (9, "FALSE", "false"),
        // A valid identity number where pseudonyms are declared.
        (10, "15076500565", "15076500565"),
    ];
    for (place, value, stored) in cases {
        let mut cells: Vec<String> = GOOD.split(';').map(str::to_owned).collect();
        cells[*place] = if value.contains(';') { format!("\"{value}\"") } else { (*value).to_owned() };
        let tried = lines(&plan(), &[&cells.join(";")]);
        assert_eq!(tried.counts(), (1, 1, vec![]), "{value}");
        assert_eq!(tried.rows()[0][place + 1], *stored, "{value}");
    }
}

#[test]
fn a_rule_across_columns_counts_under_its_id() {
    let later = GOOD.replace("31.01.2025", "29.01.2025");
    // The same day is in order although midnight is before the time of admission.
    let same_day = GOOD.replace("31.01.2025", "30.01.2025");
    let open = GOOD.replace("31.01.2025", "");
    let tried = lines(&plan(), &[&later, &same_day, &open]);
    assert_eq!(tried.counts(), (3, 2, vec![("rule:stay-order", 1)]));
    assert_eq!(tried.mistakes(), [(2, "discharged".to_owned(), "rule:stay-order".to_owned(), "29.01.2025".to_owned())]);
}

#[test]
fn a_row_is_counted_once_and_listed_with_each_mistake() {
    let bad = GOOD.replace(";67;", ";x;").replace(";1;web;", ";7;web;");
    let tried = lines(&plan(), &[&bad]);
    assert_eq!(tried.counts(), (1, 0, vec![("not-a-code", 1)]));
    let reasons: Vec<String> =
        tried.mistakes().into_iter().map(|(_, column, reason, _)| format!("{column} {reason}")).collect();
    assert_eq!(reasons, ["sex not-a-code", "age not-a-number"]);
}

#[test]
fn rows_keep_their_numbers_and_mistakes_their_lines() {
    let good = |id: &str| GOOD.replace("a-1", id);
    let (a, b, bad) = (good("a"), good("b"), GOOD.replace(";67;", ";x;"));
    let quoted = format!("\"c\";\"W\n2\";{}", GOOD.splitn(3, ';').nth(2).unwrap());
    let text = format!("{HEADER}\r\n{a}\r\n\r\n{bad}\r\n{quoted}\r\n{b};\r\n;;;;;;;;;;\r\n{bad}\r\n");
    // Whatever the chunks, the answer is the same.
    for chunk_bytes in [1, 7, 100, 1 << 20] {
        let tried = ingest_with(&plan(), &text, Limits { chunk_bytes, ..Limits::default() });
        assert_eq!(tried.counts(), (5, 2, vec![("not-a-number", 2), ("wrong-field-count", 1)]), "{chunk_bytes}");
        let rows: Vec<String> =
            tried.rows().into_iter().map(|row| format!("{} {} {:?}", row[0], row[1], row[2])).collect();
        assert_eq!(rows, ["1 a \"W1\"", "3 c \"W\\n2\""]);
        let numbers: Vec<i64> = tried.quarantine().iter().map(|row| row.line).collect();
        assert_eq!(numbers, [4, 7, 9]);
        assert_eq!(tried.taken().counts.empty, 2);
    }
}

#[test]
fn headers_may_have_other_names_order_and_company() {
    let mut plan = text_plan(&["id", "unit"], 10);
    export(&mut plan).columns.insert("unit".to_owned(), header_of(&["Avdeling", " Post "]));
    let tried = ingest(&plan, "Post;noe annet;\"id\"\nW1;x;1\n");
    assert_eq!(tried.rows(), [["1", "1", "W1"].map(str::to_owned).to_vec()]);
    assert_eq!(tried.taken().notes, [Note::ExtraColumns { count: 1 }]);
    export(&mut plan).extra_columns = ExtraColumns::Refuse;
    let tried = ingest(&plan, "Post;noe annet;id\nW1;x;1\n");
    assert_eq!(tried.cause(), &RefusalCause::ExtraHeaders { names: vec!["«noe annet»".to_owned()] });
}

#[test]
fn a_time_with_its_distance_from_utc_becomes_norwegian_time() {
    let (min, max) = (date(2000, 1, 1), date(2030, 12, 31));
    let mut plan = plan_of(vec![column("at", ColumnKind::DateTime { min, max })], Vec::new());
    export(&mut plan).date_formats = vec!["%Y-%m-%dT%H:%M:%S%:z".to_owned()];
    let local = |day: jiff::civil::Date, hour, minute| {
        let time = day.at(hour, minute, 0, 0).to_zoned(jiff::tz::TimeZone::UTC).unwrap();
        time.timestamp().as_millisecond().to_string()
    };
    let cases = [
        // An hour in winter, two in summer; the day may be another.
        ("2025-01-31T23:30:00+00:00", local(date(2025, 2, 1), 0, 30)),
        ("2025-06-30T22:30:00+00:00", local(date(2025, 7, 1), 0, 30)),
        ("2025-06-30T12:00:00+02:00", local(date(2025, 6, 30), 12, 0)),
        // On both sides of the turning back of the clocks.
        ("2025-10-26T00:30:00+00:00", local(date(2025, 10, 26), 2, 30)),
        ("2025-10-26T01:30:00+00:00", local(date(2025, 10, 26), 2, 30)),
    ];
    for (text, expected) in cases {
        assert_eq!(ingest(&plan, format!("at\n{text}\n")).rows(), [["1".to_owned(), expected]], "{text}");
    }
}

#[test]
fn what_one_column_hides_no_other_shows() {
    let mut plan = text_plan(&["id", "unit"], 3);
    plan.datasets.get_mut("stays").unwrap().columns[1].identifying = true;
    export(&mut plan).columns.insert("id".to_owned(), header_of(&["unit"]));
    let tried = ingest(&plan, "unit\npseudonym\n");
    assert_eq!(tried.counts(), (1, 0, vec![("too-long", 1)]));
    let plan_of_codes = |plan: &mut prem_spec::Plan| {
        let pattern = Some("[0-9]+".to_owned());
        plan.datasets.get_mut("stays").unwrap().columns[0].kind =
            prem_spec::ColumnKind::Text { max_length: 20, pattern };
    };
    plan_of_codes(&mut plan);
    plan.datasets.get_mut("stays").unwrap().columns[1].kind =
        prem_spec::ColumnKind::Text { max_length: 20, pattern: None };
    let tried = ingest(&plan, "unit\npseudonym\n");
    assert_eq!(tried.mistakes(), [(2, "id".to_owned(), "pattern".to_owned(), String::new())]);
}

#[test]
fn missing_headers_are_all_named() {
    let mut plan = plan();
    export(&mut plan).columns.insert("sex".to_owned(), header_of(&["Kjønn", "kjonn"]));
    let tried = ingest(&plan, "unit;11 22 33 44;mode\nW1;2;web\n");
    let RefusalCause::MissingHeaders { missing, found } = tried.cause() else { panic!("{:?}", tried.cause()) };
    // Optional columns that the export does not mention may be absent; what it names, and what is required, may not.
    assert_eq!(missing, &["«id»", "«Kjønn» or «kjonn»"]);
    assert_eq!(found, &["«unit»", "(a name that looks like a value)", "«mode»"]);
}

#[test]
fn an_optional_column_may_be_absent_and_is_named() {
    let tried = ingest(&plan(), "id;unit\na;W1\n");
    assert_eq!(tried.counts(), (1, 1, vec![]));
    let Note::AbsentColumns { names } = &tried.taken().notes[0] else { panic!("{:?}", tried.taken().notes) };
    assert_eq!(names.len(), 9);
}

#[test]
fn constants_absence_missing_values_and_recoding() {
    let mut plan = plan();
    let source = |value| SourceColumn { value, missing: Vec::new(), recode: BTreeMap::new() };
    let columns = &mut export(&mut plan).columns;
    columns.insert("mode".to_owned(), source(SourceValue::Constant("paper".to_owned())));
    columns.insert("unit".to_owned(), source(SourceValue::Absent));
    let mut sex = header_of(&["sex"]);
    sex.missing = vec!["8".to_owned()];
    sex.recode = [("M", "1"), ("1.0", "1"), ("ukjent", "")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
    columns.insert("sex".to_owned(), sex);
    let tried = ingest(&plan, "id;sex\na;M\nb;1.0\nc;8\nd;ukjent\ne;2\nf;K\n");
    assert_eq!(tried.counts(), (6, 5, vec![("not-a-code", 1)]));
    let rows: Vec<String> = tried.rows().into_iter().map(|row| row[1..5].join(" ")).collect();
    assert_eq!(rows, ["a - 1 paper", "b - 1 paper", "c - - paper", "d - - paper", "e - 2 paper"]);
}

#[test]
fn encodings_and_marks() {
    let mut plan = text_plan(&["id", "unit"], 10);
    let tried = ingest(&plan, "\u{feff}id;unit\n1;Blåbær\n");
    assert_eq!(tried.rows()[0][2], "Blåbær");
    assert_eq!(tried.taken().notes, [Note::ByteOrderMark]);

    encoding(&mut plan, Encoding::Windows1252);
    assert_eq!(ingest(&plan, b"id;unit\n1;\x80 \xe5\n").rows()[0][2], "€ å");
    assert_eq!(ingest(&plan, "\u{feff}id;unit\n").cause(), &RefusalCause::UnexpectedByteOrderMark);
    // Letters that stand as UTF-8 writes them, all of them or all but one, in the header or in any chunk.
    assert_eq!(ingest(&plan, "id;unit\n1;Tromsø\n").cause(), &RefusalCause::LooksLikeUtf8);
    assert_eq!(ingest(&plan, b"id;unit\n1;Troms\xc3\xb8\n2;\xe5\n").rows()[0][2], "TromsÃ¸");
    let many = format!("id;unit\n{}", "1;Tromsø\n2;Bodo\n".repeat(50));
    let small = Limits { chunk_bytes: 64, ..Limits::default() };
    assert_eq!(ingest_with(&plan, &many, small).cause(), &RefusalCause::LooksLikeUtf8);
    assert_eq!(ingest(&text_plan(&["id", "unit"], 10), &many).counts().1, 100);

    encoding(&mut plan, Encoding::Iso8859_1);
    let tried = ingest(&plan, b"id;unit\n1;\xe5\n2;\x80\n");
    assert_eq!(tried.rows()[0][2], "å");
    assert_eq!(tried.counts(), (2, 1, vec![("control-character", 1)]));
}

#[test]
fn a_header_alone_is_a_file_without_rows() {
    for text in [HEADER.to_owned(), format!("{HEADER}\n"), format!("{HEADER}\r\n\r\n;;;;;;;;;;\r\n")] {
        assert_eq!(ingest(&plan(), &text).counts(), (0, 0, vec![]));
    }
}

#[test]
fn too_many_bad_rows_refuse_the_file() {
    let mut plan = plan();
    export(&mut plan).max_bad_share = 0.5;
    let bad = GOOD.replace(";67;", ";x;");
    assert_eq!(lines(&plan, &[GOOD, &bad]).counts().1, 1);
    let tried = lines(&plan, &[GOOD, &bad, &bad]);
    let RefusalCause::TooManyBadRows { quarantined: 2, rows_in: 3, reasons, .. } = tried.cause() else {
        panic!("{:?}", tried.cause())
    };
    assert_eq!(reasons, &["not-a-number: 2"]);
    assert_eq!((tried.refusal().counts.rows_in, tried.refusal().counts.kept), (3, 1));
}

#[test]
fn quarantine_shows_no_prose_and_nothing_that_identifies() {
    let shown = |value: &str| {
        let tried = lines(&plan(), &[&GOOD.replace(";67;", &format!(";{value};"))]);
        tried.mistakes()[0].3.clone()
    };
    assert_eq!(shown("sixty seven"), "sixty seven");
    for hidden in
        ["jeg var ikke helt fornøyd", "fnr 15076500565", "kari@example.no", "+47 912 34 567", "91234567x@a.no"]
    {
        assert_eq!(shown(hidden), "", "{hidden}");
    }
    assert_eq!(shown(&"y".repeat(300)).chars().count(), 201);
}

#[test]
fn another_sign_may_quote() {
    let mut plan = text_plan(&["id", "unit"], 20);
    let FileFormat::Delimited { quote, .. } = &mut export(&mut plan).format else { panic!("delimited") };
    *quote = '\'';
    // Between quotes, a double quote is a character like any other, and so is the quote where it does not stand first.
    let tried = ingest(&plan, "id;'unit'\n1;'W;1'\n2;'it''s \"W\"\n2'\n3;\"W\n4;\"W;1\"\n5;W'1'\n6;'W'1\n");
    let rows: Vec<String> = tried.rows().into_iter().map(|row| row[1..].join("|")).collect();
    assert_eq!(rows, ["1|W;1", "2|it's \"W\"\n2", "3|\"W", "5|W'1'"]);
    assert_eq!(tried.counts(), (6, 4, vec![("malformed-quote", 1), ("wrong-field-count", 1)]));
}

#[test]
fn a_bad_row_is_found_by_the_key_that_a_good_one_would_have() {
    let text = ColumnKind::Text { max_length: 5, pattern: None };
    let person = Column { leading_zeros: true, ..column("person_id", text) };
    let number = ColumnKind::Integer { min: 0, max: 999 };
    let plan = plan_of(vec![person, column("contact_id", number.clone()), column("age", number)], Vec::new());
    let folder = tempfile::tempdir().unwrap();
    let secret = prem_store::Store::open(folder.path().join("store")).lock().unwrap().secret().unwrap();
    let path = folder.path().join("stays_1.csv");
    std::fs::write(&path, "person_id;contact_id;age\n123; +07;x\n00123;7;x\n0123;007;x\n124;7;x\n").unwrap();
    let options = IngestOptions { secret: Some(secret), ..IngestOptions::default() };
    ingest_file(&plan, &plan.exports["register"], &path, folder.path(), &options).unwrap();
    let quarantine = read_table::<Quarantine>(&folder.path().join("quarantine.parquet")).unwrap().0;
    let subjects: Vec<&str> = quarantine.iter().map(|row| row.subject.as_deref().unwrap()).collect();
    assert_eq!(subjects[0], subjects[1]);
    assert_eq!(subjects[1], subjects[2]);
    assert_ne!(subjects[2], subjects[3]);
}

#[test]
fn a_snapshot_keeps_its_share_of_the_one_before() {
    let mut plan = plan();
    let judge = |plan: &Plan, rows: &[&str], before: u64| {
        lines(plan, rows).taken().too_few_rows(&plan.exports["register"], before)
    };
    assert_eq!(judge(&plan, &[], u64::MAX), None, "no share is demanded");
    export(&mut plan).min_rows_share = 0.5;
    assert_eq!(judge(&plan, &[GOOD, GOOD, GOOD], 6), None);
    let cause = judge(&plan, &[GOOD, GOOD, GOOD], 7).unwrap();
    assert_eq!(cause, RefusalCause::TooFewRows { month: None, kept: 3, rows_before: 7, share_min: 0.5 });
    assert_eq!(cause.code(), "too-few-rows");
    assert!(cause.to_string().contains("--accept-fewer"), "{cause}");
    // A row in quarantine is gone all the same.
    assert!(judge(&plan, &[GOOD, "a;b", "a;b"], 3).is_some());
    assert!(judge(&plan, &[], 1).is_some() && judge(&plan, &[], 0).is_none());
}
