//! How the value came about.

use std::fmt::{self, Write as _};

use prem_stages::explain::{FixedEffects, LogisticModel, Mean, Proportion, Rate, Term};

use super::{number, percent};

pub(super) fn mean(text: &mut String, mean: &Mean) -> fmt::Result {
    writeln!(text, "\nVALUE")?;
    writeln!(text, "  raw mean {:>67}", number(mean.raw))?;
    if !mean.terms.is_empty() {
        terms(text, &mean.terms, &format!("patients of {}", mean.reference_period))?;
    }
    writeln!(text, "  value: raw mean + products {:>49}", number(mean.value))
}

fn terms(text: &mut String, terms: &[Term], reference: &str) -> fmt::Result {
    writeln!(
        text,
        "  x̄ of the unit; x̄ of the reference, the {reference}; β̂; its SE; product −β̂(x̄ unit − x̄ reference)"
    )?;
    for term in terms {
        if term.dropped {
            writeln!(text, "    {:<26} not in the model: nothing to tell it by", term.column)?;
            continue;
        }
        writeln!(
            text,
            "    {:<26} {:>9} {:>9} {:>9} {:>9} {:>9}",
            term.column,
            number(term.unit_mean),
            number(term.reference_mean),
            number(term.coefficient),
            number(term.coefficient_se),
            number(term.product)
        )?;
    }
    Ok(())
}

pub(super) fn proportion(text: &mut String, proportion: &Proportion) -> fmt::Result {
    writeln!(text, "\nVALUE")?;
    writeln!(
        text,
        "  raw share {} of {} = {}",
        number(proportion.events),
        number(proportion.respondents),
        number(proportion.raw)
    )?;
    match &proportion.model {
        Some(model) => logistic(text, model)?,
        None => writeln!(text, "  not adjusted")?,
    }
    writeln!(text, "  value = {}", number(proportion.value))
}

fn logistic(text: &mut String, model: &LogisticModel) -> fmt::Result {
    writeln!(text, "  logistic model with unit effects: column, centre, β̂, its SE")?;
    for term in &model.coefficients {
        if term.dropped {
            writeln!(text, "    {:<26} not in the model", term.column)?;
            continue;
        }
        writeln!(
            text,
            "    {:<26} {:>9} {:>9} {:>9}",
            term.column,
            number(term.center),
            number(term.coefficient),
            number(term.coefficient_se)
        )?;
    }
    match model.offset {
        Some(offset) => writeln!(
            text,
            "  unit offset α̂ = {}: with it Σ expit((x − centre)'β̂ + α̂) over its respondents is {}, as many as were observed",
            number(offset),
            number(model.expected_events)
        )?,
        None => writeln!(text, "  nobody or everybody has the event: the offset has no finite value")?,
    }
    writeln!(text, "  at the unit the reference patients would have, by predictor: share × probability = product")?;
    for group in &model.reference {
        writeln!(
            text,
            "    {:>9} to {:>9} {:>9} × {:>7} = {:>7}",
            number(group.from),
            number(group.to),
            percent(group.share),
            number(group.probability),
            number(group.product)
        )?;
    }
    Ok(())
}

pub(super) fn rate(text: &mut String, rate: &Rate) -> fmt::Result {
    writeln!(text, "\nVALUE (per {} person-years, standard {})", rate.per, rate.standard)?;
    writeln!(text, "  raw: {} events in {:.1} person-years = {}", rate.events, rate.person_years, number(rate.raw))?;
    writeln!(text, "  age and sex: events, person-years, rate, share of the standard, product")?;
    for stratum in &rate.strata {
        let age =
            stratum.age_to.map_or_else(|| format!("{}+", stratum.age_from), |to| format!("{}–{to}", stratum.age_from));
        writeln!(
            text,
            "    {:<8}{:<6} {:>7} {:>11.1} {:>11} {:>9} {:>11}",
            age,
            stratum.sex,
            stratum.events,
            stratum.person_years,
            number(stratum.rate),
            number(stratum.weight),
            number(stratum.product)
        )?;
    }
    if let Some(factor) = rate.repeat_factor {
        writeln!(
            text,
            "  κ = {}: the variance of the number of events over that of independent events",
            number(factor)
        )?;
    }
    writeln!(text, "  value: the sum of the products = {}", number(rate.value))
}

pub(super) fn fixed_effects(text: &mut String, found: &FixedEffects) -> fmt::Result {
    writeln!(text, "\nVALUE ({})", found.convention)?;
    if found.items.is_empty() {
        return writeln!(text, "  the mean of {} units = {}", found.units, number(found.value));
    }
    for item in &found.items {
        writeln!(
            text,
            "  {}: mean {} of {} respondents, weight {}; products are times the weight",
            item.item,
            number(item.mean),
            item.n,
            number(item.weight)
        )?;
        terms(text, &item.terms, "mean of the units' means")?;
    }
    writeln!(
        text,
        "  value: raw {} + products + {} (so that the mean of the units stays) = {}",
        number(found.raw),
        number(found.recentre),
        number(found.value)
    )
}
