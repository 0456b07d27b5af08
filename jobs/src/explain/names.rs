//! What was asked for, among what there is.

use prem_spec::{Indicator, Level, Period, Plan, Unit};
use prem_store::tables::Estimate;

use crate::{cli::ExplainArgs, error::JobError, manifest::Manifest};

pub(super) struct Names<'a> {
    pub plan: &'a Plan,
    pub args: &'a ExplainArgs,
}

impl<'a> Names<'a> {
    pub fn indicator(&self) -> Result<&'a Indicator, JobError> {
        let id = &self.args.indicator;
        let known = self.plan.indicators.keys();
        self.plan.indicators.get(id).ok_or_else(|| JobError::unknown("indicator", id, known))
    }

    pub fn unit(&self) -> Result<&'a Unit, JobError> {
        let id = &self.args.unit;
        let known = self.plan.organisation.units.iter().map(|unit| &unit.id);
        self.plan.organisation.unit(id).ok_or_else(|| JobError::unknown("unit", id, known))
    }

    pub fn has_level(&self, indicator: &Indicator, unit: &Unit) -> Result<(), JobError> {
        if indicator.levels.contains(&unit.level) {
            return Ok(());
        }
        let levels: Vec<&str> = indicator.levels.iter().copied().map(Level::as_str).collect();
        Err(JobError::Usage(format!(
            "{} has no values of a {}, as {} is; its levels: {}",
            indicator.id,
            unit.level.as_str(),
            unit.id,
            levels.join(", ")
        )))
    }

    /// The run's row of the wanted stratum and period: the latest where none is named, of several the longest.
    pub fn row<'r>(
        &self,
        indicator: &Indicator,
        unit: &Unit,
        rows: &'r [Estimate],
        released: &Manifest,
    ) -> Result<&'r Estimate, JobError> {
        if let Some(export) = released.held_back.get(&indicator.id) {
            return Err(JobError::InputMissing(format!(
                "{} was held back in the release {}: a file of {export} was refused",
                indicator.id, released.run_id
            )));
        }
        if let Some(dataset) = released.without_data.get(&indicator.id) {
            return Err(JobError::InputMissing(format!(
                "{} was held back in the release {}: no {dataset} had been delivered",
                indicator.id, released.run_id
            )));
        }
        let of_unit: Vec<&Estimate> =
            rows.iter().filter(|row| row.indicator == indicator.id && row.unit_id == unit.id).collect();
        let of_stratum: Vec<&Estimate> =
            of_unit.iter().copied().filter(|row| row.stratum == self.args.stratum).collect();
        if of_stratum.is_empty() && !of_unit.is_empty() {
            return Err(JobError::unknown("stratum", &self.args.stratum, distinct(&of_unit, |row| &row.stratum)));
        }
        let latest = |row: &&&Estimate| (row.period_end, std::cmp::Reverse(row.period_start));
        let found = match self.args.period {
            None => of_stratum.iter().max_by_key(latest).copied(),
            Some(period) => of_stratum.iter().copied().find(|row| row.period == period.to_string()),
        };
        found.ok_or_else(|| self.no_row(indicator, unit, &of_stratum, released))
    }

    fn no_row(&self, indicator: &Indicator, unit: &Unit, rows: &[&Estimate], released: &Manifest) -> JobError {
        let why = self.args.period.and_then(|period| not_estimated(released, indicator, period));
        let (id, unit, run) = (&indicator.id, &unit.id, &released.run_id);
        if let Some(why) = why {
            return JobError::InputMissing(format!("{id} was not estimated in the release {run}: {why}"));
        }
        if rows.is_empty() {
            return JobError::InputMissing(format!(
                "{id} has no number of {unit} in the release {run}: nobody answered"
            ));
        }
        let period = self.args.period.map(|period| period.to_string()).unwrap_or_default();
        JobError::unknown(&format!("period of {id} and {unit}"), &period, distinct(rows, |row| &row.period))
    }
}

fn not_estimated(released: &Manifest, indicator: &Indicator, period: Period) -> Option<String> {
    let of = |entry: &&serde_json::Value| {
        entry["indicator"].as_str() == Some(indicator.id.as_str()) && entry["period"] == period.to_string()
    };
    Some(released.not_estimated.iter().find(of)?["reason"].as_str()?.to_owned())
}

fn distinct<'a>(rows: &[&'a Estimate], of: fn(&'a Estimate) -> &'a String) -> Vec<&'a String> {
    let mut names: Vec<&String> = rows.iter().map(|row| of(row)).collect();
    names.sort_unstable();
    names.dedup();
    names
}
