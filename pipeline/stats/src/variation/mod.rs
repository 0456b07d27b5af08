//! Variation between units: extremes, quotients, variance components and what chance alone would give.

pub mod actionable;
pub mod chance;
pub mod chi_squared;
pub mod coefficient;
pub mod eb_normal;
pub mod eb_poisson;
pub mod extremal;
pub mod gini;
pub mod helseatlas;
pub mod heterogeneity;
pub mod median_odds_ratio;
pub mod quantile;
pub mod scv;

pub use actionable::{Actionable, actionable};
pub use chance::{Chance, ChanceOptions, Events, PersonsWithEvents, chance};
pub use chi_squared::{ChiSquaredTest, chi_squared_test};
pub use coefficient::{cv, cv_weighted};
pub use eb_normal::{EbNormal, eb_normal, normal_variance_ml};
pub use eb_poisson::{EbPoisson, eb_poisson, eq_80_20_smoothed};
pub use extremal::{eq_5_95, extremal_quotient};
pub use gini::gini;
pub use helseatlas::{Helseatlas, helseatlas};
pub use heterogeneity::{Heterogeneity, dersimonian_laird, paule_mandel, reml};
pub use median_odds_ratio::{latent_icc, median_odds_ratio, share_explained};
pub use quantile::quantile_type_7;
pub use scv::{Scv, repeat_event_factor, scv_diehr, scv_mcpherson};

use crate::error::{Result, StatsError, check_length, check_non_negative, check_positive};

/// Checks observed ≥ 0 and expected > 0, of equal length, for at least `needed` units.
fn check_observed_expected(what: &'static str, observed: &[f64], expected: &[f64], needed: usize) -> Result<()> {
    check_length(what, observed.len(), expected.len())?;
    check_non_negative(what, observed)?;
    check_positive(what, expected)?;
    if observed.len() < needed {
        return Err(StatsError::TooFew { what, needed, found: observed.len() });
    }
    Ok(())
}
