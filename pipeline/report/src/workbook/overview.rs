//! The sheet for people: one line per indicator and unit, the latest year.

use prem_protect::{Protected, tables::Estimate};
use prem_spec::{Indicator, Level, Plan, Unit};
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::sheet::{header_format, index};
use crate::{Language, harmless::harmless, latest::Latest, texts::Texts, words};

/// Text keys of the columns' headings, and widths in characters.
const COLUMNS: [(&str, f64); 13] = [
    ("theme", 22.0),
    ("indicator", 38.0),
    ("unit", 38.0),
    ("level", 13.0),
    ("period", 10.0),
    ("value", 10.0),
    ("ci_low", 10.0),
    ("ci_high", 10.0),
    ("n", 10.0),
    ("region", 10.0),
    ("difference", 10.0),
    ("comparison", 20.0),
    ("remark", 48.0),
];

const HEADER_ROW: u32 = 3;

pub(super) fn write(
    sheet: &mut Worksheet,
    plan: &Plan,
    protected: &Protected,
    language: Language,
    texts: &Texts,
) -> Result<(), XlsxError> {
    sheet.set_name(texts.get("sheet_overview"))?;
    let title = Format::new().set_bold().set_font_size(14);
    sheet.write_string_with_format(0, 0, texts.get("package_title"), &title)?;
    sheet.write_string(1, 0, texts.get("overview_note"))?;
    let header = header_format();
    for (column, (key, width)) in COLUMNS.iter().enumerate() {
        sheet.write_string_with_format(HEADER_ROW, index(column), texts.get(key), &header)?;
        sheet.set_column_width(index(column), *width)?;
    }
    let latest = Latest::of(protected.estimates());
    let mut row = HEADER_ROW;
    for indicator in plan.indicators.values() {
        for unit in &plan.organisation.units {
            if let Some(estimate) = latest.row(&indicator.id, &unit.id) {
                row += 1;
                write_row(sheet, row, Line { indicator, unit, estimate }, language, texts)?;
            }
        }
    }
    sheet.set_freeze_panes(HEADER_ROW + 1, 0)?;
    if row > HEADER_ROW {
        sheet.autofilter(HEADER_ROW, 0, row, index(COLUMNS.len() - 1))?;
    }
    Ok(())
}

#[derive(Clone, Copy)]
struct Line<'a> {
    indicator: &'a Indicator,
    unit: &'a Unit,
    estimate: &'a Estimate,
}

fn write_row(
    sheet: &mut Worksheet,
    row: u32,
    at: Line<'_>,
    language: Language,
    texts: &Texts,
) -> Result<(), XlsxError> {
    let Line { indicator, unit, estimate } = at;
    let code = language.code();
    let words = [
        (0, indicator.theme.get(code)),
        (1, indicator.title.get(code)),
        (2, unit.name.get(code)),
        (3, texts.get(words::level_key(unit.level))),
        (4, estimate.period.as_str()),
        (11, texts.get(words::comparison(estimate).key)),
        (12, texts.get(words::remark_key(estimate))),
    ];
    for (column, text) in words {
        sheet.write_string(row, column, harmless(text))?;
    }
    let number = Format::new().set_num_format(value_format(indicator));
    let figures = [
        (5, estimate.value),
        (6, estimate.ci_low),
        (7, estimate.ci_high),
        (9, estimate.reference),
        (10, estimate.difference.filter(|_| unit.level > Level::Rhf)),
    ];
    for (column, figure) in figures {
        match figure.filter(|figure| figure.is_finite()) {
            Some(figure) => sheet.write_number_with_format(row, column, figure, &number)?,
            None => sheet.write_string(row, column, words::NO_FIGURE)?,
        };
    }
    match estimate.n {
        // Counts are far below 2⁵³.
        Some(n) => sheet.write_number_with_format(row, 8, n as f64, &Format::new().set_num_format("#,##0"))?,
        None => sheet.write_string(row, 8, words::NO_FIGURE)?,
    };
    Ok(())
}

/// The indicator's decimals; shares as per cent.
fn value_format(indicator: &Indicator) -> String {
    let decimals = usize::from(indicator.decimals);
    let fraction = if decimals == 0 { String::new() } else { format!(".{}", "0".repeat(decimals)) };
    if indicator.measure.is_proportion() { format!("0{fraction} %") } else { format!("#,##0{fraction}") }
}
