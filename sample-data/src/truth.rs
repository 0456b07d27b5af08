//! What is true in the sample: true values of units and rates, effects of adjusters, and what was planted in the files.

mod expected;
mod file;
mod rates;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::Settings;

pub(crate) use expected::{add, begin};
pub use file::read_truth;

/// The truth of a sample, as written to `<out>/truth`: `items.csv`, `units.csv`, `adjusters.csv`, `rates.csv` and
/// `deliveries.csv` hold the lists of the same names (comma, decimal point, UTF-8), `truth.json` the rest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Truth {
    pub settings: Settings,
    /// Hash of the plan that the sample was made for.
    pub plan_hash: String,
    /// Mean experience (0–100) of a patient at every adjuster's reference level in an average unit.
    pub mean: f64,
    /// Answers whose experience fell outside the scale and was cut: 0 by design.
    pub cut_answers: u64,
    /// Names of the data files below `<out>/inbox`.
    pub files: Vec<String>,
    /// Indicators of the questionnaires that are sent whose units have no true values here, and why: the key of the
    /// declaration, and what the sample does not know of it.
    #[serde(default)]
    pub without_truth: BTreeMap<String, String>,
    /// What each item adds to the experience, on the scale 0–100.
    #[serde(skip)]
    pub items: Vec<TrueItem>,
    #[serde(skip)]
    pub units: Vec<TrueUnit>,
    #[serde(skip)]
    pub adjusters: Vec<TrueAdjuster>,
    #[serde(skip)]
    pub rates: Vec<TrueRate>,
    #[serde(skip)]
    pub deliveries: Vec<DeliveryCount>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueItem {
    pub questionnaire: String,
    pub item: String,
    pub shift: f64,
}

/// The true value of one indicator in one unit.
///
/// `value` of a ward is the mean of the measure for the region's patients of the period if they had met this ward: for scores
/// μ + x̄'β + effect + the mean shift of the items (on the measure's own scale), for proportions the mean over the
/// region's patients. The region's patients are the respondents, weighted as the indicator weights. A higher unit has
/// the mean of its wards, weighted by their respondents' weights, as a trust's adjusted value is. Answers that are
/// missing are missing completely at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueUnit {
    /// A calendar year, or the whole span.
    pub period: String,
    pub unit_id: String,
    pub level: String,
    pub indicator: String,
    /// Sum of the effects of the unit and those above it (higher units: of their wards, weighted), scale 0–100.
    pub effect: f64,
    pub value: f64,
    /// Respondents that the files hold for good: not broken, not stray.
    pub respondents: u64,
    /// Sum of their weights.
    pub weight: f64,
}

/// One level of an adjuster, «slope» of a continuous one, or «missing».
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueAdjuster {
    pub questionnaire: String,
    pub adjuster: String,
    pub level: String,
    /// Against the first level, on the scale 0–100; per unit of the column for a slope.
    pub effect: f64,
    /// Weighted share of the region's respondents at the level (present values for a slope).
    pub share: f64,
}

/// The true rate of one indicator in one catchment area.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TrueRate {
    /// Calendar year of discharge.
    pub period: String,
    /// Months of the year that the sample covers; the rates below are for a whole year.
    pub months: u32,
    pub indicator: String,
    /// Unit of the catchment area, or the region's top unit.
    pub area: String,
    /// Persons on 1 January of the ages that the indicator counts.
    pub persons: u64,
    /// Expected episodes in the covered months.
    pub expected_events: f64,
    /// Episodes per `per` persons and year.
    pub crude_rate: f64,
    /// Directly standardised for age band and sex with the indicator's standard.
    pub standardised_rate: f64,
    /// `standardised_rate` over that of the region.
    pub relative_rate: f64,
}

/// How many rows of a dataset were planted with something.
///
/// | finding | reasons | meaning |
/// |---|---|---|
/// | `rows` | `written` | all rows of the dataset's files |
/// | `quarantine` | `missing-required`, `not-a-date`, `not-a-number`, `not-a-code`, `out-of-range`, `too-long`, `rule:…` | the row breaks the dataset's contract |
/// | `duplicate` | `same-row` | the row stands a second time in its file |
/// | `superseded` | `corrected` | a later file has the same key with other answers |
/// | `late` | `later-file` | the row comes in a file at least two months after its own |
/// | `stray` | `unknown-invitation`, `out-of-window`, `unknown-unit` | the row is well-formed but cannot be linked or counted |
/// | `episode` | `transferred` | two contacts that are one episode |
///
/// Rows kept after ingest = written − quarantine − duplicate − superseded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeliveryCount {
    pub dataset: String,
    pub finding: String,
    pub reason: String,
    pub rows: u64,
}

impl Truth {
    /// Rows of a dataset with a finding, whatever the reason.
    pub fn rows(&self, dataset: &str, finding: &str) -> u64 {
        let fits = |count: &&DeliveryCount| count.dataset == dataset && count.finding == finding;
        self.deliveries.iter().filter(fits).map(|count| count.rows).sum()
    }
}
