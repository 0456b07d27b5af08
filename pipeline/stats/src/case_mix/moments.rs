//! Finished unit moments, and the moments of higher units made from them.
//!
//! # Estimand
//! n_j, means and centred cross-products of (x, y) per unit, for the lowest units or for any grouping of them.
//! # Formula
//! A higher unit's moments are its parts' merged by δδ' n_a n_b/n; residual sums of squares are quadratic
//! forms: Σ_i (e_i − ē)² = W_yy − 2β'W_xy + β'W_xxβ with e = y − x'β.
//! # Source
//! Chan, Golub, LeVeque (1983), The American Statistician 37:242–247.
//! # Assumptions
//! None beyond complete rows.
//! # Edge cases
//! Units with n = 0 have means of 0 and are skipped by every consumer. A quadratic form that rounding makes
//! negative is 0. Values so far apart that products of units, or of all rows, overflow are an error.
//! # Reference values
//! By hand and by property in `tests/case_mix_moments.rs`.

use crate::error::{Result, StatsError, check_length, finite_result};
use crate::linear_algebra::Matrix;

/// Length of a packed symmetric matrix of order `q`.
pub(super) fn packed_len(q: usize) -> usize {
    q * (q + 1) / 2
}

fn packed(a: usize, b: usize) -> usize {
    let (a, b) = if a <= b { (a, b) } else { (b, a) };
    b * (b + 1) / 2 + a
}

/// Merges moments (wb, mb, cb) into (wa, ma, ca); gives the new weight.
pub(super) fn merge_moments(wa: f64, ma: &mut [f64], ca: &mut [f64], wb: f64, mb: &[f64], cb: &[f64]) -> f64 {
    if wb == 0.0 {
        return wa;
    }
    if wa == 0.0 {
        ma.copy_from_slice(mb);
        ca.copy_from_slice(cb);
        return wb;
    }
    let total = wa + wb;
    let share = wb / total;
    let factor = wa * share;
    for b in 0..ma.len() {
        let db = (mb[b] - ma[b]) * factor;
        let row = &mut ca[b * (b + 1) / 2..(b + 1) * (b + 2) / 2];
        for (a, c) in row.iter_mut().enumerate() {
            *c += cb[b * (b + 1) / 2 + a] + (mb[a] - ma[a]) * db;
        }
    }
    for (a, b) in ma.iter_mut().zip(mb) {
        *a += (b - *a) * share;
    }
    total
}

/// Weighted moments of all units, one after another.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MomentArrays {
    q: usize,
    weight: Vec<f64>,
    mean: Vec<f64>,
    cross: Vec<f64>,
}

impl MomentArrays {
    pub fn new(units: usize, q: usize) -> Self {
        let cross = vec![0.0; units * packed_len(q)];
        MomentArrays { q, weight: vec![0.0; units], mean: vec![0.0; units * q], cross }
    }

    pub fn merge_one(&mut self, unit: usize, weight: f64, mean: &[f64], cross: &[f64]) {
        let (q, c) = (self.q, packed_len(self.q));
        self.weight[unit] = merge_moments(
            self.weight[unit],
            &mut self.mean[unit * q..(unit + 1) * q],
            &mut self.cross[unit * c..(unit + 1) * c],
            weight,
            mean,
            cross,
        );
    }

    pub fn merge(&mut self, other: &MomentArrays) {
        for unit in 0..other.weight.len() {
            self.merge_one(unit, other.weight[unit], other.mean(unit), other.cross(unit));
        }
    }

    fn mean(&self, unit: usize) -> &[f64] {
        &self.mean[unit * self.q..(unit + 1) * self.q]
    }

    fn cross(&self, unit: usize) -> &[f64] {
        let c = packed_len(self.q);
        &self.cross[unit * c..(unit + 1) * c]
    }

    fn grouped(&self, parent: &[Option<u32>], parents: usize) -> MomentArrays {
        let mut out = MomentArrays::new(parents, self.q);
        for (unit, target) in parent.iter().enumerate() {
            if let Some(target) = target {
                out.merge_one(*target as usize, self.weight[unit], self.mean(unit), self.cross(unit));
            }
        }
        out
    }

    fn of_units(&self, units: &[usize]) -> MomentArrays {
        let mut out = MomentArrays::new(units.len(), self.q);
        for (place, unit) in units.iter().enumerate() {
            out.merge_one(place, self.weight[*unit], self.mean(*unit), self.cross(*unit));
        }
        out
    }

    /// The last variable alone.
    fn last_only(&self) -> MomentArrays {
        let (last, units) = (self.q - 1, self.weight.len());
        MomentArrays {
            q: 1,
            weight: self.weight.clone(),
            mean: (0..units).map(|unit| self.mean(unit)[last]).collect(),
            cross: (0..units).map(|unit| self.cross(unit)[packed(last, last)]).collect(),
        }
    }

    /// Weights of each unit's rows times the unit's factor.
    fn times(&self, factor: impl Fn(usize) -> f64) -> MomentArrays {
        let mut out = self.clone();
        let c = packed_len(self.q);
        for unit in 0..self.weight.len() {
            let factor = factor(unit);
            out.weight[unit] *= factor;
            out.cross[unit * c..(unit + 1) * c].iter_mut().for_each(|value| *value *= factor);
        }
        out
    }

    fn check(&self) -> Result<()> {
        for unit in 0..self.weight.len() {
            let finite = |v: &[f64]| v.iter().all(|x| x.is_finite());
            if !(self.weight[unit].is_finite() && finite(self.mean(unit)) && finite(self.cross(unit))) {
                return Err(StatsError::NotFinite { what: "cross-products of unit", index: unit });
            }
        }
        Ok(())
    }
}

/// Cross-products within units, summed over units.
#[derive(Debug, Clone, PartialEq)]
pub struct PooledWithin {
    /// W_xx, p × p.
    pub xx: Matrix,
    /// W_xy, p values.
    pub xy: Vec<f64>,
    /// W_yy.
    pub yy: f64,
    /// Raw sums of squares of the adjusters: the scale against which rounding is judged. ∞ where they overflow.
    pub raw_x: Vec<f64>,
    /// Rows.
    pub rows: u64,
    /// Units with at least one row.
    pub units: usize,
}

/// Moments of (x, y) per unit. `count` is rows; weighted quantities exist when rows carried design weights.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitMoments {
    adjusters: usize,
    plain: MomentArrays,
    design: Option<(MomentArrays, MomentArrays)>,
}

impl UnitMoments {
    pub(super) fn from_arrays(
        adjusters: usize,
        plain: MomentArrays,
        design: Option<(MomentArrays, MomentArrays)>,
    ) -> Result<Self> {
        plain.check()?;
        if let Some((w, w2)) = &design {
            w.check()?;
            w2.check()?;
        }
        let this = UnitMoments { adjusters, plain, design };
        let all = this.overall();
        let finite = std::iter::once(&all.plain).chain(all.design.iter().flat_map(|(w, w2)| [w, w2]));
        finite.map(MomentArrays::check).collect::<Result<Vec<()>>>()?;
        Ok(this)
    }

    /// Number of units, empty ones included.
    pub fn units(&self) -> usize {
        self.plain.weight.len()
    }

    /// Number of adjusters p.
    pub fn adjusters(&self) -> usize {
        self.adjusters
    }

    /// Rows of unit `j`.
    pub fn count(&self, j: usize) -> u64 {
        self.plain.weight[j] as u64
    }

    /// Rows of all units.
    pub fn rows(&self) -> u64 {
        self.plain.weight.iter().map(|w| *w as u64).sum()
    }

    /// Units with at least one row.
    pub fn non_empty(&self) -> usize {
        self.plain.weight.iter().filter(|w| **w > 0.0).count()
    }

    /// Whether rows carried design weights.
    pub fn is_weighted(&self) -> bool {
        self.design.is_some()
    }

    /// x̄_j, p values; 0 for an empty unit.
    pub fn mean_x(&self, j: usize) -> &[f64] {
        &self.plain.mean(j)[..self.adjusters]
    }

    /// ȳ_j; 0 for an empty unit.
    pub fn mean_y(&self, j: usize) -> f64 {
        self.plain.mean(j)[self.adjusters]
    }

    /// Σw of unit `j`; its rows when there are no weights.
    pub fn weight_sum(&self, j: usize) -> f64 {
        self.design.as_ref().map_or(self.plain.weight[j], |(w, _)| w.weight[j])
    }

    /// Kish's effective number of rows (Σw)²/Σw²; the rows when there are no weights.
    pub fn effective_rows(&self, j: usize) -> f64 {
        match &self.design {
            Some((w, w2)) if w2.weight[j] > 0.0 => w.weight[j] * w.weight[j] / w2.weight[j],
            _ => self.plain.weight[j],
        }
    }

    /// Weighted x̄_j; the plain one when there are no weights.
    pub fn weighted_mean_x(&self, j: usize) -> &[f64] {
        &self.design.as_ref().map_or(&self.plain, |(w, _)| w).mean(j)[..self.adjusters]
    }

    /// Weighted ȳ_j; the plain one when there are no weights.
    pub fn weighted_mean_y(&self, j: usize) -> f64 {
        self.design.as_ref().map_or(&self.plain, |(w, _)| w).mean(j)[self.adjusters]
    }

    /// Centred cross-product of variables `a` and `b` in unit `j`; variable p is y.
    pub fn cross(&self, j: usize, a: usize, b: usize) -> f64 {
        self.plain.cross(j)[packed(a, b)]
    }

    /// Cross-products within units, summed in unit order.
    pub fn pooled_within(&self) -> PooledWithin {
        let p = self.adjusters;
        let mut sum = vec![0.0; packed_len(p + 1)];
        let mut raw_x = vec![0.0; p];
        for j in 0..self.units() {
            for (s, c) in sum.iter_mut().zip(self.plain.cross(j)) {
                *s += c;
            }
            for (k, r) in raw_x.iter_mut().enumerate() {
                *r += self.cross(j, k, k) + self.plain.weight[j] * self.mean_x(j)[k].powi(2);
            }
        }
        PooledWithin {
            xx: Matrix::from_fn(p, p, |a, b| sum[packed(a, b)]),
            xy: (0..p).map(|a| sum[packed(a, p)]).collect(),
            yy: sum[packed(p, p)],
            raw_x,
            rows: self.rows(),
            units: self.non_empty(),
        }
    }

    /// The moments of all rows as one unit.
    pub fn overall(&self) -> UnitMoments {
        self.regroup(&vec![Some(0); self.units()], 1)
    }

    /// Moments of higher units: unit `j` becomes part of `parent[j]`, or of none. Parts merge in their order.
    ///
    /// # Errors
    /// When `parent` has another length than the units, or names a parent outside `0..parents`.
    pub fn aggregate(&self, parent: &[Option<u32>], parents: usize) -> Result<UnitMoments> {
        check_length("parents of units", self.units(), parent.len())?;
        if let Some(bad) = parent.iter().flatten().find(|t| **t as usize >= parents) {
            return Err(StatsError::out_of_range("parent index", f64::from(*bad), "below the number of parents"));
        }
        let out = self.regroup(parent, parents);
        Self::from_arrays(out.adjusters, out.plain, out.design)
    }

    /// The moments of `units` in that order; one that is named twice is two units. For [`bootstrap`](crate::bootstrap).
    ///
    /// # Errors
    /// When a unit is not below [`units`](Self::units).
    pub fn of_units(&self, units: &[usize]) -> Result<UnitMoments> {
        if let Some(bad) = units.iter().find(|u| **u >= self.units()) {
            return Err(StatsError::out_of_range("unit", *bad as f64, "below the number of units"));
        }
        Ok(UnitMoments {
            adjusters: self.adjusters,
            plain: self.plain.of_units(units),
            design: self.design.as_ref().map(|(w, w2)| (w.of_units(units), w2.of_units(units))),
        })
    }

    /// The same rows without adjusters.
    pub fn outcome_only(&self) -> UnitMoments {
        UnitMoments {
            adjusters: 0,
            plain: self.plain.last_only(),
            design: self.design.as_ref().map(|(w, w2)| (w.last_only(), w2.last_only())),
        }
    }

    /// The same rows with the weight of every row of unit `j` multiplied by `factors[j]`: means stay, what they count for
    /// changes. Rows without weights stay without.
    ///
    /// # Errors
    /// When `factors` has another length than the units, or holds one that is not above 0.
    pub fn reweighted(&self, factors: &[f64]) -> Result<UnitMoments> {
        check_length("factors of units", self.units(), factors.len())?;
        crate::error::check_positive("factor of a unit's weights", factors)?;
        let design = self
            .design
            .as_ref()
            .map(|(w, w2)| (w.times(|unit| factors[unit]), w2.times(|unit| factors[unit] * factors[unit])));
        Self::from_arrays(self.adjusters, self.plain.clone(), design)
    }

    fn regroup(&self, parent: &[Option<u32>], parents: usize) -> UnitMoments {
        UnitMoments {
            adjusters: self.adjusters,
            plain: self.plain.grouped(parent, parents),
            design: self.design.as_ref().map(|(w, w2)| (w.grouped(parent, parents), w2.grouped(parent, parents))),
        }
    }

    /// x̄: the mean adjusters of all respondents, weighted when the rows are.
    pub fn mean_adjusters(&self) -> Vec<f64> {
        self.overall().weighted_mean_x(0).to_vec()
    }

    /// Σ(e − ē_j)² in unit `j`, e = y − x'β.
    ///
    /// # Errors
    /// When β has another length than the adjusters, is not finite or so large that products overflow.
    pub fn residual_sum_of_squares(&self, j: usize, beta: &[f64]) -> Result<f64> {
        check_length("coefficients", self.adjusters, beta.len())?;
        residual_form(self.plain.cross(j), beta)
    }

    /// Σw²(e − ē_w)² in unit `j` about the weighted mean; the plain sum of squares when there are no weights.
    ///
    /// # Errors
    /// As [`residual_sum_of_squares`](Self::residual_sum_of_squares).
    pub fn weighted_residual_sum_of_squares(&self, j: usize, beta: &[f64]) -> Result<f64> {
        let Some((w, w2)) = &self.design else { return self.residual_sum_of_squares(j, beta) };
        check_length("coefficients", self.adjusters, beta.len())?;
        let e = |mean: &[f64]| mean[self.adjusters] - crate::linear_algebra::dot(&mean[..self.adjusters], beta);
        let shift = e(w2.mean(j)) - e(w.mean(j));
        let about_own = residual_form(w2.cross(j), beta)?;
        finite_result("residual sum of squares", about_own + w2.weight[j] * shift * shift)
    }
}

/// c'Wc with c = (−β, 1), never below 0.
fn residual_form(cross: &[f64], beta: &[f64]) -> Result<f64> {
    let p = beta.len();
    let c = |k: usize| if k == p { 1.0 } else { -beta[k] };
    let mut sum = 0.0;
    for b in 0..=p {
        let mut row = 0.5 * c(b) * cross[packed(b, b)];
        for a in 0..b {
            row += c(a) * cross[packed(a, b)];
        }
        sum += 2.0 * c(b) * row;
    }
    Ok(finite_result("residual sum of squares", sum)?.max(0.0))
}
