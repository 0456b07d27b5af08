//! The sheet for people: one line per indicator and unit, the latest period.

use prem_protect::{Protected, tables::Estimate};
use prem_spec::{Indicator, Level, Plan, Unit};
use rust_xlsxwriter::{Format, Worksheet, XlsxError};

use super::sheet::{header_format, index};
use crate::{
    RunFacts,
    harmless::harmless,
    latest::Latest,
    names::{self, UnitNames},
    texts::Texts,
    words,
};

/// Text keys of the columns' headings, and widths in characters.
const COLUMNS: [(&str, f64); 15] = [
    ("theme", 22.0),
    ("survey", 32.0),
    ("indicator", 38.0),
    ("unit", 42.0),
    ("level", 20.0),
    ("period", 10.0),
    ("measured_in", 24.0),
    ("value", 10.0),
    ("ci_low", 10.0),
    ("ci_high", 10.0),
    ("n", 10.0),
    ("region", 10.0),
    ("difference", 10.0),
    ("comparison", 20.0),
    ("remark", 48.0),
];

const SYNTHETIC_ROW: u32 = 2;
const HELD_BACK_ROW: u32 = 3;
const HEADER_ROW: u32 = 4;

pub(super) fn write(
    sheet: &mut Worksheet,
    plan: &Plan,
    protected: &Protected,
    held_back: &[String],
    facts: &RunFacts,
    texts: &Texts,
) -> Result<(), XlsxError> {
    sheet.set_name(texts.get("sheet_overview"))?;
    let title = Format::new().set_bold().set_font_size(14);
    sheet.write_string_with_format(0, 0, texts.get("package_title"), &title)?;
    sheet.write_string(1, 0, texts.get("overview_note"))?;
    if facts.is_synthetic {
        sheet.write_string_with_format(SYNTHETIC_ROW, 0, texts.get("synthetic"), &Format::new().set_bold())?;
    }
    if !held_back.is_empty() {
        let told = format!("{} {}", texts.get("held_back"), held_back.join(", "));
        sheet.write_string(HELD_BACK_ROW, 0, harmless(&told))?;
    }
    let header = header_format();
    for (column, (key, width)) in COLUMNS.iter().enumerate() {
        sheet.write_string_with_format(HEADER_ROW, index(column), texts.get(key), &header)?;
        sheet.set_column_width(index(column), *width)?;
    }
    let latest = Latest::of(protected.estimates());
    let has_rows = |unit: &&Unit| latest.indicators().any(|indicator| latest.row(indicator, &unit.id).is_some());
    let units: Vec<&Unit> = plan.organisation.units.iter().filter(has_rows).collect();
    let lines = Lines { plan, facts, texts, names: UnitNames::among(&plan.organisation, &units, facts.language) };
    let mut row = HEADER_ROW;
    for indicator in plan.indicators.values() {
        for unit in &units {
            if let Some(estimate) = latest.row(&indicator.id, &unit.id) {
                row += 1;
                lines.write(sheet, row, (indicator, unit, estimate))?;
            }
        }
    }
    sheet.set_freeze_panes(HEADER_ROW + 1, 0)?;
    if row > HEADER_ROW {
        sheet.autofilter(HEADER_ROW, 0, row, index(COLUMNS.len() - 1))?;
    }
    Ok(())
}

struct Lines<'a> {
    plan: &'a Plan,
    facts: &'a RunFacts,
    texts: &'a Texts,
    names: UnitNames,
}

impl Lines<'_> {
    fn write(
        &self,
        sheet: &mut Worksheet,
        row: u32,
        (indicator, unit, estimate): (&Indicator, &Unit, &Estimate),
    ) -> Result<(), XlsxError> {
        let Self { plan, facts, texts, names } = self;
        let (language, code) = (facts.language, facts.language.code());
        let (name, measured_in) = (names.of(unit, language).full(), words::measured_in(indicator, language, texts));
        let words = [
            (0, indicator.theme.get(code)),
            (1, names::survey(plan, indicator, language, texts)),
            (2, indicator.title.get(code)),
            (3, name.as_str()),
            (4, texts.get(words::level_key(unit.level))),
            (5, estimate.period.as_str()),
            (6, measured_in.as_str()),
            (13, texts.get(words::comparison(estimate).key)),
            (14, words::remark_key(estimate).map(|key| texts.get(key)).unwrap_or_default()),
        ];
        for (column, text) in words {
            sheet.write_string(row, column, harmless(text))?;
        }
        let mark = if estimate.suppressed { words::HIDDEN } else { words::NO_FIGURE };
        let number = Format::new().set_num_format(value_format(indicator));
        // Counts are far below 2⁵³.
        let whole = Format::new().set_num_format("#,##0");
        let figures = [
            (7, estimate.value, &number),
            (8, estimate.ci_low, &number),
            (9, estimate.ci_high, &number),
            (10, estimate.n.map(|n| n as f64), &whole),
            (11, estimate.reference, &number),
            (12, estimate.difference.filter(|_| unit.level > Level::Rhf), &number),
        ];
        for (column, figure, format) in figures {
            match figure.filter(|figure| figure.is_finite()) {
                Some(figure) => sheet.write_number_with_format(row, column, figure, format)?,
                None => sheet.write_string(row, column, mark)?,
            };
        }
        Ok(())
    }
}

/// The indicator's decimals; shares as per cent.
fn value_format(indicator: &Indicator) -> String {
    let decimals = usize::from(indicator.decimals);
    let fraction = if decimals == 0 { String::new() } else { format!(".{}", "0".repeat(decimals)) };
    if indicator.measure.is_proportion() { format!("0{fraction} %") } else { format!("#,##0{fraction}") }
}
