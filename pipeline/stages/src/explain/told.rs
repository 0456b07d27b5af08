//! What is told of one number. The names are those of the JSON that `prem explain --output json` writes.

use std::collections::BTreeMap;

use serde::Serialize;

/// The way of one number, from the rows that stand to its class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    pub rows: Rows,
    /// Who was asked; none where the questionnaire has no invitations, and for rates.
    pub response: Option<ResponseCounts>,
    /// None where respondents count equally.
    pub weights: Option<WeightsUsed>,
    pub calculation: Calculation,
    pub interval: Interval,
    /// None where nothing was shrunken: too few units, strata, the region, proportions and rates.
    pub shrinkage: Option<Shrinkage>,
    pub comparison: Option<Comparison>,
    pub change: Option<Change>,
    pub goal: Option<Goal>,
}

/// From rows to n.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Rows {
    Responses(ResponseRows),
    Contacts(ContactRows),
}

/// Linked responses of the questionnaire, and what became of those of the unit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ResponseRows {
    /// Linked to any unit in any month.
    pub linked: u64,
    pub other_periods: u64,
    pub other_units: u64,
    pub other_strata: u64,
    /// linked − other periods − other units − other strata.
    pub of_unit: u64,
    /// Why responses of the unit do not count: the population's reasons, `not-asked`, `filtered`, `not-answered`.
    pub left_out: BTreeMap<String, u64>,
    /// Counted, but without an adjuster that the model cannot do without.
    pub adjuster_missing: u64,
    /// of_unit − left out − adjuster missing.
    pub n: u64,
}

/// Contacts of a rate, and what became of those of the area.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ContactRows {
    /// Contacts of the register that match the indicator's filter, in any month and area.
    pub matching: u64,
    /// Part of an episode that is counted already.
    pub same_episode: u64,
    /// Why episodes do not count, by reason.
    pub left_out: BTreeMap<String, u64>,
    pub other_periods: u64,
    pub other_areas: u64,
    /// matching − same episode − left out − other periods − other areas.
    pub events: u64,
    /// Persons who had the events.
    pub persons: u64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ResponseCounts {
    pub invited: u64,
    pub undeliverable: u64,
    pub ineligible: u64,
    /// Stay in the denominator.
    pub reserved: u64,
    /// invited − undeliverable − ineligible.
    pub asked: u64,
    /// Linked responses, whether they count in the indicator or not.
    pub answered: u64,
    /// answered / asked; none where more answered than were asked.
    pub response_rate: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct WeightsUsed {
    /// `design`, `post-stratify` or `rake`.
    pub weighting: String,
    /// Kish: (Σw)²/Σw².
    pub n_effective: f64,
    /// n / n_effective.
    pub design_effect: f64,
    /// Σw: the patients that the respondents stand for.
    pub population: f64,
}

/// How the value came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Calculation {
    Mean(Mean),
    Proportion(Proportion),
    Rate(Rate),
    FixedEffects(FixedEffects),
}

/// value = raw + the sum of the products.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Mean {
    pub raw: f64,
    /// Period whose patients are the reference mix.
    pub reference_period: String,
    pub terms: Vec<Term>,
    pub value: f64,
}

/// One column of the adjusters.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Term {
    pub column: String,
    /// x̄_j.
    pub unit_mean: f64,
    /// x̄.
    pub reference_mean: f64,
    /// β̂; 0 where the column was dropped.
    pub coefficient: f64,
    pub coefficient_se: f64,
    /// −β̂(x̄_j − x̄), times the item's weight.
    pub product: f64,
    pub dropped: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Proportion {
    /// Respondents with an answer in the declared set, and all of them; weighted sums where weights are used.
    pub events: f64,
    pub respondents: f64,
    pub raw: f64,
    /// None without adjustment: then the value is the raw share.
    pub model: Option<LogisticModel>,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogisticModel {
    pub coefficients: Vec<LogisticTerm>,
    /// α̂: the unit's effect at the centre of the adjusters; none where nobody or everybody has the event (−∞ or ∞).
    pub offset: Option<f64>,
    /// Σ expit((x − centre)'β̂ + α̂) over the unit's respondents: the events.
    pub expected_events: f64,
    /// The reference patients by their predictor; value = the sum of the products.
    pub reference: Vec<ReferenceGroup>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LogisticTerm {
    pub column: String,
    /// Mean over the rows of the fit.
    pub center: f64,
    pub coefficient: f64,
    pub coefficient_se: f64,
    pub dropped: bool,
}

/// Patients of the reference with a predictor (x − centre)'β̂ from `from` to `to`.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ReferenceGroup {
    pub from: f64,
    pub to: f64,
    pub share: f64,
    /// Mean of expit((x − centre)'β̂ + α̂).
    pub probability: f64,
    pub product: f64,
}

/// value = the sum of the products.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Rate {
    pub per: f64,
    /// `region` or `esp2013`.
    pub standard: String,
    pub events: f64,
    pub person_years: f64,
    /// Events per `per` person-years, not standardised.
    pub raw: f64,
    pub strata: Vec<RateStratum>,
    /// κ = Σf²v/Σfv over persons with f events: 1 where everybody has one.
    pub repeat_factor: Option<f64>,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RateStratum {
    pub age_from: i64,
    /// Last year of age; none for the open band.
    pub age_to: Option<i64>,
    pub sex: String,
    /// Share of the standard population.
    pub weight: f64,
    pub events: f64,
    pub person_years: f64,
    /// Per `per` person-years.
    pub rate: f64,
    pub product: f64,
}

/// value = raw + the sum of the items' products + recentre.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FixedEffects {
    pub convention: String,
    pub raw: f64,
    pub items: Vec<FixedEffectsItem>,
    /// What moves every unit alike, so that the mean of the units stays where it was.
    pub recentre: f64,
    /// Units that count; the region's own value is the mean of their values.
    pub units: u64,
    pub value: f64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FixedEffectsItem {
    pub item: String,
    pub weight: f64,
    /// Respondents of the unit who answered it.
    pub n: u64,
    pub mean: f64,
    /// The reference means are means over units.
    pub terms: Vec<Term>,
}

/// se² = sampling + coefficients + covariance; limits = value ∓ quantile·se, or those of the named method.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Interval {
    /// `t`, `normal`, `score`, `wilson`, `clopper-pearson`, `jeffreys` or `dobson-byar`.
    pub method: String,
    pub level: f64,
    /// The unit's own part of the variance.
    pub sampling_variance: f64,
    /// Where it comes from: `own-residuals`, `pooled-residuals`, `margins`, `model`, `counts` or `convention`.
    pub sampling_source: String,
    /// What the uncertainty of the coefficients adds.
    pub coefficient_variance: f64,
    /// What the mean and the coefficients have in common, where they are estimated together (`gls`).
    pub covariance: f64,
    pub se: f64,
    /// None for normal intervals and those of counts.
    pub degrees_of_freedom: Option<f64>,
    /// None where limits are not symmetric about the value.
    pub quantile: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Shrinkage {
    /// `random-intercept`, `nested`, `fay-herriot`, `nested-areas` or `logistic-random-intercept`, whose SD is on the log-odds.
    pub model: String,
    /// What values are pulled towards, at the estimated variances.
    pub mean: f64,
    pub between_sd: Option<f64>,
    /// Level → SD of its effects, for the nested models.
    pub level_sds: BTreeMap<String, f64>,
    pub residual_sd: Option<f64>,
    /// Averaged over what the between-unit variance may be, so that mean + reliability·(value − mean) is near the value and
    /// not the same.
    pub is_averaged: bool,
    pub reliability: Option<f64>,
    pub shrunken: Option<f64>,
    pub low: Option<f64>,
    pub high: Option<f64>,
}

/// What a difference is tested with.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum DifferenceTest {
    T {
        degrees_of_freedom: f64,
    },
    Normal,
    /// The value as a share of so many answers.
    Binomial {
        answers: f64,
    },
    /// The value as a rate over so much exposure.
    Poisson {
        exposure: f64,
    },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    pub reference: f64,
    pub difference: f64,
    pub difference_se: Option<f64>,
    /// The smallest difference that matters; none where the convention knows of none.
    pub minimal_difference: Option<f64>,
    /// None where nothing was tested.
    pub test: Option<DifferenceTest>,
    /// (|difference| − minimal difference)/SE, and (|difference| + minimal difference)/SE, of normal and t tests: p is the sum of
    /// both upper tails.
    pub statistic: Option<f64>,
    pub statistic_opposite: Option<f64>,
    pub p: Option<f64>,
    pub correction: String,
    /// Units tested together: those of the level, period and stratum with respondents or events enough to be shown.
    pub family: u64,
    pub q: Option<f64>,
    pub alpha: f64,
    /// `higher`, `lower` or `neutral`: which way is better.
    pub direction: String,
    pub class: String,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    pub earlier_period: String,
    /// At the same adjusters as the value.
    pub earlier_value: f64,
    pub earlier_se: f64,
    pub change: f64,
    pub low: Option<f64>,
    pub high: Option<f64>,
    pub p: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Goal {
    pub high: f64,
    pub moderate: f64,
    pub direction: String,
    pub level: String,
}
