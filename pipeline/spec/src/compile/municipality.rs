//! `schemas/municipalities/*.toml`: numbers that ended, and what took their place.
//!
//! A change is written as it is announced: `"0220 0627 0628 -> 3025"` for a merger, `"1507 -> 1508 1580"` where a
//! municipality was divided.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;

use super::reader::{At, Node};
use crate::model::{Municipalities, Renumbering};

const ARROW: &str = "->";

/// The changes of all files by their day.
#[derive(Debug, Default)]
pub(super) struct Changes {
    by_day: BTreeMap<Date, BTreeMap<String, Vec<String>>>,
}

impl Changes {
    pub fn finish(self) -> Municipalities {
        let changes = self.by_day.into_iter().map(|(on, successors)| Renumbering { on, successors });
        Municipalities { changes: changes.collect() }
    }
}

pub(super) fn read(node: Node<'_>, changes: &mut Changes) {
    for change in node.tables("change") {
        read_change(change, changes);
    }
    node.finish();
}

fn read_change(node: Node<'_>, changes: &mut Changes) {
    let on = node.date("on");
    let numbers = node.strings("numbers");
    if numbers.is_empty() {
        node.error(node.span_of("numbers"), "a change has `numbers`", Some("numbers = [\"3025 -> 3203\"]".to_owned()));
    }
    for line in &numbers {
        let (Some(on), Some((olds, news))) = (&on, sides(&node, line)) else { continue };
        let of_day = changes.by_day.entry(on.value).or_default();
        for old in olds {
            if of_day.insert(old.clone(), news.clone()).is_some() {
                node.error(line.span.clone(), format!("{old} has successors on this day already"), None);
            }
        }
    }
    node.finish();
}

/// What stands before and after the arrow.
fn sides(node: &Node<'_>, line: &At<String>) -> Option<(Vec<String>, Vec<String>)> {
    let wrong = |message: String| {
        node.error(line.span.clone(), message, Some("\"0220 0627 -> 3025\", or \"1507 -> 1508 1580\"".to_owned()));
        None
    };
    let Some((before, after)) = line.value.split_once(ARROW) else {
        return wrong(format!("a change has an arrow {ARROW} between old and new numbers"));
    };
    let numbers = |side: &str| side.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let (olds, news) = (numbers(before), numbers(after));
    if olds.is_empty() || news.is_empty() {
        return wrong("numbers stand on both sides of the arrow".to_owned());
    }
    if let Some(number) = olds.iter().chain(&news).find(|number| !is_number(number)) {
        return wrong(format!("«{number}» is no municipality (four digits) and no city district (six)"));
    }
    if let Some(number) = olds.iter().chain(&news).find(|number| number.len() != olds[0].len())
        && olds[0].len() == MUNICIPALITY_DIGITS
    {
        return wrong(format!("«{number}» is a city district: a municipality becomes municipalities"));
    }
    if olds.len() > 1 && news.len() > 1 {
        return wrong("several numbers became several: write a line for each old one".to_owned());
    }
    let distinct: BTreeSet<&String> = news.iter().collect();
    if distinct.len() != news.len() {
        return wrong("a number stands twice after the arrow".to_owned());
    }
    if news.len() == 1 && olds.contains(&news[0]) {
        return wrong(format!("{} becomes itself: a municipality that others join does not end", news[0]));
    }
    Some((olds, news))
}

const MUNICIPALITY_DIGITS: usize = 4;
const DISTRICT_DIGITS: usize = 6;

fn is_number(text: &str) -> bool {
    matches!(text.len(), MUNICIPALITY_DIGITS | DISTRICT_DIGITS) && text.bytes().all(|byte| byte.is_ascii_digit())
}
