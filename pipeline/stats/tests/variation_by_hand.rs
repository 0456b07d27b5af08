//! By hand: variation between units.

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

use prem_stats::variation::*;

fn close(actual: f64, expected: f64) {
    assert!((actual - expected).abs() <= 1e-12 * expected.abs().max(1.0), "{actual} is not {expected}");
}

const O: [f64; 2] = [12.0, 8.0];
const E: [f64; 2] = [10.0, 10.0];

#[test]
fn systematic_component() {
    // ((±2)/10)² = 0.04; minus 1/10: −0.06.
    let s = scv_diehr(&O, &E, 1.0).unwrap();
    close(s.raw, -6.0);
    assert_eq!(s.reported, 0.0);
    // κ = (1·2 + 4·1)/(1·2 + 2·1) = 1.5; 0.04 − 0.15 = −0.11.
    let kappa = repeat_event_factor(&[1.0, 2.0], &[2.0, 1.0]).unwrap();
    close(kappa, 1.5);
    close(scv_diehr(&O, &E, kappa).unwrap().raw, -11.0);
    assert!(scv_mcpherson(&[0.0, 5.0], &E).is_err());
}

#[test]
fn the_atlas_subtracts_too_much() {
    // Five years: 60 and 40 events against 50. Yearly means 12 and 8 against 10: 0.04 − 0.1. Sums: 0.04 − 0.02.
    let h = helseatlas(&[60.0, 40.0], &[50.0, 50.0], 5.0, 5.0).unwrap();
    close(h.scv.raw, -6.0);
    close(scv_diehr(&[60.0, 40.0], &[50.0, 50.0], 1.0).unwrap().raw, 2.0);
    assert_eq!(h.ft, [Some(1.5), None, None]);
    let few = helseatlas(&[60.0, 40.0, 10.0], &[50.0, 50.0, 10.0], 5.0, 5.0).unwrap();
    assert_eq!(few.left_out, [2]);
}

#[test]
fn coefficients_and_quotients() {
    close(cv_weighted(&O, &E).unwrap(), 0.2);
    // s = √(0.08) = 0.2828…
    close(cv(&[1.2, 0.8]).unwrap(), 0.08_f64.sqrt());
    close(gini(&[1.0, 3.0], &[1.0, 1.0]).unwrap(), 0.25);
    close(gini(&[2.0, 2.0, 2.0], &[1.0, 5.0, 3.0]).unwrap(), 0.0);
    close(extremal_quotient(&[1.0, 2.0, 3.0, 8.0], 2).unwrap(), 1.5);
    assert!(extremal_quotient(&[1.0, 2.0, 3.0], 2).is_err());
    assert!(extremal_quotient(&[0.0, 2.0], 1).is_err());
    close(median_odds_ratio(0.5).unwrap(), 0.674_489_750_196_081_7_f64.exp());
    close(median_odds_ratio(0.0).unwrap(), 1.0);
    close(share_explained(4.0, 5.0).unwrap(), -0.25);
}

#[test]
fn no_variation_is_a_legal_answer() {
    let eb = eb_poisson(&[10.0, 20.0, 30.0], &[10.0, 20.0, 30.0]).unwrap();
    assert_eq!((eb.alpha, eb.variance), (None, 0.0));
    assert_eq!(eb.smoothed, [1.0, 1.0, 1.0]);
    assert_eq!(eb_normal(&[10.0, 20.0, 30.0], &[10.0, 20.0, 30.0]).unwrap().variance, 0.0);
    let a = actionable(&[12.0, 8.0], &E, &[1.0, 1.0], 1.0).unwrap();
    assert_eq!((a.excess, a.deficit), (0.0, 0.0));
    assert_eq!((a.crude_excess, a.crude_deficit), (2.0, 2.0));
}

#[test]
fn counts_of_a_billion_keep_their_variance() {
    // θ = 1 ± 0.1 with counts so large that nothing is left to chance: variance 0.01 (to first order).
    let eb = eb_poisson(&[1.1e9, 0.9e9, 1.1e9, 0.9e9], &[1e9; 4]).unwrap();
    assert!((eb.variance - 0.01).abs() < 2e-4, "{}", eb.variance);
}

#[test]
fn chance_part_of_an_excess() {
    // Two events in two equal areas: (2, 0) and (0, 2) have probability ¼ each and an excess of 1 event.
    let two = |kappa| actionable(&[1.0, 1.0], &[1.0, 1.0], &[1.0, 1.0], kappa).unwrap().chance;
    close(two(1.0), 0.5);
    close(two(4.0), 1.0);
    // One area has all events, whatever chance does.
    close(actionable(&[7.0], &[7.0], &[1.0], 1.0).unwrap().chance, 0.0);
    // Five events in areas that expect 1, 1.5 and 2.5: all outcomes counted.
    let (n, p) = (5_u32, [0.2_f64, 0.3, 0.5]);
    let factorial = |k: u32| (1..=k).map(f64::from).product::<f64>();
    let mut excess = 0.0;
    for i in 0..=n {
        for j in 0..=n - i {
            let o = [i, j, n - i - j];
            let ways = factorial(n) / o.iter().map(|k| factorial(*k)).product::<f64>();
            let probability = ways * o.iter().zip(p).map(|(k, p)| p.powi(*k as i32)).product::<f64>();
            excess += probability * o.iter().zip(p).map(|(k, p)| (f64::from(*k) - 5.0 * p).max(0.0)).sum::<f64>();
        }
    }
    close(actionable(&[2.0, 2.0, 1.0], &[1.0, 1.5, 2.5], &[1.0; 3], 1.0).unwrap().chance, excess);
    // θ̃ = (1.1, 0.9): ±1 event; P25 = 0.95, P75 = 1.05.
    let b = actionable(&O, &E, &[1.1, 0.9], 1.0).unwrap();
    close(b.excess, 1.0);
    close(b.deficit, 1.0);
    close(b.from_p25[0], 1.5);
    close(b.from_p75[1], -1.5);
}

fn chi2(o: &[f64], e: &[f64]) -> Option<f64> {
    chi_squared_test(o, e).ok().map(|t| t.statistic)
}

#[test]
fn chance_by_enumeration() {
    // Three events over three equal units: all in one unit has probability 3/27 = 1/9, and nothing is more extreme.
    let c = chance(&[3.0, 0.0, 0.0], &[1.0; 3], Events::Independent, ChanceOptions::new(1), chi2).unwrap();
    let error = 3.0 * (8.0_f64 / 81.0 / 9999.0).sqrt();
    assert!((c.p - 1.0 / 9.0).abs() < error + 1e-4, "{}", c.p);
    close(c.statistic, 6.0);
    // One person with all three events always gives this picture.
    let one = [PersonsWithEvents { frequency: 3, persons: 1 }];
    let r = chance(&[3.0, 0.0, 0.0], &[1.0; 3], Events::Repeat(&one), ChanceOptions::new(1), chi2).unwrap();
    assert_eq!(r.p, 1.0);
    // (1 + 0)/(B + 1) is the smallest p.
    let far =
        chance(&[300.0, 0.0, 0.0], &[100.0; 3], Events::Independent, ChanceOptions { replicates: 99, seed: 3 }, chi2);
    close(far.unwrap().p, 0.01);
}

#[test]
fn threads_do_not_matter() {
    let run = |threads: usize| {
        rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(|| {
            chance(&[30.0, 20.0, 10.0], &[20.0; 3], Events::Independent, ChanceOptions::new(7), chi2).unwrap()
        })
    };
    assert_eq!(run(1), run(4));
}
