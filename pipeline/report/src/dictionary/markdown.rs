//! The dictionary as Markdown: one table a dataset, readable as plain text too.

use std::fmt::Write as _;

use super::view::Dictionary;
use crate::texts::Texts;

pub(super) fn of(dictionary: &Dictionary, texts: &Texts) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write(&mut text, dictionary, texts);
    text
}

fn write(text: &mut String, dictionary: &Dictionary, texts: &Texts) -> std::fmt::Result {
    let t = |key: &'static str| texts.get(key);
    writeln!(text, "# {}\n\n{}\n", t("title"), t("lead"))?;
    for dataset in &dictionary.datasets {
        writeln!(
            text,
            "## {} (`{}`, {} {})\n\n{}\n",
            dataset.title,
            dataset.name,
            t("version"),
            dataset.version,
            dataset.lead
        )?;
        writeln!(text, "| {} | {} | {} | {} |\n|---|---|---|---|", t("column"), t("type"), t("meaning"), t("demands"))?;
        for column in &dataset.columns {
            let demands: Vec<String> = column.demands.iter().map(|demand| cell(demand)).collect();
            writeln!(
                text,
                "| `{}` | {} | {} | {} |",
                column.name,
                column.kind,
                cell(&column.description),
                demands.join("<br>")
            )?;
        }
        if let Some(note) = &dataset.note {
            writeln!(text, "\n{note}")?;
        }
        if !dataset.rules.is_empty() {
            writeln!(text, "\n{}\n", t("rules_lead"))?;
        }
        for rule in &dataset.rules {
            let description =
                if rule.description.is_empty() { String::new() } else { format!(" {}.", rule.description) };
            writeln!(text, "- `{}`: {}.{description} {}", rule.id, rule.demand, rule.consequence)?;
        }
        writeln!(text)?;
    }
    writeln!(
        text,
        "## {}\n\n{}\n\n| {} | {} |\n|---|---|",
        t("reasons_heading"),
        t("reasons_lead"),
        t("reason"),
        t("meaning")
    )?;
    for (reason, meaning) in &dictionary.reasons {
        writeln!(text, "| `{reason}` | {meaning} |")?;
    }
    writeln!(text, "\n{}", t("references_note"))
}

/// A bar would end the cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
