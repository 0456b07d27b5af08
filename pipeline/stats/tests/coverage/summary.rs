//! Monte-Carlo summaries over regions, with errors clustered by region.

/// Hits and trials of one region, for a share.
#[derive(Clone, Copy, Debug, Default)]
pub struct Hits {
    pub hits: f64,
    pub trials: f64,
}

impl Hits {
    pub fn count(&mut self, hit: bool) {
        self.hits += f64::from(hit);
        self.trials += 1.0;
    }
}

/// An estimate and its Monte-Carlo standard error.
#[derive(Clone, Copy, Debug)]
pub struct Simulated {
    pub value: f64,
    pub error: f64,
    pub trials: f64,
}

/// Σhits/Σtrials; the standard error is that of a ratio over regions, so units of a region may depend on each other.
pub fn share(regions: &[Hits]) -> Simulated {
    let (hits, trials) = regions.iter().fold((0.0, 0.0), |s, r| (s.0 + r.hits, s.1 + r.trials));
    let value = hits / trials;
    let squares: f64 = regions.iter().map(|r| (r.hits - value * r.trials).powi(2)).sum();
    let r = regions.len() as f64;
    Simulated { value, error: (squares * r / (r - 1.0)).sqrt() / trials, trials }
}

/// Mean over regions with its standard error.
pub fn mean(regions: &[f64]) -> Simulated {
    let r = regions.len() as f64;
    let value = regions.iter().sum::<f64>() / r;
    let squares: f64 = regions.iter().map(|v| (v - value).powi(2)).sum();
    Simulated { value, error: (squares / (r - 1.0) / r).sqrt(), trials: r }
}

/// Kolmogorov–Smirnov distance of `values` from the uniform distribution on (0, 1), and its p (Stephens's approximation).
pub fn uniformity(values: &[f64]) -> (f64, f64) {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len() as f64;
    let gap = |(i, v): (usize, &f64)| ((i as f64 + 1.0) / n - v).max(v - i as f64 / n);
    let distance = sorted.iter().enumerate().map(gap).fold(0.0, f64::max);
    let x = (n.sqrt() + 0.12 + 0.11 / n.sqrt()) * distance;
    if x < 0.2 {
        // The series below hardly converges there; 1 − p is below 1e-12.
        return (distance, 1.0);
    }
    let term = |k: i32| (if k % 2 == 1 { 2.0 } else { -2.0 }) * (-2.0 * f64::from(k * k) * x * x).exp();
    (distance, (1..=100).map(term).sum::<f64>().clamp(0.0, 1.0))
}
