//! Which questionnaires the sample answers: what the region sends, as far as the plan has it.

use prem_spec::{Export, Plan, Questionnaire};

use crate::{
    SampleError, Settings,
    region::{self, Region},
    tables,
};

/// One questionnaire with the export that its answers come in.
#[derive(Clone, Copy)]
pub(crate) struct Survey<'a> {
    pub(crate) export: &'a Export,
    pub(crate) questionnaire: &'a Questionnaire,
    /// Care level of the patients who are asked.
    pub(crate) care_level: &'a str,
    /// What else the region says of them.
    pub(crate) patients: Option<&'a region::Survey>,
}

/// Inpatients are asked where the region does not say whom.
const CARE_LEVEL: &str = "1";

/// The main survey first. The plan's first export of responses where the region sends none of its questionnaires.
pub(crate) fn surveys<'a>(
    plan: &'a Plan,
    region: &'a Region,
    settings: &Settings,
) -> Result<Vec<Survey<'a>>, SampleError> {
    let exports = || plan.exports.values().filter(|export| export.dataset == "responses");
    let further = region.further_surveys.iter().filter(|_| settings.every_questionnaire);
    let sent: Vec<Survey<'a>> = region
        .surveys
        .iter()
        .chain(further)
        .filter_map(|survey| {
            let questionnaire = plan.questionnaires.get(&survey.questionnaire)?;
            let is_its = |export: &&Export| export.questionnaire.as_ref() == Some(&questionnaire.id);
            let export = exports().find(is_its)?;
            Some(Survey { export, questionnaire, care_level: &survey.care_level, patients: Some(survey) })
        })
        .collect();
    if !sent.is_empty() {
        return Ok(sent);
    }
    let first = exports().find_map(|export| {
        let questionnaire = tables::questionnaire(plan, export)?;
        Some(Survey { export, questionnaire, care_level: CARE_LEVEL, patients: None })
    });
    first.map(|survey| vec![survey]).ok_or(SampleError::NoQuestionnaire)
}
