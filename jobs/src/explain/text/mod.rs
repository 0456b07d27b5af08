//! The explanation as a person reads it.

mod value;

use std::{
    collections::BTreeMap,
    fmt::{self, Display, Write as _},
};

use prem_spec::Stratifier;
use prem_stages::explain::{
    Calculation, Change, Comparison, ContactRows, DifferenceTest, Goal, Interval, ResponseCounts, ResponseRows, Rows,
    Shrinkage, WeightsUsed,
};
use prem_store::RowCounts;

use super::Told;

/// Below and above these a number is written with an exponent.
const SMALL: f64 = 1e-3;
const LARGE: f64 = 1e7;

/// A number with four decimals, or more of them where it is small.
fn number(value: f64) -> String {
    if value == 0.0 || (SMALL..LARGE).contains(&value.abs()) { format!("{value:.4}") } else { format!("{value:.3e}") }
}

fn optional(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), number)
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

fn reasons(text: &mut String, heading: &str, counts: &BTreeMap<String, u64>) -> fmt::Result {
    let all: u64 = counts.values().sum();
    if all == 0 {
        return Ok(());
    }
    line(text, &format!("− {heading}"), all)?;
    counts.iter().try_for_each(|(reason, rows)| writeln!(text, "        {reason}: {rows}"))
}

fn line(text: &mut String, what: &str, rows: u64) -> fmt::Result {
    writeln!(text, "  {rows:>9}  {what}")
}

/// A line of what is taken away; nothing where that is nobody.
fn less(text: &mut String, what: &str, rows: u64) -> fmt::Result {
    if rows > 0 { line(text, &format!("− {what}"), rows) } else { Ok(()) }
}

impl Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        let told = &self.explanation;
        self.heading(&mut text)?;
        self.publication(&mut text)?;
        self.rows(&mut text)?;
        told.response.iter().try_for_each(|response| asked(&mut text, response))?;
        told.weights.iter().try_for_each(|weights| weighted(&mut text, weights))?;
        match &told.calculation {
            Calculation::Mean(mean) => value::mean(&mut text, mean)?,
            Calculation::Proportion(proportion) => value::proportion(&mut text, proportion)?,
            Calculation::Rate(rate) => value::rate(&mut text, rate)?,
            Calculation::FixedEffects(found) => value::fixed_effects(&mut text, found)?,
        }
        interval(&mut text, &told.interval)?;
        told.shrinkage.iter().try_for_each(|shrinkage| shrunken(&mut text, shrinkage))?;
        told.comparison.iter().try_for_each(|comparison| compared(&mut text, comparison))?;
        told.change.iter().try_for_each(|change| changed(&mut text, change))?;
        told.goal.iter().try_for_each(|goal| goal_of(&mut text, goal))?;
        f.write_str(&text)
    }
}

impl Told {
    fn heading(&self, text: &mut String) -> fmt::Result {
        let of = if self.stratum == Stratifier::TOTAL { String::new() } else { format!(", {}", self.stratum) };
        writeln!(text, "{} · {} · {}{of}", self.indicator.title, self.unit.name, self.period)?;
        let Self { indicator, unit, .. } = self;
        write!(text, "Indicator {} {}: {}", indicator.id, indicator.version, indicator.measure)?;
        if !indicator.items.is_empty() {
            write!(text, " of {}", indicator.items.join(", "))?;
        }
        writeln!(text, "; method {} {}", indicator.method, indicator.method_version)?;
        let above: Vec<&str> = self.above.iter().map(|unit| unit.name.as_str()).collect();
        let path = if above.is_empty() { String::new() } else { format!(" in {}", above.join(", ")) };
        writeln!(text, "Unit {} ({}){path}", unit.id, unit.level)?;
        let current = if self.is_current { "the current release" } else { "not the current release" };
        writeln!(text, "Run {}, {current}", self.run_id)
    }

    fn publication(&self, text: &mut String) -> fmt::Result {
        let publication = &self.publication;
        match publication.status.as_str() {
            "withheld" => writeln!(
                text,
                "WITHHELD from publication ({}): what follows is from the store and must not be passed on.",
                publication.reason.as_deref().unwrap_or("no reason given")
            ),
            "absent" => writeln!(text, "NOT IN THE RELEASE: what follows is from the store and must not be passed on."),
            _ if publication.withheld_columns.is_empty() => writeln!(text, "Published."),
            _ => writeln!(
                text,
                "Published without {}: these are from the store and must not be passed on.",
                publication.withheld_columns.join(", ")
            ),
        }
    }

    fn rows(&self, text: &mut String) -> fmt::Result {
        writeln!(text, "\nROWS")?;
        match &self.explanation.rows {
            Rows::Responses(rows) => {
                let questionnaire = self.indicator.questionnaire.as_deref().unwrap_or_default();
                rows_in(
                    text,
                    &self.rows_in,
                    &format!("responses of {questionnaire} in the files, all units and months"),
                )?;
                responses(text, rows, (&self.unit.name, &self.period, &self.stratum))
            }
            Rows::Contacts(rows) => {
                rows_in(text, &self.rows_in, "contacts in the register's files, all units and months")?;
                less(text, "contacts that the indicator does not count", self.rows_in.kept - rows.matching)?;
                contacts(text, rows, (&self.unit.name, &self.period))
            }
        }
    }
}

fn rows_in(text: &mut String, rows: &RowCounts, what: &str) -> fmt::Result {
    line(text, what, rows.rows_in)?;
    reasons(text, "in quarantine", &rows.quarantined)?;
    less(text, "the same key again in one file", rows.duplicate)?;
    less(text, "replaced by a later file", rows.superseded)?;
    reasons(
        text,
        "not linked; which unit they would be of is not known of all, so they are counted of the region",
        &rows.excluded,
    )
}

fn responses(text: &mut String, rows: &ResponseRows, (unit, period, stratum): (&str, &str, &str)) -> fmt::Result {
    line(text, "= linked", rows.linked)?;
    less(text, &format!("outside {period}"), rows.other_periods)?;
    less(text, "of other units", rows.other_units)?;
    less(text, &format!("outside {stratum}"), rows.other_strata)?;
    line(text, &format!("= of {unit} in {period}"), rows.of_unit)?;
    reasons(text, "left out", &rows.left_out)?;
    less(text, "without an adjuster that the model needs", rows.adjuster_missing)?;
    line(text, "= n", rows.n)
}

fn contacts(text: &mut String, rows: &ContactRows, (area, period): (&str, &str)) -> fmt::Result {
    line(text, "= contacts that match", rows.matching)?;
    less(text, "part of an episode that is counted already", rows.same_episode)?;
    reasons(text, "left out", &rows.left_out)?;
    less(text, &format!("outside {period}"), rows.other_periods)?;
    less(text, "of other catchment areas", rows.other_areas)?;
    line(text, &format!("= events of {area} in {period}, of {} persons", rows.persons), rows.events)
}

fn asked(text: &mut String, response: &ResponseCounts) -> fmt::Result {
    writeln!(text, "\nRESPONSE")?;
    writeln!(
        text,
        "  {} invited − {} undeliverable − {} ineligible = {} asked ({} of them reserved); {} answered",
        response.invited,
        response.undeliverable,
        response.ineligible,
        response.asked,
        response.reserved,
        response.answered
    )?;
    match response.response_rate {
        Some(rate) => writeln!(text, "  response rate {}", percent(rate)),
        None => writeln!(text, "  no response rate: the invitations are not complete"),
    }
}

fn weighted(text: &mut String, weights: &WeightsUsed) -> fmt::Result {
    writeln!(text, "\nWEIGHTS ({})", weights.weighting)?;
    writeln!(
        text,
        "  the respondents stand for {:.1} patients and count as {:.1} equal ones (Kish); design effect {:.3}",
        weights.population, weights.n_effective, weights.design_effect
    )
}

fn interval(text: &mut String, interval: &Interval) -> fmt::Result {
    writeln!(text, "\nINTERVAL ({}, {} %)", interval.method, 100.0 * interval.level)?;
    write!(
        text,
        "  variance: {} sampling ({}) + {} coefficients",
        number(interval.sampling_variance),
        interval.sampling_source,
        number(interval.coefficient_variance)
    )?;
    if interval.covariance != 0.0 && interval.method == "t" {
        write!(text, " + {} of both together", number(interval.covariance))?;
    }
    writeln!(text, "; SE {}", number(interval.se))?;
    let limits = match (interval.low, interval.high) {
        (Some(low), Some(high)) => format!("from {} to {}", number(low), number(high)),
        _ => "none: fewer than 10 events".to_owned(),
    };
    match (interval.quantile, interval.degrees_of_freedom) {
        (Some(quantile), Some(degrees)) => {
            writeln!(text, "  value ± {} (t on {degrees:.1} degrees of freedom) × SE: {limits}", number(quantile))
        }
        (Some(quantile), None) => writeln!(text, "  value ± {} × SE: {limits}", number(quantile)),
        (None, _) => writeln!(text, "  limits {limits}"),
    }
}

fn shrunken(text: &mut String, shrinkage: &Shrinkage) -> fmt::Result {
    writeln!(text, "\nSHRUNKEN ({})", shrinkage.model)?;
    match shrinkage.model.as_str() {
        "nested" | "nested-areas" => {
            write!(text, "  towards what lies above it, at the top {}", number(shrinkage.mean))?;
        }
        _ => write!(text, "  towards {}", number(shrinkage.mean))?,
    }
    if let Some(sd) = shrinkage.between_sd {
        write!(text, "; SD between units {}", number(sd))?;
    }
    for (level, sd) in &shrinkage.level_sds {
        write!(text, "; SD of {level} effects {}", number(*sd))?;
    }
    if let Some(sd) = shrinkage.residual_sd {
        write!(text, ", between respondents {}", number(sd))?;
    }
    writeln!(text)?;
    writeln!(
        text,
        "  with reliability {}: {}, from {} to {}{}",
        optional(shrinkage.reliability),
        optional(shrinkage.shrunken),
        optional(shrinkage.low),
        optional(shrinkage.high),
        if shrinkage.is_averaged { ", averaged over what the SD between units may be" } else { "" }
    )
}

fn compared(text: &mut String, told: &Comparison) -> fmt::Result {
    writeln!(text, "\nCOMPARISON WITH THE REGION")?;
    writeln!(
        text,
        "  value less the region's {}: {}, SE {}",
        number(told.reference),
        number(told.difference),
        optional(told.difference_se)
    )?;
    if let (Some(test), Some(p)) = (told.test, told.p) {
        let minimal = match told.minimal_difference {
            Some(minimal) => format!("less the smallest difference that matters, {}, ", number(minimal)),
            None => String::new(),
        };
        let ratio = format!("its size {minimal}over SE: {}", optional(told.statistic));
        let test = match test {
            DifferenceTest::T { degrees_of_freedom } => {
                format!("{ratio} (t on {degrees_of_freedom:.1} degrees of freedom)")
            }
            DifferenceTest::Normal => format!("{ratio} (normal)"),
            DifferenceTest::Binomial { answers } => format!("its size {minimal}as a share of {answers:.1} answers"),
            DifferenceTest::Poisson { exposure } => {
                format!("its size {minimal}as a rate over {exposure:.1} of exposure")
            }
        };
        writeln!(text, "  {test}; p = {}", number(p))?;
    }
    match told.q {
        Some(q) => writeln!(
            text,
            "  q = {} among {} units tested together ({}); found where q ≤ {}",
            number(q),
            told.family,
            told.correction,
            told.alpha
        )?,
        None => writeln!(text, "  not tested: too few for publication, or no standard error")?,
    }
    writeln!(text, "  class: {} ({})", told.class.replace('-', " "), in_words(&told.class, &told.direction))
}

fn in_words(class: &str, direction: &str) -> &'static str {
    match (class, direction) {
        ("better", "higher") => "above the region by more than chance, and higher is better",
        ("better", _) => "below the region by more than chance, and lower is better",
        ("worse", "higher") => "below the region by more than chance, and higher is better",
        ("worse", _) => "above the region by more than chance, and lower is better",
        ("higher", _) => "above the region by more than chance; neither way is better",
        ("lower", _) => "below the region by more than chance; neither way is better",
        ("as-expected", _) => "chance alone may have made the difference, or it is too small to matter",
        _ => "not assessed",
    }
}

fn changed(text: &mut String, change: &Change) -> fmt::Result {
    writeln!(text, "\nCHANGE")?;
    writeln!(
        text,
        "  from {} in {} (SE {}, at the same mix of patients): {}, from {} to {}; p = {}",
        number(change.earlier_value),
        change.earlier_period,
        number(change.earlier_se),
        number(change.change),
        optional(change.low),
        optional(change.high),
        optional(change.p)
    )
}

fn goal_of(text: &mut String, goal: &Goal) -> fmt::Result {
    let (better, worse) = if goal.direction == "lower" { ("at most", "above") } else { ("at least", "below") };
    writeln!(text, "\nGOAL")?;
    writeln!(
        text,
        "  {}: high is {better} {}, low is {worse} {}; compared before rounding",
        goal.level, goal.high, goal.moderate
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_what_matters() {
        assert_eq!(number(78.123_46), "78.1235");
        assert_eq!(number(0.0), "0.0000");
        assert_eq!(number(-0.000_012), "-1.200e-5");
        assert_eq!(optional(None), "none");
    }

    #[test]
    fn rows_are_told_down_to_n() {
        let rows = ResponseRows {
            linked: 100,
            other_periods: 60,
            other_units: 30,
            of_unit: 10,
            left_out: [("age".to_owned(), 2), ("not-answered".to_owned(), 1)].into(),
            n: 7,
            ..ResponseRows::default()
        };
        let mut text = String::new();
        responses(&mut text, &rows, ("Ward A", "2025", "total")).unwrap();
        let lines: Vec<&str> = text.lines().map(str::trim).collect();
        let expected = [
            "100  = linked",
            "60  − outside 2025",
            "30  − of other units",
            "10  = of Ward A in 2025",
            "3  − left out",
            "age: 2",
            "not-answered: 1",
            "7  = n",
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn a_class_is_told_in_words() {
        let told = Comparison {
            reference: 70.0,
            difference: -4.0,
            difference_se: Some(1.0),
            minimal_difference: Some(1.0),
            statistic: Some(3.0),
            statistic_opposite: Some(5.0),
            test: Some(DifferenceTest::T { degrees_of_freedom: 40.0 }),
            p: Some(0.002),
            correction: "holm".to_owned(),
            family: 12,
            q: Some(0.02),
            alpha: 0.05,
            direction: "higher".to_owned(),
            class: "worse".to_owned(),
        };
        let mut text = String::new();
        compared(&mut text, &told).unwrap();
        assert!(text.contains("class: worse (below the region by more than chance, and higher is better)"), "{text}");
        assert!(text.contains("among 12 units tested together (holm)"), "{text}");
        let mut text = String::new();
        compared(&mut text, &Comparison { q: None, p: None, class: "not-assessed".to_owned(), ..told }).unwrap();
        assert!(text.contains("not tested"), "{text}");
    }
}
