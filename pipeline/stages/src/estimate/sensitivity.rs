//! Other models beside an indicator's own, as its `[sensitivity]` section asks: the same respondents, another way to a value.

use prem_spec::{
    Adjustment, Alternative, BetaSource, Convention, Indicator, Level, Measure, Period, Shrinkage, Stratifier,
    Weighting,
};
use prem_store::tables::{Estimate, Sensitivity};
use rayon::prelude::*;

use super::{EstimateInputs, Task, estimate_periods, periods_of, rows::is_top, settled, survey::Survey, surveys};
use crate::StageError;

/// The model whose values the hub has.
const MAIN: &str = "main";

/// An indicator by another model.
struct Variant {
    model: Alternative,
    indicator: Indicator,
}

/// The other models of every indicator of `only` (all when empty) that asks for some, in its longest periods, after the
/// rows of its own model from `estimates`. Ranks and differences are made of what may be shown, later.
///
/// # Errors
/// When a kernel fails for another reason than too little data.
pub fn sensitivity(
    inputs: &EstimateInputs<'_>,
    only: &[String],
    estimates: &[Estimate],
) -> Result<Vec<Sensitivity>, StageError> {
    let asks = |own: &&Indicator| !own.sensitivity.is_empty() && (only.is_empty() || only.contains(&own.id));
    let indicators: Vec<&Indicator> = inputs.plan.indicators.values().filter(asks).collect();
    let surveys = surveys(inputs, &indicators);
    let of_indicator = |indicator: &&Indicator| {
        let survey = indicator.population.questionnaire.as_deref().and_then(|id| surveys.get(id));
        let periods = longest(inputs, indicator);
        let labels: Vec<String> = periods.iter().map(ToString::to_string).collect();
        let own = estimates.iter().filter(|row| row.indicator == indicator.id && labels.contains(&row.period));
        let mut rows: Vec<Sensitivity> = own.filter_map(|row| sensitivity_row(MAIN, row)).collect();
        let variants: Vec<Variant> =
            indicator.sensitivity.iter().flat_map(|model| variants(indicator, *model)).collect();
        let by_variant = |variant: &Variant| by_variant(inputs, survey, variant, &periods);
        let others: Vec<Vec<Sensitivity>> = variants.par_iter().map(by_variant).collect::<Result<_, _>>()?;
        rows.extend(others.into_iter().flatten());
        Ok(rows)
    };
    let rows: Vec<Vec<Sensitivity>> = indicators.iter().map(of_indicator).collect::<Result<_, StageError>>()?;
    Ok(rows.into_iter().flatten().collect())
}

/// The indicator's longest calendar periods: of one length, so that nothing can be worked out from sums over time.
fn longest(inputs: &EstimateInputs<'_>, indicator: &Indicator) -> Vec<Period> {
    let kind = indicator.periods.first().and_then(|length| length.kind());
    periods_of(inputs, indicator).into_iter().filter(|period| Some(period.kind()) == kind).collect()
}

fn by_variant(
    inputs: &EstimateInputs<'_>,
    survey: Option<&Survey<'_>>,
    variant: &Variant,
    periods: &[Period],
) -> Result<Vec<Sensitivity>, StageError> {
    let indicator = &variant.indicator;
    let task = |period: &Period| Task { inputs, indicator, period: *period, survey };
    let tasks: Vec<Task<'_>> = periods.iter().map(task).collect();
    let is_shrunken = matches!(variant.model, Alternative::Shrunken | Alternative::Nested);
    let row = |row: &Estimate| {
        let mut other = sensitivity_row(variant.model.as_str(), row)?;
        if is_shrunken {
            other.value = row.shrunken?;
            (other.ci_low, other.ci_high) = (row.shrunken_low, row.shrunken_high);
            other.comparison = None;
        }
        Some(other)
    };
    let mut rows = Vec::new();
    for (task, result) in tasks.iter().zip(estimate_periods(&tasks, indicator)) {
        rows.extend(settled(task, result)?.estimates.iter().filter_map(row));
    }
    Ok(rows)
}

fn sensitivity_row(model: &str, row: &Estimate) -> Option<Sensitivity> {
    let is_of_units = row.stratum == Stratifier::TOTAL && row.level != Level::Rhf.as_str();
    is_of_units.then_some(())?;
    Some(Sensitivity {
        period: row.period.clone(),
        indicator: row.indicator.clone(),
        level: row.level.clone(),
        unit_id: row.unit_id.clone(),
        unit_name: row.unit_name.clone(),
        model: model.to_owned(),
        value: row.value?,
        ci_low: row.ci_low,
        ci_high: row.ci_high,
        difference: None,
        rank: None,
        rank_change: None,
        n_ranked: None,
        comparison: row.comparison.clone(),
        class_changed: None,
        method: row.method.clone(),
        method_version: row.method_version.clone(),
        run_id: row.run_id.clone(),
    })
}

/// The indicator with another model in its place: one, or one per level for a model that knows a single level.
fn variants(own: &Indicator, model: Alternative) -> Vec<Variant> {
    let mut indicator = own.clone();
    indicator.strata.clear();
    match model {
        Alternative::Unadjusted => {
            indicator.case_mix.adjusters.clear();
            indicator.case_mix.baseline = None;
            if !matches!(own.measure, Measure::Composite { .. }) {
                indicator.case_mix.adjustment = Adjustment::None;
            }
        }
        Alternative::Unweighted => indicator.weighting = Weighting::None,
        Alternative::Weighted => indicator.weighting = Weighting::Design,
        Alternative::Gls => indicator.case_mix.adjustment = Adjustment::RandomIntercept { beta: BetaSource::Gls },
        Alternative::Shrunken => indicator.case_mix.shrinkage = Shrinkage::Level,
        Alternative::Nested => indicator.case_mix.shrinkage = Shrinkage::Nested,
        Alternative::FixedEffects => {
            indicator.weighting = Weighting::None;
            indicator.case_mix.shrinkage = Shrinkage::Level;
            indicator.case_mix.baseline = None;
            indicator.case_mix.adjustment = Adjustment::FixedEffects { convention: Convention::Cahps41c };
            let of_level = |level| Variant { model, indicator: Indicator { levels: vec![level], ..indicator.clone() } };
            return own.levels.iter().copied().filter(|level| !is_top(*level)).map(of_level).collect();
        }
    }
    vec![Variant { model, indicator }]
}
