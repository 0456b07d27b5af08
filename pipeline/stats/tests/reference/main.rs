//! Other software's numbers against ours, in one table.
//!
//! `cargo test -p prem-stats --test reference -- --nocapture` prints it. To add cases: write a file beside this one with
//! `pub fn run()` that makes `Case`s (see `tests/common/mod.rs`), declare it below as a `mod`, and call it in
//! `every_reference_case`, in alphabetical order. Expected values come from other software or from print, never from
//! this program; where the shared reference folder is absent the cases say SKIPPED.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a failure here is a failed test")]
#![allow(clippy::print_stdout, reason = "the table is what this test is for")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "counts far below 2^53"
)]

#[path = "../models/mod.rs"]
mod models;

use common::{Case, Tolerance::Absolute, Verdict};
use models::common;

mod binary;
mod cahps;
mod case_mix;
mod distributions;
mod funnel;
mod intervals;
mod r_areas;
mod r_areas_nested;
mod r_average;
mod r_closed;
mod r_dense;
mod r_groups;
mod r_models;
mod r_numbers;
mod r_resampling;
mod r_standardised;
mod r_survey;
mod r_survival;
mod rates;
mod scores;
mod spc;
mod survival;
mod variation;
mod weights;

/// Folders with other truths: published names and structures, and the protection of small numbers, which has its own crate.
const NOT_STATISTICS: [&str; 3] = ["nki", "organisation", "suppression"];

/// A declared difference has two ends: it may neither grow nor vanish unseen.
#[test]
fn a_known_difference_can_fail() {
    let verdict = |actual: f64| {
        let mut case = Case::new("", "", Absolute(0.01)).known_difference("another rule", 0.5);
        case.compare("", 1.0, actual);
        case.verdict()
    };
    assert_eq!(verdict(1.3), Verdict::Difference("another rule, at most 5e-1".into()));
    assert!(matches!(verdict(1.6), Verdict::Failure(_)));
    assert!(matches!(verdict(1.001), Verdict::Failure(_)));
    let nothing_compared = Case::new("", "", Absolute(0.01));
    assert!(matches!(nothing_compared.verdict(), Verdict::Failure(_)));
}

#[test]
fn every_reference_case() {
    binary::run();
    cahps::run();
    case_mix::run();
    distributions::run();
    funnel::run();
    intervals::run();
    r_areas::run();
    r_areas_nested::run();
    r_average::run();
    r_closed::run();
    r_dense::run();
    r_groups::run();
    r_models::run();
    r_resampling::run();
    r_standardised::run();
    r_survey::run();
    r_survival::run();
    rates::run();
    scores::run();
    spc::run();
    survival::run();
    variation::run();
    weights::run();
    let failures = common::print_table();
    let unread = common::unread(&NOT_STATISTICS);
    assert!(unread.is_empty(), "reference files that no case reads: {unread:?}");
    assert!(failures.is_empty(), "{} cases outside their tolerance:\n{}", failures.len(), failures.join("\n"));
}
