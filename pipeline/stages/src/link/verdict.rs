//! What becomes of each response: kept for a unit, or left out under the first reason that applies.

use std::collections::HashMap;

use polars::prelude::DataFrame;
use prem_spec::{Link, Plan, Questionnaire};

use super::{
    PERIOD_DATE,
    join::{CONTACT_FOUND, INVITED_CONTACT, PROBABILITY_UNCLEAR, SOURCE_OF_UNIT},
    stays::{Stay, Stays},
};
use crate::{
    StageError,
    frames::{days, days_of, flags, texts},
    placement::{Meant, Placement},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Position of the unit in the organisation.
    Kept {
        unit: u32,
    },
    Excluded(&'static str),
    /// Not one unit had the code on the day: none, or several.
    Unplaced {
        reason: &'static str,
        code: String,
    },
}

impl Verdict {
    /// Why the response is left out.
    pub fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Kept { .. } => None,
            Self::Excluded(reason) | Self::Unplaced { reason, .. } => Some(reason),
        }
    }
}

/// The unit that `source` called `code` on `day`, or why there is none.
pub(crate) fn place(placement: &Placement<'_>, source: Option<&str>, code: Option<&str>, day: i32) -> Verdict {
    let (Some(source), Some(code)) = (source, code) else { return Verdict::Excluded("no-unit-code") };
    let reason = match placement.meant(source, code, day) {
        Meant::Unit(unit) => return Verdict::Kept { unit },
        Meant::OtherTime => "unit-not-valid",
        Meant::Several => "unit-ambiguous",
        Meant::Nobody => "unit-unknown",
    };
    Verdict::Unplaced { reason, code: code.to_owned() }
}

/// One verdict per row.
pub(super) fn judge(
    plan: &Plan,
    questionnaire: &Questionnaire,
    joined: &DataFrame,
    stays: &Stays,
) -> Result<Vec<Verdict>, StageError> {
    match questionnaire.link {
        Link::Response => judge_responses(plan, questionnaire, joined),
        Link::Contact { answer_days_max, .. } => judge_contacts(plan, questionnaire, joined, stays, answer_days_max),
    }
}

/// What both ways of linking look at.
struct Rows<'a> {
    questionnaire: &'a Questionnaire,
    ids: Vec<Option<&'a str>>,
    versions: Vec<Option<&'a str>>,
    codes: Vec<Option<&'a str>>,
    sources: Vec<Option<&'a str>>,
    /// Day of discharge, or of the answer.
    period_days: Vec<Option<i32>>,
}

impl<'a> Rows<'a> {
    fn read(questionnaire: &'a Questionnaire, joined: &'a DataFrame) -> Result<Self, StageError> {
        Ok(Self {
            questionnaire,
            ids: texts(joined, "questionnaire_id")?,
            versions: texts(joined, "questionnaire_version")?,
            codes: texts(joined, "unit_code")?,
            sources: texts(joined, SOURCE_OF_UNIT)?,
            period_days: days(joined, PERIOD_DATE)?,
        })
    }

    /// Why the row is not one of this questionnaire at all.
    fn is_foreign(&self, row: usize) -> Option<&'static str> {
        if self.ids[row] != Some(self.questionnaire.id.as_str()) {
            return Some("other-questionnaire");
        }
        let Some(version) = self.versions[row].and_then(|name| self.questionnaire.version(name)) else {
            return Some("other-version");
        };
        let is_outside =
            |day: i32| day < days_of(version.valid_from) || version.valid_to.is_some_and(|end| day >= days_of(end));
        self.period_days[row].is_some_and(is_outside).then_some("outside-validity")
    }

    fn place(&self, placement: &Placement<'_>, row: usize, day: i32) -> Verdict {
        place(placement, self.sources[row], self.codes[row], day)
    }
}

fn judge_responses(plan: &Plan, questionnaire: &Questionnaire, joined: &DataFrame) -> Result<Vec<Verdict>, StageError> {
    let placement = Placement::new(&plan.organisation);
    let rows = Rows::read(questionnaire, joined)?;
    let verdict = |row| match (rows.is_foreign(row), rows.period_days[row]) {
        (Some(reason), _) => Verdict::Excluded(reason),
        (None, None) => Verdict::Excluded("no-answer-date"),
        (None, Some(day)) => rows.place(&placement, row, day),
    };
    Ok((0..joined.height()).map(verdict).collect())
}

fn judge_contacts(
    plan: &Plan,
    questionnaire: &Questionnaire,
    joined: &DataFrame,
    stays: &Stays,
    answer_days_max: i64,
) -> Result<Vec<Verdict>, StageError> {
    let placement = Placement::new(&plan.organisation);
    let rows = Rows::read(questionnaire, joined)?;
    let answered = days(joined, "answered_at")?;
    let contacts = texts(joined, "contact_id")?;
    let invited = texts(joined, INVITED_CONTACT)?;
    let invitations = texts(joined, "invitation_id")?;
    let (found, unclear) = (flags(joined, CONTACT_FOUND)?, flags(joined, PROBABILITY_UNCLEAR)?);
    let verdict = |row: usize| {
        if let Some(reason) = rows.is_foreign(row) {
            return Verdict::Excluded(reason);
        }
        let Some(contact) = contacts[row] else {
            return Verdict::Excluded(if invitations[row].is_some() { "no-invitation" } else { "no-contact-id" });
        };
        if invited[row].is_some_and(|invited| stays.key(invited) != stays.key(contact)) {
            return Verdict::Excluded("ambiguous-contact");
        }
        if unclear[row] {
            return Verdict::Excluded("ambiguous-invitation");
        }
        if !found[row] {
            return Verdict::Excluded("no-contact");
        }
        let (Some(discharged), Some(answered)) = (rows.period_days[row], answered[row]) else {
            return Verdict::Excluded("not-discharged");
        };
        if answered < discharged {
            return Verdict::Excluded("answered-before-discharge");
        }
        if i64::from(answered - discharged) > answer_days_max {
            return Verdict::Excluded("answered-too-late");
        }
        rows.place(&placement, row, discharged)
    };
    let mut verdicts: Vec<Verdict> = (0..joined.height()).map(verdict).collect();
    leave_one_answer_a_stay(&mut verdicts, &contacts, &answered, stays);
    Ok(verdicts)
}

/// Of several answers about one stay the one given last counts; of one day, the one delivered last. Only answers that would
/// count can stand in each other's way.
fn leave_one_answer_a_stay(
    verdicts: &mut [Verdict],
    contacts: &[Option<&str>],
    answered: &[Option<i32>],
    stays: &Stays,
) {
    let mut latest: HashMap<Stay<'_>, usize> = HashMap::new();
    let counts = |verdict: &Verdict| matches!(verdict, Verdict::Kept { .. });
    for row in (0..verdicts.len()).filter(|row| counts(&verdicts[*row])) {
        let Some(contact) = contacts[row] else { continue };
        let kept = latest.entry(stays.key(contact)).or_insert(row);
        if answered[row] >= answered[*kept] {
            *kept = row;
        }
    }
    for row in 0..verdicts.len() {
        let Some(contact) = contacts[row].filter(|_| counts(&verdicts[row])) else { continue };
        let Some(kept) = latest.get(&stays.key(contact)).copied().filter(|kept| *kept != row) else { continue };
        let is_same = contacts[kept] == Some(contact);
        verdicts[row] =
            Verdict::Excluded(if is_same { "second-answer-for-contact" } else { "second-answer-for-episode" });
    }
}
