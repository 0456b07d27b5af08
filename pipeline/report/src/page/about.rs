//! What one must know of an indicator to judge its values: response, adjustment, weights, what counts as a difference, goals,
//! and how far the data reach.

use prem_spec::{Adjustment, Direction, Indicator, Link, Measure, Period, StandardPopulation, Weighting};
use serde::Serialize;

use super::section::Material;
use crate::{
    RunFacts,
    number::{Style, declared},
    texts::Texts,
    words,
};

/// A term and what is said of it.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Fact {
    term: String,
    text: String,
}

pub(super) fn of(material: &Material<'_>, facts: &RunFacts, texts: &Texts) -> Vec<Fact> {
    let Material { indicator, .. } = material;
    let about = About { indicator, style: Style::of(indicator, facts.language), texts };
    let all = [
        ("about_response", about.response(material)),
        ("about_adjusted", Some(about.adjusted(material))),
        ("about_weights", about.weights()),
        ("about_difference", about.smallest_difference()),
        ("about_goal", about.goal()),
        ("about_reach", about.reach(material, facts)),
    ];
    let fact = |(key, text): (&str, Option<String>)| Some(Fact { term: texts.get(key).to_owned(), text: text? });
    all.into_iter().filter_map(fact).collect()
}

struct About<'a> {
    indicator: &'a Indicator,
    style: Style,
    texts: &'a Texts,
}

impl About<'_> {
    /// Of the unit that the page is about.
    fn response(&self, material: &Material<'_>) -> Option<String> {
        let subject = material.subject?;
        let row = material.rows.iter().find(|(unit, _)| unit.id == subject.id)?.1;
        let share = Style { decimals: 1, is_share: true, ..self.style };
        let name = subject.name.get(self.style.language.code());
        Some(self.texts.fill("response_of", &[("rate", &share.value(row.response_rate?)), ("name", name)]))
    }

    fn adjusted(&self, material: &Material<'_>) -> String {
        if let Measure::Rate { standardisation, .. } = &self.indicator.measure {
            let key = match standardisation.standard {
                StandardPopulation::Region => "standard_region",
                StandardPopulation::Esp2013 => "standard_esp2013",
            };
            return self.texts.get(key).to_owned();
        }
        let case_mix = &self.indicator.case_mix;
        let questionnaire = material.plan.questionnaire_of(self.indicator);
        let title = |id: &String| {
            let adjuster = questionnaire.and_then(|questionnaire| questionnaire.adjuster(id));
            within_a_sentence(adjuster.map_or(id.as_str(), |adjuster| adjuster.title.get(self.style.language.code())))
        };
        if case_mix.adjustment == Adjustment::None || case_mix.adjusters.is_empty() {
            return self.texts.get("not_adjusted").to_owned();
        }
        let adjusters: Vec<String> = case_mix.adjusters.iter().map(title).collect();
        self.texts.fill("adjusted_for", &[("adjusters", &adjusters.join(", "))])
    }

    fn weights(&self) -> Option<String> {
        let key = match self.indicator.weighting {
            _ if self.indicator.measure.is_rate() => return None,
            Weighting::None => "weights_none",
            Weighting::Design => "weights_design",
            Weighting::PostStratify | Weighting::Rake => "weights_register",
        };
        Some(self.texts.get(key).to_owned())
    }

    fn smallest_difference(&self) -> Option<String> {
        let smallest = self.indicator.comparison.minimal_difference;
        let number = declared(self.style.scaled(smallest), self.style.language);
        (smallest > 0.0).then(|| match &self.indicator.measure {
            Measure::TopBox { .. } => self.texts.fill("in_percentage_points", &[("number", &number)]),
            Measure::Rate { .. } => {
                format!("{number} {}", words::measured_in(self.indicator, self.style.language, self.texts))
            }
            _ => self.texts.fill("in_points", &[("number", &number)]),
        })
    }

    fn goal(&self) -> Option<String> {
        let goal = self.indicator.goal?;
        let limit = |value: f64| {
            let sign = if self.style.is_share { "\u{a0}%" } else { "" };
            format!("{}{sign}", declared(self.style.scaled(value), self.style.language))
        };
        // Without a moderate level of its own there are two.
        let has_moderate = (goal.high - goal.moderate).abs() > 0.0;
        let key = match (self.indicator.direction, has_moderate) {
            (Direction::Lower, true) => "goal_at_most",
            (Direction::Lower, false) => "goal_at_most_or_low",
            (_, true) => "goal_at_least",
            (_, false) => "goal_at_least_or_low",
        };
        Some(self.texts.fill(key, &[("high", &limit(goal.high)), ("moderate", &limit(goal.moderate))]))
    }

    /// Said only where a whole month of the period, or more, is without answers at its end.
    fn reach(&self, material: &Material<'_>, facts: &RunFacts) -> Option<String> {
        let questionnaire = material.plan.questionnaire_of(self.indicator)?;
        let until = facts.answers_until.get(&questionnaire.id)?;
        let period: Period = material.period.parse().ok()?;
        let is_incomplete = until.tomorrow().is_ok_and(|next| next < period.end());
        // A period is of contacts, whose answers come later; without a register it is of answers.
        let key = match questionnaire.link {
            Link::Contact { .. } => "reach_contacts_until",
            Link::Response => "reach_answers_until",
        };
        is_incomplete.then(|| self.texts.fill(key, &[("date", &until.strftime("%d.%m.%Y").to_string())]))
    }
}

/// A title with a small letter first.
fn within_a_sentence(title: &str) -> String {
    let mut letters = title.chars();
    letters.next().map(|first| first.to_lowercase().chain(letters).collect()).unwrap_or_default()
}
