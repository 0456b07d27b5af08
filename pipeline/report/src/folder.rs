//! One folder of a release: tables in two formats, a workbook and a page.

use std::path::Path;

use prem_protect::{
    Protected,
    tables::{
        CaseMix, Estimate, Response, Sensitivity, SurveyQuality, Table, TableMeta, Trend, Variation, Weighting,
        write_table,
    },
};
use prem_spec::{Plan, Unit};

use crate::{ReportError, RunFacts, cells::Cells, names, page, table_csv, texts::Texts, workbook};

/// Whom a folder is for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Reader<'a> {
    Region,
    Trust(&'a Unit),
}

pub(crate) fn write(
    dir: &Path,
    plan: &Plan,
    protected: &Protected,
    reader: Reader<'_>,
    facts: &RunFacts,
    texts: &Texts,
) -> Result<(), ReportError> {
    let meta = TableMeta { run_id: facts.run_id.clone(), plan_hash: facts.plan_hash.clone() };
    let estimates = tables::<Estimate>(dir, protected.estimates(), &meta)?;
    let variation = tables::<Variation>(dir, protected.variation(), &meta)?;
    let case_mix = tables::<CaseMix>(dir, protected.case_mix(), &meta)?;
    let survey_quality = tables::<SurveyQuality>(dir, protected.survey_quality(), &meta)?;
    let sensitivity = tables::<Sensitivity>(dir, protected.sensitivity(), &meta)?;
    let trends = tables::<Trend>(dir, protected.trends(), &meta)?;
    let response = tables::<Response>(dir, protected.response(), &meta)?;
    let weighting = tables::<Weighting>(dir, protected.weighting(), &meta)?;
    let sheets = [
        ("sheet_estimates", &estimates),
        ("sheet_variation", &variation),
        ("sheet_trends", &trends),
        ("sheet_case_mix", &case_mix),
        ("sheet_sensitivity", &sensitivity),
        ("sheet_survey_quality", &survey_quality),
        ("sheet_response", &response),
        ("sheet_weighting", &weighting),
    ];
    workbook::write(
        &dir.join("tables.xlsx"),
        plan,
        protected,
        &sheets,
        &names::held_back(plan, reader, facts, texts),
        facts,
        texts,
    )?;
    page::write(&dir.join("index.html"), plan, protected, reader, facts, texts)
}

/// Writes a table as Parquet and CSV, and keeps its cells for the workbook.
fn tables<T: Table>(dir: &Path, rows: &[T], meta: &TableMeta) -> Result<Cells, ReportError> {
    write_table(&dir.join(format!("{}.parquet", T::NAME)), rows, meta)?;
    let cells = Cells::of(rows)?;
    table_csv::write(&dir.join(format!("{}.csv", T::NAME)), &cells)?;
    Ok(cells)
}
