//! A dense column-major matrix of `f64`.

use std::ops::{Index, IndexMut};

/// Dense matrix, column-major. Indexing is `[(row, column)]`. Sums and products are those of `f64`: NaN and infinities go through
/// them, and [`is_finite`](Self::is_finite) tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    data: Vec<f64>,
}

impl Matrix {
    /// `rows` × `columns` of zeros.
    pub fn zeros(rows: usize, columns: usize) -> Self {
        Matrix { rows, columns, data: vec![0.0; rows * columns] }
    }

    /// The identity of order `n`.
    pub fn identity(n: usize) -> Self {
        Self::from_fn(n, n, |i, j| if i == j { 1.0 } else { 0.0 })
    }

    /// A matrix whose element (i, j) is `f(i, j)`.
    pub fn from_fn(rows: usize, columns: usize, mut f: impl FnMut(usize, usize) -> f64) -> Self {
        let mut m = Self::zeros(rows, columns);
        for j in 0..columns {
            for i in 0..rows {
                m[(i, j)] = f(i, j);
            }
        }
        m
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// Column `j` as a slice.
    pub fn column(&self, j: usize) -> &[f64] {
        &self.data[j * self.rows..(j + 1) * self.rows]
    }

    /// All elements, column by column.
    pub fn as_slice(&self) -> &[f64] {
        &self.data
    }

    pub fn transpose(&self) -> Matrix {
        Matrix::from_fn(self.columns, self.rows, |i, j| self[(j, i)])
    }

    pub fn scale(&self, factor: f64) -> Matrix {
        Matrix { rows: self.rows, columns: self.columns, data: self.data.iter().map(|v| v * factor).collect() }
    }

    /// `self + factor · other`; both of the same shape.
    pub fn add_scaled(&mut self, factor: f64, other: &Matrix) {
        for (a, b) in self.data.iter_mut().zip(&other.data) {
            *a += factor * b;
        }
    }

    /// `self · x` for a vector of `columns` values.
    pub fn times(&self, x: &[f64]) -> Vec<f64> {
        let mut out = vec![0.0; self.rows];
        for (j, &xj) in x.iter().enumerate().take(self.columns) {
            for (o, &a) in out.iter_mut().zip(self.column(j)) {
                *o += a * xj;
            }
        }
        out
    }

    /// `self · other`.
    pub fn product(&self, other: &Matrix) -> Matrix {
        let mut out = Matrix::zeros(self.rows, other.columns);
        for j in 0..other.columns {
            let column = self.times(other.column(j));
            out.data[j * self.rows..(j + 1) * self.rows].copy_from_slice(&column);
        }
        out
    }

    /// `x' · self · z`.
    pub fn bilinear(&self, x: &[f64], z: &[f64]) -> f64 {
        dot(x, &self.times(z))
    }

    /// `x' · self · x`.
    pub fn quadratic(&self, x: &[f64]) -> f64 {
        self.bilinear(x, x)
    }

    /// Adds `factor · x x'` to a square matrix of the order of `x`.
    pub fn add_outer(&mut self, factor: f64, x: &[f64]) {
        let n = self.rows;
        for (j, &xj) in x.iter().enumerate() {
            let c = factor * xj;
            for (a, &xi) in self.data[j * n..(j + 1) * n].iter_mut().zip(x) {
                *a += c * xi;
            }
        }
    }

    /// Sum of the diagonal.
    pub fn trace(&self) -> f64 {
        (0..self.rows.min(self.columns)).map(|i| self[(i, i)]).sum()
    }

    /// Rows and columns listed in `keep`, in that order.
    pub fn submatrix(&self, keep: &[usize]) -> Matrix {
        Matrix::from_fn(keep.len(), keep.len(), |i, j| self[(keep[i], keep[j])])
    }

    /// Whether every element is finite.
    pub fn is_finite(&self) -> bool {
        self.data.iter().all(|v| v.is_finite())
    }
}

impl Index<(usize, usize)> for Matrix {
    type Output = f64;
    fn index(&self, (i, j): (usize, usize)) -> &f64 {
        &self.data[j * self.rows + i]
    }
}

impl IndexMut<(usize, usize)> for Matrix {
    fn index_mut(&mut self, (i, j): (usize, usize)) -> &mut f64 {
        &mut self.data[j * self.rows + i]
    }
}

/// Inner product, summed from the first element to the last.
pub fn dot(x: &[f64], z: &[f64]) -> f64 {
    x.iter().zip(z).map(|(a, b)| a * b).sum()
}
