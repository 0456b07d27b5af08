//! Comparison of the units of one level with the region, and with the period before.

use prem_spec::{Direction, FamilyCorrection, Indicator};
use prem_stats::{
    Result,
    comparison::{
        self, Assessment, Multiplicity, SharedCoefficients, Window, change_between, degrees_of_freedom_of_differences,
        differences_from_reference, p_beyond_binomial, p_beyond_poisson, p_beyond_t,
    },
    interval::Level as ConfidenceLevel,
    linear_algebra::Matrix,
};
use prem_store::tables::Estimate;

use crate::frames::days_of;

/// What a comparison needs of one unit.
pub(super) struct Compared {
    pub value: f64,
    /// The unit's own part of the variance.
    pub sampling_variance: f64,
    /// Degrees of freedom of `sampling_variance`; infinite where it counts as known.
    pub degrees_of_freedom: f64,
    /// Share of the reference, on any scale.
    pub weight: f64,
    /// What multiplies V(β̂): mean adjusters, or a gradient.
    pub gradient: Vec<f64>,
}

/// How a difference from the region is tested.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Test {
    /// Student's t; normal where the degrees of freedom are infinite.
    T { degrees_of_freedom: f64 },
    /// A share of so many answers; as many as give the difference its variance where there is none.
    Binomial { answers: f64 },
    /// A rate over so much exposure.
    Poisson { exposure: f64 },
}

impl Test {
    /// p of a row that has a difference; `None` where nothing can be tested.
    pub fn p(self, row: &Estimate, minimal: f64) -> Option<f64> {
        let (value, reference, difference) = (row.value?, row.reference?, row.difference?);
        match self {
            Self::T { degrees_of_freedom } => p_beyond_t(difference, row.difference_se?, minimal, degrees_of_freedom),
            Self::Binomial { answers } => p_beyond_binomial(value, reference, answers, minimal),
            Self::Poisson { exposure } => p_beyond_poisson(value, reference, exposure, minimal),
        }
        .ok()
    }
}

pub(super) fn direction(indicator: &Indicator) -> comparison::Direction {
    match indicator.direction {
        Direction::Higher => comparison::Direction::Higher,
        Direction::Lower => comparison::Direction::Lower,
        Direction::Neutral => comparison::Direction::Neutral,
    }
}

pub(super) fn multiplicity(indicator: &Indicator) -> Multiplicity {
    match indicator.comparison.correction {
        FamilyCorrection::BenjaminiHochberg => Multiplicity::BenjaminiHochberg,
        FamilyCorrection::Holm => Multiplicity::Holm,
        FamilyCorrection::Bonferroni => Multiplicity::Bonferroni,
        FamilyCorrection::None => Multiplicity::None,
    }
}

/// The word of the column `comparison`. Where neither way is better, units are higher or lower.
pub(super) fn word(indicator: &Indicator, difference: f64, q: Option<f64>) -> &'static str {
    if indicator.direction == Direction::Neutral {
        return match q {
            Some(q) if q <= indicator.comparison.alpha && difference > 0.0 => "higher",
            Some(q) if q <= indicator.comparison.alpha && difference < 0.0 => "lower",
            Some(_) => "as-expected",
            None => "not-assessed",
        };
    }
    match comparison::classify(difference, q, direction(indicator), indicator.comparison.alpha) {
        comparison::Comparison::Better => "better",
        comparison::Comparison::Worse => "worse",
        comparison::Comparison::AsExpected => "as-expected",
        comparison::Comparison::NotAssessed => "not-assessed",
    }
}

/// Fills reference and difference of the units of one level, and gives each row's test. `parts[i]` belongs
/// to `rows[i]`; `rest` stands for everybody without a unit at this level, who is part of the region all the same.
pub(super) fn with_region(
    rows: &mut [Estimate],
    parts: &[Option<Compared>],
    rest: Option<&Compared>,
    covariance: &Matrix,
) -> Result<Vec<Test>> {
    let mut tests = untested(rows.len());
    let present: Vec<&Compared> = parts.iter().flatten().chain(rest).collect();
    if present.len() < 2 {
        return Ok(tests);
    }
    let of = |get: fn(&Compared) -> f64| present.iter().map(|part| get(part)).collect::<Vec<f64>>();
    let p = covariance.rows();
    let gradients: Vec<f64> = present.iter().flat_map(|part| part.gradient.iter().copied()).collect();
    let shared = SharedCoefficients { adjuster_means: &gradients, covariance: covariance.as_slice(), p };
    let (variances, weights) = (of(|part| part.sampling_variance), of(|part| part.weight));
    let (reference, differences) =
        differences_from_reference(&of(|part| part.value), &variances, &weights, (p > 0).then_some(shared))?;
    let known = of(|part| part.degrees_of_freedom);
    let of_differences = degrees_of_freedom_of_differences(&differences, &variances, &known, &weights)?;
    let mut differences = differences.into_iter().zip(of_differences);
    for ((row, test), _) in rows.iter_mut().zip(&mut tests).zip(parts).filter(|(_, part)| part.is_some()) {
        let Some((difference, degrees_of_freedom)) = differences.next() else { break };
        *test = Test::T { degrees_of_freedom };
        row.reference = Some(reference);
        row.difference = Some(difference.difference);
        row.difference_se = Some(difference.se);
    }
    Ok(tests)
}

/// Tests of rows without a difference.
pub(super) fn untested(rows: usize) -> Vec<Test> {
    vec![Test::T { degrees_of_freedom: f64::INFINITY }; rows]
}

/// p, q and the class within the family of publishable rows; `tests[i]` belongs to `rows[i]`.
pub(super) fn assess(
    rows: &mut [Estimate],
    indicator: &Indicator,
    tests: &[Test],
    is_publishable: &[bool],
) -> Result<()> {
    let rules = &indicator.comparison;
    let family: Vec<Option<(f64, Option<f64>)>> = rows
        .iter()
        .zip(tests)
        .zip(is_publishable)
        .map(|((row, test), publishable)| {
            let difference = row.difference.filter(|_| *publishable)?;
            Some((difference, test.p(row, rules.minimal_difference)))
        })
        .collect();
    let assessments: Vec<Assessment> =
        comparison::assess(&family, direction(indicator), multiplicity(indicator), rules.alpha)?;
    for (row, assessment) in rows.iter_mut().zip(assessments) {
        row.p = assessment.p;
        row.q = assessment.q;
        let word = row.difference.map_or("not-assessed", |difference| word(indicator, difference, assessment.q));
        row.comparison = Some(word.to_owned());
    }
    Ok(())
}

/// Fills the change from the period before; both values stand at the same adjusters.
pub(super) fn with_previous(
    row: &mut Estimate,
    (earlier, earlier_variance): (f64, f64),
    (later, later_variance): (f64, f64),
    earlier_period: prem_spec::Period,
) -> Result<()> {
    let window = |start, end| Window { start: i64::from(days_of(start)), end: i64::from(days_of(end)) };
    let change = change_between(
        (earlier, earlier_variance, window(earlier_period.start(), earlier_period.end())),
        (later, later_variance, window(row.period_start, row.period_end)),
        ConfidenceLevel::new(row.ci_level.unwrap_or(ConfidenceLevel::P95.value()))?,
    )?;
    row.change = Some(change.change);
    row.change_low = Some(change.interval.low);
    row.change_high = Some(change.interval.high);
    row.change_p = change.p;
    Ok(())
}

/// The goal level of a row's unrounded value.
pub(super) fn goal_level(indicator: &Indicator, value: f64, coverage: Option<f64>) -> Result<Option<String>> {
    let Some(goal) = indicator.goal else { return Ok(None) };
    let level = comparison::goal_level(value, goal.high, Some(goal.moderate), direction(indicator), coverage)?;
    let word = |level| match level {
        comparison::GoalLevel::High => "high",
        comparison::GoalLevel::Moderate => "moderate",
        comparison::GoalLevel::Low => "low",
    };
    Ok(level.map(|level| word(level).to_owned()))
}
