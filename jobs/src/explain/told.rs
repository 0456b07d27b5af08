//! What is told, in the words of the JSON.

use prem_spec::{Direction, Indicator, Measure, Plan, Unit};
use prem_stages::explain::Explanation;
use prem_store::{RowCounts, tables::Estimate};
use serde::Serialize;

/// One number of a release and its way.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Told {
    pub indicator: Asked,
    pub unit: Named,
    /// From the unit's parent up to the region.
    pub above: Vec<Named>,
    pub period: String,
    pub stratum: String,
    pub run_id: String,
    /// The release is the one that readers see.
    pub is_current: bool,
    pub publication: Publication,
    pub n: Option<i64>,
    pub raw: Option<f64>,
    pub value: Option<f64>,
    /// Rows of the questionnaire's files in all months: rows in = kept + quarantined + duplicate + superseded + excluded.
    pub rows_in: RowCounts,
    #[serde(flatten)]
    pub explanation: Explanation,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Asked {
    pub id: String,
    pub version: String,
    pub title: String,
    /// `scale`, `item`, `top-box`, `composite` or `rate`.
    pub measure: String,
    pub items: Vec<String>,
    pub questionnaire: Option<String>,
    pub direction: Direction,
    pub method: String,
    pub method_version: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Named {
    pub id: String,
    pub name: String,
    pub level: String,
}

/// Whether readers of the release see the number.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Publication {
    /// `published`, `withheld`, or `absent` where the release does not have the row at all.
    pub status: String,
    /// Why it is withheld.
    pub reason: Option<String>,
    /// Columns of a published row that are withheld all the same.
    pub withheld_columns: Vec<String>,
}

impl Told {
    pub fn new(
        plan: &Plan,
        (indicator, unit, row): (&Indicator, &Unit, &Estimate),
        (run_id, is_current): (String, bool),
        (publication, rows_in, explanation): (Publication, RowCounts, Explanation),
    ) -> Self {
        let above = plan.organisation.ancestry(&unit.id);
        Self {
            indicator: Asked {
                id: indicator.id.clone(),
                version: indicator.version.clone(),
                title: indicator.title.get("en").to_owned(),
                measure: measure(&indicator.measure).to_owned(),
                items: indicator.measure.items().into_iter().map(str::to_owned).collect(),
                questionnaire: indicator.population.questionnaire.clone(),
                direction: indicator.direction,
                method: row.method.clone(),
                method_version: row.method_version.clone(),
            },
            unit: Named::of(unit),
            above: above.into_iter().skip(1).map(Named::of).collect(),
            period: row.period.clone(),
            stratum: row.stratum.clone(),
            run_id,
            is_current,
            publication,
            n: row.n,
            raw: row.raw,
            value: row.value,
            rows_in,
            explanation,
        }
    }
}

impl Named {
    fn of(unit: &Unit) -> Self {
        Self { id: unit.id.clone(), name: unit.name.nb.clone(), level: unit.level.as_str().to_owned() }
    }
}

fn measure(measure: &Measure) -> &'static str {
    match measure {
        Measure::Scale { .. } => "scale",
        Measure::Item { .. } => "item",
        Measure::TopBox { .. } => "top-box",
        Measure::Composite { .. } => "composite",
        Measure::Rate { .. } => "rate",
    }
}

/// What became of a row of the run in its release.
pub(super) fn publication(row: &Estimate, published: &[Estimate]) -> Publication {
    let is_same = |other: &&Estimate| {
        (&other.indicator, &other.unit_id, &other.period, &other.stratum)
            == (&row.indicator, &row.unit_id, &row.period, &row.stratum)
    };
    let status = |status: &str| Publication { status: status.to_owned(), reason: None, withheld_columns: Vec::new() };
    match published.iter().find(is_same) {
        None => status("absent"),
        Some(shown) if shown.suppressed => {
            Publication { reason: shown.suppression_reason.clone(), ..status("withheld") }
        }
        Some(shown) => Publication { withheld_columns: withheld(row, shown), ..status("published") },
    }
}

fn withheld(row: &Estimate, shown: &Estimate) -> Vec<String> {
    let columns = [
        ("n", row.n.is_some(), shown.n.is_some()),
        ("response_rate", row.response_rate.is_some(), shown.response_rate.is_some()),
        ("raw", row.raw.is_some(), shown.raw.is_some()),
        ("value", row.value.is_some(), shown.value.is_some()),
        ("se", row.se.is_some(), shown.se.is_some()),
        ("shrunken", row.shrunken.is_some(), shown.shrunken.is_some()),
        ("reference", row.reference.is_some(), shown.reference.is_some()),
        ("difference", row.difference.is_some(), shown.difference.is_some()),
        ("difference_se", row.difference_se.is_some(), shown.difference_se.is_some()),
        ("p", row.p.is_some(), shown.p.is_some()),
        ("q", row.q.is_some(), shown.q.is_some()),
        ("comparison", row.comparison.is_some(), shown.comparison == row.comparison),
        ("change", row.change.is_some(), shown.change.is_some()),
        ("goal_level", row.goal_level.is_some(), shown.goal_level.is_some()),
    ];
    columns.iter().filter(|(_, was, is)| *was && !is).map(|(name, ..)| (*name).to_owned()).collect()
}
