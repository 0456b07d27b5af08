//! What an indicator's numbers can be: goals and differences that its values can have, a confidence level and a rate of false
//! alarms that say something.

use std::{cell::RefCell, ops::RangeInclusive};

use super::reader::Node;
use crate::model::{Direction, Measure, Questionnaire, ValueScale};

/// Below, the interval leaves out one true value in five or more; nearly always it is the share left out that was meant.
/// Above, it rests on tails that no approximation of a sampling distribution reaches.
const CI_LEVELS: RangeInclusive<f64> = 0.8..=0.999;
/// One false alarm in five units named is the most that a reader can be asked to put up with.
const ALPHA_MAX: f64 = 0.2;

pub(super) fn ci_level(node: &Node<'_>, default: f64) -> f64 {
    let Some(at) = node.opt_number("ci_level") else { return default };
    if !CI_LEVELS.contains(&at.value) {
        let meant = if at.value > 1.0 { as_share(at.value) } else { 1.0 - at.value };
        let help =
            CI_LEVELS.contains(&meant).then(|| format!("for {} % write {}", rounded(meant * 100.0), rounded(meant)));
        let message = format!("`ci_level` lies between {} and {}", CI_LEVELS.start(), CI_LEVELS.end());
        node.error(at.span, message, help);
    }
    at.value
}

pub(super) fn alpha(node: &Node<'_>, default: f64) -> f64 {
    let Some(at) = node.opt_number("alpha") else { return default };
    if !(at.value > 0.0 && at.value <= ALPHA_MAX) {
        let help = (at.value > 1.0).then(|| format!("for {} % write {}", at.value, as_share(at.value)));
        node.error(at.span, format!("`alpha` is above 0 and at most {ALPHA_MAX}"), help);
    }
    at.value
}

/// Goals and the smallest difference that counts lie within what the measure's values can be. That they are numbers has been
/// judged before.
pub(super) fn check_values(
    node: &Node<'_>,
    measure: &Measure,
    direction: Option<Direction>,
    questionnaire: Option<&Questionnaire>,
) {
    let Some(values) = Values::of(measure, questionnaire) else { return };
    let judged = RefCell::default();
    let sink = node.sink.apart(&judged);
    let indicator = node.again(&sink);
    if let Some(goal) = indicator.opt_table("goal") {
        for at in ["high", "moderate"].into_iter().filter_map(|key| goal.opt_number(key)) {
            if at.value >= values.low && at.value <= values.high {
                continue;
            }
            let is_good = match direction {
                Some(Direction::Lower) => at.value < values.low,
                _ => at.value > values.high,
            };
            let reached = if is_good { "can never be reached" } else { "is always reached" };
            let help = values.share_for(at.value).map(|share| format!("for {} % write {share}", at.value));
            node.error(at.span, format!("{} {reached}: {values}", at.value), help);
        }
    }
    let comparison = indicator.opt_table("comparison");
    if let Some(at) = comparison.and_then(|comparison| comparison.opt_number("minimal_difference"))
        && at.value >= values.high - values.low
    {
        let help = values.share_for(at.value).map(|share| format!("for {} percentage points write {share}", at.value));
        node.error(at.span, format!("no difference is larger than {}: {values}", at.value), help);
    }
}

/// From the lowest to the highest value that a unit can have.
struct Values {
    what: String,
    low: f64,
    high: f64,
    is_share: bool,
}

impl Values {
    /// `None` where an item is unknown.
    fn of(measure: &Measure, questionnaire: Option<&Questionnaire>) -> Option<Self> {
        let native = |items: &[&str]| {
            let scales: Option<Vec<_>> = items.iter().map(|id| Some(&questionnaire?.item(id)?.scale)).collect();
            let scales = scales?;
            let low = scales.iter().map(|scale| scale.low).min()?;
            let high = scales.iter().map(|scale| scale.high).max()?;
            Some(Self {
                what: "a mean of the answers' codes".to_owned(),
                low: low.into(),
                high: high.into(),
                is_share: false,
            })
        };
        match measure {
            Measure::TopBox { .. } => {
                Some(Self { what: "a proportion".to_owned(), low: 0.0, high: 1.0, is_share: true })
            }
            Measure::Rate { .. } => {
                Some(Self { what: "a rate".to_owned(), low: 0.0, high: f64::INFINITY, is_share: false })
            }
            Measure::Scale { scale, .. } | Measure::Item { scale, .. } | Measure::Composite { scale, .. } => {
                match scale {
                    ValueScale::Score0To100 => {
                        Some(Self { what: "a score".to_owned(), low: 0.0, high: 100.0, is_share: false })
                    }
                    ValueScale::Native => native(&measure.items()),
                }
            }
        }
    }

    /// What to write where somebody wrote per cent.
    fn share_for(&self, value: f64) -> Option<f64> {
        (self.is_share && value > 0.0 && value <= 100.0).then(|| as_share(value))
    }
}

impl std::fmt::Display for Values {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.high.is_finite() {
            write!(f, "{} lies between {} and {}", self.what, self.low, self.high)
        } else {
            write!(f, "{} is {} or more", self.what, self.low)
        }
    }
}

fn as_share(per_cent: f64) -> f64 {
    rounded(per_cent / 100.0)
}

/// Without the digits that binary fractions add.
fn rounded(number: f64) -> f64 {
    (number * 1e6).round() / 1e6
}
