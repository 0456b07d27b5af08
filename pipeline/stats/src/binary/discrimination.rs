//! How well a logistic case mix tells events from others, and how much of the deviance it explains.
//!
//! # Estimand
//! c = P(η_i > η_k | y_i = 1, y_k = 0), ties by half, with η = x'β̂ without unit effects; and the share of the deviance within
//! units that the adjusters explain.
//! # Formula
//! c = [#(η_i > η_k) + ½#(η_i = η_k)]/(n₁n₀) over all pairs of an event and another; share = 1 − ℓ(α̂, β̂)/ℓ₀ with
//! ℓ₀ = Σ_j O_j ln(O_j/n_j) + (n_j − O_j) ln(1 − O_j/n_j), the likelihood of the units alone.
//! # Source
//! Hanley, McNeil (1982) Radiology 143:29–36 (c is the Mann–Whitney U over n₁n₀, and the area under the ROC curve);
//! McFadden (1974) in Zarembka (ed), Frontiers in Econometrics, 105–142.
//! # Assumptions
//! None. Both are of the rows that the fit is from, and so a little too good where there are many adjusters.
//! # Edge cases
//! All outcomes alike: no c. No unit with both outcomes: no share. No adjuster left: c = ½ and a share of 0.
//! # Reference values
//! R's wilcox.test and glm: `tests/reference/r_discrimination.rs` (1e-12 and 1e-9); by hand in `tests/binary_logistic.rs`.

use super::counts::BinaryTable;
use super::logistic::LogisticFit;
use crate::error::{Result, check_all_finite, check_length};
use crate::numeric::at_least_zero;

/// Two figures of fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LogisticDiscrimination {
    /// 0.5: by chance, 1: perfect. Over all respondents of the table, those of units without contrast too.
    pub c_statistic: Option<f64>,
    /// 0–1: McFadden's R² against the model of units alone.
    pub deviance_explained: Option<f64>,
}

/// Of the fit to `table`.
///
/// # Errors
/// A table of other units or adjusters than the fit's; a predictor that is not finite.
pub fn logistic_discrimination(table: &BinaryTable, fit: &LogisticFit) -> Result<LogisticDiscrimination> {
    check_length("adjusters of the table", fit.coefficients.len(), table.adjusters())?;
    check_length("units of the table", fit.unit_effects.len(), table.units())?;
    // −0 and 0 are one predictor.
    let predictors: Vec<f64> = (0..table.patterns()).map(|i| fit.linear_predictor(table.pattern(i)) + 0.0).collect();
    check_all_finite("linear predictor", &predictors)?;
    Ok(LogisticDiscrimination {
        c_statistic: c_statistic(table, &predictors),
        deviance_explained: deviance_explained(table, fit),
    })
}

/// Pairs of up to 60 million respondents are whole numbers that doubles hold exactly.
fn c_statistic(table: &BinaryTable, predictors: &[f64]) -> Option<f64> {
    let mut outcomes = vec![(0.0, 0.0); table.patterns()];
    for cell in (0..table.units()).flat_map(|unit| table.cells(unit)) {
        let (events, others) = &mut outcomes[cell.pattern as usize];
        *events += cell.events as f64;
        *others += (cell.trials - cell.events) as f64;
    }
    let mut rising: Vec<usize> = (0..predictors.len()).collect();
    rising.sort_by(|a, b| predictors[*a].total_cmp(&predictors[*b]));
    let (mut in_order, mut all_events, mut others_below) = (0.0, 0.0, 0.0);
    for tied in rising.chunk_by(|a, b| predictors[*a] == predictors[*b]) {
        let events: f64 = tied.iter().map(|pattern| outcomes[*pattern].0).sum();
        let others: f64 = tied.iter().map(|pattern| outcomes[*pattern].1).sum();
        in_order += events * (others_below + 0.5 * others);
        all_events += events;
        others_below += others;
    }
    let pairs = all_events * others_below;
    (pairs > 0.0).then(|| (in_order / pairs).min(1.0))
}

fn deviance_explained(table: &BinaryTable, fit: &LogisticFit) -> Option<f64> {
    let units_alone: f64 = (0..table.units())
        .filter(|unit| fit.unit_effects[*unit].is_some())
        .map(|unit| {
            let (events, trials) = (table.events(unit) as f64, table.trials(unit) as f64);
            let others = trials - events;
            events * (events / trials).ln() + others * (others / trials).ln()
        })
        .sum();
    (units_alone < 0.0).then(|| at_least_zero(1.0 - fit.log_likelihood / units_alone))
}
