//! Shrinkage in a tree: against one level, against lme4, and against the dense matrices.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a failure is a failed test"
)]
#![allow(clippy::needless_range_loop, reason = "matrices as they are written on paper")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "small counts"
)]

mod models;

use models::{Tree, Wards, common::Table, moments};
use prem_stats::case_mix::{
    Criterion, NestedShrinkage, ShrinkageInterval, UnitMoments, fit_random_intercept, nested_shrinkage, shrunken_means,
    within,
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

fn close(what: &str, got: f64, wanted: f64, relative: f64) {
    assert!((got - wanted).abs() <= relative * wanted.abs().max(1.0), "{what}: {got} instead of {wanted}");
}

/// With one level the tree is the plain random intercept: plug-in to rounding, averaged to what two quadratures leave.
#[test]
fn one_level_is_the_random_intercept() {
    let m = Wards::read().moments();
    let reference = m.mean_adjusters();
    let fixed = within(&m).expect("fit");
    for beta in [None, Some(&fixed)] {
        let plain = fit_random_intercept(&m, Criterion::Reml, beta).expect("fit");
        for (interval, tolerance) in [(ShrinkageInterval::PlugIn, 1e-9), (ShrinkageInterval::Averaged, 1e-5)] {
            let wanted = shrunken_means(&plain, &m, &reference, interval, 0.95).expect("means");
            let got = nested_shrinkage(&m, (&[], m.units()), beta, &reference, interval, 0.95).expect("tree");
            for (got, wanted) in got.levels[0].iter().zip(&wanted) {
                close("value", got.value, wanted.value, tolerance);
                close("standard error", got.standard_error, wanted.standard_error, tolerance);
                close("reliability", got.reliability, wanted.reliability, tolerance);
            }
        }
    }
}

/// Plug-in with the model's own β: fixed part and both effects of lme4.
#[test]
fn wards_in_hospitals_are_those_of_lme4() {
    let (Some(tree), Some(effects)) = (Tree::read(), Table::shared("mixed/lmm_ranef_expected.csv")) else { return };
    let reference = tree.moments.mean_adjusters();
    let parents = std::slice::from_ref(&tree.parent);
    let shape = (parents, tree.hospitals.len());
    let got = nested_shrinkage(&tree.moments, shape, None, &reference, ShrinkageInterval::PlugIn, 0.95).expect("tree");
    let (intercept, slope) = (73.43093369364095, 1.4571173968673425);
    close("intercept", got.coefficients[0], intercept, 1e-6);
    close("slope", got.coefficients[1], slope, 1e-6);
    close("σ ward", got.level_sds[0].expect("wards vary"), 2.3136091865232906, 1e-6);
    close("σ hospital", got.level_sds[1].expect("hospitals vary"), 3.5259060089532293, 1e-6);
    let of = |grouping| effects.filter(&[("dataset", "nested"), ("method", "REML"), ("grouping", grouping)]);
    let (of_wards, of_hospitals) = (of("ward"), of("hospital"));
    for (j, ward) in tree.wards.iter().enumerate() {
        let hospital = &tree.hospitals[tree.parent[j] as usize];
        let (own, above) = (of_wards.lookup("level", ward, "blup"), of_hospitals.lookup("level", hospital, "blup"));
        let wanted = intercept + slope * reference[0] + own + above;
        close(ward, got.levels[0][j].value, wanted, 1e-6);
    }
}

/// A hospital's value is the mean of its wards' by respondents, whatever the interval and β.
#[test]
fn hospitals_agree_with_their_wards() {
    let wards = Wards::read();
    let (m, hospital) = (wards.moments(), wards.hospital);
    let reference = m.mean_adjusters();
    let fixed = within(&m).expect("fit");
    let shape = (std::slice::from_ref(&hospital), 9);
    for (beta, interval) in [(None, ShrinkageInterval::PlugIn), (Some(&fixed), ShrinkageInterval::Averaged)] {
        let got = nested_shrinkage(&m, shape, beta, &reference, interval, 0.95).expect("tree");
        for (h, node) in got.levels[1].iter().enumerate() {
            let wards = got.levels[0].iter().zip(&hospital).filter(|(_, parent)| **parent == h as u32);
            let sum: f64 = wards.map(|(ward, _)| ward.n as f64 * ward.value).sum();
            close("hospital", node.value, sum / node.n as f64, 1e-10);
        }
    }
}

const ROWS: [usize; 9] = [12, 5, 30, 8, 17, 3, 40, 9, 21];
/// Nine wards in six departments in four hospitals, unevenly: two hospitals are a department, and one of those a ward.
const DEPARTMENT: [u32; 9] = [0, 0, 1, 2, 2, 2, 3, 4, 5];
const HOSPITAL: [u32; 6] = [0, 0, 1, 1, 2, 3];

struct Rows {
    unit: Vec<u32>,
    x: Vec<f64>,
    y: Vec<f64>,
}

fn rows() -> Rows {
    let mut state = 7_u64;
    let mut draw = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as f64 / f64::from(u32::MAX >> 1) - 0.5
    };
    let hospitals: Vec<f64> = (0..4).map(|_| 8.0 * draw()).collect();
    let departments: Vec<f64> = (0..6).map(|_| 6.0 * draw()).collect();
    let wards: Vec<f64> = (0..9).map(|_| 8.0 * draw()).collect();
    let mut rows = Rows { unit: Vec::new(), x: Vec::new(), y: Vec::new() };
    for (j, n) in ROWS.into_iter().enumerate() {
        let department = DEPARTMENT[j] as usize;
        for _ in 0..n {
            let x = 4.0 * draw() + wards[j] / 8.0;
            let effects = hospitals[HOSPITAL[department] as usize] + departments[department] + wards[j];
            rows.unit.push(j as u32);
            rows.x.push(x);
            rows.y.push(60.0 + 1.5 * x + effects + 12.0 * draw());
        }
    }
    rows
}

fn solve(matrix: &[Vec<f64>], right: &[f64]) -> Vec<f64> {
    let n = right.len();
    let mut a: Vec<Vec<f64>> = matrix.iter().zip(right).map(|(row, r)| [row.as_slice(), &[*r]].concat()).collect();
    for k in 0..n {
        for i in k + 1..n {
            let factor = a[i][k] / a[k][k];
            for c in k..=n {
                a[i][c] -= factor * a[k][c];
            }
        }
    }
    let mut out = vec![0.0; n];
    for k in (0..n).rev() {
        out[k] = (a[k][n] - (k + 1..n).map(|c| a[k][c] * out[c]).sum::<f64>()) / a[k][k];
    }
    out
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// Value and variance of each node by universal kriging with the whole covariance matrix of the rows.
fn dense(rows: &Rows, got: &NestedShrinkage, reference: f64, shares: &[f64]) -> (f64, f64) {
    let n = rows.y.len();
    let sigma2 = got.residual_sd.powi(2);
    let v: Vec<f64> = got.level_sds.iter().map(|sd| sd.unwrap_or(0.0).powi(2) / sigma2).collect();
    let path = |j: usize| [j as u32, 100 + DEPARTMENT[j], 200 + HOSPITAL[DEPARTMENT[j] as usize]];
    let shared = |i: usize, j: usize| -> f64 {
        path(i).iter().zip(path(j)).zip(&v).filter(|((a, b), _)| **a == *b).map(|(_, v)| v).sum()
    };
    let unit = |i: usize| rows.unit[i] as usize;
    let covariance: Vec<Vec<f64>> =
        (0..n).map(|i| (0..n).map(|k| shared(unit(i), unit(k)) + f64::from(u8::from(i == k))).collect()).collect();
    let with_target: Vec<f64> = (0..n).map(|i| (0..9).map(|k| shares[k] * shared(unit(i), k)).sum::<f64>()).collect();
    let target: f64 = (0..9).map(|i| (0..9).map(|k| shares[i] * shares[k] * shared(i, k)).sum::<f64>()).sum();
    let weights = solve(&covariance, &with_target);
    let design = [vec![1.0; n], rows.x.clone()];
    let inverse: Vec<Vec<f64>> = design.iter().map(|column| solve(&covariance, column)).collect();
    let a: Vec<Vec<f64>> = design.iter().map(|p| inverse.iter().map(|q| dot(p, q)).collect()).collect();
    let beta = solve(&a, &[dot(&inverse[0], &rows.y), dot(&inverse[1], &rows.y)]);
    let residual: Vec<f64> = (0..n).map(|i| rows.y[i] - beta[0] - beta[1] * rows.x[i]).collect();
    let h = [1.0 - dot(&weights, &design[0]), reference - dot(&weights, &design[1])];
    let value = beta[0] + beta[1] * reference + dot(&weights, &residual);
    let variance = sigma2 * (target - dot(&weights, &with_target) + dot(&h, &solve(&a, &h)));
    (value, variance)
}

fn small() -> (Rows, UnitMoments, Vec<Vec<u32>>) {
    let rows = rows();
    let m = moments(&rows.unit, 9, &rows.y, &[&rows.x]);
    (rows, m, vec![DEPARTMENT.to_vec(), HOSPITAL.to_vec()])
}

#[test]
fn every_level_is_that_of_the_dense_matrices() {
    let (rows, m, parents) = small();
    let reference = m.mean_adjusters();
    let got =
        nested_shrinkage(&m, (&parents, 4), None, &reference, ShrinkageInterval::PlugIn, 0.95).expect("a fitted tree");
    let groups: [Vec<u32>; 3] =
        [(0..9).collect(), DEPARTMENT.to_vec(), DEPARTMENT.iter().map(|d| HOSPITAL[*d as usize]).collect()];
    for (l, group) in groups.iter().enumerate() {
        for (node, shown) in got.levels[l].iter().enumerate() {
            let is_in = |k: usize| group[k] == node as u32;
            let total: usize = (0..9).filter(|k| is_in(*k)).map(|k| ROWS[k]).sum();
            let shares: Vec<f64> = (0..9).map(|k| if is_in(k) { ROWS[k] as f64 / total as f64 } else { 0.0 }).collect();
            let (value, variance) = dense(&rows, &got, reference[0], &shares);
            assert_eq!(shown.n, total as u64);
            close(&format!("value {l} {node}"), shown.value, value, 1e-8);
            close(&format!("variance {l} {node}"), shown.variance, variance, 1e-8);
        }
    }
}

/// Effects need five nodes when averaged; a level of fewer is the mean of its parts and moves nothing.
#[test]
fn levels_of_few_nodes_have_no_effects_of_their_own() {
    let (_, m, parents) = small();
    let reference = m.mean_adjusters();
    let fixed = within(&m).expect("fit");
    let averaged = ShrinkageInterval::Averaged;
    let three = nested_shrinkage(&m, (&parents, 4), Some(&fixed), &reference, averaged, 0.95).expect("three levels");
    assert!(three.level_sds[0].is_some() && three.level_sds[1].is_some() && three.level_sds[2].is_none());
    let two = nested_shrinkage(&m, (&parents[..1], 6), Some(&fixed), &reference, averaged, 0.95).expect("two levels");
    for (a, b) in three.levels[0].iter().zip(&two.levels[0]) {
        close("ward", a.value, b.value, 1e-12);
        close("ward", a.variance, b.variance, 1e-12);
    }
    let few = moments(&[0, 0, 1, 1], 2, &[1.0, 2.0, 4.0, 3.0], &[]);
    assert!(nested_shrinkage(&few, (&[], 2), None, &[], averaged, 0.95).is_err());
}

/// A level that divides the rows as the one below adds nothing, nodes without rows get their parent's value.
#[test]
fn repeated_levels_and_empty_nodes() {
    let (rows, m, parents) = small();
    let reference = m.mean_adjusters();
    let plug_in = ShrinkageInterval::PlugIn;
    let plain = nested_shrinkage(&m, (&parents, 4), None, &reference, plug_in, 0.95).expect("a tree");
    let repeated = [vec![0, 1, 2, 3, 4, 5, 6, 7, 8], parents[0].clone(), parents[1].clone()];
    let longer = nested_shrinkage(&m, (&repeated, 4), None, &reference, plug_in, 0.95).expect("a longer tree");
    assert!(longer.level_sds[1].is_none());
    for (a, b) in plain.levels[0].iter().zip(&longer.levels[1]) {
        close("ward", b.value, a.value, 1e-12);
    }
    let wider = moments(&rows.unit, 10, &rows.y, &[&rows.x]);
    let with_empty = [[DEPARTMENT.as_slice(), &[5]].concat(), HOSPITAL.to_vec()];
    let wider = nested_shrinkage(&wider, (&with_empty, 4), None, &reference, plug_in, 0.95).expect("a wider tree");
    close("department 5", wider.levels[1][5].value, plain.levels[1][5].value, 1e-12);
    assert_eq!(wider.levels[0][9].n, 0);
    assert!(wider.levels[0][9].standard_error > wider.levels[0][8].standard_error);
}

/// Coverage and squared error over many made-up regions; effects are drawn anew each time.
struct Study {
    covered: [usize; 3],
    nodes: [usize; 3],
    /// Squared error at ward level: raw, each level by itself, nested.
    squared: [f64; 3],
}

/// Trusts of 3 hospitals of 3 wards with 4 to 40 answers; σ = 20, standard deviations by level as given.
fn study(regions: u64, trusts: usize, sds: [f64; 3]) -> Study {
    let mut study = Study { covered: [0; 3], nodes: [0; 3], squared: [0.0; 3] };
    let mut rng = ChaCha8Rng::seed_from_u64(11);
    let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
    let (hospitals, wards) = (3 * trusts, 9 * trusts);
    let up: Vec<u32> = (0..wards as u32).map(|j| j / 3).collect();
    let parents = [up, (0..hospitals as u32).map(|h| h / 3).collect::<Vec<u32>>()];
    for region in 0..regions {
        let mut draw = |n: usize, sd: f64| -> Vec<f64> { (0..n).map(|_| sd * normal()).collect() };
        let (at_trust, at_hospital, at_ward) = (draw(trusts, sds[2]), draw(hospitals, sds[1]), draw(wards, sds[0]));
        let truth: Vec<f64> = (0..wards).map(|j| 70.0 + at_ward[j] + at_hospital[j / 3] + at_trust[j / 9]).collect();
        let (mut unit, mut y, mut n) = (Vec::new(), Vec::new(), Vec::new());
        for j in 0..wards {
            let rows = 4 + (7 * j + region as usize * 5) % 37;
            n.push(rows as f64);
            for _ in 0..rows {
                unit.push(j as u32);
                y.push(truth[j] + 20.0 * normal());
            }
        }
        let m = moments(&unit, wards, &y, &[]);
        let fixed = within(&m).expect("fit");
        let averaged = ShrinkageInterval::Averaged;
        let nested = nested_shrinkage(&m, (&parents, trusts), Some(&fixed), &[], averaged, 0.95).expect("nested");
        let plain = fit_random_intercept(&m, Criterion::Reml, Some(&fixed)).expect("fit");
        let plain = shrunken_means(&plain, &m, &[], averaged, 0.95).expect("by level");
        for j in 0..wards {
            let values = [m.mean_y(j), plain[j].value, nested.levels[0][j].value];
            for (sum, value) in study.squared.iter_mut().zip(values) {
                *sum += (value - truth[j]).powi(2);
            }
        }
        for (l, size) in [1, 3, 9].into_iter().enumerate() {
            for (g, node) in nested.levels[l].iter().enumerate() {
                let own = g * size..(g + 1) * size;
                let rows: f64 = n[own.clone()].iter().sum();
                let true_mean = own.map(|j| n[j] * truth[j]).sum::<f64>() / rows;
                study.covered[l] += usize::from(node.lower <= true_mean && true_mean <= node.upper);
                study.nodes[l] += 1;
            }
        }
    }
    study
}

/// Intervals hold over units drawn from the model, also where a level does not vary, and a ward gains by its hospital.
#[test]
fn simulation_nested_intervals_cover_and_wards_gain() {
    for sds in [[3.0, 3.0, 3.0], [4.0, 0.0, 2.0], [0.0, 0.0, 0.0]] {
        let study = study(30, 6, sds);
        let coverage = |l: usize| study.covered[l] as f64 / study.nodes[l] as f64;
        println!(
            "{sds:?}: {:.3} {:.3} {:.3}, squared error {:.0?}",
            coverage(0),
            coverage(1),
            coverage(2),
            study.squared
        );
        // Three Monte-Carlo errors, clustered by region. With 120 regions: 0.95–0.97 at all levels, 0.98–1 without effects.
        for (l, margin) in [(0, 0.03), (1, 0.04), (2, 0.06)] {
            assert!(coverage(l) >= 0.95 - margin, "{sds:?} level {l}: {}", coverage(l));
        }
        let [raw, by_level, nested] = study.squared;
        assert!(nested < raw, "{sds:?}: {:?}", study.squared);
        // Where hospitals do not vary there is little to gain.
        assert!(nested < by_level || sds[1] == 0.0, "{sds:?}: {:?}", study.squared);
    }
}
