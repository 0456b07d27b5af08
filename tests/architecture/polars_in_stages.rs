//! Frames live in pipeline/stages and nowhere else.

use crate::{
    finding::{Finding, assert_none},
    source::Source,
    workspace,
};

const FRAMES: &str = "polars";
const OWNER: &str = "pipeline/stages/";

fn check(source: &Source) -> Vec<Finding> {
    let finding = |line| Finding {
        file: source.file.clone(),
        line,
        what: "frames outside pipeline/stages".to_owned(),
        advice: "work on slices, records or arrow arrays here, or move the step into a stage",
    };
    source.lines_with(FRAMES).into_iter().map(finding).collect()
}

#[test]
fn frames_stay_in_stages() {
    // Tests and benchmarks count too: a polars binary is large and slow to build.
    let sources = workspace::rust(|file| !file.starts_with(OWNER));
    assert_none("Frames live in pipeline/stages and nowhere else.", sources.iter().flat_map(check).collect());
}

#[test]
fn a_frame_elsewhere_is_found() {
    let bad = Source::new("pipeline/store/src/a.rs", "fn a() {}\nuse polars::prelude::*;\n");
    assert_eq!(check(&bad).iter().map(|finding| finding.line).collect::<Vec<_>>(), [2]);
    let good = Source::new("pipeline/store/src/a.rs", "// polars reads this\nlet name = \"polars::prelude\";\n");
    assert_eq!(check(&good), []);
}
