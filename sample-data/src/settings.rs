//! What kind of region is made, and how dirty its files are.

use jiff::{ToSpan, civil::Date};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::SampleError;

/// How much is generated, with what truth, and with how many planted errors. Shares are of the rows that they spoil.
///
/// [`Default`] is the small region that the program embeds: about 20,000 responses to stays of 2024–2025. A file of settings
/// needs to name only what differs from it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Every draw follows from it.
    pub seed: u64,
    /// Expected number of returned main questionnaires (the realised number is in the truth).
    pub responses: u64,
    /// Answers to each other questionnaire of the region, as a share of `responses` and beside them; 0 for none.
    pub other_share: f64,
    /// Whether all questionnaires that the region can send are answered, not only those that it usually sends.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub every_questionnaire: bool,
    /// Expected number of register contacts. Never fewer than the stays that the responses come from.
    pub contacts: u64,
    /// First day of the first month of discharge; in a file of settings a date with or without quotes.
    #[serde(deserialize_with = "quoted_or_not")]
    pub first_month: Date,
    /// Months of discharge.
    pub months: u32,
    /// Probabilities of being invited in the smallest, middle and largest third of the wards: quotas in small units.
    pub inclusion: [f64; 3],
    /// Share of the contacts that are events of the rate indicators.
    pub rate_share: f64,
    /// Standard deviation of the logarithm of an area's true relative rate.
    pub area_log_sd: f64,
    /// Standard deviation of the effects of trusts, hospitals, departments and wards, on the scale 0–100.
    pub unit_sd: [f64; 4],
    /// Share of the lowest units that have an effect of their own. Below 1 the others have exactly none, and the effects
    /// are centred so that the region's expected value is that of a unit without one: two groups, equal and different.
    pub effect_share: f64,
    /// Standard deviation between patients in the same unit with the same characteristics, on the scale 0–100.
    pub patient_sd: f64,
    /// Correlation from −1 to 1 between a ward's quality and how favourable its patients are.
    pub confounding: f64,
    /// Share of item answers that are blank or a «missing» code of the scale.
    pub missing_share: f64,
    /// Share of rows that break the dataset's contract, of every reason that the dataset can have; no more in any file than
    /// the export's `max_bad_share`.
    pub broken_share: f64,
    /// Share of responses that arrive in a file some months too late.
    pub late_share: f64,
    /// Share of responses that a later file delivers again with other answers.
    pub corrected_share: f64,
    /// Share of responses that stand twice in their file.
    pub duplicate_share: f64,
    /// Share of responses, each, that refer to no invitation, were answered after the window closed, or belong to a
    /// contact whose unit code no unit has. They come beside the counted responses.
    pub stray_share: f64,
    /// Whether the population is written too (27,000 rows a year).
    pub population: bool,
}

fn quoted_or_not<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Written {
        Quoted(Date),
        Bare(toml::value::Datetime),
    }
    match Written::deserialize(deserializer)? {
        Written::Quoted(date) => Ok(date),
        Written::Bare(date) => date.to_string().parse().map_err(D::Error::custom),
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 2024,
            responses: 20_000,
            other_share: 0.2,
            every_questionnaire: false,
            contacts: 100_000,
            first_month: jiff::civil::date(2024, 1, 1),
            months: 24,
            inclusion: [1.0, 0.8, 0.5],
            rate_share: 0.2,
            area_log_sd: 0.15,
            unit_sd: [1.5, 1.2, 0.8, 3.0],
            effect_share: 1.0,
            patient_sd: 14.0,
            confounding: 0.4,
            missing_share: 0.05,
            broken_share: 0.004,
            late_share: 0.01,
            corrected_share: 0.005,
            duplicate_share: 0.003,
            stray_share: 0.002,
            population: true,
        }
    }
}

impl Settings {
    /// The default region with `responses` responses and five contacts for each.
    pub fn with_responses(responses: u64) -> Self {
        Self { responses, contacts: responses.saturating_mul(5), ..Self::default() }
    }

    /// The small delivery that is committed beside the generator: two months, every error, no population.
    pub fn committed_delivery() -> Self {
        Self {
            responses: 200,
            other_share: 0.0,
            contacts: 480,
            first_month: jiff::civil::date(2025, 3, 1),
            months: 2,
            inclusion: [1.0, 1.0, 1.0],
            rate_share: 0.08,
            broken_share: 0.03,
            late_share: 0.03,
            corrected_share: 0.03,
            duplicate_share: 0.02,
            stray_share: 0.01,
            population: false,
            ..Self::default()
        }
    }

    pub(crate) fn check(&self) -> Result<(), SampleError> {
        let shares = [
            ("other_share", self.other_share),
            ("rate_share", self.rate_share),
            ("missing_share", self.missing_share),
            ("broken_share", self.broken_share),
            ("late_share", self.late_share),
            ("corrected_share", self.corrected_share),
            ("duplicate_share", self.duplicate_share),
            ("stray_share", self.stray_share),
        ];
        for (name, value) in shares {
            if !(0.0..=0.5).contains(&value) {
                return Err(Self::wrong(name, value, "a share from 0 to 0.5"));
            }
        }
        if !(0.0..=1.0).contains(&self.effect_share) {
            return Err(Self::wrong("effect_share", self.effect_share, "a share from 0 to 1"));
        }
        if !(-1.0..=1.0).contains(&self.confounding) {
            return Err(Self::wrong("confounding", self.confounding, "a correlation from -1 to 1"));
        }
        for value in self.inclusion {
            if !(value > 0.0 && value <= 1.0) {
                return Err(Self::wrong("inclusion", value, "probabilities above 0, at most 1"));
            }
        }
        for (name, value) in [("area_log_sd", self.area_log_sd), ("patient_sd", self.patient_sd)] {
            if !(0.0..=30.0).contains(&value) {
                return Err(Self::wrong(name, value, "a standard deviation from 0 to 30"));
            }
        }
        for value in self.unit_sd {
            if !(0.0..=10.0).contains(&value) {
                return Err(Self::wrong("unit_sd", value, "standard deviations from 0 to 10"));
            }
        }
        if self.first_month.day() != 1 || !(2020..=2040).contains(&self.first_month.year()) {
            return Err(Self::wrong("first_month", self.first_month, "the first day of a month from 2020 to 2040"));
        }
        if !(1..=240).contains(&self.months) || self.month(self.months).is_none_or(|end| end.year() > 2041) {
            return Err(Self::wrong("months", self.months, "1 to 240, not beyond 2040"));
        }
        const ROWS_MAX: u64 = 1_000_000_000;
        for (name, value) in [("responses", self.responses), ("contacts", self.contacts)] {
            if value > ROWS_MAX {
                return Err(Self::wrong(name, value, "at most 1,000,000,000"));
            }
        }
        Ok(())
    }

    fn wrong(name: &'static str, value: impl std::fmt::Display, expected: &'static str) -> SampleError {
        SampleError::Setting { name, value: value.to_string(), expected }
    }

    /// The settings of another survey beside the main one: other draws, and no contacts but its own.
    pub(crate) fn of_other(&self, place: u64) -> Self {
        let responses = self.responses as f64 * self.other_share;
        Self { seed: self.seed.wrapping_add(place), responses: responses.round() as u64, contacts: 0, ..self.clone() }
    }

    /// First day of month `index` of the span.
    pub(crate) fn month(&self, index: u32) -> Option<Date> {
        self.first_month.checked_add(i64::from(index).months()).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_settings_may_write_its_date_as_dates_are_written() {
        let read = |text: &str| toml::from_str::<Settings>(text).map(|settings| settings.first_month);
        let wanted = jiff::civil::date(2025, 3, 1);
        assert_eq!(read("first_month = 2025-03-01"), Ok(wanted));
        assert_eq!(read("first_month = \"2025-03-01\""), Ok(wanted));
        assert!(read("first_month = 2025-03-01T10:00:00Z").is_err() && read("first_month = \"March\"").is_err());
    }
}
