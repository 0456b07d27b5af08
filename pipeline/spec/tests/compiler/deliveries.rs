//! What a delivery means for those before it: modes, periods, and an order that several exports of one dataset share.

use crate::common::{read, render, schemas, source};
use prem_spec::{Covers, DeliveryMode, Export, Sequence, compile};

/// The shipped declarations with a change to the export of contacts, and perhaps a second one.
fn compiled(change: (&str, &str), second: Option<&str>) -> Result<Export, String> {
    let mut sources = read(&schemas());
    let contacts = sources.iter_mut().find(|source| source.name == "exports/register-contacts.toml").expect("shipped");
    let text = contacts.text.clone();
    contacts.text = text.replace(change.0, change.1);
    if let Some(sequence) = second {
        let twin = text.replace("\"register-contacts\"", "\"twin\"").replace("contacts_*", "twin_*");
        sources.push(source("exports/twin.toml", &twin.replace("sequence = \"file-name\"", sequence)));
    }
    let compiled = compile(&sources);
    let told = render(&sources, &compiled.diagnostics);
    compiled.plan.map(|plan| plan.exports["register-contacts"].clone()).ok_or(told)
}

#[test]
fn a_period_is_that_of_the_rows_or_of_the_name() {
    let replace = |period: &str| compiled(("mode = \"upsert\"", &format!("mode = \"replace-period\"\n{period}")), None);
    let of_rows = replace("period = { column = \"discharged_at\" }").expect("a plan");
    assert_eq!(of_rows.mode, DeliveryMode::ReplacePeriod);
    assert_eq!(
        of_rows.period.map(|period| (period.column, period.covers)),
        Some(("discharged_at".into(), Covers::Rows))
    );
    let of_name =
        replace("period = { column = \"discharged_at\", file_name = 'contacts_(.+)\\.csv' }").expect("a plan");
    assert!(matches!(of_name.period.map(|period| period.covers), Some(Covers::FileName(_))));
    let told = replace("period = { column = \"age\" }").expect_err("no date");
    assert!(told.contains("column «age» is no date and places no row in a month"), "{told}");
}

#[test]
fn what_replaces_by_silence_must_have_a_share_of_the_rows_before() {
    let share = |mode: &str| compiled(("mode = \"upsert\"", mode), None).map(|export| export.min_rows_share);
    assert_eq!(share("mode = \"snapshot\""), Ok(0.5));
    assert_eq!(share("mode = \"snapshot\"\nmin_rows_share = 0.9"), Ok(0.9));
    let monthly = "mode = \"replace-period\"\nperiod = { column = \"discharged_at\" }";
    assert_eq!(share(monthly), Ok(0.5));
    assert_eq!(share(&format!("{monthly}\nmin_rows_share = 0")), Ok(0.0));
    assert_eq!(share("mode = \"upsert\"\n"), Ok(0.0));
    let told = share("mode = \"upsert\"\nmin_rows_share = 0").expect_err("nothing is replaced");
    assert!(told.contains("mode «upsert» has no `min_rows_share`"), "{told}");
}

#[test]
fn exports_of_one_dataset_agree_on_what_later_means() {
    let unchanged = ("", "");
    assert!(compiled(unchanged, Some("sequence = \"file-name\"")).is_ok());
    for other in ["sequence = \"arrival\"", "sequence = { column = \"discharged_at\" }"] {
        let told = compiled(unchanged, Some(other)).expect_err("two kinds of order");
        assert!(told.contains("exports/twin.toml") && told.contains("in another `sequence`"), "{told}");
    }
    let by_date = ("sequence = \"file-name\"", "sequence = { column = \"discharged_at\" }");
    assert!(compiled(by_date, Some("sequence = { column = \"admitted_at\" }")).is_ok());
    let told = compiled(by_date, Some("sequence = { column = \"age\" }")).expect_err("a date beside a number");
    assert!(told.contains("in another `sequence`"), "{told}");
    let told = compiled(("sequence = \"file-name\"", "sequence = { column = \"sex\" }"), None).expect_err("a code");
    assert!(told.contains("puts deliveries in no order"), "{told}");
}

#[test]
fn a_place_is_what_the_wildcards_stand_for() {
    let mut export = compiled(("", ""), None).expect("a plan");
    assert_eq!(export.sequence, Sequence::FileName);
    export.files = ["contacts_*.csv", "old/*/c-[0-9]?.csv", "one.csv"].map(str::to_owned).to_vec();
    let places = [
        ("contacts_2025-03.csv", "2025-03"),
        ("contacts_2025-03-1.csv", "2025-03-1"),
        ("old/2024/c-12.csv", "2024/c-12"),
        ("one.csv", ""),
        ("something.else", "something.else"),
    ];
    for (path, place) in places {
        assert_eq!(export.place_in_sequence(path), place, "{path}");
    }
}
