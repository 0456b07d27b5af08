//! What lies in the folder of declarations and cannot be read is a mistake of its file, beside those of the others.

use std::{fs, path::Path};

use prem_spec::{SourceFile, compile};

use crate::common::{read, render};

/// An indicator with one mistake, on its second line.
const MISTAKEN: &str = "id = \"i\"\ntitel = \"I\"\n";

/// What is wrong with a folder of these files.
fn told(files: &[(&str, &[u8])]) -> String {
    let root = tempfile::tempdir().expect("a folder");
    for (name, bytes) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, bytes).expect("a file");
    }
    told_of(root.path())
}

fn told_of(root: &Path) -> String {
    let sources = read(root);
    render(&sources, &compile(&sources).diagnostics)
}

#[test]
fn a_letter_of_another_encoding_is_told_with_its_place_and_beside_other_mistakes() {
    let latin = b"id = \"a\"\ntitle = \"Sykeh\xF8s\"\n";
    let told = told(&[("indicators/a.toml", latin), ("indicators/b.toml", MISTAKEN.as_bytes())]);
    assert!(
        told.starts_with(
            "indicators/a.toml:2:15 this is not written in UTF-8: the byte F8, «ø» in Windows-1252 (save it as UTF-8"
        ),
        "{told}"
    );
    assert_eq!(told.matches("indicators/a.toml").count(), 1, "{told}");
    assert!(told.contains("indicators/b.toml:2:1 `titel` means nothing here"), "{told}");
}

#[test]
fn a_file_of_wide_characters_is_told() {
    let wide = |text: &str, mark: &[u16]| {
        mark.iter().copied().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect::<Vec<u8>>()
    };
    for bytes in [wide(MISTAKEN, &[0xFEFF]), wide(MISTAKEN, &[])] {
        let told = told(&[("questionnaires/form.toml", &bytes)]);
        assert!(told.starts_with("questionnaires/form.toml:1:1 this file is written in UTF-16"), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[test]
fn a_mark_of_utf_8_is_none() {
    let sound =
        "\u{FEFF}name = \"region\"\n[[units]]\nid = \"r\"\nlevel = \"rhf\"\nname = \"R\"\nvalid_from = 2025-01-01\n";
    assert_eq!(told(&[("organisations/r.toml", sound.as_bytes())]), "");
}

#[test]
fn what_is_not_read_for_its_name_is_told_with_the_name_it_should_have() {
    for (name, should) in [
        ("indicators/staff.toml.txt", "staff.toml"),
        ("indicators/STAFF.TOML", "STAFF.toml"),
        ("indicators/staff.tml", "staff.toml"),
        ("staff.toml.txt", "staff.toml"),
    ] {
        let told = told(&[(name, MISTAKEN.as_bytes())]);
        let expected = format!(
            "{name}:1:1 this file is not read, for its name does not end in «.toml» \
             (rename it to «{should}», or move it out of the declarations)\n"
        );
        assert_eq!(told, expected);
    }
}

#[test]
fn what_editors_leave_and_what_is_no_declaration_is_passed_over() {
    let names = [
        "indicators/.staff.toml.swp",
        "indicators/.#staff.toml",
        "indicators/._staff.toml",
        "indicators/staff.toml~",
        "indicators/staff.toml.bak",
        "indicators/#staff.toml#",
        "indicators/README.md",
        "indicators/codebook.pdf",
        "indicators/Thumbs.db",
        ".git/indicators/staff.toml",
        "LICENSE",
    ];
    let files = names.map(|name| (name, MISTAKEN.as_bytes()));
    assert_eq!(told(&files), "");
}

/// A reference to what the unread file may declare is no second mistake.
#[test]
fn what_an_unread_file_declares_is_not_missed() {
    let plan = b"kind = \"draw\"\nid = \"d\"\ntitle = \"D\"\nquestionnaire = \"form\"\nquota = { per_unit = 1 }\n";
    for (name, bytes) in [("questionnaires/form.toml", &b"\xFF\xFE"[..]), ("questionnaires/form.toml.txt", &b""[..])] {
        let told = told(&[("questionnaires/d.toml", plan), (name, bytes)]);
        assert!(told.starts_with(name), "{told}");
        assert_eq!(told.lines().count(), 1, "{told}");
    }
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_to_nothing_is_told() {
    let root = tempfile::tempdir().expect("a folder");
    fs::create_dir(root.path().join("indicators")).expect("a folder");
    fs::write(root.path().join("indicators/b.toml"), MISTAKEN).expect("a file");
    std::os::unix::fs::symlink("nowhere.toml", root.path().join("indicators/a.toml")).expect("a link");
    let told = told_of(root.path());
    assert!(told.starts_with("indicators/a.toml:1:1 this link leads to nothing (put the file itself here"), "{told}");
    assert!(told.contains("indicators/b.toml:2:1 `titel` means nothing here"), "{told}");
}

#[test]
fn a_file_in_no_known_folder_is_told_with_the_folder_it_looks_like() {
    let units = SourceFile::new("units.toml", "name = \"u\"\n[[units]]\nid = \"oy\"\nlevel = \"hf\"\n");
    let told = render(std::slice::from_ref(&units), &compile(std::slice::from_ref(&units)).diagnostics);
    assert_eq!(told, "units.toml:1:1 this file is in no known folder (put it in «organisations»)\n");
}
