//! Linear relations between the periods of one table: a year is its quarters, its tertials and its months.
//!
//! Every period is a sum of segments between neighbouring boundaries. All relations between periods, also those of
//! overlapping rolling windows, form the null space of that incidence; a basis of it is found exactly.

use std::collections::BTreeSet;

use jiff::civil::Date;
use prem_spec::{Period, PeriodKind};

use crate::ratio::{Overflow, Ratio};

/// First day, and first day after.
pub(crate) type Span = (Date, Date);

/// Σ coefficient · period = 0, with whole coefficients.
pub(crate) type Relation = Vec<(Span, i64)>;

/// A basis of all relations between `spans`. Short periods come first, so that a year is written as its parts.
///
/// # Errors
/// When a coefficient leaves 128 bits, or is not a whole number (which intervals of a line do not give).
pub(crate) fn relations(spans: &BTreeSet<Span>) -> Result<Vec<Relation>, Overflow> {
    let boundaries: Vec<Date> =
        spans.iter().flat_map(|(start, end)| [*start, *end]).collect::<BTreeSet<_>>().into_iter().collect();
    let mut ordered: Vec<Span> = spans.iter().copied().collect();
    ordered.sort_by_key(|(start, end)| ((*end - *start).get_days(), *start));
    let mut independent: Vec<Vector> = Vec::new();
    let mut found = Vec::new();
    for (index, span) in ordered.iter().enumerate() {
        let mut vector = Vector {
            segments: boundaries
                .windows(2)
                .map(|segment| Ratio::whole(i128::from(span.0 <= segment[0] && segment[1] <= span.1)))
                .collect(),
            mix: (0..ordered.len()).map(|other| Ratio::whole(i128::from(other == index))).collect(),
        };
        for other in &independent {
            vector.clear_at_pivot_of(other)?;
        }
        if vector.pivot().is_some() {
            independent.push(vector);
        } else {
            found.push(relation(&ordered, &vector.mix)?);
        }
    }
    Ok(found)
}

/// The ways to write `whole` as two or more months, quarters or tertials.
pub(crate) fn tilings(whole: Span) -> impl Iterator<Item = Vec<Span>> {
    PARTS.into_iter().filter_map(move |kind| {
        let mut tiles = Vec::new();
        let mut next = whole.0;
        while next < whole.1 {
            let tile = Period::of(kind, next).filter(|tile| tile.start() == next && tile.end() <= whole.1)?;
            tiles.push((tile.start(), tile.end()));
            next = tile.end();
        }
        (tiles.len() > 1).then_some(tiles)
    })
}

/// Kinds of period that a calendar year is made of.
const PARTS: [PeriodKind; 3] = [PeriodKind::Month, PeriodKind::Quarter, PeriodKind::Tertial];

/// `spans` and, for every calendar year that offers a month, quarter or tertial, the rest of that kind: where one is
/// offered the absent ones had nobody, so the year so far is known to be the sum of those that are there.
pub(crate) fn with_empty_ones(spans: &BTreeSet<Span>) -> BTreeSet<Span> {
    let mut all = spans.clone();
    for (start, end) in spans {
        for kind in PARTS {
            let Some(own) = Period::of(kind, *start).filter(|own| (own.start(), own.end()) == (*start, *end)) else {
                continue;
            };
            let Some(year) = Period::of(PeriodKind::Year, *start) else { continue };
            all.extend(year.months().filter_map(|month| Period::of(own.kind(), month)).map(|p| (p.start(), p.end())));
        }
    }
    all
}

/// A combination of periods and what it is as segments.
struct Vector {
    segments: Vec<Ratio>,
    mix: Vec<Ratio>,
}

impl Vector {
    fn pivot(&self) -> Option<usize> {
        self.segments.iter().position(|value| !value.is_zero())
    }

    fn clear_at_pivot_of(&mut self, other: &Self) -> Result<(), Overflow> {
        let Some(pivot) = other.pivot() else { return Ok(()) };
        if self.segments[pivot].is_zero() {
            return Ok(());
        }
        let factor = self.segments[pivot].over(other.segments[pivot])?.negated();
        let own = self.segments.iter_mut().chain(&mut self.mix);
        for (value, term) in own.zip(other.segments.iter().chain(&other.mix)) {
            *value = value.plus(factor.times(*term)?)?;
        }
        Ok(())
    }
}

fn relation(spans: &[Span], mix: &[Ratio]) -> Result<Relation, Overflow> {
    spans
        .iter()
        .zip(mix)
        .filter(|(_, value)| !value.is_zero())
        .map(|(span, value)| Ok((*span, i64::try_from(value.as_whole().ok_or(Overflow)?).map_err(|_| Overflow)?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use prem_spec::Period;

    use super::*;

    fn found(labels: &[&str]) -> Vec<String> {
        let span = |label: &str| label.parse::<Period>().map(|p| (p.start(), p.end())).expect("a period");
        let spans: BTreeSet<Span> = labels.iter().map(|label| span(label)).collect();
        let name = |wanted: Span| *labels.iter().find(|label| span(label) == wanted).expect("one of them");
        let relations = relations(&spans).expect("fits");
        relations
            .iter()
            .map(|r| r.iter().map(|(s, c)| format!("{c:+} {}", name(*s))).collect::<Vec<_>>().join(" "))
            .collect()
    }

    #[test]
    fn a_year_is_its_quarters_and_its_tertials() {
        let quarters = ["2025", "2025-Q1", "2025-Q2", "2025-Q3", "2025-Q4"];
        assert_eq!(found(&quarters), ["-1 2025-Q1 -1 2025-Q2 -1 2025-Q3 -1 2025-Q4 +1 2025"]);
        assert_eq!(found(&[&quarters[..], &["2025-T1", "2025-T2", "2025-T3"]].concat()).len(), 2);
        assert_eq!(found(&["2025", "2025-Q1", "2025-Q2", "2024"]).len(), 0);
    }

    #[test]
    fn a_year_so_far_is_its_quarters_so_far() {
        let span = |label: &str| label.parse::<Period>().map(|p| (p.start(), p.end())).expect("a period");
        let spans = BTreeSet::from(["2025", "2025-Q1", "2024"].map(span));
        let all = with_empty_ones(&spans);
        assert_eq!(all.len(), 6);
        assert_eq!(relations(&all).expect("fits").len(), 1);
    }

    #[test]
    fn tilings_by_hand() {
        let counts = |label: &str| {
            let period: Period = label.parse().expect("a period");
            tilings((period.start(), period.end())).map(|tiles| tiles.len()).collect::<Vec<_>>()
        };
        assert_eq!(counts("2025"), [12, 4, 3]);
        assert_eq!(counts("2025-Q2"), [3]);
        assert_eq!(counts("2025-10..2026-03"), [6, 2]);
        assert_eq!(counts("2025-02"), [0; 0]);
    }

    #[test]
    fn overlapping_windows_are_seen() {
        let windows = ["2025-01..2025-02", "2025-02..2025-03", "2025-03..2025-04", "2025-01..2025-04"];
        assert_eq!(found(&windows), ["-1 2025-01..2025-02 -1 2025-03..2025-04 +1 2025-01..2025-04"]);
    }
}
