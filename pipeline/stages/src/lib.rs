//! link → score → estimate → vary. Frames live here and nowhere else.
//!
//! A stage turns frames into slices, calls kernels in parallel and turns results into rows. polars selects, joins with a
//! stated order, sorts and counts; every sum of floats is made by a kernel, in a fixed order.

mod area;
mod asked;
mod design;
mod draw;
mod episode;
mod error;
pub mod estimate;
mod events;
pub mod explain;
mod frames;
mod link;
mod placement;
mod population;
mod score;
mod strata;
mod survey_quality;
mod tally;
mod tree;
mod unplaced;
mod vary;
mod view;

pub use area::{Areas, catchment_overlaps, load_areas};
pub use draw::{DrawInputs, DrawReport, DrawRequest, DrawnStratum, draw};
pub use error::StageError;
pub use events::{RateCells, count_events};
pub use link::{InvitationCounts, Invitations, Invited, LinkInputs, LinkOutcome, link_responses, read_invited};
pub use population::PopulationCount;
pub use score::{ScoredMonth, read_scored, score_partition};
pub use survey_quality::survey_quality;
pub use unplaced::{NO_CODE, OTHER_SHAPE, Unplaced};
pub use vary::{VaryInputs, vary};
pub use view::{Part, Replaces, Side, UnmatchedRow, ViewCounts, count_unmatched, count_view, list_unmatched};

/// Version of the methods: written into every row, part of every run id. Raise it when a number may change.
pub const METHOD_VERSION: &str = "1.6.0";
