//! Gauss–Hermite nodes and weights for the standard normal density.
//!
//! # Estimand
//! z_k, ω_k with ∫f(z)ϕ(z)dz = Σω_k f(z_k), exact for polynomials up to degree 2K − 1.
//! # Formula
//! Nodes: eigenvalues of the Jacobi matrix with √k beside the diagonal, each polished by Newton on the
//! orthonormal Hermite polynomial; weights 1/Σ_{k<K}h_k(z)².
//! # Source
//! Golub, Welsch (1969) Mathematics of Computation 23:221–230; Szegő (1939) Orthogonal Polynomials,
//! section 3.4 (Christoffel numbers).
//! # Assumptions
//! None.
//! # Edge cases
//! Order 0, or beyond [`MAX_ORDER`], is an error. Nodes are symmetric to the last bit.
//! # Reference values
//! `tests/binary_random_intercept.rs`: closed forms and moments of the normal distribution.

use crate::error::{Result, StatsError};
use crate::linear_algebra::{Matrix, symmetric_eigen};

/// Largest order.
pub const MAX_ORDER: usize = 100;

/// (z_k, ω_k), nodes increasing; weights sum to 1.
pub fn gauss_hermite(order: usize) -> Result<Vec<(f64, f64)>> {
    if order == 0 || order > MAX_ORDER {
        return Err(StatsError::out_of_range("quadrature order", order as f64, "1 to 100"));
    }
    let jacobi = Matrix::from_fn(order, order, |i, j| if i.abs_diff(j) == 1 { (i.max(j) as f64).sqrt() } else { 0.0 });
    let nodes = symmetric_eigen("Jacobi matrix", &jacobi)?.values;
    let mut rule = vec![(0.0, 0.0); order];
    for k in 0..order.div_ceil(2) {
        let mirror = order - 1 - k;
        let mut z = if k == mirror { 0.0 } else { nodes[mirror] };
        for _ in 0..3 {
            if k != mirror {
                let h = orthonormal(order, z);
                // h_K' = √K·h_{K−1}.
                z -= h[order] / ((order as f64).sqrt() * h[order - 1]);
            }
        }
        let weight = 1.0 / orthonormal(order, z)[..order].iter().map(|h| h * h).sum::<f64>();
        rule[k] = (-z, weight);
        rule[mirror] = (z, weight);
    }
    Ok(rule)
}

/// h_0(z) … h_K(z), orthonormal under ϕ.
fn orthonormal(order: usize, z: f64) -> Vec<f64> {
    let mut h = vec![1.0, z];
    for k in 1..order {
        let k_f = k as f64;
        h.push((z * h[k] - k_f.sqrt() * h[k - 1]) / (k_f + 1.0).sqrt());
    }
    h
}
