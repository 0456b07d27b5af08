//! Variance of weighted scores: by hand, and equal to the design kernels that are checked against R's survey package.
#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use prem_stats::weights::{Design, Margin, Scored, margin_residuals, mean, score_variance};

const Y: [f64; 8] = [3.0, 5.0, 4.0, 9.0, 1.0, 6.0, 7.0, 2.0];
const W: [f64; 8] = [2.0, 2.0, 2.0, 2.0, 5.0, 5.0, 5.0, 5.0];
const H: [u32; 8] = [0, 0, 0, 0, 1, 1, 1, 1];

fn near(a: f64, b: f64) {
    assert!((a - b).abs() <= 1e-12 * b.abs().max(1.0), "{a} {b}");
}

#[test]
fn strata_and_finite_populations_as_the_design_kernels_have_them() {
    let strata: Vec<usize> = H.iter().map(|h| *h as usize).collect();
    let population: Vec<f64> = H.iter().map(|h| if *h == 0 { 8.0 } else { 20.0 }).collect();
    let (total, all) = (W.iter().sum::<f64>(), Y.iter().zip(&W).map(|(y, w)| y * w).sum::<f64>());
    let scores: Vec<f64> = Y.iter().map(|y| (y - all / total) / total).collect();
    let rows = Scored { scores: &scores, weights: &W, counts: None, strata: &H };
    for (population, correction) in [(None, None), (Some(&population[..]), Some([0.5, 0.8]))] {
        let design = Design { weights: &W, strata: Some(&strata), clusters: None, population };
        let expected = mean(&Y, &design, None).expect("a mean").se.powi(2);
        near(score_variance(&rows, correction.as_ref().map(|c| &c[..]), &[]).expect("a variance"), expected);
    }
}

#[test]
fn rows_may_stand_for_several_and_a_lone_respondent_counts_with_all_it_has() {
    let once = Scored { scores: &[1.0, 1.0, -2.0], weights: &[1.0; 3], counts: None, strata: &[0; 3] };
    let counted = Scored { scores: &[1.0, -2.0], weights: &[1.0; 2], counts: Some(&[2.0, 1.0]), strata: &[0; 2] };
    near(score_variance(&once, None, &[]).expect("a variance"), 9.0);
    near(score_variance(&counted, None, &[]).expect("a variance"), 9.0);
    let lone = Scored { scores: &[3.0], weights: &[2.0], counts: None, strata: &[4] };
    near(score_variance(&lone, None, &[]).expect("a variance"), 36.0);
}

#[test]
fn weights_that_meet_margins_vary_with_what_the_margins_leave() {
    let margin = Margin { cells: vec![0, 1, 0, 1, 0, 1, 0, 1], totals: vec![14.0, 14.0] };
    let residuals = margin_residuals(&Y, &W, std::slice::from_ref(&margin)).expect("residuals");
    let plain = Scored { scores: &residuals, weights: &W, counts: None, strata: &H };
    let adjusted = Scored { scores: &Y, ..plain };
    let expected = score_variance(&plain, None, &[]).expect("a variance");
    near(score_variance(&adjusted, None, &[margin]).expect("a variance"), expected);
}
