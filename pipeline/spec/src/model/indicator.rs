//! An indicator is data: what is measured, on whom, how it is adjusted, compared and protected.

use serde::Serialize;

use super::{Level, PeriodLength, Text};
use crate::period::Period;

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Indicator {
    pub id: String,
    pub version: String,
    pub title: Text,
    pub description: Text,
    /// Theme for grouping in tables, for example `information`.
    pub theme: Text,
    pub direction: Direction,
    pub measure: Measure,
    pub population: Population,
    pub case_mix: CaseMix,
    pub weighting: Weighting,
    pub weights: Weights,
    /// Ids of the questionnaire's stratifiers by which values are given besides the total.
    pub strata: Vec<String>,
    pub levels: Vec<Level>,
    pub periods: Vec<PeriodLength>,
    /// Confidence level, for example 0.95.
    pub ci_level: f64,
    pub interval: IntervalMethod,
    pub comparison: Comparison,
    pub goal: Option<GoalLevels>,
    pub protection: Protection,
    /// Other models whose values, ranks and classes are shown beside the indicator's own.
    pub sensitivity: Vec<Alternative>,
    /// Decimals a person sees.
    pub decimals: u8,
}

/// Which way is better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    Higher,
    Lower,
    /// Neither: rates of use, where both high and low may be wrong.
    Neutral,
}

words!(Direction { Higher = "higher", Lower = "lower", Neutral = "neutral" });

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Measure {
    /// Mean of the answered items where at least `min_answered` (a share) of them are answered.
    Scale { items: Vec<String>, min_answered: f64, scale: ValueScale },
    /// One item's score.
    Item { item: String, scale: ValueScale },
    /// Share of answers with a code in `codes`, among scored answers.
    TopBox { item: String, codes: Vec<i16> },
    /// Mean of item means with equal item weights (`fixed-effects` only); a respondent counts with at least one item.
    Composite { items: Vec<String>, scale: ValueScale },
    /// Contacts per `per` inhabitants of a catchment area and year.
    Rate { contacts: ContactFilter, per: f64, standardisation: Standardisation },
}

impl Measure {
    /// Items that the measure reads.
    pub fn items(&self) -> Vec<&str> {
        match self {
            Self::Scale { items, .. } | Self::Composite { items, .. } => items.iter().map(String::as_str).collect(),
            Self::Item { item, .. } | Self::TopBox { item, .. } => vec![item.as_str()],
            Self::Rate { .. } => Vec::new(),
        }
    }

    pub fn is_proportion(&self) -> bool {
        matches!(self, Self::TopBox { .. })
    }

    pub fn is_rate(&self) -> bool {
        matches!(self, Self::Rate { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ValueScale {
    /// 100·(code − low)/(high − low), reversed where the question is.
    Score0To100,
    /// The item's own codes, reversed (low + high − code) where the question is.
    Native,
}

/// Which contacts a rate counts; every condition must hold. Empty lists mean «any».
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ContactFilter {
    /// NCSP/NCMP codes or prefixes; any of the contact's procedures may match.
    pub procedures: Vec<String>,
    /// ICD-10 codes or prefixes of the main diagnosis.
    pub main_diagnoses: Vec<String>,
    pub care_levels: Vec<String>,
    pub urgencies: Vec<String>,
    /// Contacts of one person with a gap of at most this many hours are one episode, counted once.
    pub episode_gap_hours_max: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Standardisation {
    /// Lower ends of the age bands in years; the last is open.
    pub age_bands: Vec<i64>,
    pub age_min: i64,
    pub standard: StandardPopulation,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum StandardPopulation {
    /// The population of all catchment areas of the region in the period.
    Region,
    /// European standard population 2013.
    Esp2013,
}

words!(StandardPopulation { Region = "region", Esp2013 = "esp2013" });

/// Who counts: every condition must hold; empty lists and absent limits mean «any». Who does not count is counted under
/// the first condition that fails.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Population {
    /// Empty for rates.
    pub questionnaire: Option<String>,
    pub age_min: Option<i64>,
    pub age_max: Option<i64>,
    pub care_levels: Vec<String>,
    pub urgencies: Vec<String>,
    /// Hours from admission to discharge, both included.
    pub stay_hours_min: Option<i64>,
    pub stay_hours_max: Option<i64>,
    /// ICD-10 codes or prefixes.
    pub main_diagnoses: Vec<String>,
    pub exclude: Vec<Exclusion>,
}

/// Who does not count: those with one of `codes` in a column of the contact, the response or an item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Exclusion {
    /// The word under which they are counted.
    pub reason: String,
    pub column: String,
    pub codes: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CaseMix {
    pub adjustment: Adjustment,
    /// Ids of the questionnaire's adjusters.
    pub adjusters: Vec<String>,
    pub missing: MissingAdjuster,
    pub shrinkage: Shrinkage,
    /// Period whose respondents are the mix that all periods' values refer to; each period's own where there is none.
    pub baseline: Option<Period>,
}

/// What shrunken values are pulled towards, and what their intervals know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shrinkage {
    /// Each level by itself, towards its own mean; the interval knows that the between-unit variance is estimated.
    Level,
    /// A ward towards its department, that towards its hospital; the interval as for `Level`. Unweighted means: one model of all
    /// levels. Weighted means and proportions: each level's units as areas below the levels above.
    Nested,
    /// As `Level` at the estimated between-unit variance alone, as lme4 does.
    Lme4,
    /// As `Nested` at the estimated variances alone, as lme4 does.
    Lme4Nested,
}

impl Shrinkage {
    pub fn is_nested(self) -> bool {
        matches!(self, Self::Nested | Self::Lme4Nested)
    }

    /// Values at the estimated variances alone, instead of averaged over what those may be.
    pub fn is_plug_in(self) -> bool {
        matches!(self, Self::Lme4 | Self::Lme4Nested)
    }
}

/// Another model for the same respondents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Alternative {
    /// No case mix.
    Unadjusted,
    /// No weights.
    Unweighted,
    /// Design weights.
    Weighted,
    /// The mixed model's own coefficients.
    Gls,
    /// Unit effects as fixed effects, by the CAHPS convention.
    FixedEffects,
    /// Shrunken values, each level by itself.
    Shrunken,
    /// Shrunken values, units below those above them; the indicator's own weights.
    Nested,
}

impl Alternative {
    pub const ALL: [Self; 7] = [
        Self::Unadjusted,
        Self::Unweighted,
        Self::Weighted,
        Self::Gls,
        Self::FixedEffects,
        Self::Shrunken,
        Self::Nested,
    ];
}

words!(Alternative {
    Unadjusted = "unadjusted",
    Unweighted = "unweighted",
    Weighted = "weighted",
    Gls = "gls",
    FixedEffects = "fixed-effects",
    Shrunken = "shrunken",
    Nested = "nested",
});

impl CaseMix {
    /// No adjustment.
    pub fn none() -> Self {
        Self {
            adjustment: Adjustment::None,
            adjusters: Vec::new(),
            missing: MissingAdjuster::Category,
            shrinkage: Shrinkage::Level,
            baseline: None,
        }
    }

    /// Whether values by it have a change from the period before; fixed effects give none.
    pub fn has_change(&self) -> bool {
        !matches!(self.adjustment, Adjustment::FixedEffects { .. })
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "method", rename_all = "kebab-case")]
pub enum Adjustment {
    None,
    /// Linear mixed model with a random intercept per lowest-level unit.
    RandomIntercept {
        beta: BetaSource,
    },
    /// Unit effects as fixed effects, by a named convention.
    FixedEffects {
        convention: Convention,
    },
    /// Logistic regression with unit effects and a unit offset.
    Logistic,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum BetaSource {
    Within,
    Gls,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    #[serde(rename = "cahps-4.1c")]
    Cahps41c,
    CahpsManual,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum MissingAdjuster {
    /// An indicator of its own (continuous adjusters: mean plus indicator).
    Category,
    CompleteCases,
    UnitMean,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Weighting {
    None,
    /// Inverse of the inclusion probability, scaled so that each sampling stratum counts with its size.
    Design,
    /// Design weights adjusted to the register's counts of every combination of the margins.
    PostStratify,
    /// Design weights adjusted to the register's counts of each margin by itself.
    Rake,
}

words!(Weighting { None = "none", Design = "design", PostStratify = "post-stratify", Rake = "rake" });

/// How weights are made, beyond the choice of [`Weighting`].
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Weights {
    /// Ids of stratifiers known from the register.
    pub margins: Vec<String>,
    /// Margins hold in each unit of this level.
    pub within: Level,
    /// Cells with fewer respondents are joined with their neighbour.
    pub minimum_cell: u64,
    /// Largest weight as a multiple of the mean weight of its sampling stratum.
    pub cap: f64,
    /// Whether variances take into account that strata were asked (nearly) whole.
    pub finite_population: bool,
}

impl Weights {
    /// Customary: 20 respondents a cell, five times the mean (methods, section 1.3).
    pub const MINIMUM_CELL: u64 = 20;
    pub const CAP: f64 = 5.0;
}

impl Default for Weights {
    fn default() -> Self {
        Self {
            margins: Vec::new(),
            within: Level::Hospital,
            minimum_cell: Self::MINIMUM_CELL,
            cap: Self::CAP,
            finite_population: false,
        }
    }
}

impl Indicator {
    /// Whether `period` has one of the indicator's declared lengths. Others may be estimated, and are never published: with those that
    /// are, they would tell what is withheld.
    pub fn offers(&self, period: Period) -> bool {
        self.periods.iter().any(|length| length.is_of(period))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IntervalMethod {
    /// Student t or normal, as the model says.
    Model,
    Wilson,
    ClopperPearson,
    Jeffreys,
    /// Dobson's limits on Byar's.
    Dobson,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Comparison {
    /// Smallest difference from the region that matters, in the value's own unit; 0 allowed.
    pub minimal_difference: f64,
    pub correction: FamilyCorrection,
    /// Share of false discoveries (or family-wise error) that is accepted.
    pub alpha: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum FamilyCorrection {
    BenjaminiHochberg,
    Holm,
    Bonferroni,
    None,
}

words!(FamilyCorrection {
    BenjaminiHochberg = "benjamini-hochberg",
    Holm = "holm",
    Bonferroni = "bonferroni",
    None = "none",
});

/// Goal levels in the value's own unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct GoalLevels {
    pub high: f64,
    /// Equals `high` when not declared.
    pub moderate: f64,
}

/// Small-number rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Protection {
    /// Fewest respondents (scores, proportions) for a value to be shown.
    pub minimum_n: u64,
    /// Counts from 1 up to but not including this are hidden, and complements likewise.
    pub minimum_count: u64,
    /// Whether counts and complements of 0 are hidden as well; they are unless declared otherwise.
    pub protect_zero: bool,
}

/// Why a row may not be shown. The texts are part of the published contract (`suppression_reason`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PrimaryReason {
    /// Fewer respondents than the indicator asks for.
    FewRespondents,
    /// A count of events or answers from 0 (from 1 where zeros are declared harmless) up to the smallest shown count.
    SmallCount,
    /// As few that did *not* have the event or give the answer.
    SmallComplement,
}

impl PrimaryReason {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FewRespondents => "few-respondents",
            Self::SmallCount => "small-count",
            Self::SmallComplement => "small-complement",
        }
    }
}

impl Protection {
    /// The primary rule for one cell, in one place: stages ask it who belongs to a family, `protect` asks it what to hide.
    ///
    /// `n` is respondents (`None` for rates), `numerator` a count of answers or events, and `denominator` what it is
    /// taken of when that is persons too (proportions; `None` for rates, whose denominator is a population).
    pub fn primary_reason(
        &self,
        n: Option<u64>,
        numerator: Option<u64>,
        denominator: Option<u64>,
    ) -> Option<PrimaryReason> {
        let small = |count: u64| count < self.minimum_count && (count > 0 || self.protect_zero);
        if n.is_some_and(|n| n < self.minimum_n) {
            return Some(PrimaryReason::FewRespondents);
        }
        let numerator = numerator?;
        if small(numerator) {
            return Some(PrimaryReason::SmallCount);
        }
        denominator.is_some_and(|all| small(all.saturating_sub(numerator))).then_some(PrimaryReason::SmallComplement)
    }
}
