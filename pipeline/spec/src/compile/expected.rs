//! `[expected]` of an export: the calendar of its deliveries.

use super::reader::Node;
use crate::model::{Every, Expected, NamePattern};

const EVERY: [(&str, Every); 6] = [
    ("day", Every::Day),
    ("week", Every::Week),
    ("month", Every::Month),
    ("quarter", Every::Quarter),
    ("tertial", Every::Tertial),
    ("year", Every::Year),
];
/// The tenth day after a period is the habit of monthly extracts.
const BY_DAY_DEFAULT: i64 = 10;
const DAYS_MAX: i64 = 1000;

pub(super) fn read(node: Node<'_>) -> Option<Expected> {
    let every = node.choice("every", &EVERY);
    let since = node.date("since");
    let by_day = node.opt_integer("by_day");
    let grace = node.opt_integer("grace_days");
    let name = node.opt_string("period_in_name");
    for (key, at, least) in [("by_day", &by_day, 1), ("grace_days", &grace, 0)] {
        if let Some(at) = at.as_ref().filter(|at| !(least..=DAYS_MAX).contains(&at.value)) {
            node.error(at.span.clone(), format!("`{key}` is a number of days from {least} to {DAYS_MAX}"), None);
        }
    }
    let mut pattern = None;
    if let (Some(text), Some(every)) = (&name, every) {
        match NamePattern::new(&text.value, every) {
            Ok(read) => pattern = Some(read),
            Err(reason) => node.error(
                text.span.clone(),
                format!("`period_in_name` is no pattern of names: {reason}"),
                Some("for example \"_%Y-%m\" for responses_2025-03.csv".to_owned()),
            ),
        }
    }
    node.finish();
    Some(Expected {
        every: every?,
        by_day: by_day.map_or(BY_DAY_DEFAULT, |at| at.value),
        grace_days: grace.map_or(0, |at| at.value),
        since: since?.value,
        name: pattern,
    })
}
