//! Net survival with a life table.
//!
//! # Estimand
//! Survival if the disease were the only cause of death.
//! # Formula
//! Daily steps t = 1, 2, …: at risk while follow-up ≥ t, hazard h of the life table at the start of the day, w₀ and w₁ = 1/S_P at its start
//! and end. Pohar-Perme: factor (1 − Σw₁dN/Σw₁Y) exp(½(Σw₀h/Σw₀ + Σw₁h/Σw₁)). Ederer II: all w = 1. Variance of the
//! logarithm Σ w₁²dN/(Σw₁Y)²; limits exp(ln S ± z SE/S).
//! # Source
//! M. Pohar Perme, J. Stare and J. Estève, Biometrics 68 (2012) 113–120; F. Ederer and H. Heise, *Instructions to IBM 650
//! Programmers in Processing Survival Computations*, National Cancer Institute (1959), for Ederer II;
//! period window: H. Brenner and O. Gefeller, Cancer 78 (1996) 2004–2010.
//! # Assumptions
//! Follow-up in whole days; the life table describes the patients' other-cause mortality; censoring independent given age, sex and year.
//! # Edge cases
//! Net survival need not fall and may exceed 1. No value after the last day with anyone at risk (unless S is 0 before). A window
//! takes only the days that lie in it; weights still run from diagnosis.
//! # Reference values
//! tests/reference/survival.rs: survival/net_survival_expected.csv (1e-10 own form, 5e-4 relsurv); a period window person by person in R
//! (tests/reference/r/dense.R, 1e-10); age-standardised by the delta method of R's car: tests/reference/r_groups.rs
//! (1e-10).

use super::life_table::LifeTable;
use crate::error::{Result, StatsError, check_finite, finite_result};
use crate::interval::{Interval, Level};
use crate::numeric;

/// Longest follow-up: more than a lifetime in days.
const MOST_DAYS: f64 = 50_000.0;

/// A person's follow-up; dates and the life table's periods count days since the same day.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FollowUp {
    /// Number of the sex in the life table.
    pub sex: usize,
    pub age_days: f64,
    pub diagnosed: f64,
    /// Whole days from diagnosis to death or end of follow-up.
    pub days: f64,
    pub dead: bool,
}

/// Estimator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NetMethod {
    #[default]
    PoharPerme,
    EdererII,
}

/// Calendar days [from, to) that count, for period analysis; days as in [`FollowUp::diagnosed`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ObservationWindow {
    pub from: f64,
    pub to: f64,
}

/// Net survival at one day after diagnosis.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetSurvivalPoint {
    pub day: usize,
    /// Persons at risk on that day.
    pub at_risk: usize,
    pub survival: Option<f64>,
    pub se: Option<f64>,
    pub interval: Option<Interval>,
    pub method: &'static str,
}

#[derive(Debug, Clone, Copy, Default)]
struct Day {
    n: usize,
    w0: f64,
    w0h: f64,
    w1: f64,
    w1h: f64,
    deaths: f64,
    deaths2: f64,
}

/// Net survival at each of `days`, for a cohort (`window` `None`) or in a period window.
pub fn net_survival(
    persons: &[FollowUp],
    table: &LifeTable,
    days: &[usize],
    method: NetMethod,
    window: Option<ObservationWindow>,
    level: Level,
) -> Result<Vec<NetSurvivalPoint>> {
    const WHAT: &str = "net survival";
    if persons.is_empty() {
        return Err(StatsError::Empty { what: WHAT });
    }
    let longest = days.iter().copied().max().unwrap_or(0).min(MOST_DAYS as usize);
    let mut steps = vec![Day::default(); longest];
    for p in persons {
        add(p, table, method, window, &mut steps)?;
    }
    let z = level.z()?;
    let id = match (method, window) {
        (NetMethod::PoharPerme, None) => "pohar-perme",
        (NetMethod::PoharPerme, Some(_)) => "pohar-perme-period",
        (NetMethod::EdererII, None) => "ederer2",
        (NetMethod::EdererII, Some(_)) => "ederer2-period",
    };
    let (mut s, mut variance, mut known) = (1.0, 0.0, true);
    // (S, variance of its logarithm, still known) after each day.
    let mut path = vec![(1.0, 0.0, true)];
    for d in &steps {
        known = known && (d.n > 0 || s == 0.0);
        if d.n > 0 {
            let excess = 0.5 * (d.w0h / d.w0 + d.w1h / d.w1);
            s *= (1.0 - d.deaths / d.w1).max(0.0) * excess.exp();
            variance += d.deaths2 / (d.w1 * d.w1);
        }
        path.push((s, variance, known));
    }
    let point = |day: usize| {
        let (s, variance, known) = if day < path.len() { path[day] } else { (0.0, 0.0, false) };
        let survival = if known { Some(finite_result(WHAT, s)?) } else { None };
        let half = z * f64::sqrt(variance);
        let interval = match survival {
            Some(s) if s > 0.0 => Some(Interval::new(s * (-half).exp(), s * half.exp())?),
            _ => None,
        };
        let at_risk = if day == 0 { persons.len() } else { steps.get(day - 1).map_or(0, |d| d.n) };
        let se = survival.filter(|s| *s > 0.0).map(|s| s * f64::sqrt(variance));
        Ok(NetSurvivalPoint { day, at_risk, survival, se, interval, method: id })
    };
    days.iter().map(|day| point(*day)).collect()
}

fn add(
    p: &FollowUp,
    table: &LifeTable,
    method: NetMethod,
    window: Option<ObservationWindow>,
    steps: &mut [Day],
) -> Result<()> {
    check_finite("net survival: age", p.age_days)?;
    check_finite("net survival: date of diagnosis", p.diagnosed)?;
    if p.sex >= table.sexes() {
        return Err(StatsError::out_of_range("net survival: sex", p.sex as f64, "a sex of the life table"));
    }
    if !(p.days >= 0.0 && p.days <= MOST_DAYS && p.days.fract() == 0.0) {
        return Err(StatsError::out_of_range("net survival: follow-up", p.days, "whole days, 0 to 50,000"));
    }
    let last = (p.days as usize).min(steps.len());
    let mut cells = (0, 0);
    let mut cumulated = 0.0;
    for (t, step) in steps.iter_mut().enumerate().take(last) {
        let date = p.diagnosed + t as f64;
        table.advance(&mut cells, date, p.age_days + t as f64);
        let h = table.at(p.sex, cells.0, cells.1).unwrap_or(0.0);
        let before = cumulated;
        cumulated += h;
        if window.is_some_and(|w| !(w.from <= date && date < w.to)) {
            continue;
        }
        let (w0, w1) = match method {
            NetMethod::PoharPerme => (f64::exp(before), f64::exp(cumulated)),
            NetMethod::EdererII => (1.0, 1.0),
        };
        step.n += 1;
        step.w0 += w0;
        step.w0h += w0 * h;
        step.w1 += w1;
        step.w1h += w1 * h;
        if p.dead && (t + 1) as f64 == p.days {
            step.deaths += w1;
            step.deaths2 += w1 * w1;
        }
    }
    Ok(())
}

/// Age-standardised survival Σwₐ Sₐ/Σw with its SE and log-scale interval, from (survival, SE) per age group.
pub fn age_standardised(groups: &[(f64, f64)], weights: &[f64], level: Level) -> Result<(f64, f64, Interval)> {
    const WHAT: &str = "age-standardised survival";
    crate::error::check_length(WHAT, groups.len(), weights.len())?;
    crate::error::check_non_negative(WHAT, weights)?;
    for (s, se) in groups {
        crate::error::check_non_negative(WHAT, &[*s, *se])?;
    }
    let total = numeric::sum(weights.iter().copied());
    if total <= 0.0 {
        return Err(StatsError::Empty { what: WHAT });
    }
    let value = finite_result(WHAT, numeric::sum(groups.iter().zip(weights).map(|(g, w)| w / total * g.0)))?;
    if value <= 0.0 {
        return Err(StatsError::Undefined { what: WHAT, reason: "survival is 0" });
    }
    let se = numeric::sum(groups.iter().zip(weights).map(|(g, w)| (w / total * g.1).powi(2))).sqrt();
    let half = level.z()? * se / value;
    Ok((value, se, Interval::new(value * (-half).exp(), value * half.exp())?))
}
