//! What the regions say together, with Monte-Carlo errors clustered by region, and whether it is what is claimed.

use serde_json::Value;

use super::{
    Scenario,
    summary::{Hits, Simulated, mean, share},
};

pub const HEADING: &str = "| truth | what | indicator | level | simulated | MCSE | of | criterion | verdict |\n\
                           |---|---|---|---|---:|---:|---:|---|---|";

const COVERAGE: Criterion = Criterion::Between(0.94, 0.96);
const COVERAGE_SHRUNKEN: Criterion = Criterion::Between(0.94, 0.98);
const ALPHA: f64 = 0.05;
/// How many Monte-Carlo errors a criterion leaves to chance.
const ERRORS: f64 = 2.0;
const LEVELS: [&str; 4] = ["ward", "department", "hospital", "hf"];
const PERCENT: f64 = 100.0;

#[derive(Debug, Clone, Copy)]
enum Criterion {
    Between(f64, f64),
    AtMost(f64),
    /// By more than chance.
    AboveZero,
    None,
}

/// A line of the table.
#[derive(Debug)]
pub struct Line {
    truth: &'static str,
    what: &'static str,
    indicator: String,
    pub level: &'static str,
    simulated: Simulated,
    criterion: Criterion,
    is_share: bool,
}

impl Line {
    /// Whether the criterion is met, where `errors` Monte-Carlo errors, and `more` beside them, may be due to chance; `None`
    /// without criterion.
    pub fn passes(&self, errors: f64, more: f64) -> Option<bool> {
        let Simulated { value, error, .. } = self.simulated;
        let slack = errors * error + more;
        match self.criterion {
            Criterion::Between(low, high) => Some((low - slack..=high + slack).contains(&value)),
            Criterion::AtMost(bound) => Some(value <= bound + slack),
            Criterion::AboveZero => Some(value > errors * error),
            Criterion::None => None,
        }
    }

    #[allow(dead_code, reason = "the study in small leaves more to chance")]
    pub fn is_missed(&self) -> bool {
        self.passes(ERRORS, 0.0) == Some(false)
    }

    pub fn markdown(&self) -> String {
        let Simulated { value, error, trials } = self.simulated;
        let number = |value: f64| {
            if self.is_share { format!("{:.2} %", PERCENT * value) } else { format!("{value:.3}") }
        };
        let criterion = match self.criterion {
            Criterion::Between(low, high) => format!("{:.0}–{:.0} % ± 2 MCSE", PERCENT * low, PERCENT * high),
            Criterion::AtMost(bound) => format!("≤ {:.0} % + 2 MCSE", PERCENT * bound),
            Criterion::AboveZero => "> 2 MCSE".to_owned(),
            Criterion::None => "–".to_owned(),
        };
        let verdict = match self.passes(ERRORS, 0.0) {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "for information",
        };
        format!(
            "| {} | {} | {} | {} | {} | {} | {trials:.0} | {criterion} | {verdict} |",
            self.truth,
            self.what,
            self.indicator,
            self.level,
            number(value),
            number(error)
        )
    }
}

/// The agreement, or family, of an indicator and level in every region that has it.
fn of<'a>(regions: &'a [Value], list: &str, indicator: &str, level: &str) -> Vec<&'a Value> {
    let fits = |row: &&Value| row["indicator"] == indicator && row["level"] == level;
    regions.iter().filter_map(|region| region[list].as_array()?.iter().find(fits)).collect()
}

fn number(row: &Value, name: &str) -> f64 {
    row[name].as_f64().unwrap_or(f64::NAN)
}

/// All lines of a scenario.
pub fn lines(scenario: &Scenario, regions: &[Value]) -> Vec<Line> {
    let mut indicators: Vec<&str> = Vec::new();
    for row in regions.iter().filter_map(|region| region["agreements"].as_array()).flatten() {
        if let Some(indicator) = row["indicator"].as_str().filter(|indicator| !indicators.contains(indicator)) {
            indicators.push(indicator);
        }
    }
    let mut lines = Vec::new();
    for indicator in indicators {
        // What the truth of a proportion is near the ends of the scale is not what a logistic model says it is.
        let is_mean = indicator.starts_with("score");
        for level in LEVELS {
            let line = |what, simulated, criterion, is_share| Line {
                truth: scenario.name,
                what,
                indicator: indicator.to_owned(),
                level,
                simulated,
                criterion,
                is_share,
            };
            let agreements = of(regions, "agreements", indicator, level);
            let families = of(regions, "families", indicator, level);
            lines.extend(coverage(scenario, &agreements, is_mean, &line));
            if scenario.is_model {
                lines.extend(errors(&agreements, level, &line));
            } else {
                lines.extend(false_discoveries(&families, &line));
            }
        }
    }
    lines
}

type ToLine<'a> = &'a dyn Fn(&'static str, Simulated, Criterion, bool) -> Line;

fn coverage(scenario: &Scenario, agreements: &[&Value], is_mean: bool, line: ToLine<'_>) -> Vec<Line> {
    let held = |row: &&Value| Hits { hits: number(&row["sums"], "held"), trials: number(row, "units") };
    let held: Vec<Hits> = agreements.iter().map(held).collect();
    let criterion = if is_mean { COVERAGE } else { Criterion::None };
    let mut lines = vec![line("95 % interval of the adjusted value holds the truth", share(&held), criterion, true)];
    let of_shrunken = |row: &&Value| Hits {
        hits: number(&row["sums"], "shrunken_held"),
        trials: number(&row["sums"], "shrunken_units"),
    };
    let shrunken: Vec<Hits> = agreements.iter().map(of_shrunken).collect();
    if shrunken.iter().any(|hits| hits.trials > 0.0) {
        let criterion = if scenario.is_model && is_mean { COVERAGE_SHRUNKEN } else { Criterion::None };
        lines.push(line("95 % interval of the shrunken value holds the truth", share(&shrunken), criterion, true));
    }
    let moment = |name: &'static str| {
        let hits = |row: &&Value| Hits { hits: number(&row["sums"], name), trials: number(row, "units") };
        share(&agreements.iter().map(hits).collect::<Vec<_>>())
    };
    if scenario.is_model {
        let none = Criterion::None;
        lines.push(line("– mean of (adjusted − truth)/se", moment("standardised"), none, false));
        lines.push(line("– mean of its square", moment("standardised_squares"), none, false));
    }
    lines
}

fn errors(agreements: &[&Value], level: &str, line: ToLine<'_>) -> Vec<Line> {
    let squared = |row: &Value, name: &str| number(&row["sums"], name) / number(&row["sums"], "shrunken_units");
    let of = |first: &str, second: Option<&str>| {
        let difference = |row: &&Value| squared(row, first) - second.map_or(0.0, |second| squared(row, second));
        let has_all = |row: &&&Value| number(&row["sums"], "shrunken_units") > 0.0;
        mean(&agreements.iter().filter(has_all).map(difference).collect::<Vec<_>>())
    };
    let all = of("squared_raw", None);
    if all.trials < 2.0 {
        return Vec::new();
    }
    let criterion = if level == "ward" { Criterion::AboveZero } else { Criterion::None };
    let raw_less_adjusted = of("squared_raw", Some("squared_adjusted"));
    let adjusted_less_shrunken = of("squared_adjusted", Some("squared_shrunken"));
    vec![
        line("mean squared error of the raw value", all, Criterion::None, false),
        line("– raw less adjusted", raw_less_adjusted, criterion, false),
        line("– adjusted less shrunken", adjusted_less_shrunken, criterion, false),
    ]
}

fn false_discoveries(families: &[&Value], line: ToLine<'_>) -> Vec<Line> {
    let families: Vec<&&Value> = families.iter().filter(|family| number(family, "null_units") > 0.0).collect();
    if families.len() < 2 {
        return Vec::new();
    }
    let rate = |family: &&&Value| number(family, "falsely_found") / number(family, "found").max(1.0);
    let found = |family: &&&Value| Hits {
        hits: number(family, "found") - number(family, "falsely_found"),
        trials: number(family, "units") - number(family, "null_units"),
    };
    let mut lines = vec![line(
        "false discoveries V/max(1, R), α = 5 %",
        mean(&families.iter().map(rate).collect::<Vec<_>>()),
        Criterion::AtMost(ALPHA),
        true,
    )];
    let found: Vec<Hits> = families.iter().map(found).collect();
    if found.iter().any(|hits| hits.trials > 0.0) {
        lines.push(line("– different units that are found", share(&found), Criterion::None, true));
    }
    lines
}
