//! The truth's files.

use std::{fs::File, io::BufReader, path::Path};

use serde::{Serialize, de::DeserializeOwned};

use super::Truth;
use crate::{SampleError, files::Files};

const JSON: &str = "truth.json";
const ITEMS: &str = "items.csv";
const UNITS: &str = "units.csv";
const ADJUSTERS: &str = "adjusters.csv";
const RATES: &str = "rates.csv";
const DELIVERIES: &str = "deliveries.csv";

/// Reads `<out>/truth` back.
pub fn read_truth(folder: &Path) -> Result<Truth, SampleError> {
    let path = folder.join(JSON);
    let file = File::open(&path).map_err(SampleError::io(&path))?;
    let mut truth: Truth = serde_json::from_reader(BufReader::new(file))
        .map_err(|error| SampleError::Truth { path, message: error.to_string() })?;
    truth.items = read(folder, ITEMS)?;
    truth.units = read(folder, UNITS)?;
    truth.adjusters = read(folder, ADJUSTERS)?;
    truth.rates = read(folder, RATES)?;
    truth.deliveries = read(folder, DELIVERIES)?;
    Ok(truth)
}

fn read<T: DeserializeOwned>(folder: &Path, name: &str) -> Result<Vec<T>, SampleError> {
    let path = folder.join(name);
    let wrong = |error: csv::Error| SampleError::Truth { path: path.clone(), message: error.to_string() };
    csv::Reader::from_path(&path).map_err(wrong)?.deserialize().collect::<Result<_, _>>().map_err(wrong)
}

impl Truth {
    /// Writes all files, or none.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), SampleError> {
        let mut files = Files::new(folder)?;
        let path = folder.join(JSON);
        let mut json =
            serde_json::to_vec_pretty(self).map_err(|error| SampleError::Truth { path, message: error.to_string() })?;
        json.push(b'\n');
        files.append(JSON, Vec::new, &json)?;
        files.append(ITEMS, Vec::new, &csv(folder, ITEMS, &self.items)?)?;
        files.append(UNITS, Vec::new, &csv(folder, UNITS, &self.units)?)?;
        files.append(ADJUSTERS, Vec::new, &csv(folder, ADJUSTERS, &self.adjusters)?)?;
        files.append(RATES, Vec::new, &csv(folder, RATES, &self.rates)?)?;
        files.append(DELIVERIES, Vec::new, &csv(folder, DELIVERIES, &self.deliveries)?)?;
        files.finish().map(drop)
    }
}

fn csv<T: Serialize>(folder: &Path, name: &str, rows: &[T]) -> Result<Vec<u8>, SampleError> {
    let wrong = |message: String| SampleError::Truth { path: folder.join(name), message };
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        writer.serialize(row).map_err(|error| wrong(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| wrong(error.to_string()))
}
