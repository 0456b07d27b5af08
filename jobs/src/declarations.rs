//! Compiles declarations and shows every mistake with file, line and caret.

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, MietteDiagnostic, NamedSource, Report};
use prem_spec::{Compiled, Diagnostic, Plan, Severity, SourceFile};

use crate::{config::Config, error::JobError};

/// The plan, or all mistakes on stderr.
///
/// # Errors
/// [`JobError::Declarations`] when there is a mistake.
pub fn compile(config: &Config) -> Result<Plan, JobError> {
    let Compiled { plan, diagnostics } = prem_spec::compile(&config.sources);
    for diagnostic in &diagnostics {
        show(&config.sources, diagnostic);
    }
    let errors = diagnostics.iter().filter(|diagnostic| diagnostic.severity == Severity::Error).count();
    plan.ok_or(JobError::Declarations { errors })
}

fn show(sources: &[SourceFile], diagnostic: &Diagnostic) {
    let text = sources.iter().find(|source| source.name == diagnostic.file).map_or("", |source| source.text.as_str());
    // A text without a line has no place to point at, so the message names the file.
    let place = diagnostic.span.clone().filter(|_| !text.is_empty());
    let mut shown = match place {
        Some(span) => MietteDiagnostic::new(&diagnostic.message).with_label(LabeledSpan::underline(span)),
        None => MietteDiagnostic::new(format!("{}: {}", diagnostic.file, diagnostic.message)),
    };
    if diagnostic.severity == Severity::Warning {
        shown = shown.with_severity(miette::Severity::Warning);
    }
    if let Some(help) = &diagnostic.help {
        shown = shown.with_help(help);
    }
    let report = Report::new(shown).with_source_code(NamedSource::new(&diagnostic.file, text.to_owned()));
    let theme = if std::env::var_os("NO_COLOR").is_some() {
        GraphicalTheme::unicode_nocolor()
    } else {
        GraphicalTheme::default()
    };
    let mut rendered = String::new();
    if GraphicalReportHandler::new_themed(theme).render_report(&mut rendered, report.as_ref()).is_ok() {
        eprintln!("{rendered}");
    } else {
        eprintln!("{}: {}", diagnostic.file, diagnostic.message);
    }
}
