//! Kaplan–Meier survival.
//!
//! # Estimand
//! S(t) = P(T > t).
//! # Formula
//! S = Π(1 − d/n) over event times ≤ t; Greenwood: SE = S √Σ d/(n(n − d)). Limits: exp(ln S ± z SE/S); exp(−exp(ln(−ln S) ± z SE/(S ln S)));
//! S ± z SE.
//! # Source
//! E. L. Kaplan and P. Meier, JASA 53 (1958) 457–481; M. Greenwood, *The Natural Duration of Cancer*, Reports on
//! Public Health and Medical Subjects 33 (1926); J. D. Kalbfleisch and R. L. Prentice, *The Statistical Analysis of Failure Time Data*,
//! 2nd ed. (2002), section 1.4 (limits).
//! # Assumptions
//! Censoring independent of the event.
//! # Edge cases
//! Before the first event S = 1, SE = 0 and all limits are 1. At S = 0 only the plain limits exist. Limits are clipped to 0–1. A time after the last
//! follow-up has no value unless S is 0 by then.
//! # Reference values
//! tests/reference/survival.rs: survival/kaplan_meier_expected.csv (1e-12).

use crate::error::{Result, StatsError, check_length, check_non_negative};
use crate::interval::{Interval, Level};

/// Survival at one time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct KaplanMeierPoint {
    pub time: f64,
    /// Persons with follow-up of at least `time`.
    pub at_risk: usize,
    /// `None` after the last follow-up.
    pub survival: Option<f64>,
    pub se: Option<f64>,
    pub log: Option<Interval>,
    pub log_log: Option<Interval>,
    pub plain: Option<Interval>,
    pub method: &'static str,
}

/// Survival at each of the times `at`, from follow-up `times` and whether it ended in the event.
pub fn kaplan_meier(times: &[f64], events: &[bool], at: &[f64], level: Level) -> Result<Vec<KaplanMeierPoint>> {
    check_length("Kaplan-Meier: events", times.len(), events.len())?;
    check_non_negative("Kaplan-Meier: times", times)?;
    check_non_negative("Kaplan-Meier: times asked for", at)?;
    if times.is_empty() {
        return Err(StatsError::Empty { what: "Kaplan-Meier" });
    }
    let z = level.z()?;
    let mut rows: Vec<(f64, bool)> = times.iter().copied().zip(events.iter().copied()).collect();
    rows.sort_by(|a, b| a.0.total_cmp(&b.0));
    let last = rows[rows.len() - 1].0;
    // (time, S, Greenwood sum) after each event time.
    let mut steps: Vec<(f64, f64, f64)> = Vec::new();
    let (mut s, mut greenwood) = (1.0, 0.0);
    let mut before = 0;
    for group in rows.chunk_by(|a, b| a.0 == b.0) {
        let n = (rows.len() - before) as f64;
        let d = group.iter().filter(|r| r.1).count() as f64;
        if d > 0.0 {
            s *= 1.0 - d / n;
            greenwood += d / (n * (n - d));
            steps.push((group[0].0, s, greenwood));
        }
        before += group.len();
    }
    let point = |t: f64| {
        let i = steps.partition_point(|step| step.0 <= t);
        let (s, greenwood) = if i == 0 { (1.0, 0.0) } else { (steps[i - 1].1, steps[i - 1].2) };
        let known = t <= last || s == 0.0;
        let survival = known.then_some(s);
        let se = if s > 0.0 { Some(s * f64::sqrt(greenwood)) } else { Some(0.0) }.filter(|_| known);
        let limits = |low: f64, high: f64| Interval::new(low.max(0.0), high.min(1.0)).ok().filter(|_| known);
        let error = se.unwrap_or(0.0);
        let log_log = if s >= 1.0 {
            limits(1.0, 1.0)
        } else {
            let half = z * error / (s * s.ln()).abs();
            limits((-(((-s.ln()).ln() + half).exp())).exp(), (-(((-s.ln()).ln() - half).exp())).exp())
        };
        KaplanMeierPoint {
            time: t,
            at_risk: rows.len() - rows.partition_point(|r| r.0 < t),
            survival,
            se,
            log: if s > 0.0 { limits((s.ln() - z * error / s).exp(), (s.ln() + z * error / s).exp()) } else { None },
            log_log: if s > 0.0 { log_log } else { None },
            plain: limits(s - z * error, s + z * error),
            method: "kaplan-meier",
        }
    };
    Ok(at.iter().map(|t| point(*t)).collect())
}
