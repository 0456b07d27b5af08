//! Whether what is told gives the number.

use prem_stats::comparison::{p_beyond, p_beyond_binomial, p_beyond_poisson, p_beyond_t};
use prem_store::tables::Estimate;

use super::{
    Calculation, Change, Comparison, ContactRows, DifferenceTest, Explanation, FixedEffects, Interval, LogisticModel,
    Mean, Proportion, Question, Rate, ResponseRows, Rows,
};
use crate::StageError;

/// Sums of the same terms in another order: rounding of 64-bit floats, with room for a hundred terms.
const TOLERANCE: f64 = 1e-12;
/// Tails of distributions are steep: they multiply the rounding of what they are taken of. Roots are found to about as much.
const TOLERANCE_TAIL: f64 = 1e-9;

pub(super) struct Check<'a> {
    pub question: &'a Question<'a>,
}

impl Check<'_> {
    pub fn fault(&self, detail: String) -> StageError {
        StageError::Unexplained {
            indicator: self.question.indicator.id.clone(),
            unit: self.question.unit.id.clone(),
            period: self.question.period.to_string(),
            detail,
        }
    }

    fn equal(&self, what: &str, sum: f64, number: f64, tolerance: f64) -> Result<(), StageError> {
        self.near(what, sum, number, tolerance * sum.abs().max(number.abs()))
    }

    /// `margin` is absolute.
    fn near(&self, what: &str, sum: f64, number: f64, margin: f64) -> Result<(), StageError> {
        if (sum - number).abs() <= margin {
            return Ok(());
        }
        Err(self.fault(format!("{what} comes to {sum:e} and not to {number:e}")))
    }

    fn count(&self, what: &str, sum: u64, number: u64) -> Result<(), StageError> {
        if sum == number { Ok(()) } else { Err(self.fault(format!("{what} come to {sum} and not to {number}"))) }
    }

    /// The number made again is the number of the run.
    pub fn same(&self, made: &Estimate) -> Result<(), StageError> {
        let row = self.question.row;
        let texts = [
            ("method", made.method == row.method),
            ("method_version", made.method_version == row.method_version),
            ("n", made.n == row.n),
            ("comparison", made.comparison == row.comparison),
            ("goal_level", made.goal_level == row.goal_level),
        ];
        if let Some((column, _)) = texts.iter().find(|(_, is_same)| !is_same) {
            return Err(self.fault(format!("{column} is not what the run wrote")));
        }
        for (column, made, written, tolerance) in columns(made, row) {
            match (made, written) {
                (Some(made), Some(written)) => self.equal(column, made, written, tolerance)?,
                (None, None) => {}
                _ => return Err(self.fault(format!("{column} is not what the run wrote"))),
            }
        }
        Ok(())
    }

    pub fn explanation(&self, told: &Explanation) -> Result<(), StageError> {
        match &told.rows {
            Rows::Responses(rows) => self.responses(rows)?,
            Rows::Contacts(rows) => self.contacts(rows)?,
        }
        match &told.calculation {
            Calculation::Mean(mean) => self.mean(mean)?,
            Calculation::Proportion(proportion) => self.proportion(proportion)?,
            Calculation::Rate(rate) => self.rate(rate)?,
            Calculation::FixedEffects(found) => self.fixed_effects(found)?,
        }
        self.interval(&told.interval)?;
        told.comparison.as_ref().map_or(Ok(()), |comparison| self.comparison(comparison))?;
        told.change.as_ref().map_or(Ok(()), |change| self.change(change))
    }

    fn value(&self) -> f64 {
        self.question.row.value.unwrap_or(f64::NAN)
    }

    fn n(&self) -> u64 {
        self.question.row.n.and_then(|n| u64::try_from(n).ok()).unwrap_or(0)
    }

    fn responses(&self, rows: &ResponseRows) -> Result<(), StageError> {
        let elsewhere = rows.other_periods + rows.other_units + rows.other_strata;
        self.count("responses elsewhere and of the unit", elsewhere + rows.of_unit, rows.linked)?;
        let left_out: u64 = rows.left_out.values().sum();
        self.count("responses left out and counted", left_out + rows.adjuster_missing + rows.n, rows.of_unit)?;
        self.count("responses counted", rows.n, self.n())
    }

    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    fn contacts(&self, rows: &ContactRows) -> Result<(), StageError> {
        let left_out: u64 = rows.left_out.values().sum();
        let elsewhere = rows.other_periods + rows.other_areas;
        self.count("contacts", rows.same_episode + left_out + elsewhere + rows.events, rows.matching)?;
        self.near("events", rows.events as f64, self.question.row.numerator.unwrap_or(f64::NAN), 0.0)
    }

    fn mean(&self, mean: &Mean) -> Result<(), StageError> {
        let sum = mean.raw + mean.terms.iter().map(|term| term.product).sum::<f64>();
        self.equal("the raw mean with its adjustments", sum, self.value(), TOLERANCE)
    }

    fn proportion(&self, told: &Proportion) -> Result<(), StageError> {
        self.equal("the raw share", told.events / told.respondents, told.raw, TOLERANCE)?;
        match &told.model {
            None => self.equal("the share", told.raw, self.value(), TOLERANCE),
            Some(model) => self.logistic(told, model),
        }
    }

    fn logistic(&self, told: &Proportion, model: &LogisticModel) -> Result<(), StageError> {
        self.near("expected events", model.expected_events, told.events, TOLERANCE_TAIL * told.respondents)?;
        let sum: f64 = model.reference.iter().map(|group| group.product).sum();
        self.equal("the mean over the reference patients", sum, self.value(), TOLERANCE)
    }

    fn rate(&self, rate: &Rate) -> Result<(), StageError> {
        let sum: f64 = rate.strata.iter().map(|stratum| stratum.product).sum();
        self.equal("the weighted sum of the rates", sum, self.value(), TOLERANCE)
    }

    fn fixed_effects(&self, found: &FixedEffects) -> Result<(), StageError> {
        if found.items.is_empty() {
            return self.equal("the mean of the units", found.raw + found.recentre, self.value(), TOLERANCE);
        }
        let raw: f64 = found.items.iter().map(|item| item.weight * item.mean).sum();
        self.equal("the mean of the items", raw, found.raw, TOLERANCE)?;
        let products: f64 = found.items.iter().flat_map(|item| &item.terms).map(|term| term.product).sum();
        self.equal("the raw mean with its adjustments", found.raw + products + found.recentre, self.value(), TOLERANCE)
    }

    fn interval(&self, interval: &Interval) -> Result<(), StageError> {
        let row = self.question.row;
        let se = row.se.unwrap_or(f64::NAN);
        let variance = interval.sampling_variance + interval.coefficient_variance + interval.covariance;
        self.equal("the variance's parts", variance, se * se, TOLERANCE_TAIL)?;
        let Some(quantile) = interval.quantile else { return Ok(()) };
        let value = self.value();
        for (what, limit, written) in [
            ("the lower limit", value - quantile * se, row.ci_low),
            ("the upper limit", value + quantile * se, row.ci_high),
        ] {
            self.near(what, limit, written.unwrap_or(f64::NAN), TOLERANCE_TAIL * (value.abs() + se))?;
        }
        Ok(())
    }

    fn comparison(&self, told: &Comparison) -> Result<(), StageError> {
        let value = self.value();
        let margin = TOLERANCE_TAIL * (value.abs() + told.reference.abs());
        self.near("value less reference", value - told.reference, told.difference, margin)?;
        let (Some(p), Some(test)) = (told.p, told.test) else { return Ok(()) };
        let minimal = told.minimal_difference.unwrap_or(0.0);
        let se = told.difference_se.unwrap_or(f64::NAN);
        let expected = match test {
            DifferenceTest::T { degrees_of_freedom } => p_beyond_t(told.difference, se, minimal, degrees_of_freedom),
            DifferenceTest::Normal => p_beyond(told.difference, se, minimal),
            DifferenceTest::Binomial { answers } => p_beyond_binomial(value, told.reference, answers, minimal),
            DifferenceTest::Poisson { exposure } => p_beyond_poisson(value, told.reference, exposure, minimal),
        };
        self.equal("the two tails", expected.unwrap_or(f64::NAN), p, TOLERANCE_TAIL)
    }

    fn change(&self, told: &Change) -> Result<(), StageError> {
        let margin = TOLERANCE * (self.value().abs() + told.earlier_value.abs());
        self.near("value less earlier value", self.value() - told.earlier_value, told.change, margin)
    }
}

type Column = (&'static str, Option<f64>, Option<f64>, f64);

/// Columns that are numbers: as made again, as written, and how near they must be.
fn columns(made: &Estimate, row: &Estimate) -> Vec<Column> {
    let exact = [
        ("n_effective", made.n_effective, row.n_effective),
        ("numerator", made.numerator, row.numerator),
        ("denominator", made.denominator, row.denominator),
        ("response_rate", made.response_rate, row.response_rate),
        ("raw", made.raw, row.raw),
        ("value", made.value, row.value),
        ("se", made.se, row.se),
        ("ci_low", made.ci_low, row.ci_low),
        ("ci_high", made.ci_high, row.ci_high),
        ("reference", made.reference, row.reference),
        ("difference_se", made.difference_se, row.difference_se),
    ];
    let near = [
        ("shrunken", made.shrunken, row.shrunken),
        ("shrunken_low", made.shrunken_low, row.shrunken_low),
        ("shrunken_high", made.shrunken_high, row.shrunken_high),
        ("reliability", made.reliability, row.reliability),
        ("difference", made.difference, row.difference),
        ("p", made.p, row.p),
        ("q", made.q, row.q),
        ("change", made.change, row.change),
        ("change_low", made.change_low, row.change_low),
        ("change_high", made.change_high, row.change_high),
        ("change_p", made.change_p, row.change_p),
    ];
    let exact = exact.into_iter().map(|(name, made, row)| (name, made, row, TOLERANCE));
    exact.chain(near.into_iter().map(|(name, made, row)| (name, made, row, TOLERANCE_TAIL))).collect()
}
