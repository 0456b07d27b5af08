//! Explain: the way of one number, made by the functions that estimated it.
//!
//! The number is estimated once more by the same code, with what the estimation saw on its way kept. It must come out as the
//! run wrote it, its parts must give it, and the rows must come down to its n: else there is no explanation but an error.

mod check;
mod rows;
mod told;

use std::path::PathBuf;

use jiff::civil::Date;
use prem_spec::{Indicator, Period, Unit};
use prem_store::tables::Estimate;

use self::check::Check;
pub use self::told::{
    Calculation, Change, Comparison, ContactRows, DifferenceTest, Explanation, FixedEffects, FixedEffectsItem, Goal,
    Interval, LogisticModel, LogisticTerm, Mean, Proportion, Rate, RateStratum, ReferenceGroup, ResponseCounts,
    ResponseRows, Rows, Shrinkage, Term, WeightsUsed,
};
use crate::{
    StageError,
    estimate::{EstimateInputs, Found, Test, Wanted, found},
};

/// A number of a run.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    pub indicator: &'a Indicator,
    pub unit: &'a Unit,
    pub period: Period,
    /// The row as the run wrote it.
    pub row: &'a Estimate,
    /// The scored months of the indicator's questionnaire; empty for rates.
    pub scored: &'a [(Date, PathBuf)],
}

/// Tells how the number came about.
///
/// # Errors
/// [`StageError::Unexplained`] when it comes out differently, or its parts do not give it.
pub fn explain(inputs: &EstimateInputs<'_>, question: &Question<'_>) -> Result<Explanation, StageError> {
    let Question { indicator, unit, period, row, .. } = *question;
    let wanted = Wanted { indicator, unit, period, stratum: &row.stratum };
    let check = Check { question };
    let Some(found) = found(inputs, &wanted)? else {
        return Err(check.fault("the estimation gives no such number any more".to_owned()));
    };
    check.same(&found.row)?;
    let rows = rows::rows(inputs, question)?;
    let explanation = told(indicator, rows, found);
    check.explanation(&explanation)?;
    Ok(explanation)
}

fn told(indicator: &Indicator, rows: Rows, found: Found) -> Explanation {
    let comparison = comparison(indicator, &found);
    let Found { row, calculation, interval, shrinkage, weights, earlier, response, .. } = found;
    let shrinkage = shrinkage.filter(|_| row.shrunken.is_some()).map(|model| Shrinkage {
        reliability: row.reliability,
        shrunken: row.shrunken,
        low: row.shrunken_low,
        high: row.shrunken_high,
        ..model
    });
    let change = earlier.zip(row.change).map(|((period, value, variance), change)| Change {
        earlier_period: period.to_string(),
        earlier_value: value,
        earlier_se: variance.max(0.0).sqrt(),
        change,
        low: row.change_low,
        high: row.change_high,
        p: row.change_p,
    });
    let goal = indicator.goal.zip(row.goal_level).map(|(goal, level)| Goal {
        high: goal.high,
        moderate: goal.moderate,
        direction: indicator.direction.as_str().to_owned(),
        level,
    });
    Explanation { rows, response, weights, calculation, interval, shrinkage, comparison, change, goal }
}

/// None where there is no region to be compared with.
fn comparison(indicator: &Indicator, found: &Found) -> Option<Comparison> {
    let row = &found.row;
    let (reference, difference) = row.reference.zip(row.difference)?;
    let rules = &indicator.comparison;
    let minimal_difference = (!found.is_tested_at_zero).then_some(rules.minimal_difference);
    let test = found.test.filter(|_| row.p.is_some()).map(|test| match test {
        Test::T { degrees_of_freedom } if degrees_of_freedom.is_infinite() => DifferenceTest::Normal,
        Test::T { degrees_of_freedom } => DifferenceTest::T { degrees_of_freedom },
        Test::Binomial { answers } => DifferenceTest::Binomial { answers },
        Test::Poisson { exposure } => DifferenceTest::Poisson { exposure },
    });
    let statistic = |shift: f64| {
        matches!(test?, DifferenceTest::T { .. } | DifferenceTest::Normal).then_some(())?;
        let se = row.difference_se.filter(|se| *se > 0.0)?;
        Some((difference.abs() + shift) / se)
    };
    let shift = minimal_difference.unwrap_or(0.0);
    Some(Comparison {
        reference,
        difference,
        difference_se: row.difference_se,
        minimal_difference,
        test,
        statistic: statistic(-shift),
        statistic_opposite: statistic(shift),
        p: row.p,
        correction: rules.correction.as_str().to_owned(),
        family: found.family,
        q: row.q,
        alpha: rules.alpha,
        direction: indicator.direction.as_str().to_owned(),
        class: row.comparison.clone().unwrap_or_default(),
    })
}
