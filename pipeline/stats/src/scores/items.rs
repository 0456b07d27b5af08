//! Answers of many respondents to the items of a scale, and their covariances.
//!
//! # Estimand
//! Covariance and correlation matrices of the items on complete or on pairwise complete rows.
//! # Formula
//! Σ(x − x̄)(y − ȳ)/(n − 1), means over the rows used for that pair.
//! # Source
//! J. C. Nunnally and I. H. Bernstein, *Psychometric Theory*, 3rd ed. (1994), chapter 5.
//! # Assumptions
//! Items coded in one direction.
//! # Edge cases
//! A pair with fewer than 2 rows is an error.
//! # Reference values
//! tests/reference/scores.rs: scores/expected_interitem.csv (1e-10).

use crate::error::{Result, StatsError, check_all_finite, finite_result};
use crate::numeric;

/// Item answers, one row of `k` a respondent.
#[derive(Debug, Clone, PartialEq)]
pub struct Items {
    k: usize,
    answers: Vec<Option<f64>>,
}

impl Items {
    /// From row after row of `k` answers.
    pub fn new(answers: &[Option<f64>], k: usize) -> Result<Self> {
        if k == 0 {
            return Err(StatsError::Empty { what: "items" });
        }
        if !answers.len().is_multiple_of(k) {
            return Err(StatsError::LengthMismatch { what: "items", expected: k, found: answers.len() % k });
        }
        let known: Vec<f64> = answers.iter().copied().flatten().collect();
        check_all_finite("items", &known)?;
        Ok(Items { k, answers: answers.to_vec() })
    }

    /// Number of items.
    pub fn k(&self) -> usize {
        self.k
    }

    /// Respondents.
    pub fn rows(&self) -> impl Iterator<Item = &[Option<f64>]> {
        self.answers.chunks_exact(self.k)
    }

    /// Rows without a missing item.
    pub fn complete(&self) -> Items {
        let rows = self.rows().filter(|r| r.iter().all(Option::is_some));
        Items { k: self.k, answers: rows.flatten().copied().collect() }
    }

    /// Number of respondents.
    pub fn n(&self) -> usize {
        self.answers.len() / self.k
    }

    /// Answers to item `i` that are there.
    pub fn answered(&self, i: usize) -> Vec<f64> {
        self.rows().filter_map(|r| r.get(i).copied().flatten()).collect()
    }

    /// (pairs, covariance, correlation) of items `i` and `j` on rows that have both; no correlation where one does not vary.
    ///
    /// # Errors
    /// Fewer than two such rows, or answers so far apart that products overflow.
    pub fn pair(&self, i: usize, j: usize) -> Result<(usize, f64, Option<f64>)> {
        let rows: Vec<(f64, f64)> =
            self.rows().filter_map(|r| Some((r.get(i).copied().flatten()?, r.get(j).copied().flatten()?))).collect();
        let (x, y): (Vec<f64>, Vec<f64>) = rows.into_iter().unzip();
        if x.len() < 2 {
            return Err(StatsError::TooFew { what: "item covariance", needed: 2, found: x.len() });
        }
        let c = finite_result("item covariance", covariance(&x, &y))?;
        let r = c / (numeric::variance(&x) * numeric::variance(&y)).sqrt();
        Ok((x.len(), c, r.is_finite().then_some(r)))
    }

    /// k × k covariance matrix on pairwise complete rows, row after row.
    pub fn covariances(&self) -> Result<Vec<f64>> {
        self.matrix(|pair| Ok(pair.1))
    }

    /// k × k matrix of pairwise correlations; an item without variation is an error.
    pub fn correlations(&self) -> Result<Vec<f64>> {
        self.matrix(|pair| pair.2.ok_or(StatsError::Constant { what: "item correlation" }))
    }

    fn matrix(&self, entry: impl Fn((usize, f64, Option<f64>)) -> Result<f64>) -> Result<Vec<f64>> {
        if self.n() < 2 {
            return Err(StatsError::TooFew { what: "item covariance", needed: 2, found: self.n() });
        }
        let k = self.k;
        let mut m = vec![0.0; k * k];
        for i in 0..k {
            for j in i..k {
                let v = entry(self.pair(i, j)?)?;
                m[i * k + j] = v;
                m[j * k + i] = v;
            }
        }
        Ok(m)
    }
}

fn covariance(x: &[f64], y: &[f64]) -> f64 {
    let (mx, my) = (numeric::mean(x), numeric::mean(y));
    numeric::sum(x.iter().zip(y).map(|(x, y)| (x - mx) * (y - my))) / (x.len() as f64 - 1.0)
}
