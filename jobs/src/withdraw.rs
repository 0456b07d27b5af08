//! `prem withdraw`: a delivery that should never have come is taken back.

use std::fmt::{self, Write as _};

use jiff::Timestamp;
use prem_spec::printable;
use prem_store::{Delivery, IngestCounts, Store};
use serde::Serialize;

use crate::{
    calendar,
    cli::WithdrawArgs,
    config::Config,
    error::JobError,
    session::Session,
    summary::{counted, grouped},
};

/// What a withdrawal took, or would take.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub done: bool,
    pub number: u64,
    pub dataset: String,
    pub export: String,
    pub file: String,
    pub sha256: String,
    pub delivered_at: Timestamp,
    pub counts: IngestCounts,
    /// A file of that name lies in the inbox.
    pub in_inbox: bool,
}

/// # Errors
/// When there is no such delivery, a run is going, or the store cannot be read or written.
pub fn withdraw(args: &WithdrawArgs, now: Timestamp) -> Result<Report, JobError> {
    let session = Session::open(Config::load(&args.place)?, now)?;
    let report = |delivery: Delivery, done: bool| Report {
        done,
        in_inbox: session.config.inbox.join(&delivery.file_name).exists(),
        number: delivery.number,
        dataset: delivery.dataset,
        export: delivery.export,
        file: delivery.file_name,
        sha256: delivery.sha256,
        delivered_at: delivery.delivered_at,
        counts: delivery.counts,
    };
    let Some(why) = args.why.as_deref().filter(|_| args.yes) else {
        return Ok(report(find(&session.store, args)?, false));
    };
    let store = session.store.lock()?;
    let delivery = find(&store, args)?;
    store.withdraw(&delivery, why, now)?;
    tracing::info!(delivery = delivery.number, file = delivery.file_name, "withdrawn");
    Ok(report(delivery, true))
}

fn find(store: &Store, args: &WithdrawArgs) -> Result<Delivery, JobError> {
    let (deliveries, dataset) = (store.deliveries()?, &args.dataset);
    if !deliveries.iter().any(|delivery| delivery.dataset == *dataset) {
        return Err(JobError::unknown("dataset", dataset, deliveries.iter().map(|delivery| &delivery.dataset)));
    }
    let is_it = |delivery: &Delivery| delivery.dataset == *dataset && delivery.number == args.delivery;
    deliveries.into_iter().find(is_it).ok_or_else(|| {
        JobError::Usage(format!("{dataset} has no delivery {}; `prem status` shows their numbers", args.delivery))
    })
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let what = if self.done { "Withdrew" } else { "Would withdraw" };
        let (file, delivered) = (printable(&self.file), calendar::shown(self.delivered_at));
        writeln!(text, "{what} delivery {} of {}: {file}", self.number, self.dataset)?;
        writeln!(text, "  export {}, delivered {delivered}", self.export)?;
        writeln!(text, "  content {}", self.sha256)?;
        let (rows, kept) = (counted(self.counts.rows_in, "row", "rows"), grouped(self.counts.kept));
        writeln!(text, "  {rows}, of which {kept} kept, {} in quarantine", grouped(self.counts.quarantined_total()))?;
        if !self.done {
            writeln!(text, "Nothing was done: add --yes and --why \"…\", and it goes.")?;
        } else {
            writeln!(text, "Derived tables and run folders were removed; the next run makes them again.")?;
            writeln!(text, "Releases are left as they are; the next run makes one without the delivery.")?;
            if self.in_inbox {
                writeln!(
                    text,
                    "The inbox still has {file}: its content is not taken again, but remove it all the same."
                )?;
            }
        }
        f.write_str(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_is_told_before_and_after() {
        let mut report = Report {
            done: false,
            number: 3,
            dataset: "responses".to_owned(),
            export: "answers".to_owned(),
            file: "a.csv\nb".to_owned(),
            sha256: "0f".repeat(32),
            delivered_at: "2025-01-31T23:00:00Z".parse().expect("a time"),
            counts: IngestCounts {
                rows_in: 1_040,
                kept: 1_038,
                quarantined: [("not-a-code".to_owned(), 2)].into(),
                ..IngestCounts::default()
            },
            in_inbox: true,
        };
        let told = format!(
            "\
delivery 3 of responses: a.csv\\nb
  export answers, delivered 2025-02-01 00:00:00
  content {}
  1 040 rows, of which 1 038 kept, 2 in quarantine
",
            report.sha256
        );
        let nothing = "Nothing was done: add --yes and --why \"…\", and it goes.\n";
        assert_eq!(report.to_string(), format!("Would withdraw {told}{nothing}"));
        report.done = true;
        let said = report.to_string();
        assert!(
            said.starts_with(&format!("Withdrew {told}Derived tables")) && said.contains("The inbox still has"),
            "{said}"
        );
        report.in_inbox = false;
        assert!(!report.to_string().contains("inbox"));
    }
}
