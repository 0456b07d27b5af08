//! Which items a patient's form has: by the version of the day, and by the trust's own additions.

use jiff::civil::Date;
use prem_spec::{Questionnaire, QuestionnaireVersion};

/// One version of the form as one trust sends it.
pub(crate) struct Form {
    /// Days from the first day of the span; the end is exclusive.
    days: (i32, i32),
    pub(crate) version: String,
    /// By item of the questionnaire, whether it is on the form.
    pub(crate) asks: Vec<bool>,
}

/// The forms of a trust, oldest first.
pub(crate) fn forms(questionnaire: &Questionnaire, trust: &str, first: Date) -> Vec<Form> {
    let day = |date: Date| (date - first).get_days();
    let form = |version: &QuestionnaireVersion| Form {
        days: (day(version.valid_from), version.valid_to.map_or(i32::MAX, day)),
        version: version.version.clone(),
        asks: questionnaire.items.iter().map(|item| version.item_at(&item.id, Some(trust)).is_some()).collect(),
    };
    questionnaire.versions.iter().map(form).collect()
}

/// The form of a day: the one valid then, or the nearest one before it.
pub(crate) fn form_of(forms: &[Form], day: i32) -> Option<&Form> {
    let valid = forms.iter().find(|form| (form.days.0..form.days.1).contains(&day));
    valid.or_else(|| forms.iter().rev().find(|form| form.days.0 <= day)).or_else(|| forms.first())
}
