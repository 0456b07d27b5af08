//! Who was asked what: by the version of the form, by the trust's own additions, and by filters.

use std::collections::{BTreeMap, HashMap};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{Item, Level, Plan, Questionnaire};

use crate::{
    StageError,
    frames::{codes, texts},
    link::UNIT,
};

/// Whether the form of a respondent had an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asking {
    Asked,
    /// Not in this version of the form, or an addition of other trusts.
    NotInForm,
    /// In the form, for those who answered something else before.
    FilteredOut,
}

/// The forms of the rows of a linked frame.
pub(crate) struct Forms<'a> {
    questionnaire: &'a Questionnaire,
    /// Place of the version among the questionnaire's, by row.
    versions: Vec<Option<usize>>,
    /// The trust of the row's unit.
    trusts: Vec<Option<&'a str>>,
}

impl<'a> Forms<'a> {
    pub fn of(plan: &'a Plan, questionnaire: &'a Questionnaire, frame: &DataFrame) -> Result<Self, StageError> {
        let place = |name: &str| questionnaire.versions.iter().position(|version| version.version == name);
        let versions = texts(frame, "questionnaire_version")?.into_iter().map(|name| name.and_then(place)).collect();
        let mut known: HashMap<&str, Option<&'a str>> = HashMap::new();
        let trust = |unit: &str| plan.organisation.ancestor_at(unit, Level::Hf).map(|trust| trust.id.as_str());
        let units = texts(frame, UNIT)?;
        for unit in units.iter().flatten().copied() {
            known.entry(unit).or_insert_with(|| trust(unit));
        }
        let trusts = units.iter().map(|unit| unit.and_then(|unit| known.get(unit).copied().flatten())).collect();
        Ok(Self { questionnaire, versions, trusts })
    }

    /// Place of the version, by row.
    pub fn versions(&self) -> &[Option<usize>] {
        &self.versions
    }

    /// The item as the form of `row` words it; `None` where the form does not have it.
    fn item(&self, row: usize, id: &str) -> Option<&'a Item> {
        let version = self.questionnaire.versions.get(self.versions[row]?)?;
        version.item_at(id, self.trusts[row])
    }

    /// Of every row, whether it was asked the item. A filter whose own question was left blank keeps nobody out.
    pub fn asking(&self, frame: &DataFrame, id: &str) -> Result<Vec<Asking>, StageError> {
        if is_for_all(self.questionnaire, id) {
            return Ok(vec![Asking::Asked; self.versions.len()]);
        }
        let mut filters: BTreeMap<&str, Vec<Option<i16>>> = BTreeMap::new();
        let mut all = Vec::with_capacity(self.versions.len());
        for row in 0..self.versions.len() {
            let Some(item) = self.item(row, id) else {
                all.push(Asking::NotInForm);
                continue;
            };
            let Some(filter) = &item.asked_if else {
                all.push(Asking::Asked);
                continue;
            };
            if !filters.contains_key(filter.item.as_str()) {
                filters.insert(&filter.item, codes(frame, &filter.item)?);
            }
            let answer = filters.get(filter.item.as_str()).and_then(|answers| answers[row]);
            let is_out = answer.is_some_and(|answer| !filter.codes.contains(&answer));
            all.push(if is_out { Asking::FilteredOut } else { Asking::Asked });
        }
        Ok(all)
    }

    /// For each of `items` that some form asks under a filter, whether the filter kept it from each row.
    pub fn kept_from(&self, frame: &DataFrame, items: &[&str]) -> Result<Vec<Vec<bool>>, StageError> {
        let under_filter = items.iter().filter(|id| !is_for_all(self.questionnaire, id));
        let is_out = |asking: Vec<Asking>| asking.into_iter().map(|asking| asking == Asking::FilteredOut).collect();
        under_filter.map(|id| self.asking(frame, id).map(is_out)).collect()
    }

    /// Of every row, whether filters kept it from all of `items` that its form has.
    pub fn kept_from_all(&self, frame: &DataFrame, items: &[&str]) -> Result<Vec<bool>, StageError> {
        let mut kept = vec![false; self.versions.len()];
        if !may_keep_from_all(self.questionnaire, items) {
            return Ok(kept);
        }
        let asking = items.iter().map(|id| self.asking(frame, id)).collect::<Result<Vec<_>, _>>()?;
        for (row, kept) in kept.iter_mut().enumerate() {
            let mut of_row = asking.iter().map(|item| item[row]);
            *kept = of_row.clone().all(|asking| asking != Asking::Asked) && of_row.any(|a| a == Asking::FilteredOut);
        }
        Ok(kept)
    }

    /// Of every row, whether it can have a value of a measure over `items`: the form has at least one of them, and all
    /// that are additions of trusts.
    pub fn may_answer(&self, items: &[&str]) -> Vec<bool> {
        let for_all = items.iter().all(|id| self.questionnaire.asks_always(id));
        if for_all {
            return vec![true; self.versions.len()];
        }
        let may = |row: usize| {
            let Some(version) = self.versions[row].and_then(|place| self.questionnaire.versions.get(place)) else {
                return false;
            };
            version.may_answer(items, self.trusts[row])
        };
        (0..self.versions.len()).map(may).collect()
    }
}

/// Whether every form has the item, without a filter.
fn is_for_all(questionnaire: &Questionnaire, id: &str) -> bool {
    let has = |item: &Item| item.asked_if.is_none();
    questionnaire.versions.iter().all(|version| version.core_item(id).is_some_and(has))
}

/// Whether filters can keep a respondent from all of `items`.
pub(crate) fn may_keep_from_all(questionnaire: &Questionnaire, items: &[&str]) -> bool {
    items.iter().all(|id| !is_for_all(questionnaire, id))
}

/// What was found when answers were held against the forms.
#[derive(Debug, Default)]
pub(crate) struct Unasked {
    /// Item → answers that nobody can have given, since the form did not ask; they are taken away.
    pub dropped: BTreeMap<String, u64>,
    /// Item → months in which somebody was asked and nobody answered: a file may have lost the column.
    pub unanswered: BTreeMap<String, Vec<Date>>,
}

/// Takes away answers to what was not asked. In the order of the form, so that a filter sees answers that count.
pub(crate) fn drop_unasked(
    plan: &Plan,
    questionnaire: &Questionnaire,
    mut frame: DataFrame,
    months: &[Option<Date>],
) -> Result<(DataFrame, Unasked), StageError> {
    let forms = Forms::of(plan, questionnaire, &frame)?;
    let mut found = Unasked::default();
    for item in &questionnaire.items {
        if is_for_all(questionnaire, &item.id) {
            continue;
        }
        let asking = forms.asking(&frame, &item.id)?;
        let answers = codes(&frame, &item.id)?;
        let is_asked = |row: &usize| asking[*row] == Asking::Asked;
        let mut answered: BTreeMap<Date, bool> = BTreeMap::new();
        for row in (0..answers.len()).filter(is_asked) {
            let Some(month) = months[row] else { continue };
            *answered.entry(month).or_default() |= answers[row].is_some();
        }
        let silent: Vec<Date> = answered.iter().filter(|(_, answered)| !**answered).map(|(month, _)| *month).collect();
        if !silent.is_empty() {
            found.unanswered.insert(item.id.clone(), silent);
        }
        let wrong = (0..answers.len()).filter(|row| answers[*row].is_some() && !is_asked(row)).count();
        if wrong == 0 {
            continue;
        }
        found.dropped.insert(item.id.clone(), wrong as u64);
        let counts: BooleanChunked = (0..answers.len()).map(|row| Some(is_asked(&row))).collect();
        frame = frame
            .lazy()
            .with_columns([when(lit(counts.into_series()))
                .then(col(item.id.as_str()))
                .otherwise(lit(NULL))
                .alias(item.id.as_str())])
            .collect()
            .map_err(StageError::frame("take away answers to what was not asked"))?;
    }
    Ok((frame, found))
}
