//! What must never be stored. Numbers here are synthetic or published examples.

use prem_ingest::{RefusalCause, is_identity_number};

use crate::fixture::{export, ingest, text_plan};

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
    // Digits among hexadecimal ones are no number at all.
    let tried = ingest(&plan, file(VALID.map(|number| format!("0ab{number}f"))));
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
