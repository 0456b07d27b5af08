//! `datapackage.json`: a Frictionless Data Package (v2) that describes every table file of a release.

use std::{collections::BTreeMap, fs, path::Path};

use arrow::datatypes::DataType;
use prem_protect::tables::{
    CaseMix, ColumnContract, Estimate, Response, Sensitivity, SurveyQuality, Table, Trend, Variation, Weighting,
};
use serde_json::{Value, json};

use crate::{ReportError, RunFacts, table_csv, texts::Texts};

pub(crate) const FILE: &str = "datapackage.json";

struct Contract {
    name: &'static str,
    version: &'static str,
    columns: Vec<ColumnContract>,
}

fn contract<T: Table>() -> Contract {
    Contract { name: T::NAME, version: T::VERSION, columns: T::columns() }
}

/// Writes the description of the table files among `hashes` into `staging`.
pub(crate) fn write(
    staging: &Path,
    facts: &RunFacts,
    texts: &Texts,
    hashes: &BTreeMap<String, (u64, String)>,
) -> Result<(), ReportError> {
    let contracts = [
        contract::<Estimate>(),
        contract::<Variation>(),
        contract::<Trend>(),
        contract::<CaseMix>(),
        contract::<Sensitivity>(),
        contract::<SurveyQuality>(),
        contract::<Response>(),
        contract::<Weighting>(),
    ];
    let resources: Vec<Value> = hashes
        .iter()
        .filter_map(|(path, (bytes, hash))| {
            let (folder, file) = path.rsplit_once('/')?;
            let (table, format) = file.rsplit_once('.')?;
            let contract = contracts.iter().find(|contract| contract.name == table)?;
            resource(path, folder, format, contract, *bytes, hash)
        })
        .collect();
    let about = texts.get("package_description");
    let description = if facts.is_synthetic { format!("{} {about}", texts.get("synthetic")) } else { about.to_owned() };
    let package = json!({
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": format!("prem-{}", facts.run_id.to_lowercase()),
        "id": facts.run_id,
        "title": texts.get("package_title"),
        "description": description,
        "synthetic": facts.is_synthetic,
        "version": facts.method_version,
        "resources": resources,
    });
    let path = staging.join(FILE);
    // Plain JSON values always serialise.
    let text = serde_json::to_string_pretty(&package).unwrap_or_default();
    fs::write(&path, text + "\n").map_err(ReportError::io("write", &path))
}

fn resource(path: &str, folder: &str, format: &str, contract: &Contract, bytes: u64, hash: &str) -> Option<Value> {
    let is_csv = match format {
        "csv" => true,
        "parquet" => false,
        _ => return None,
    };
    let fields: Vec<Value> = contract.columns.iter().map(|column| field(column, is_csv)).collect();
    let mut resource = json!({
        "$schema": "https://datapackage.org/profiles/2.0/dataresource.json",
        "name": format!("{}-{}-{format}", folder.replace('/', "-"), contract.name.replace('_', "-")),
        "type": "table",
        "path": path,
        "title": format!("{} {}", contract.name, contract.version),
        "format": format,
        "mediatype": if is_csv { "text/csv" } else { "application/vnd.apache.parquet" },
        "bytes": bytes,
        "hash": format!("sha256:{hash}"),
        "schema": {
            "$schema": "https://datapackage.org/profiles/2.0/tableschema.json",
            "fields": fields,
            "missingValues": [""],
        },
    });
    if is_csv {
        resource["encoding"] = json!("utf-8");
        resource["dialect"] = json!({
            "$schema": "https://datapackage.org/profiles/2.0/tabledialect.json",
            "delimiter": char::from(table_csv::DELIMITER).to_string(),
            "lineTerminator": "\r\n",
            "quoteChar": "\"",
            "doubleQuote": true,
            "header": true,
        });
    }
    Some(resource)
}

fn field(column: &ColumnContract, is_csv: bool) -> Value {
    let kind = match column.data_type {
        DataType::Int64 => "integer",
        DataType::Float64 => "number",
        DataType::Boolean => "boolean",
        DataType::Date32 => "date",
        _ => "string",
    };
    let mut field = json!({ "name": column.name, "type": kind, "description": column.description });
    if kind == "number" && is_csv {
        field["decimalChar"] = json!(",");
    }
    if !column.nullable {
        field["constraints"] = json!({ "required": true });
    }
    field
}
