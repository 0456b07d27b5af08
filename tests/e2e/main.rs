//! Whole runs of the command, from files to releases.

mod cahps;
mod declarations;
mod faults;
mod place;
mod reconciliation;
mod refusals;
mod releases;
mod same_bytes;
mod truth;
