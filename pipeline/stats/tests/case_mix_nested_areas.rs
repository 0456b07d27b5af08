//! Areas in a tree: by hand, against areas without a tree, and over simulated regions.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure is a failed test"
)]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

use prem_stats::case_mix::{NestedAreas, ShrinkageInterval, fay_herriot, nested_areas};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

const AVERAGED: ShrinkageInterval = ShrinkageInterval::Averaged;
const PLUG_IN: ShrinkageInterval = ShrinkageInterval::PlugIn;

fn close(what: &str, got: f64, wanted: f64, tolerance: f64) {
    assert!((got - wanted).abs() <= tolerance * wanted.abs().max(1.0), "{what}: {got} instead of {wanted}");
}

/// Three hospitals of two wards, V = 1: MSW = 24/3 = 8 = A_0 + V and MSB = 2·72/2 = 72 = A_0 + V + 2A_1, so A_0 = 7, A_1 = 32. A
/// hospital's mean is pulled by 1 − V/72 = 71/72 to 8, a ward's distance from it by 1 − V/8 = 7/8. g1 = ½·71/72 + ½·7/8, Var(μ̂) =
/// 72/6, g2 = 12/72². The two mean squares have the information 3/2·8² and 3/2·72²: g3 = 1/(3·72) + 1/(3·8).
#[test]
fn balanced_by_hand() {
    let y = [0.0, 4.0, 6.0, 10.0, 12.0, 16.0];
    let fit = nested_areas(&y, &[1.0; 6], (&[vec![0, 0, 1, 1, 2, 2]], 3), PLUG_IN, 0.95).expect("fit");
    assert!(!fit.boundary && fit.variances.len() == 2);
    close("A_0", fit.variances[0].expect("wards vary"), 7.0, 1e-9);
    close("A_1", fit.variances[1].expect("hospitals vary"), 32.0, 1e-9);
    close("μ̂", fit.mean, 8.0, 1e-12);
    close("SE", fit.standard_error, 12.0_f64.sqrt(), 1e-10);
    let (g1, g2, g3) = (67.0 / 72.0, 12.0 / 5184.0, 10.0 / 216.0);
    for (j, (y, area)) in y.iter().zip(&fit.areas).enumerate() {
        let hospital = 2.0 + 6.0 * (j / 2) as f64;
        close("value", area.value, 8.0 + 71.0 / 72.0 * (hospital - 8.0) + 7.0 / 8.0 * (y - hospital), 1e-10);
        close("MSE", area.mean_squared_error, g1 + g2 + 2.0 * g3, 1e-9);
        close("reliability", area.reliability, 1.0 - g1 / 39.0, 1e-10);
        close("width", area.upper - area.lower, 2.0 * 1.959963984540054 * (443.0_f64 / 432.0).sqrt(), 1e-9);
    }
    close("the first ward", fit.areas[0].value, 1.0 / 3.0, 1e-10);
}

/// 12 wards in six hospitals in three trusts; hospital 5 has one ward that no other shares.
const HOSPITAL: [u32; 12] = [0, 0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5];
const TRUST: [u32; 6] = [0, 0, 1, 1, 2, 2];
const Y: [f64; 12] = [71.0, 74.5, 69.0, 80.0, 78.5, 66.0, 61.5, 70.0, 73.0, 77.0, 79.5, 64.0];
const V: [f64; 12] = [4.0, 2.5, 9.0, 1.5, 3.0, 6.0, 2.0, 5.0, 3.5, 8.0, 1.0, 2.2];

fn fit(parents: &[Vec<u32>], tops: usize, interval: ShrinkageInterval) -> NestedAreas {
    nested_areas(&Y, &V, (parents, tops), interval, 0.95).expect("fit")
}

/// Without a level that has effects the model is that of areas alone, to the last bit.
#[test]
fn without_levels_it_is_fay_herriot() {
    for interval in [AVERAGED, PLUG_IN] {
        let plain = fay_herriot(&Y, &V, &[], interval, 0.95).expect("fit");
        let each: Vec<u32> = (0..12).collect();
        // No level; one that divides as wards do; one with a node alone.
        for (parents, tops) in [(vec![], 12), (vec![each.clone()], 12), (vec![vec![0; 12]], 1)] {
            let got = fit(&parents, tops, interval);
            assert_eq!(got.areas, plain.units);
            assert_eq!(got.variances[0], Some(plain.between_unit_variance));
            assert!(got.variances[1..].iter().all(Option::is_none) && got.variances.len() == parents.len() + 1);
            assert_eq!((got.mean, got.boundary), (plain.coefficients[0], plain.boundary));
        }
    }
    // Three hospitals are too few to average over, and enough to plug in.
    let three = [HOSPITAL.map(|h| h / 2).to_vec()];
    assert_eq!(fit(&three, 3, AVERAGED).areas, fit(&[], 12, AVERAGED).areas);
    assert!(fit(&three, 3, PLUG_IN).variances[1].is_some());
}

/// A ward of a good hospital is drawn up, not to the mean of all; the fewer its answers the more.
#[test]
fn a_ward_borrows_strength_from_its_hospital() {
    let y = [90.0, 88.0, 91.0, 70.0, 50.0, 52.0, 49.0, 60.0, 62.0, 75.0, 77.0, 81.0, 83.0];
    let v: Vec<f64> = (0..13).map(|j| if j == 3 { 40.0 } else { 1.0 }).collect();
    let hospital = vec![0, 0, 0, 0, 1, 1, 1, 2, 2, 3, 3, 4, 4];
    for interval in [AVERAGED, PLUG_IN] {
        let flat = fay_herriot(&y, &v, &[], interval, 0.95).expect("fit");
        let nested = nested_areas(&y, &v, (std::slice::from_ref(&hospital), 5), interval, 0.95).expect("fit");
        let (without, with) = (&flat.units[3], &nested.areas[3]);
        assert!((without.value - 70.0).abs() < 3.0, "the mean of all is near: {without:?}");
        assert!(with.value > 80.0 && with.mean_squared_error < without.mean_squared_error, "{with:?} {without:?}");
    }
}

/// Trusts of which there are three have no effects where variances are averaged over, and then move nothing; a level that
/// divides as the one below adds nothing; a node without wards takes no part.
#[test]
fn levels_without_effects_of_their_own() {
    for interval in [AVERAGED, PLUG_IN] {
        let plain = fit(&[HOSPITAL.to_vec()], 6, interval);
        let repeated = fit(&[HOSPITAL.to_vec(), (0..6).collect()], 6, interval);
        assert_eq!(repeated.areas, plain.areas);
        assert_eq!((repeated.variances[1], repeated.variances[2]), (plain.variances[1], None));
        let wider = fit(&[HOSPITAL.map(|h| h + 2).to_vec()], 9, interval);
        for (a, b) in plain.areas.iter().zip(&wider.areas) {
            close("value", b.value, a.value, 1e-9);
            close("MSE", b.mean_squared_error, a.mean_squared_error, 1e-8);
        }
        let trusts = fit(&[HOSPITAL.to_vec(), TRUST.to_vec()], 3, interval);
        assert_eq!(trusts.variances[2].is_some(), interval == PLUG_IN);
        assert_eq!(trusts.areas == plain.areas, interval == AVERAGED);
    }
}

#[test]
fn hostile_inputs() {
    let hospital = [HOSPITAL.to_vec()];
    let run = |y: &[f64], v: &[f64], parents: &[Vec<u32>], tops| nested_areas(y, v, (parents, tops), PLUG_IN, 0.95);
    assert!(run(&Y, &V[..11], &hospital, 6).is_err(), "a variance is missing");
    assert!(run(&Y, &[0.0; 12], &hospital, 6).is_err() && run(&Y, &[-1.0; 12], &hospital, 6).is_err());
    assert!(run(&[f64::NAN; 12], &V, &hospital, 6).is_err());
    assert!(run(&Y, &V, &hospital, 5).is_err(), "a hospital that is not there");
    assert!(run(&Y[..11], &V[..11], &hospital, 6).is_err(), "a ward that is not there");
    assert!(run(&[], &[], &[], 0).is_err() && run(&Y[..2], &V[..2], &[], 2).is_err());
    assert!(nested_areas(&Y[..4], &V[..4], (&[], 4), AVERAGED, 0.95).is_err(), "too few to average over");
    assert!(nested_areas(&Y, &V, (&hospital, 6), AVERAGED, 1.5).is_err());
    // All alike: nothing varies, and everybody gets the same.
    let alike = run(&[7.0; 12], &V, &hospital, 6).expect("fit");
    assert!(alike.boundary && alike.variances == [Some(0.0), Some(0.0)]);
    assert!(alike.areas.iter().all(|area| (area.value - 7.0).abs() < 1e-12 && area.reliability == 0.0));
}

/// What many made-up regions say.
struct Study {
    covered: f64,
    /// Squared error of the estimates, of areas alone, and in the tree.
    squared: [f64; 3],
}

/// Ten hospitals of two to five wards, SDs of hospitals and wards as given, sampling SDs from 1 to 4.
fn study(regions: usize, [at_hospital, at_ward]: [f64; 2]) -> Study {
    let mut rng = ChaCha8Rng::seed_from_u64(12);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let hospital: Vec<u32> = (0..10_u32).flat_map(|h| vec![h; 2 + h as usize % 4]).collect();
    let (mut covered, mut squared) = (0, [0.0; 3]);
    for region in 0..regions {
        let hospitals: Vec<f64> = (0..10).map(|_| at_hospital * normal()).collect();
        let truth: Vec<f64> = hospital.iter().map(|h| 70.0 + hospitals[*h as usize] + at_ward * normal()).collect();
        let v: Vec<f64> = (0..truth.len()).map(|j| (1.0 + ((7 * j + 5 * region) % 13) as f64 / 4.0).powi(2)).collect();
        let y: Vec<f64> = truth.iter().zip(&v).map(|(truth, v)| truth + v.sqrt() * normal()).collect();
        let flat = fay_herriot(&y, &v, &[], AVERAGED, 0.95).expect("fit");
        let nested = nested_areas(&y, &v, (std::slice::from_ref(&hospital), 10), AVERAGED, 0.95).expect("fit");
        for (j, truth) in truth.iter().enumerate() {
            let area = &nested.areas[j];
            covered += usize::from(area.lower <= *truth && *truth <= area.upper);
            for (sum, value) in squared.iter_mut().zip([y[j], flat.units[j].value, area.value]) {
                *sum += (value - truth).powi(2);
            }
        }
    }
    Study { covered: covered as f64 / (regions * hospital.len()) as f64, squared }
}

/// Intervals hold over areas drawn from the model, also where a level does not vary, and wards gain by their hospitals.
#[test]
fn simulation_intervals_cover_and_wards_gain() {
    for sds in [[3.0, 2.0], [0.0, 3.0], [3.0, 0.0], [0.0, 0.0]] {
        let study = study(150, sds);
        println!("{sds:?}: {:.3}, squared error {:.0?}", study.covered, study.squared);
        // 4,950 areas: three Monte-Carlo errors of independent ones are 0.01, and regions share their estimated variances.
        assert!(study.covered >= 0.95 - 0.02, "{sds:?}: {}", study.covered);
        let [raw, flat, nested] = study.squared;
        assert!(nested < raw, "{sds:?}: {:?}", study.squared);
        // Where hospitals do not vary a variance more costs a little of what shrinking gains.
        assert!(nested < if sds[0] > 0.0 { flat } else { flat + 0.05 * raw }, "{sds:?}: {:?}", study.squared);
    }
}
