//! A part of what is protected, chosen after protection: what is withheld in the whole is withheld in every part.

use crate::{protected::Protected, trends};

impl Protected {
    /// Only the rows of these periods (labels such as 2025-Q3).
    #[must_use]
    pub fn narrowed_to(mut self, periods: &[String]) -> Self {
        self.estimates.retain(|row| periods.contains(&row.period));
        self.variation.retain(|row| periods.contains(&row.period));
        self.case_mix.retain(|row| periods.contains(&row.period));
        self.sensitivity.retain(|row| periods.contains(&row.period));
        self.survey_quality.retain(|row| periods.contains(&row.period));
        self.response.retain(|row| periods.contains(&row.period));
        self.weighting.retain(|row| periods.contains(&row.period));
        self.trends = trends::of(&self.estimates, &self.breaks);
        self
    }
}
