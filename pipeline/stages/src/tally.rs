//! Events of a period per unit, with the persons behind them: who has several events counts once, with their number.

use std::collections::{BTreeMap, HashMap};

use prem_spec::Period;
use prem_stats::rates::RepeatEvents;

use crate::RateCells;

/// Events of one unit, or of the region.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Tally {
    /// Persons by stratum and their number of events in it.
    pub repeats: Vec<RepeatEvents>,
    /// Number of events → persons, over all strata.
    pub persons: BTreeMap<u32, u64>,
}

impl Tally {
    /// Σ f·v_f per stratum.
    pub fn events(&self, strata: usize) -> Vec<f64> {
        self.sums(strata, |repeat| repeat.frequency * repeat.persons)
    }

    /// Σ f²·v_f per stratum: the variance of the number of events where persons are independent and their events are not.
    pub fn variances(&self, strata: usize) -> Vec<f64> {
        self.sums(strata, |repeat| repeat.frequency * repeat.frequency * repeat.persons)
    }

    fn sums(&self, strata: usize, term: impl Fn(&RepeatEvents) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; strata];
        // Whole numbers: their sum is exact in any order.
        self.repeats.iter().for_each(|repeat| sums[repeat.stratum] += term(repeat));
        sums
    }
}

/// The events of `period` by unit, and of all units together.
pub(crate) fn tally(cells: &RateCells, period: Period) -> (HashMap<u32, Tally>, Tally) {
    let events = || cells.events.iter().filter(|event| period.contains(event.month));
    let by_unit = counted(events().map(|event| (event.unit, event.stratum, event.person)).collect());
    let together = counted(events().map(|event| (0, event.stratum, event.person)).collect()).remove(&0);
    (by_unit, together.unwrap_or_default())
}

fn counted(mut events: Vec<(u32, usize, u32)>) -> HashMap<u32, Tally> {
    events.sort_unstable();
    let mut in_strata: BTreeMap<(u32, usize, u32), u64> = BTreeMap::new();
    for same in events.chunk_by(|a, b| a == b) {
        let (unit, stratum, _) = same[0];
        *in_strata.entry((unit, stratum, length(same.len()))).or_default() += 1;
    }
    let mut all: HashMap<u32, Tally> = HashMap::new();
    for ((unit, stratum, frequency), persons) in in_strata {
        #[expect(clippy::cast_precision_loss, reason = "persons far below 2^53")]
        let repeat = RepeatEvents { stratum, frequency: f64::from(frequency), persons: persons as f64 };
        all.entry(unit).or_default().repeats.push(repeat);
    }
    events.sort_unstable_by_key(|(unit, stratum, person)| (*unit, *person, *stratum));
    for same in events.chunk_by(|a, b| (a.0, a.2) == (b.0, b.2)) {
        *all.entry(same[0].0).or_default().persons.entry(length(same.len())).or_default() += 1;
    }
    all
}

fn length(events: usize) -> u32 {
    u32::try_from(events).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use prem_spec::PeriodKind;

    use super::*;
    use crate::events::Event;

    #[test]
    fn persons_are_counted_once_with_their_number_of_events() {
        let event = |month: i8, unit, stratum, person| Event { month: date(2025, month, 1), unit, stratum, person };
        let cells = RateCells {
            // Person 0: two events in one stratum, one after a birthday. Person 1 moves. Person 2 has one. 2026 is not asked for.
            events: vec![
                event(1, 7, 0, 0),
                event(3, 7, 0, 0),
                event(9, 7, 1, 0),
                event(2, 7, 1, 1),
                event(4, 8, 1, 1),
                event(5, 8, 0, 2),
                Event { month: date(2026, 1, 1), ..event(1, 8, 0, 2) },
            ],
            ..RateCells::default()
        };
        let year = Period::of(PeriodKind::Year, date(2025, 1, 1)).expect("a year");
        let (units, region) = tally(&cells, year);
        assert_eq!(units[&7].events(2), [2.0, 2.0]);
        assert_eq!(units[&7].variances(2), [4.0, 2.0]);
        assert_eq!(units[&7].persons, [(1, 1), (3, 1)].into());
        assert_eq!(units[&8].events(2), [1.0, 1.0]);
        assert_eq!(units[&8].variances(2), [1.0, 1.0]);
        assert_eq!(units[&8].persons, [(1, 2)].into());
        assert_eq!(region.events(2), [3.0, 3.0]);
        assert_eq!(region.variances(2), [5.0, 5.0], "4 + 1, and 1 of person 0 + 2² of person 1");
        assert_eq!(region.persons, [(1, 1), (2, 1), (3, 1)].into());
    }
}
