//! Random hierarchies: what protection shows never determines what it withholds, by a solver that knows nothing of ours.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use common::{RATE, SCORE, SHARE, Span, plan, row, unprotected};
use prem_protect::{SECONDARY, audit, protect, tables::Estimate};
use prem_spec::{Level, Plan};
use proptest::prelude::*;

/// A ward's respondents per tertial; trusts → hospitals → wards.
type Region = Vec<Vec<Vec<[u8; 3]>>>;

fn region() -> impl Strategy<Value = Region> {
    let ward = prop::array::uniform3(prop_oneof![Just(0_u8), 1..12_u8, 25..90_u8]);
    let hospital = prop::collection::vec(ward, 1..4);
    let trust = prop::collection::vec(hospital, 1..4);
    prop::collection::vec(trust, 1..4)
}

const PERIODS: [(&str, &[usize]); 5] =
    [("2025", &[0, 1, 2]), ("2025-T1", &[0]), ("2025-T2", &[1]), ("2025-T3", &[2]), ("2025-01..2025-08", &[0, 1])];

/// What is not in the table although people answered.
#[derive(Debug, Clone, Default)]
struct Gaps {
    /// Per period: nothing is published of it, at any unit.
    periods: Vec<bool>,
    /// Per hospital and tertial, in turn: respondents that belong to no ward.
    without_ward: Vec<[u8; 3]>,
    /// Per row, in turn: it is missing for no reason.
    rows: Vec<bool>,
}

fn gaps(missing_rows: bool) -> impl Strategy<Value = Gaps> {
    let periods = prop::collection::vec(prop::bool::weighted(0.3), PERIODS.len());
    let elsewhere = prop::array::uniform3(prop_oneof![4 => Just(0_u8), 1 => 1..60_u8]);
    let rows = prop::collection::vec(prop::bool::weighted(if missing_rows { 0.2 } else { 0.0 }), 1..97);
    (periods, prop::collection::vec(elsewhere, 0..5), rows).prop_map(|(periods, without_ward, rows)| Gaps {
        periods,
        without_ward,
        rows,
    })
}

struct Case {
    plan: Plan,
    rows: Vec<Estimate>,
    /// Which (ward, tertial) each row sums over, but those that an outsider knows to be empty.
    atoms: Vec<Vec<usize>>,
}

fn case(region: &Region, indicator: &str, gaps: &Gaps) -> Case {
    let mut units = vec![("r".to_owned(), Level::Rhf, String::new())];
    let mut wards: Vec<(Vec<String>, [u8; 3])> = Vec::new();
    let mut without_ward = gaps.without_ward.iter().cycle();
    for (t, trust) in region.iter().enumerate() {
        units.push((format!("t{t}"), Level::Hf, "r".into()));
        for (h, hospital) in trust.iter().enumerate() {
            units.push((format!("t{t}h{h}"), Level::Hospital, format!("t{t}")));
            for (w, ward) in hospital.iter().enumerate() {
                units.push((format!("t{t}h{h}w{w}"), Level::Ward, format!("t{t}h{h}")));
                let above = vec!["r".into(), format!("t{t}"), format!("t{t}h{h}"), format!("t{t}h{h}w{w}")];
                wards.push((above, *ward));
            }
            if let Some(others) = without_ward.next() {
                wards.push((vec!["r".into(), format!("t{t}"), format!("t{t}h{h}")], *others));
            }
        }
    }
    let borrowed: Vec<_> = units.iter().map(|(id, level, parent)| (id.as_str(), *level, parent.as_str())).collect();
    let plan = plan(&borrowed, 5, true);
    let (mut rows, mut atoms) = (Vec::new(), Vec::new());
    let is_absent = |period: usize| gaps.periods.get(period).copied().unwrap_or(false);
    let published = || PERIODS.into_iter().enumerate().filter(|(p, _)| !is_absent(*p)).map(|(_, period)| period);
    // Empty for an outsider: a ward without a row in a published period. Of the rest nothing says that it is.
    let is_empty = |ward: usize, tertial: usize| {
        let (above, n) = &wards[ward];
        above.len() == 4 && published().any(|(_, ts)| ts.contains(&tertial) && ts.iter().all(|t| n[*t] == 0))
    };
    let mut missing = gaps.rows.iter().cycle();
    for (period, tertials) in published() {
        for (unit, ..) in &units {
            let below = || wards.iter().enumerate().filter(|(_, (above, _))| above.contains(unit));
            let all = || below().flat_map(|(ward, _)| tertials.iter().map(move |tertial| (ward, *tertial)));
            let sum = |count: fn(u8) -> u8| -> i64 { all().map(|(w, t)| i64::from(count(wards[w].1[t]))).sum() };
            if sum(|n| n) == 0 || missing.next().is_some_and(|missing| *missing) {
                continue;
            }
            // Whole counts that add up: a third of each ward's respondents, rounded down.
            rows.push(row(&plan, indicator, period, unit, "total", sum(|n| n), sum(|n| n / 3) as f64));
            atoms.push(all().filter(|(w, t)| !is_empty(*w, *t)).map(|(w, t)| w * 3 + t).collect());
        }
    }
    Case { plan, rows, atoms }
}

fn check(region: &Region, indicator: &str, gaps: &Gaps) -> Result<(), TestCaseError> {
    let Case { plan, rows, atoms } = case(region, indicator, gaps);
    if rows.is_empty() {
        return Ok(());
    }
    let protected = protect(&plan, unprotected(rows)).map_err(|error| TestCaseError::fail(error.to_string()))?;
    let rows = protected.estimates();
    prop_assert_eq!(audit(&plan, rows).expect("audited"), vec![]);
    let size = atoms.iter().flatten().max().map_or(0, |atom| atom + 1);
    let shown = rows.iter().zip(&atoms).filter(|(row, _)| !row.suppressed).map(|(_, atoms)| atoms);
    let span = Span::of(shown, size);
    for (row, own) in rows.iter().zip(&atoms).filter(|(row, _)| row.suppressed) {
        prop_assert!(span.reduced(own).1.is_some(), "{} {} is determined", row.unit_id, row.period);
        prop_assert!(row.n.is_none() && row.value.is_none() && row.numerator.is_none());
    }
    let reasons = rows.iter().filter_map(|row| row.suppression_reason.as_deref());
    let (secondary, primary): (Vec<_>, Vec<_>) = reasons.partition(|reason| *reason == SECONDARY);
    prop_assert!(secondary.is_empty() || !primary.is_empty());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scores_stay_withheld(region in region()) {
        check(&region, SCORE, &Gaps::default())?;
    }

    #[test]
    fn proportions_stay_withheld(region in region()) {
        check(&region, SHARE, &Gaps::default())?;
    }

    #[test]
    fn rates_stay_withheld(region in region()) {
        check(&region, RATE, &Gaps::default())?;
    }

    /// Whole periods without estimates and people without a ward: nobody's sums, and nothing fails.
    #[test]
    fn unpublished_parts_give_nothing_away(
        region in region(),
        gaps in gaps(false),
        indicator in prop::sample::select(vec![SCORE, SHARE, RATE]),
    ) {
        check(&region, indicator, &gaps)?;
    }

    /// A table that contradicts its own contract is still protected, and its wholly withheld parts are no fault.
    #[test]
    fn rows_that_are_missing_for_no_reason_stop_nothing(
        region in region(),
        gaps in gaps(true),
        indicator in prop::sample::select(vec![SCORE, SHARE, RATE]),
    ) {
        let Case { plan, rows, .. } = case(&region, indicator, &gaps);
        let protected = protect(&plan, unprotected(rows)).map_err(|error| TestCaseError::fail(error.to_string()))?;
        prop_assert_eq!(audit(&plan, protected.estimates()).expect("audited"), vec![]);
        prop_assert!(protected.estimates().iter().filter(|row| row.suppressed).all(|row| row.n.is_none()));
    }

    /// The audit and the naive solver agree on patterns that nobody protected.
    #[test]
    fn the_audit_finds_what_a_naive_solver_finds(region in region(), pick in prop::collection::vec(any::<bool>(), 200)) {
        let Case { plan, rows, atoms } = case(&region, SCORE, &Gaps::default());
        let blank: Vec<Estimate> = rows
            .iter()
            .zip(pick.iter().cycle())
            .map(|(row, hide)| {
                let mut row = row.clone();
                if *hide {
                    row.n = Some(1);
                    row = protect(&plan, unprotected(vec![row])).expect("protected").estimates()[0].clone();
                }
                row
            })
            .collect();
        let size = atoms.iter().flatten().max().map_or(0, |atom| atom + 1);
        let span = Span::of(blank.iter().zip(&atoms).filter(|(row, _)| !row.suppressed).map(|(_, own)| own), size);
        let mut expected: Vec<(String, String)> = blank
            .iter()
            .zip(&atoms)
            .filter(|(row, own)| row.suppressed && span.reduced(own).1.is_none())
            .map(|(row, _)| (row.unit_id.clone(), row.period.clone()))
            .collect();
        let mut found: Vec<(String, String)> = audit(&plan, &blank)
            .expect("audited")
            .into_iter()
            .filter(|found| found.how == prem_protect::How::Determined)
            .map(|found| (found.unit_id, found.period))
            .collect();
        expected.sort();
        found.sort();
        prop_assert_eq!(found, expected);
    }
}
