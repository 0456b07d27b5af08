//! What one published table tells of another's counts: nobody has a value who did not answer.

use std::collections::BTreeSet;

use prem_spec::Indicator;

use crate::{answered::Answered, bounds::Range, periods::Span, respondents::Respondents, system::CellKey};

/// The table that a reader has beside the rows at hand.
#[derive(Debug)]
pub(crate) enum Beside<'a> {
    Nothing,
    /// Beside estimates: `response`.
    Answered(Answered<'a>),
    /// Beside `response`: the estimates.
    Respondents(Respondents<'a>),
}

impl Beside<'_> {
    /// What it tells of a cell's persons: the respondents of an indicator, or those who answered the indicator's questionnaire.
    pub(crate) fn persons(&self, indicator: &Indicator, cell: &CellKey) -> Range {
        let Some(questionnaire) = questionnaire(indicator) else { return Range::FROM_ZERO };
        match self {
            Self::Nothing => Range::FROM_ZERO,
            Self::Answered(answered) => Range { high: answered.most(questionnaire, cell), ..Range::FROM_ZERO },
            Self::Respondents(respondents) => {
                Range { low: respondents.fewest(questionnaire, cell), ..Range::FROM_ZERO }
            }
        }
    }

    /// The periods of which it tells. They bound the indicator's own, which may be parts of them only.
    pub(crate) fn spans(&self, indicator: &Indicator) -> BTreeSet<Span> {
        match (self, questionnaire(indicator)) {
            (Self::Answered(answered), Some(questionnaire)) => answered.spans(questionnaire),
            _ => BTreeSet::new(),
        }
    }
}

fn questionnaire(indicator: &Indicator) -> Option<&str> {
    indicator.population.questionnaire.as_deref()
}
