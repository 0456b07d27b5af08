//! Deliveries that were expected and have not come (`[expected]` of an export).

use std::fmt::{self, Write as _};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use prem_spec::{Arrival, Plan};
use prem_store::Delivery;
use serde::Serialize;

use crate::{error::JobError, summary::counted};

/// Days are those of the region's clock.
const ZONE: &str = "Europe/Oslo";
/// Missing periods that a person is shown of one export.
const SHOWN_MAX: usize = 12;

/// What is awaited of one export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Awaited {
    pub export: String,
    /// The latest period that a delivery covers.
    pub latest: Option<String>,
    /// Past due, oldest first.
    pub missing: Vec<Missing>,
    pub next: Option<Next>,
    /// Deliveries whose file name tells no period.
    pub nameless: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Missing {
    pub period: String,
    pub due: Date,
    pub days: i64,
    /// The days of grace are over too.
    pub late: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Next {
    pub period: String,
    pub due: Date,
}

/// # Errors
/// When the time zone is not known.
pub fn zone() -> Result<TimeZone, JobError> {
    TimeZone::get(ZONE).map_err(|error| JobError::Configuration(format!("no time zone {ZONE}: {error}")))
}

/// An instant by the region's clock, to the second.
pub fn shown(instant: Timestamp) -> String {
    match zone() {
        Ok(zone) => instant.to_zoned(zone).strftime("%Y-%m-%d %H:%M:%S").to_string(),
        Err(_) => instant.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    }
}

/// What is awaited at `now` of every export that declares it, in the order of their names.
///
/// # Errors
/// When the time zone is not known.
pub fn awaited(plan: &Plan, deliveries: &[Delivery], now: Timestamp) -> Result<Vec<Awaited>, JobError> {
    let zone = zone()?;
    let day = |instant: Timestamp| instant.to_zoned(zone.clone()).date();
    let mut all = Vec::new();
    for export in plan.exports.values() {
        let Some(expected) = &export.expected else { continue };
        let of_export = deliveries.iter().filter(|delivery| delivery.export == export.name);
        let arrivals: Vec<Arrival<'_>> = of_export
            .map(|delivery| Arrival { file_name: &delivery.file_name, day: day(delivery.delivered_at) })
            .collect();
        let outlook = expected.outlook(&arrivals, day(now));
        let missing = outlook.missing.iter().map(|missing| Missing {
            period: missing.period.to_string(),
            due: missing.due,
            days: missing.days,
            late: missing.is_late,
        });
        all.push(Awaited {
            export: export.name.clone(),
            latest: outlook.latest.map(|period| period.to_string()),
            missing: missing.collect(),
            next: outlook.next.map(|(period, due)| Next { period: period.to_string(), due }),
            nameless: outlook.nameless,
        });
    }
    Ok(all)
}

/// Says in the log what is late, and gives the exports of which something is past due.
///
/// # Errors
/// As [`awaited`].
pub fn past_due(plan: &Plan, deliveries: &[Delivery], now: Timestamp) -> Result<Vec<Awaited>, JobError> {
    let past: Vec<Awaited> =
        awaited(plan, deliveries, now)?.into_iter().filter(|awaited| !awaited.missing.is_empty()).collect();
    for awaited in &past {
        for missing in awaited.missing.iter().filter(|missing| missing.late) {
            let Missing { period, due, days, .. } = missing;
            tracing::warn!(export = awaited.export, period, %due, days, "a delivery is late");
        }
    }
    Ok(past)
}

impl fmt::Display for Awaited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let latest = self.latest.as_deref().map_or_else(|| "nothing has come".to_owned(), |at| format!("latest {at}"));
        write!(text, "{}: {latest}", self.export)?;
        if let Some(next) = &self.next {
            write!(text, ", next {} due {}", next.period, next.due)?;
        }
        writeln!(text)?;
        for missing in self.missing.iter().take(SHOWN_MAX) {
            let word = if missing.late { "LATE" } else { "awaited" };
            let days = if missing.days == 1 { "day" } else { "days" };
            writeln!(text, "  {word}: {}, due {}, {} {days} ago", missing.period, missing.due, missing.days)?;
        }
        if self.missing.len() > SHOWN_MAX {
            writeln!(text, "  … and {} more", self.missing.len() - SHOWN_MAX)?;
        }
        if self.nameless > 0 {
            writeln!(text, "  {} whose name tells no period", counted(self.nameless, "file", "files"))?;
        }
        f.write_str(&text)
    }
}
