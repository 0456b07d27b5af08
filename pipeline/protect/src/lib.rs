//! Small numbers: what may leave the house.
//!
//! [`protect`] takes the statistics' tables in full ([`Unprotected`]) and gives [`Protected`], the only thing that
//! reports accept. In order:
//!
//! 1. **primary**: rows whose counts are small by the indicator's own rule;
//! 2. **secondary**: what is published is a linear system of totals over units, periods and strata (`system`);
//!    further cells are withheld until no primary cell is determined by the shown ones, or bounded to fewer than five
//!    counts. Elimination is exact;
//! 3. **linkage**: `reference` would tell a withheld region, `change` a withheld earlier period;
//! 4. **other tables**: extremes between few units, and fits and items with few respondents;
//! 5. **series** and **other models**: made of shown values alone ([`Protected::trends`]), and never a second total over
//!    a withheld unit ([`Protected::sensitivity`]);
//! 6. **proof**: [`audit`] starts from the published rows alone and must find nothing: what it
//!    finds is surrounded by more withheld cells until it does not.
//!
//! Every figure of a withheld row is null, n included.

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of persons and events are far below 2⁵³, and made whole and not negative before a cast"
)]

mod answered;
mod audit;
mod before;
mod beside;
mod bounds;
mod completeness;
mod eliminate;
mod error;
mod files;
mod hide;
mod linkage;
mod narrowed;
mod owners;
mod parts;
mod pattern;
mod periods;
mod primary;
mod protect;
mod protected;
mod ratio;
mod reason;
mod region_tables;
mod respondents;
mod response;
mod restricted;
mod secondary;
mod sensitivity;
mod shrunken;
mod spread;
mod system;
mod trends;
mod unprotected;
mod variation;

pub use audit::{How, Recoverable, audit, audit_beside};
pub use before::Before;
pub use error::ProtectError;
pub use files::MANIFEST_FILE;
/// The row types and their contracts, for crates that see the store only through what is protected.
pub use prem_store::{StoreError, tables};
pub use protect::protect;
pub use protected::Protected;
pub use reason::{REASONS, SECONDARY};
pub use spread::{Spread, UNITS_MIN};
pub use trends::{POINTS_MIN, SeriesPoint};
pub use unprotected::Unprotected;
pub use variation::{Levels, UNITS_BEHIND_A_FIGURE_MIN};
