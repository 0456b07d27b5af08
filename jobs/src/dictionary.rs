//! `prem dictionary`: the data dictionary of the declarations, to be read by those who send files.

use std::fs;

use prem_report::{Language, dictionary_html, dictionary_markdown};

use crate::{
    cli::{DictionaryArgs, Place},
    config::Config,
    declarations,
    error::JobError,
};

/// Writes the dictionary, or gives it as text where no file is named.
///
/// # Errors
/// When the declarations are wrong or the file cannot be written.
pub fn dictionary(args: &DictionaryArgs) -> Result<String, JobError> {
    let config = Config::load(&Place { config: args.config.clone(), ..Place::default() })?;
    let plan = declarations::compile(&config)?;
    let code = args.language.as_deref().unwrap_or(config.language.as_str());
    let language = Language::from_code(code).unwrap_or_default();
    let Some(path) = &args.file else { return Ok(dictionary_markdown(&plan, language)?) };
    let is_page = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("html"));
    let text = if is_page { dictionary_html(&plan, language)? } else { dictionary_markdown(&plan, language)? };
    fs::write(path, text).map_err(JobError::write("write", path))?;
    Ok(format!("{} datasets described in {}\n", plan.datasets.len(), path.display()))
}
