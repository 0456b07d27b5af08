//! Other software's numbers against ours, in one table.
//!
//! `cargo test -p prem-stats --test reference -- --nocapture` prints it. To add cases: write a file beside this one with
//! `pub fn run()` that makes `Case`s (see `tests/common/mod.rs`), declare it below as a `mod`, and call it in
//! `every_reference_case`, in alphabetical order. Expected values come from other software or from print, never from
//! this program; where the shared reference folder is absent the cases say SKIPPED.

#[path = "../common/mod.rs"]
mod common;

mod distributions;
mod funnel;
mod intervals;
mod rates;
mod scores;
mod spc;
mod survival;
mod variation;
mod weights;

#[test]
fn every_reference_case() {
    distributions::run();
    funnel::run();
    intervals::run();
    rates::run();
    scores::run();
    spc::run();
    survival::run();
    variation::run();
    weights::run();
    let failures = common::print_table();
    assert!(failures.is_empty(), "{} cases outside their tolerance:\n{}", failures.len(), failures.join("\n"));
}
