//! Confidence intervals of one number: means, proportions, counts and rates.
//!
//! Each method is a file; all return an [`Estimate`], which names the method that made it.

pub mod byar;
pub mod clopper_pearson;
pub mod dobson;
pub mod jeffreys;
pub mod poisson_exact;
pub mod poisson_profile;
pub mod rate;
pub mod student_t;
pub mod weighted_mean;
pub mod wilson;

pub use byar::byar;
pub use clopper_pearson::clopper_pearson;
pub use dobson::dobson;
pub use jeffreys::{jeffreys, jeffreys_bcd};
pub use poisson_exact::poisson_exact;
pub use poisson_profile::poisson_profile;
pub use rate::{count, rate};
pub use student_t::{MeanEstimate, mean, student_t};
pub use weighted_mean::weighted_mean;
pub use wilson::wilson;

use crate::distributions::normal;
use crate::error::{Result, StatsError};

/// A closed interval on the scale of its estimate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

impl Interval {
    /// An interval whose limits, and the distance between them, are finite, and in order.
    pub fn new(low: f64, high: f64) -> Result<Self> {
        if !(high - low).is_finite() {
            return Err(StatsError::Undefined { what: "interval", reason: "a limit is not a finite number" });
        }
        if low > high {
            return Err(StatsError::Undefined { what: "interval", reason: "the limits are in the wrong order" });
        }
        Ok(Interval { low, high })
    }

    /// True where `low` ≤ `value` ≤ `high`.
    pub fn contains(&self, value: f64) -> bool {
        self.low <= value && value <= self.high
    }

    /// `high` − `low`.
    pub fn width(&self) -> f64 {
        self.high - self.low
    }

    /// Both limits times `factor` ≥ 0.
    pub fn scaled(&self, factor: f64) -> Result<Self> {
        Interval::new(self.low * factor, self.high * factor)
    }
}

/// A two-sided confidence level, strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// 0.95.
    pub const P95: Level = Level(0.95);
    /// 0.998: the outer limits of control charts and funnels.
    pub const P998: Level = Level(0.998);

    /// # Errors
    /// [`StatsError::OutOfRange`] unless 0 < `level` < 1.
    pub fn new(level: f64) -> Result<Self> {
        if level > 0.0 && level < 1.0 {
            Ok(Level(level))
        } else {
            Err(StatsError::out_of_range("confidence level", level, "between 0 and 1"))
        }
    }

    /// The level itself.
    pub fn value(self) -> f64 {
        self.0
    }

    /// Probability outside the interval, 1 − level.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// Probability in each tail.
    pub fn tail(self) -> f64 {
        0.5 * (1.0 - self.0)
    }

    /// Normal quantile of the upper tail: 1.959964 at 0.95.
    pub fn z(self) -> Result<f64> {
        normal::upper_quantile(self.tail())
    }
}

impl Default for Level {
    fn default() -> Self {
        Level::P95
    }
}

impl TryFrom<f64> for Level {
    type Error = StatsError;
    fn try_from(level: f64) -> Result<Self> {
        Level::new(level)
    }
}

/// A number with its interval, what it rests on and the method that made the interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    pub value: f64,
    pub interval: Interval,
    /// Respondents, trials, exposure or events, as the method says.
    pub n: f64,
    /// Id of the method, such as `wilson`.
    pub method: &'static str,
}

/// Checks 0 ≤ x ≤ n, n > 0, both finite.
fn check_proportion(what: &'static str, x: f64, n: f64) -> Result<()> {
    if !(n > 0.0 && n.is_finite()) {
        return Err(StatsError::out_of_range(what, n, "denominator above 0"));
    }
    if !(x >= 0.0 && x <= n) {
        return Err(StatsError::out_of_range(what, x, "numerator from 0 to the denominator"));
    }
    Ok(())
}

fn check_count(what: &'static str, x: f64) -> Result<()> {
    if x >= 0.0 && x.is_finite() { Ok(()) } else { Err(StatsError::out_of_range(what, x, "count of at least 0")) }
}

fn check_exposure(what: &'static str, n: f64) -> Result<()> {
    if n > 0.0 && n.is_finite() { Ok(()) } else { Err(StatsError::out_of_range(what, n, "exposure above 0")) }
}
