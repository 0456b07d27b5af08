//! Random hierarchies: what protection shows never determines what it withholds, by a solver that knows nothing of ours.

#![allow(
    clippy::expect_used,
    clippy::print_stderr,
    clippy::cast_precision_loss,
    reason = "tests fail by panicking; counts are small"
)]

mod common;

use std::collections::BTreeMap;

use common::{RATE, SCORE, SHARE, plan, row, unprotected};
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

struct Case {
    plan: Plan,
    rows: Vec<Estimate>,
    /// Which (ward, tertial) each row sums over.
    atoms: Vec<Vec<usize>>,
}

fn case(region: &Region, indicator: &str) -> Case {
    let mut units = vec![("r".to_owned(), Level::Rhf, String::new())];
    let mut wards: Vec<(Vec<String>, [u8; 3])> = Vec::new();
    for (t, trust) in region.iter().enumerate() {
        units.push((format!("t{t}"), Level::Hf, "r".into()));
        for (h, hospital) in trust.iter().enumerate() {
            units.push((format!("t{t}h{h}"), Level::Hospital, format!("t{t}")));
            for (w, ward) in hospital.iter().enumerate() {
                units.push((format!("t{t}h{h}w{w}"), Level::Ward, format!("t{t}h{h}")));
                let above = vec!["r".into(), format!("t{t}"), format!("t{t}h{h}"), format!("t{t}h{h}w{w}")];
                wards.push((above, *ward));
            }
        }
    }
    let borrowed: Vec<_> = units.iter().map(|(id, level, parent)| (id.as_str(), *level, parent.as_str())).collect();
    let plan = plan(&borrowed, 5, true);
    let (mut rows, mut atoms) = (Vec::new(), Vec::new());
    for (period, tertials) in PERIODS {
        for (unit, ..) in &units {
            let below = || wards.iter().enumerate().filter(|(_, (above, _))| above.contains(unit));
            let own: Vec<usize> = below()
                .flat_map(|(ward, (_, n))| tertials.iter().filter(|t| n[**t] > 0).map(move |t| ward * 3 + t))
                .collect();
            if own.is_empty() {
                continue;
            }
            let n: i64 = own.iter().map(|atom| i64::from(wards[atom / 3].1[atom % 3])).sum();
            // Whole counts that add up: a third of each ward's respondents, rounded down.
            let events: f64 = own.iter().map(|atom| f64::from(wards[atom / 3].1[atom % 3] / 3)).sum();
            rows.push(row(&plan, indicator, period, unit, "total", n, events));
            atoms.push(own);
        }
    }
    Case { plan, rows, atoms }
}

/// Rows of `shown` as vectors over atoms: is `wanted` in their span? Ordinary elimination in doubles.
struct Span {
    basis: BTreeMap<usize, Vec<f64>>,
    atoms: usize,
}

impl Span {
    fn of<'a>(shown: impl Iterator<Item = &'a Vec<usize>>, atoms: usize) -> Self {
        let mut span = Self { basis: BTreeMap::new(), atoms };
        for vector in shown {
            let (rest, pivot) = span.reduced(vector);
            if let Some(pivot) = pivot {
                span.basis.insert(pivot, rest);
            }
        }
        span
    }

    fn reduced(&self, wanted: &[usize]) -> (Vec<f64>, Option<usize>) {
        let mut vector = vec![0.0; self.atoms];
        wanted.iter().for_each(|atom| vector[*atom] = 1.0);
        for pivot in 0..self.atoms {
            let Some(row) = self.basis.get(&pivot) else { continue };
            let factor = vector[pivot] / row[pivot];
            vector.iter_mut().zip(row).for_each(|(value, other)| *value -= factor * other);
        }
        let pivot = vector.iter().position(|value| value.abs() > 1e-6);
        (vector, pivot)
    }
}

fn check(region: &Region, indicator: &str) -> Result<(), TestCaseError> {
    let Case { plan, rows, atoms } = case(region, indicator);
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
        check(&region, SCORE)?;
    }

    #[test]
    fn proportions_stay_withheld(region in region()) {
        check(&region, SHARE)?;
    }

    #[test]
    fn rates_stay_withheld(region in region()) {
        check(&region, RATE)?;
    }

    /// The audit and the naive solver agree on patterns that nobody protected.
    #[test]
    fn the_audit_finds_what_a_naive_solver_finds(region in region(), pick in prop::collection::vec(any::<bool>(), 200)) {
        let Case { plan, rows, atoms } = case(&region, SCORE);
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
