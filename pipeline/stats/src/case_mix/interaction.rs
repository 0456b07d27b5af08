//! Do the adjusters' effects differ between units?
//!
//! # Estimand
//! H0: one slope for all units, of one adjuster or of all of them.
//! # Formula
//! F = ((RSS_common − RSS_separate)/df1)/(RSS_separate/df2). All: RSS_separate = ΣRSS of each unit's own
//! regression, df1 = Σrank_j − p, df2 = N − J − Σrank_j. One adjuster k: x_k is swept out within each unit, the other slopes
//! stay common; df1 = units in which x_k varies − 1.
//! # Source
//! Searle (1971) Linear Models, chapter 8 (tests for intra-class regressions).
//! # Assumptions
//! Normal errors of equal variance.
//! # Edge cases
//! No degrees of freedom left, or no residual variation: `None`.
//! # Reference values
//! By hand in `tests/case_mix_inference.rs`; R's anova of lm: `tests/reference/r_models.rs` (1e-10).

use super::moments::UnitMoments;
use super::within::WithinFit;
use crate::distributions::f;
use crate::error::{Result, check_length};
use crate::linear_algebra::{Cholesky, Matrix, dot, independent_columns};

/// An F test of equal slopes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct InteractionTest {
    pub f: f64,
    pub df1: f64,
    pub df2: f64,
    pub p: f64,
}

/// Tests of unit × adjuster: all adjusters at once, then each.
#[derive(Debug, Clone, PartialEq)]
pub struct InteractionTests {
    pub all: Option<InteractionTest>,
    /// In the caller's order; `None` for dropped adjusters.
    pub each: Vec<Option<InteractionTest>>,
}

/// Tests whether the slopes of `fit` are the same in all units of `moments`.
///
/// # Errors
/// Other moments than the fit's.
pub fn interaction_tests(fit: &WithinFit, moments: &UnitMoments) -> Result<InteractionTests> {
    check_length("adjusters of the moments", fit.coefficients.len(), moments.adjusters())?;
    let kept = &fit.kept;
    let (mut rss, mut ranks) = (0.0, 0);
    for j in (0..moments.units()).filter(|&j| moments.count(j) > 0) {
        let unit = Cross::of(moments, j, kept);
        let (left, rank) = unit.residual();
        rss += left;
        ranks += rank;
    }
    let base = (moments.rows() - moments.non_empty() as u64) as f64;
    let all = f_test(fit.residual_sum_of_squares, rss, ranks as f64 - kept.len() as f64, base - ranks as f64)?;
    let mut each = vec![None; fit.coefficients.len()];
    for (a, &k) in kept.iter().enumerate() {
        let mut pooled = Cross::zeros(kept.len());
        let mut varying = 0;
        for j in (0..moments.units()).filter(|&j| moments.count(j) > 0) {
            let raw = moments.count(j) as f64 * moments.mean_x(j)[k].powi(2);
            varying += usize::from(pooled.add_swept(&Cross::of(moments, j, kept), a, raw));
        }
        let (left, rank) = pooled.residual();
        let df2 = base - varying as f64 - rank as f64;
        each[k] = f_test(fit.residual_sum_of_squares, left, varying as f64 - 1.0, df2)?;
    }
    Ok(InteractionTests { all, each })
}

fn f_test(common: f64, separate: f64, df1: f64, df2: f64) -> Result<Option<InteractionTest>> {
    if df1 < 1.0 || df2 < 1.0 || separate <= 1e-14 * common {
        return Ok(None);
    }
    let statistic = ((common - separate).max(0.0) / df1) / (separate / df2);
    Ok(Some(InteractionTest { f: statistic, df1, df2, p: f::sf(statistic, df1, df2)? }))
}

/// Centred cross-products of the kept adjusters and y.
struct Cross {
    xx: Matrix,
    xy: Vec<f64>,
    yy: f64,
    raw: Vec<f64>,
}

impl Cross {
    fn zeros(d: usize) -> Self {
        Cross { xx: Matrix::zeros(d, d), xy: vec![0.0; d], yy: 0.0, raw: vec![0.0; d] }
    }

    fn of(moments: &UnitMoments, j: usize, kept: &[usize]) -> Self {
        let (d, p) = (kept.len(), moments.adjusters());
        let n = moments.count(j) as f64;
        Cross {
            xx: Matrix::from_fn(d, d, |a, b| moments.cross(j, kept[a], kept[b])),
            xy: kept.iter().map(|&k| moments.cross(j, k, p)).collect(),
            yy: moments.cross(j, p, p),
            raw: kept.iter().map(|&k| moments.cross(j, k, k) + n * moments.mean_x(j)[k].powi(2)).collect(),
        }
    }

    /// Adds `unit` with column `a` swept out; tells whether that column varied.
    fn add_swept(&mut self, unit: &Cross, a: usize, raw: f64) -> bool {
        let pivot = unit.xx[(a, a)];
        let varies = pivot > 1e-20 * raw && pivot > f64::MIN_POSITIVE;
        let d = self.xy.len();
        for i in (0..d).filter(|&i| i != a) {
            let share = if varies { unit.xx[(i, a)] / pivot } else { 0.0 };
            for k in (0..d).filter(|&k| k != a) {
                self.xx[(i, k)] += unit.xx[(i, k)] - share * unit.xx[(k, a)];
            }
            self.xy[i] += unit.xy[i] - share * unit.xy[a];
            self.raw[i] += unit.raw[i];
        }
        self.yy += unit.yy - if varies { unit.xy[a] * unit.xy[a] / pivot } else { 0.0 };
        varies
    }

    /// Residual sum of squares of y on the independent columns, and how many there are.
    fn residual(&self) -> (f64, usize) {
        let (kept, _) = independent_columns(&self.xx, &self.raw);
        let xy: Vec<f64> = kept.iter().map(|&k| self.xy[k]).collect();
        match Cholesky::new("cross-products of a unit", &self.xx.submatrix(&kept)) {
            Ok(factor) => ((self.yy - dot(&xy, &factor.solve(&xy))).max(0.0), kept.len()),
            Err(_) => (self.yy, 0),
        }
    }
}
