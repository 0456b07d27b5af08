//! `schemas/questionnaires/*.toml` with `kind = "draw"`: sampling plans.

use super::{
    population,
    reader::{Node, is_word},
    scope::Scope,
};
use crate::model::{DrawPlan, Level, Link, Plan, Quota};

/// Nobody is asked twice within a year.
const REST_MONTHS_DEFAULT: i64 = 12;
/// A century: longer is a slip of the pen.
const REST_MONTHS_MAX: i64 = 1_200;

pub(super) fn read(node: Node<'_>, scope: &Scope, plan: &Plan) -> Option<DrawPlan> {
    let id = node.string("id");
    if let Some(id) = id.as_ref().filter(|id| !is_folder_name(&id.value)) {
        let message = "the id of a sampling plan is lower-case letters, digits and -: it names a folder";
        node.error(id.span.clone(), message, None);
    }
    let title = node.text("title");
    let questionnaire = node.string("questionnaire");
    if let Some(id) = &questionnaire {
        node.refer("questionnaire", id, &scope.questionnaires);
        let declared = plan.questionnaires.get(&id.value);
        if declared.is_some_and(|questionnaire| questionnaire.link == Link::Response) {
            let message = format!("«{}» finds its unit without a contact, so nobody can be drawn for it", id.value);
            node.error(id.span.clone(), message, Some("link = { via = \"contact\", … }".to_owned()));
        }
    }
    let eligible = node.opt_table("eligible").map(|node| population::read_contacts(node, plan));
    let (eligible, main_diagnoses_excluded) = eligible.unwrap_or_default();
    let rest = node.opt_integer("rest_months");
    if let Some(rest) = rest.as_ref().filter(|rest| !(0..=REST_MONTHS_MAX).contains(&rest.value)) {
        node.error(rest.span.clone(), "`rest_months` is a number of months, 0 or more", None);
    }
    let stratum = node.opt_choice("stratum", Level::WORDS).unwrap_or(Level::Ward);
    let quota = node.table("quota").and_then(read_quota);
    node.finish();
    Some(DrawPlan {
        id: id?.value,
        title: title?,
        questionnaire: questionnaire?.value,
        eligible,
        main_diagnoses_excluded,
        rest_months: rest.map_or(REST_MONTHS_DEFAULT, |rest| rest.value),
        stratum,
        quota: quota?,
    })
}

fn is_folder_name(id: &str) -> bool {
    is_word(id) && !id.starts_with('-')
}

fn read_quota(node: Node<'_>) -> Option<Quota> {
    let count = |key| {
        let at = node.opt_integer(key)?;
        let count = u64::try_from(at.value).ok();
        if count.is_none() {
            node.error(at.span, format!("`{key}` is a number of persons, 0 or more"), None);
        }
        count
    };
    let (per_unit, census_up_to) = (count("per_unit"), count("census_up_to"));
    let share = node.opt_number("share");
    if let Some(share) = share.as_ref().filter(|share| !(share.value > 0.0 && share.value <= 1.0)) {
        node.error(share.span.clone(), "`share` is above 0 and at most 1", None);
    }
    let asks_nobody = per_unit.unwrap_or(0) == 0 && census_up_to.unwrap_or(0) == 0 && share.is_none();
    if asks_nobody && !node.has_strangers() {
        let help = Some("per_unit = 40, share = 0.2 or census_up_to = 60".to_owned());
        node.error(node.span.clone(), "this quota asks nobody", help);
    }
    node.finish();
    Some(Quota {
        per_unit: per_unit.unwrap_or(0),
        share: share.map_or(0.0, |share| share.value),
        census_up_to: census_up_to.unwrap_or(0),
    })
}
