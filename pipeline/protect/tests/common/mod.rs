//! A small plan and rows for tests.
#![allow(dead_code, reason = "each test file uses its part")]

use std::collections::BTreeMap;

use jiff::civil::date;
use prem_protect::{
    Protected, Unprotected,
    tables::{Estimate, TableMeta, Variation},
};
use prem_spec::{
    CaseMix, Comparison, ContactFilter, Direction, FamilyCorrection, Indicator, IntervalMethod, Level, Measure,
    Organisation, Ownership, Period, PeriodLength, Plan, Population, Protection, StandardPopulation, Standardisation,
    Text, Unit, ValueScale, Weighting, Weights,
};

pub const SCORE: &str = "information";
pub const SHARE: &str = "recommend";
pub const RATE: &str = "hip-rate";

pub const UNITS: [(&str, Level, &str); 7] = [
    ("region", Level::Rhf, ""),
    ("north", Level::Hf, "region"),
    ("south", Level::Hf, "region"),
    ("n1", Level::Ward, "north"),
    ("n2", Level::Ward, "north"),
    ("n3", Level::Ward, "north"),
    ("s1", Level::Ward, "south"),
];

pub fn text(nb: &str) -> Text {
    Text { nb: nb.to_owned(), nn: None, en: None }
}

pub fn indicator(id: &str, measure: Measure, protection: Protection) -> Indicator {
    Indicator {
        id: id.to_owned(),
        version: "1.0.0".to_owned(),
        title: text(id),
        description: text(""),
        theme: text("Tema"),
        direction: Direction::Higher,
        population: Population { questionnaire: (!measure.is_rate()).then(|| "q".to_owned()), ..Population::default() },
        measure,
        case_mix: CaseMix::none(),
        weighting: Weighting::None,
        weights: Weights::default(),
        strata: Vec::new(),
        levels: Level::ALL.to_vec(),
        periods: vec![PeriodLength::Year, PeriodLength::Quarter],
        ci_level: 0.95,
        interval: IntervalMethod::Model,
        comparison: Comparison {
            minimal_difference: 0.0,
            correction: FamilyCorrection::BenjaminiHochberg,
            alpha: 0.05,
        },
        goal: None,
        protection,
        sensitivity: Vec::new(),
        decimals: 1,
    }
}

/// The region of `units` (id, level, parent) with a score, a share and a rate.
pub fn plan(units: &[(&str, Level, &str)], minimum_count: u64, protect_zero: bool) -> Plan {
    let units = units
        .iter()
        .map(|(id, level, parent)| Unit {
            id: (*id).to_owned(),
            level: *level,
            name: text(id),
            orgnr: None,
            resh_id: None,
            parent: (!parent.is_empty()).then(|| (*parent).to_owned()),
            valid_from: date(2010, 1, 1),
            valid_to: None,
            ownership: Ownership::Public,
            codes: BTreeMap::new(),
        })
        .collect();
    let protection = Protection { minimum_n: 30, minimum_count, protect_zero };
    let filter = ContactFilter {
        procedures: Vec::new(),
        main_diagnoses: Vec::new(),
        care_levels: Vec::new(),
        urgencies: Vec::new(),
        episode_gap_hours_max: 8,
    };
    let standardisation = Standardisation { age_bands: vec![0, 50], age_min: 0, standard: StandardPopulation::Region };
    let indicators = [
        indicator(SCORE, Measure::Item { item: "i1".into(), scale: ValueScale::Score0To100 }, protection),
        indicator(SHARE, Measure::TopBox { item: "i2".into(), codes: vec![5] }, protection),
        indicator(RATE, Measure::Rate { contacts: filter, per: 1000.0, standardisation }, protection),
    ];
    Plan {
        datasets: BTreeMap::new(),
        exports: BTreeMap::new(),
        questionnaires: BTreeMap::new(),
        indicators: indicators.into_iter().map(|indicator| (indicator.id.clone(), indicator)).collect(),
        organisation: Organisation { units },
        municipalities: prem_spec::Municipalities::default(),
        draws: BTreeMap::new(),
    }
}

/// A row with every figure filled in.
pub fn row(plan: &Plan, indicator: &str, period: &str, unit: &str, stratum: &str, n: i64, numerator: f64) -> Estimate {
    let parsed: Period = period.parse().expect("a period");
    let unit = plan.organisation.unit(unit).expect("a unit");
    let figure = |offset: f64| Some(numerator / n.max(1) as f64 + offset);
    Estimate {
        period: period.to_owned(),
        period_start: parsed.start(),
        period_end: parsed.end(),
        indicator: indicator.to_owned(),
        indicator_version: "1.0.0".to_owned(),
        level: unit.level.as_str().to_owned(),
        unit_id: unit.id.clone(),
        unit_name: unit.name.nb.clone(),
        parent_id: unit.parent.clone(),
        stratum: stratum.to_owned(),
        n: Some(n),
        n_effective: None,
        numerator: Some(numerator),
        denominator: Some(n as f64),
        response_rate: figure(0.1),
        coverage: None,
        raw: figure(0.0),
        value: figure(0.01),
        se: figure(0.02),
        ci_low: figure(-0.1),
        ci_high: figure(0.1),
        ci_level: Some(0.95),
        shrunken: figure(0.03),
        shrunken_low: figure(0.04),
        shrunken_high: figure(0.05),
        reliability: figure(0.06),
        reference: figure(0.07),
        difference: figure(0.08),
        difference_se: figure(0.09),
        p: figure(0.0),
        q: figure(0.0),
        comparison: Some("better".to_owned()),
        change: None,
        change_low: None,
        change_high: None,
        change_p: None,
        goal_level: Some("high".to_owned()),
        method: "mean".to_owned(),
        method_version: "1".to_owned(),
        suppressed: false,
        suppression_reason: None,
        run_id: "run".to_owned(),
    }
}

pub fn unprotected(estimates: Vec<Estimate>) -> Unprotected {
    Unprotected { estimates, meta: TableMeta { run_id: "run".into(), plan_hash: "plan".into() }, ..Default::default() }
}

/// Rows of `shown` as vectors over atoms: is `wanted` in their span? Ordinary elimination in doubles.
pub struct Span {
    basis: BTreeMap<usize, Vec<f64>>,
    atoms: usize,
}

impl Span {
    pub fn of<'a>(shown: impl Iterator<Item = &'a Vec<usize>>, atoms: usize) -> Self {
        let mut span = Self { basis: BTreeMap::new(), atoms };
        for vector in shown {
            let (rest, pivot) = span.reduced(vector);
            if let Some(pivot) = pivot {
                span.basis.insert(pivot, rest);
            }
        }
        span
    }

    pub fn reduced(&self, wanted: &[usize]) -> (Vec<f64>, Option<usize>) {
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

pub fn counts(
    plan: &Plan,
    indicator: &str,
    period: &str,
    wards: [i64; 4],
    numerator: impl Fn(i64) -> f64,
) -> Vec<Estimate> {
    let [n1, n2, n3, s1] = wards;
    let all = [
        ("region", n1 + n2 + n3 + s1),
        ("north", n1 + n2 + n3),
        ("south", s1),
        ("n1", n1),
        ("n2", n2),
        ("n3", n3),
        ("s1", s1),
    ];
    all.into_iter().map(|(unit, n)| row(plan, indicator, period, unit, "total", n, numerator(n))).collect()
}

pub fn hidden(protected: &Protected) -> Vec<(String, String, String)> {
    let hidden = protected.estimates().iter().filter(|row| row.suppressed);
    hidden
        .map(|row| (row.period.clone(), row.unit_id.clone(), row.suppression_reason.clone().unwrap_or_default()))
        .collect()
}

pub fn units(found: &[(String, String, String)]) -> Vec<(&str, &str)> {
    found.iter().map(|(_, unit, reason)| (unit.as_str(), reason.as_str())).collect()
}

pub fn variation(level: &str, n_units: i64) -> Variation {
    let x = Some(1.0);
    Variation {
        period: "2025".into(),
        indicator: SCORE.into(),
        level: level.into(),
        n_units,
        lowest: x,
        highest: x,
        ft1: x,
        ft2: x,
        ft3: x,
        eq_5_95: x,
        cv: x,
        cv_weighted: x,
        scv: x,
        scv_raw: x,
        scv_p: x,
        scv_null_p95: x,
        eb_variance: x,
        eq_80_20_smoothed: x,
        chi2: x,
        df: Some(1),
        chi2_p: x,
        between_sd: x,
        between_sd_unadjusted: x,
        explained_by_case_mix: x,
        icc: x,
        median_odds_ratio: x,
        excess: x,
        deficit: x,
        method_version: "1".into(),
        run_id: "run".into(),
    }
}
