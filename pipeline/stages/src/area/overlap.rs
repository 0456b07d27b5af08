//! Catchment rows that contradict each other: two rows for one place on one day.

use std::collections::BTreeMap;

use prem_spec::{District, Plan, district_of, municipality_number};

use super::collect;
use crate::{
    StageError,
    frames::{date_of, days, numbers, texts},
    view::{DELIVERY, Part},
};

/// Rows that a message names; the rest are counted.
const NAMED_MAX: usize = 10;

struct Row {
    from: i32,
    to: Option<i32>,
    /// Number of the row in its delivery, and the delivery's place in the sequence.
    number: i64,
    delivery: usize,
}

impl Row {
    /// First day after; none reaches past the last of days.
    fn end(&self) -> i32 {
        self.to.unwrap_or(i32::MAX)
    }

    /// Whether it still holds on a day from its first on.
    fn holds(&self, day: i32) -> bool {
        day < self.end()
    }
}

/// What overlaps among the catchment rows that stand, in words that name rows and places; `None` where nothing does.
///
/// # Errors
/// When the table cannot be read.
pub fn catchment_overlaps(plan: &Plan, parts: &[Part]) -> Result<Option<String>, StageError> {
    let Some(frame) = collect(plan, "catchment", parts, &["valid_to", prem_store::ROW])? else { return Ok(None) };
    let frame = frame.collect().map_err(StageError::frame("read catchment areas"))?;
    let (municipalities, districts) = (texts(&frame, "municipality")?, texts(&frame, "district")?);
    let (from, to) = (days(&frame, "valid_from")?, days(&frame, "valid_to")?);
    let (numbers, deliveries) = (numbers(&frame, prem_store::ROW)?, numbers(&frame, DELIVERY)?);
    let mut places: BTreeMap<String, Vec<Row>> = BTreeMap::new();
    for row in 0..frame.height() {
        let (Some(municipality), Some(from)) = (municipalities[row], from[row]) else { continue };
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "row and delivery numbers")]
        let entry = Row { from, to: to[row], number: numbers[row] as i64, delivery: deliveries[row] as usize };
        places.entry(place(municipality, districts[row].unwrap_or_default())).or_default().push(entry);
    }
    let (mut found, mut all) = (Vec::new(), 0_usize);
    for (place, mut rows) in places {
        rows.sort_by_key(|row| (row.from, row.delivery, row.number));
        // Of the rows before, the one that holds longest: who overlaps any overlaps it.
        let mut longest: Option<&Row> = None;
        for row in &rows {
            if let Some(longest) = longest.filter(|longest| longest.holds(row.from)) {
                all += 1;
                if found.len() < NAMED_MAX {
                    found.push(told(&place, longest, row));
                }
            }
            longest = longest.filter(|longest| longest.end() >= row.end()).or(Some(row));
        }
    }
    if found.is_empty() {
        return Ok(None);
    }
    let more = all - found.len();
    let more = if more > 0 { format!("; and {more} more") } else { String::new() };
    Ok(Some(format!("two rows say where one place belongs on the same day: {}{more}", found.join("; "))))
}

/// The place as both rows mean it, however it is written.
fn place(municipality: &str, district: &str) -> String {
    let number = municipality_number(municipality).unwrap_or_else(|| municipality.to_owned());
    match district_of(&number, district) {
        District::Known(district) => district,
        District::Unknown if district.is_empty() => number,
        District::Unknown => format!("{number}99"),
    }
}

fn told(place: &str, first: &Row, second: &Row) -> String {
    let day = date_of(second.from).map(|day| day.to_string()).unwrap_or_default();
    let rows = if first.delivery == second.delivery {
        format!("rows {} and {}", first.number, second.number)
    } else {
        format!(
            "row {} of delivery {} and row {} of delivery {}",
            first.number,
            first.delivery + 1,
            second.number,
            second.delivery + 1
        )
    };
    format!("{place} from {day} in {rows}")
}
