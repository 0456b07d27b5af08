//! `prem check` says all that is wrong, and nothing runs on wrong declarations.

use std::fs;

use crate::place::{Place, code, expect_code, prem, shipped_schemas, text};

#[test]
fn the_shipped_declarations_have_no_mistake() {
    let place = Place::empty(&shipped_schemas());
    expect_code(&place.prem(&["check"]), 0);
    expect_code(&prem(place.path(), &["check"]), 0);
}

#[test]
fn all_mistakes_of_all_files_are_shown_and_nothing_runs() {
    let place = Place::empty(&shipped_schemas());
    let schemas = place.path().join("schemas");
    for folder in ["indicators", "exports"] {
        fs::create_dir_all(schemas.join(folder)).expect("a folder");
    }
    fs::write(schemas.join("indicators/a.toml"), "id = \"a\"\ntitel = \"A\"\n").expect("a file");
    fs::write(schemas.join("exports/b.toml"), "name = \"b\"\ndataset = \"respones\"\n").expect("a file");
    fs::write(schemas.join("indicators/c.toml"), b"id = \"sykeh\xF8s\"\n").expect("a file");
    fs::write(schemas.join("indicators/d.toml.txt"), "").expect("a file");
    let config = "schemas = \"schemas\"\ninbox = \"inbox\"\nstore = \"store\"\npublish = \"published\"\n";
    fs::write(place.path().join("prem.toml"), config).expect("a configuration");
    for command in ["check", "run"] {
        let output = place.prem(&[command]);
        expect_code(&output, 78);
        let said = text(&output.stderr);
        for part in [
            "indicators/a.toml",
            "did you mean «title»",
            "exports/b.toml",
            "did you mean «responses»",
            "indicators/c.toml:1:12",
            "the byte F8, «ø» in Windows-1252",
            "indicators/d.toml.txt: this file is not read",
            "rename it to «d.toml»",
        ] {
            assert!(said.contains(part), "{part} is missing in:\n{said}");
        }
    }
    assert!(!place.path().join("store").exists(), "nothing was written");
}

#[test]
fn usage_and_configuration_have_their_own_codes() {
    let place = Place::empty(&shipped_schemas());
    assert_eq!(code(&prem(place.path(), &["rum"])), 2);
    assert_eq!(code(&place.prem(&["run", "--period", "2025-13"])), 2);
    assert_eq!(code(&place.prem(&["run", "--indicator", "nobody"])), 2);
    assert_eq!(code(&place.prem(&["run", "--unit", "nowhere"])), 2);
    assert_eq!(code(&prem(place.path(), &["run", "--config", "absent.toml"])), 66);
    fs::write(place.path().join("wrong.toml"), "schemas = 7\n").expect("a file");
    assert_eq!(code(&prem(place.path(), &["run", "--config", "wrong.toml"])), 78);
    fs::remove_dir(place.path().join("inbox")).expect("an empty inbox");
    assert_eq!(code(&place.prem(&["run"])), 66);
}
