//! European standard population 2013.
//!
//! # Estimand
//! Weights of age bands for direct standardisation.
//! # Formula
//! The standard counts persons per 100,000 in five-year bands with an open band from 95. A band of the caller's gets the
//! sum over its ages, each single year of a five-year band a fifth of it; the open band counts at 95.
//! # Source
//! Eurostat (2013), Revision of the European Standard Population, table of five-year bands.
//! # Assumptions
//! Ages spread evenly inside a five-year band.
//! # Edge cases
//! Ages below the first band have no weight. No bands, no weights.
//! # Reference values
//! reference/rates/esp2013.csv, exact: tests/reference/rates.rs. All bands from 0 sum to 100,000.

/// Persons per 100,000: 0–4, 5–9 … 90–94, 95 and above.
pub const ESP_2013: [f64; 20] = [
    5000.0, 5500.0, 5500.0, 5500.0, 6000.0, 6000.0, 6500.0, 7000.0, 7000.0, 7000.0, 7000.0, 6500.0, 6000.0, 5500.0,
    5000.0, 4000.0, 2500.0, 1500.0, 800.0, 200.0,
];

const YEARS_PER_BAND: i64 = 5;

/// Weights of the bands that begin at `lower_ends` (years, rising); the last one is open.
pub fn esp2013_weights(lower_ends: &[i64]) -> Vec<f64> {
    let mut weights = vec![0.0; lower_ends.len()];
    for (band, persons) in (0i64..).zip(ESP_2013) {
        let is_open = band as usize == ESP_2013.len() - 1;
        let years = if is_open { 1 } else { YEARS_PER_BAND };
        for age in band * YEARS_PER_BAND..band * YEARS_PER_BAND + years {
            if let Some(place) = lower_ends.iter().rposition(|from| *from <= age) {
                weights[place] += persons / years as f64;
            }
        }
    }
    weights
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bands_share_the_standard() {
        assert_eq!(esp2013_weights(&[0]).iter().sum::<f64>().round(), 100_000.0);
        assert_eq!(esp2013_weights(&[95]), [200.0]);
        assert_eq!(esp2013_weights(&[90]), [1000.0]);
        // 18 and 19 are two fifths of 15–19.
        assert!((esp2013_weights(&[18, 20])[0] - 2200.0).abs() < 1e-9);
        assert!(esp2013_weights(&[]).is_empty());
    }
}
