//! What must never be stored. Numbers here are synthetic or published examples.

use prem_ingest::{RefusalCause, is_identity_number};
use proptest::prelude::*;

use crate::fixture::{GOOD, export, header_of, ingest, lines, plan, text_plan};

const VALID: [&str; 7] =
    ["02013299997", "02013299903", "30108299939", "15076500565", "70019950032", "01410199935", "88888888831"];

#[test]
fn the_form_of_identity_numbers() {
    for number in VALID {
        assert!(is_identity_number(number), "{number}");
    }
    for number in
        ["98019800546", "15076500566", "15076500575", "31026500565", "1507650056", "150765005655", "1507650056x", ""]
    {
        assert!(!is_identity_number(number), "{number}");
    }
}

/// Eleven-digit strings without any meaning, from a fixed multiplicative sequence.
fn arbitrary(count: u64) -> impl Iterator<Item = String> {
    (1..=count).map(|at| format!("{:011}", at.wrapping_mul(0x9E37_79B9_7F4A_7C15) % 100_000_000_000))
}

#[test]
fn one_to_three_in_a_hundred_arbitrary_numbers_pass() {
    let share = arbitrary(100_000).filter(|number| is_identity_number(number)).count() as f64 / 100_000.0;
    assert!((0.005..0.03).contains(&share), "{share}");
}

fn file(values: impl IntoIterator<Item = String>) -> String {
    let rows = values.into_iter().enumerate().map(|(at, value)| format!("{at};{value}\n"));
    std::iter::once("id;person\n".to_owned()).chain(rows).collect()
}

#[test]
fn a_column_of_identity_numbers_stops_the_file_and_is_not_quoted() {
    let plan = text_plan(&["id", "person"], 40);
    let written: [fn(&str) -> String; 4] = [
        str::to_owned,
        |number| format!("{} {}", &number[..6], &number[6..]),
        |number| format!("fnr. {number}"),
        |number| format!("\"{number}\""),
    ];
    for write in written {
        let tried = ingest(&plan, file(VALID.iter().map(|number| write(number))));
        let RefusalCause::IdentityNumbers { columns } = tried.cause() else { panic!("{:?}", tried.cause()) };
        assert_eq!(columns, &["column person has 7 of 7 values"]);
        let message = tried.refusal().to_string();
        assert!(VALID.iter().all(|number| !message.contains(&number[6..])), "{message}");
    }
}

#[test]
fn a_lost_leading_zero_hides_nothing() {
    let plan = text_plan(&["id", "person"], 40);
    let values = ["2013299997", "2013299903", "1410199935", "2013299997"].map(str::to_owned);
    assert!(matches!(ingest(&plan, file(values)).cause(), RefusalCause::IdentityNumbers { .. }));
}

#[test]
fn a_column_that_is_not_stored_is_judged_as_well() {
    let plan = text_plan(&["id"], 40);
    let tried = ingest(&plan, file(VALID.map(str::to_owned)));
    let RefusalCause::IdentityNumbers { columns } = tried.cause() else { panic!("{:?}", tried.cause()) };
    assert_eq!(columns, &["column «person» has 7 of 7 values"]);
}

#[test]
fn arbitrary_codes_of_eleven_digits_are_taken_whole() {
    let plan = text_plan(&["id", "person"], 40);
    let tried = ingest(&plan, file(arbitrary(5000)));
    assert_eq!(tried.counts(), (5000, 5000, vec![]));
    let tried = ingest(&plan, file(arbitrary(5000).map(|code| format!("{code}-02"))));
    assert_eq!(tried.counts(), (5000, 5000, vec![]));
    // Digits among sixteen hexadecimal ones are no number at all.
    let tried = ingest(&plan, file(VALID.map(|number| format!("0ab{number}cf"))));
    assert_eq!(tried.counts(), (7, 7, vec![]));
}

#[test]
fn declared_pseudonyms_are_not_judged() {
    let mut plan = text_plan(&["id", "person"], 40);
    for column in &mut plan.datasets.get_mut("stays").unwrap().columns {
        column.eleven_digits_are_pseudonyms = true;
    }
    let tried = ingest(&plan, file(VALID.map(str::to_owned)));
    assert_eq!(tried.counts(), (7, 7, vec![]));
}

#[test]
fn a_single_number_among_other_texts_costs_its_row() {
    let plan = text_plan(&["id", "person"], 40);
    let mut values: Vec<String> = (0..50).map(|at| format!("p{at}")).collect();
    values[7] = VALID[0].to_owned();
    values[9] = format!("se {}", VALID[1]);
    values[11] = "ring +47 912 34 567".to_owned();
    values[13] = "+47 912 34 567".to_owned();
    values[15] = "skriv til kari@example.no".to_owned();
    let tried = ingest(&plan, file(values));
    assert_eq!(tried.counts(), (50, 46, vec![("contact-details", 2), ("identity-number", 2)]));
    assert!(tried.quarantine().iter().all(|row| row.value.is_none()));
}

#[test]
fn columns_of_addresses_and_telephones_stop_the_file() {
    let plan = text_plan(&["id", "person"], 40);
    let mail = (0..9).map(|at| format!("p{at}@example.no"));
    assert!(matches!(ingest(&plan, file(mail)).cause(), RefusalCause::ContactDetails { .. }));
    let telephone = || (0..9).map(|at| format!("9123456{at}"));
    // Eight digits say nothing by themselves, and much under such a header.
    assert_eq!(ingest(&plan, file(telephone())).counts().1, 9);
    let mut plan = text_plan(&["id", "mobil_nr"], 40);
    export(&mut plan).max_bad_share = 0.0;
    let text = file(telephone()).replace("person", "mobil_nr");
    assert!(matches!(ingest(&plan, text).cause(), RefusalCause::ContactDetails { .. }));
}

/// A number of the given kind of date and serial, with right check digits where the scheme has any for them.
fn with_checks(nine: u64) -> Option<String> {
    let nine: Vec<u32> = format!("{nine:09}").bytes().map(|byte| u32::from(byte - b'0')).collect();
    let sum = |weights: &[u32], digits: &[u32]| weights.iter().zip(digits).map(|(w, d)| w * d).sum::<u32>();
    let first = (11 - sum(&[3, 7, 6, 1, 8, 9, 4, 5, 2], &nine) % 11) % 11;
    let ten = [&nine[..], &[first]].concat();
    let second = (11 - sum(&[5, 4, 3, 2, 7, 6, 5, 4, 3, 2], &ten) % 11) % 11;
    (first < 10 && second < 10).then(|| ten.iter().chain(&[second]).map(ToString::to_string).collect())
}

/// Ordinary, D-, H- and synthetic numbers of any day, and FH-numbers.
fn numbers() -> impl Strategy<Value = String> {
    let dated = (1..=28_u64, 1..=12_u64, 0..100_u64, 0..1000_u64, prop_oneof![Just(0_u64), Just(40)]);
    let month_shift = prop_oneof![Just(0_u64), Just(40), Just(65), Just(80)];
    let dated = (dated, month_shift).prop_map(|((day, month, year, serial, day_shift), month_shift)| {
        (day + day_shift) * 10_000_000 + (month + month_shift) * 100_000 + year * 1000 + serial
    });
    prop_oneof![4 => dated, 1 => 800_000_000..=999_999_999_u64].prop_filter_map("check digits", with_checks)
}

/// The ways in which a whole value may be written.
fn written(number: &str, way: usize) -> String {
    let (date, rest) = number.split_at(6);
    match way {
        0 => number.to_owned(),
        1 => format!("{date} {rest}"),
        2 => format!("{date}-{rest}"),
        3 => format!("{number}.0"),
        4 => format!("{number},00"),
        5 => format!("{}.{}E+10", &number[..1], &number[1..]),
        6 => format!("{} {} {} {rest}", &date[..2], &date[2..4], &date[4..]),
        7 => format!("pasient {number} ringte"),
        _ => format!("fnr:{date} {rest}."),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    /// However numbers are written, a column of them stops the file, a single one costs its row, and nothing shows them.
    #[test]
    fn no_number_gets_in_or_is_shown(numbers in prop::collection::vec(numbers(), 3..40), way in 0..9_usize) {
        // A number that begins with zero is no number of a spreadsheet's with an exponent.
        prop_assume!(way != 5 || numbers.iter().all(|number| !number.starts_with('0')));
        let plan = text_plan(&["id", "person"], 60);
        let values: Vec<String> = numbers.iter().map(|number| written(number, way)).collect();
        let tried = ingest(&plan, file(values.iter().cloned()));
        prop_assert!(matches!(tried.cause(), RefusalCause::IdentityNumbers { .. }), "{:?}", tried.cause());
        let message = tried.refusal().to_string();
        prop_assert!(numbers.iter().all(|number| !message.contains(&number[6..])), "{}", message);
        let mut mixed: Vec<String> = (0..60).map(|at| format!("p{at}")).collect();
        mixed[30].clone_from(&values[0]);
        let tried = ingest(&plan, file(mixed));
        prop_assert_eq!(tried.counts(), (60, 59, vec![("identity-number", 1)]));
        prop_assert!(tried.quarantine().iter().all(|row| row.value.is_none()));
    }

    /// A value that another check stops is not shown either, whatever the column holds.
    #[test]
    fn quarantine_shows_no_number(number in numbers(), way in 0..9_usize) {
        prop_assume!(way != 5 || !number.starts_with('0'));
        let value = format!("\"{}\"", written(&number, way));
        for column in 0..11 {
            let mut cells: Vec<&str> = GOOD.split(';').collect();
            cells[column] = &value;
            let tried = lines(&plan(), &[GOOD, GOOD, GOOD, &cells.join(";")]);
            let shown: Vec<_> = tried.quarantine().into_iter().filter_map(|row| row.value).collect();
            prop_assert!(shown.iter().all(|shown| !shown.contains(&number[6..])), "column {}: {:?}", column, shown);
        }
    }
}

#[test]
fn a_number_in_a_header_is_not_shown() {
    let mut plan = text_plan(&["id", "person"], 40);
    export(&mut plan).columns.insert("person".to_owned(), header_of(&["Person"]));
    for name in [VALID[0], "150765 00565", "1.5076500565E10", "fnr 15076500565"] {
        let tried = ingest(&plan, format!("id;{name}\n1;a\n"));
        let message = tried.refusal().to_string();
        assert!(
            matches!(tried.cause(), RefusalCause::MissingHeaders { .. }) && !message.contains("00565"),
            "{message}"
        );
    }
}

#[test]
fn numbers_hidden_among_codes_of_eleven_digits_are_more_than_chance() {
    let plan = text_plan(&["id", "person"], 40);
    // One in fourteen is far below the tenth that stops any column, and far above what chance makes of 5000 codes.
    let hidden =
        || arbitrary(5000).enumerate().map(|(at, code)| if at % 14 == 0 { VALID[at % 7].to_owned() } else { code });
    assert!(matches!(ingest(&plan, file(hidden())).cause(), RefusalCause::IdentityNumbers { .. }));
}
