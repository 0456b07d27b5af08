//! A synthetic health region whose truth is known.
//!
//! [`generate`] writes the files that survey systems and registers would send, in the formats that the plan's exports
//! declare, and beside them what is true: units' true values, effects of patient characteristics, areas' true rates,
//! and how many rows were planted with what error. It names no trust, questionnaire or indicator: the plan says what
//! there is, and `region.toml` holds facts of the region that the plan has no place for.
//!
//! # The model
//! A ward's patients stay in hospital, some are invited (with a known probability), and some of those answer (by age, sex
//! and ward). A patient's experience is m = μ + x'β + effects of trust, hospital, department and ward + u, all on the scale
//! 0–100; item k is met with m + s_k, and the expected score of its answer is exactly that. So adjusted means have a truth:
//! μ + x̄'β + effects + shift. All parts are bounded so that nothing is ever cut off at the ends of the scale.
//! Where an indicator counts patients by what the sample does not know of them all (lengths of stay, diagnoses, other answers,
//! items that only some are asked), its units have no truth, and [`Truth::without_truth`] says why.
//! Wards' case mix differs, and `confounding` says how much it goes with quality.
//!
//! Residents of an area have events of the rate indicators as a Poisson process: the area's relative rate × a rate by age
//! and sex. Some inpatients are transferred, which makes two contacts of one episode. A share of the residents is
//! treated outside the trust of their area.
//!
//! # The files
//! Where the plan has several exports of a dataset, the first (by name) is written. `region.toml` says which questionnaires
//! are sent: the main one, and others beside it with `other_share` as many answers each, to patients of their own; those of
//! its further ones that the plan has too, with `every_questionnaire`. Where the plan has none of them, its first export of
//! responses is the main one.
//!
//! Contacts come in the file of the month of discharge, invitations in that of sending, responses in that of the answer
//! (up to six months after the span). Late responses come in a later file, and corrections repeat a `response_id`.
//! [`MARK`] lies beside the data files, so that whoever reads them knows that they are made up.
//! Contacts of invited patients and invitations that were answered are never broken, so that a broken row never makes
//! another one stray. No file has a larger share of broken rows than its export accepts: those too many stay whole.
//!
//! ```no_run
//! # fn region(plan: &prem_spec::Plan) -> Result<(), prem_sample::SampleError> {
//! use std::path::Path;
//!
//! let settings = prem_sample::Settings { seed: 7, ..prem_sample::Settings::default() };
//! let truth = prem_sample::generate(plan, &settings, Path::new("region"))?;
//! assert_eq!(truth, prem_sample::read_truth(Path::new("region/truth"))?);
//! # Ok(())
//! # }
//! ```

#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts and draws far below 2^53, rounded before they are cut"
)]

mod characteristics;
mod contact;
mod draw;
mod error;
mod experience;
mod faults;
mod files;
mod forms;
mod generate;
mod members;
mod output;
mod population;
mod rates;
mod reference;
mod region;
mod register;
mod residence;
mod settings;
mod stays;
mod surveys;
mod table;
mod tables;
mod tally;
mod truth;
mod wards;
mod world;

pub use error::SampleError;
pub use generate::{MARK, generate};
pub use settings::Settings;
pub use truth::{DeliveryCount, TrueAdjuster, TrueItem, TrueRate, TrueUnit, Truth, read_truth};
