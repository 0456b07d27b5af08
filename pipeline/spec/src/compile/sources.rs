//! Declaration files as they lie in a folder. What cannot be read is a mistake of its file, told beside those of the others.

use std::{
    fs, io,
    ops::Range,
    path::{Path, PathBuf},
};

use super::diagnostic::SourceFile;

/// Folders of declarations, by what their files declare.
pub(super) const KINDS: [&str; 6] =
    ["datasets", "exports", "questionnaires", "indicators", "organisations", "municipalities"];
/// Endings of what editors leave beside a file.
const PASSED_OVER: [&str; 5] = [".bak", ".orig", ".swp", "~", "#"];

/// Why a file of the folder says nothing to the compiler.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unread {
    pub message: String,
    pub help: String,
    /// Where it shows in the text, as far as that could be made out.
    pub span: Range<usize>,
}

impl Unread {
    fn new(message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { message: message.into(), help: help.into(), span: 0..0 }
    }

    fn of_error(error: &io::Error) -> Self {
        Self::new(
            format!("this cannot be read: {error}"),
            "see that it is there and that its permissions allow reading",
        )
    }
}

/// The kind of declaration that a file holds: its first folder.
pub(super) fn kind_of(name: &str) -> &str {
    name.split('/').next().unwrap_or_default()
}

/// Every declaration below `root`, sorted by name. Files and folders that cannot be read, or whose names keep them from
/// being read, come too, with the reason.
///
/// # Errors
/// When `root` itself cannot be read.
pub fn load_folder(root: &Path) -> io::Result<Vec<SourceFile>> {
    let mut files = Vec::new();
    let mut folders = Vec::new();
    list(root, "", &mut files, &mut folders)?;
    while let Some((folder, name)) = folders.pop() {
        if let Err(error) = list(&folder, &format!("{name}/"), &mut files, &mut folders) {
            files.push(SourceFile { unread: Some(Unread::of_error(&error)), ..SourceFile::new(name, "") });
        }
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Reads the files of one folder and notes the folders in it, each with the name that a person knows it by.
fn list(
    folder: &Path,
    prefix: &str,
    files: &mut Vec<SourceFile>,
    folders: &mut Vec<(PathBuf, String)>,
) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let own = entry.file_name().to_string_lossy().into_owned();
        let (path, name) = (entry.path(), format!("{prefix}{own}"));
        if own.starts_with('.') {
            continue;
        }
        if path.is_dir() {
            folders.push((path, name));
        } else if own.ends_with(".toml") {
            files.push(read(&path, name));
        } else if is_meant(&name) {
            let stem = path.file_name().map(stem).unwrap_or_default();
            let help = format!("rename it to «{stem}.toml», or move it out of the declarations");
            let unread = Unread::new("this file is not read, for its name does not end in «.toml»", help);
            files.push(SourceFile { unread: Some(unread), ..SourceFile::new(name, "") });
        }
    }
    Ok(())
}

/// Whether somebody may believe that a file with a name of another ending is read.
fn is_meant(name: &str) -> bool {
    let name = name.to_lowercase();
    !PASSED_OVER.iter().any(|ending| name.ends_with(ending)) && (name.contains(".toml") || name.ends_with(".tml"))
}

/// A file's name without its endings: `staff` of `staff.toml.txt`.
fn stem(name: &std::ffi::OsStr) -> String {
    let name = name.to_string_lossy();
    let shown = name.to_lowercase().find(".toml").and_then(|at| name.get(..at)).map(str::to_owned);
    shown.unwrap_or_else(|| name.rsplit_once('.').map_or(&*name, |(stem, _)| stem).to_owned())
}

fn read(path: &Path, name: String) -> SourceFile {
    let is_link = fs::symlink_metadata(path).is_ok_and(|about| about.is_symlink());
    match fs::read(path) {
        Ok(bytes) => decoded(name, bytes),
        Err(error) if is_link && error.kind() == io::ErrorKind::NotFound => {
            let unread = Unread::new("this link leads to nothing", "put the file itself here, or remove the link");
            SourceFile { unread: Some(unread), ..SourceFile::new(name, "") }
        }
        Err(error) => SourceFile { unread: Some(Unread::of_error(&error)), ..SourceFile::new(name, "") },
    }
}

fn decoded(name: String, bytes: Vec<u8>) -> SourceFile {
    let help = "save it as UTF-8: the editor's «Save as» has a choice of encoding";
    let is_wide = bytes.starts_with(&[0xFF, 0xFE]) || bytes.starts_with(&[0xFE, 0xFF]) || bytes.contains(&0);
    if is_wide {
        let unread = Unread::new("this file is written in UTF-16, or is no text; declarations are UTF-8", help);
        return SourceFile { unread: Some(unread), ..SourceFile::new(name, "") };
    }
    let error = match String::from_utf8(bytes) {
        Ok(text) => return SourceFile::new(name, text),
        Err(error) => error,
    };
    let (start, bytes) = (error.utf8_error().valid_up_to(), error.into_bytes());
    let byte = bytes.get(start).copied().unwrap_or_default();
    // From A0 on, Windows-1252 and ISO 8859-1 agree with Unicode.
    let meant = if byte >= 0xA0 { format!(", «{}» in Windows-1252", char::from(byte)) } else { String::new() };
    let unread = Unread {
        // The byte is shown as the replacement character.
        span: start..start + char::REPLACEMENT_CHARACTER.len_utf8(),
        ..Unread::new(format!("this is not written in UTF-8: the byte {byte:02X}{meant}"), help)
    };
    SourceFile { unread: Some(unread), ..SourceFile::new(name, String::from_utf8_lossy(&bytes)) }
}
