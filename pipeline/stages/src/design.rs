//! From adjusters to the columns of a design matrix.
//!
//! A categorical adjuster is stored as the place of its level (0 is the reference); which columns exist follows from the
//! declaration alone, so that months and periods fit together. Empty levels become constant columns, which the kernels
//! drop and name.

use prem_spec::{Adjuster, AdjusterKind, MissingAdjuster};
use prem_stats::case_mix::unit_mean_impute;

/// An adjuster of many rows, coded.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Coded {
    /// Value in the column's own unit; NaN where missing.
    Continuous(Vec<f64>),
    /// Place of the level; `None` where missing.
    Level(Vec<Option<i16>>),
}

impl Coded {
    pub fn is_missing(&self, row: usize) -> bool {
        match self {
            Self::Continuous(values) => values[row].is_nan(),
            Self::Level(levels) => levels[row].is_none(),
        }
    }
}

/// Levels of a categorical adjuster as people read them.
pub(crate) fn level_labels(kind: &AdjusterKind) -> Vec<String> {
    match kind {
        AdjusterKind::Continuous { .. } => Vec::new(),
        AdjusterKind::Bands { bands } => bands.iter().map(|band| band.label.clone()).collect(),
        AdjusterKind::Levels { levels } => levels.clone(),
    }
}

/// Place of `value` among the bands.
pub(crate) fn band_of(kind: &AdjusterKind, value: f64) -> Option<i16> {
    let AdjusterKind::Bands { bands } = kind else { return None };
    band_place(bands, value)
}

/// Place of `value` among `bands`.
pub(crate) fn band_place(bands: &[prem_spec::Band], value: f64) -> Option<i16> {
    let place = bands.iter().position(|band| band.from <= value && band.to.is_none_or(|to| value < to))?;
    i16::try_from(place).ok()
}

/// The design of one fit: named columns over the rows that stay.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Design {
    pub names: Vec<String>,
    pub columns: Vec<Vec<f64>>,
    /// Rows of the input that stay, in order.
    pub rows: Vec<usize>,
    pub left_out: u64,
    /// Per column: rows, left out or not, that lack its adjuster.
    pub missing: Vec<u64>,
}

/// Builds the design over `rows` of the coded adjusters. `units[i]` is row i's unit (of `unit_count`), for unit means.
pub(crate) fn design(
    adjusters: &[(&Adjuster, &Coded)],
    missing: MissingAdjuster,
    rows: &[usize],
    units: &[u32],
    unit_count: usize,
) -> Result<Design, prem_stats::StatsError> {
    let is_missing = |row: usize| adjusters.iter().any(|(_, coded)| coded.is_missing(row));
    let kept: Vec<usize> = match missing {
        MissingAdjuster::CompleteCases => rows.iter().copied().filter(|row| !is_missing(*row)).collect(),
        MissingAdjuster::Category | MissingAdjuster::UnitMean => rows.to_vec(),
    };
    let mut design = Design { left_out: (rows.len() - kept.len()) as u64, rows: kept, ..Design::default() };
    for (adjuster, coded) in adjusters {
        add_columns(&mut design, adjuster, coded, missing);
        let lacking = rows.iter().filter(|row| coded.is_missing(**row)).count() as u64;
        design.missing.resize(design.names.len(), lacking);
    }
    if missing == MissingAdjuster::UnitMean {
        let units: Vec<u32> = design.rows.iter().map(|row| units[*row]).collect();
        for column in &mut design.columns {
            if unit_mean_impute(&units, unit_count, column)?.still_missing > 0 {
                fill_with_mean(column);
            }
        }
    }
    Ok(design)
}

/// Units in which nobody answered have no mean of their own: everybody's stands in.
#[expect(clippy::cast_precision_loss, reason = "numbers of rows")]
fn fill_with_mean(column: &mut [f64]) {
    let known: Vec<f64> = column.iter().copied().filter(|value| !value.is_nan()).collect();
    let mean = if known.is_empty() { 0.0 } else { known.iter().sum::<f64>() / known.len() as f64 };
    column.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = mean);
}

fn add_columns(design: &mut Design, adjuster: &Adjuster, coded: &Coded, missing: MissingAdjuster) {
    let as_category = missing == MissingAdjuster::Category;
    let flag = |is: bool| if is { 1.0 } else { 0.0 };
    match coded {
        Coded::Continuous(values) => {
            // With an indicator for «missing», any fill value gives the same fit; the middle of the range is well scaled.
            let middle = match adjuster.kind {
                AdjusterKind::Continuous { min, max } => f64::midpoint(min, max),
                _ => 0.0,
            };
            let fill = |value: f64| if as_category && value.is_nan() { middle } else { value };
            design.names.push(adjuster.id.clone());
            design.columns.push(design.rows.iter().map(|row| fill(values[*row])).collect());
            if as_category {
                design.names.push(format!("{}=missing", adjuster.id));
                design.columns.push(design.rows.iter().map(|row| flag(values[*row].is_nan())).collect());
            }
        }
        Coded::Level(levels) => {
            let absent = if as_category { 0.0 } else { f64::NAN };
            for (place, label) in (0i16..).zip(level_labels(&adjuster.kind)).skip(1) {
                design.names.push(format!("{}={label}", adjuster.id));
                let value = |row: usize| levels[row].map_or(absent, |level| flag(level == place));
                design.columns.push(design.rows.iter().map(|row| value(*row)).collect());
            }
            if as_category {
                design.names.push(format!("{}=missing", adjuster.id));
                design.columns.push(design.rows.iter().map(|row| flag(levels[*row].is_none())).collect());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fill_with_mean;

    #[test]
    fn what_no_unit_knows_is_everybodys_mean() {
        let mut column = [1.0, f64::NAN, 4.0, f64::NAN];
        fill_with_mean(&mut column);
        assert_eq!(column, [1.0, 2.5, 4.0, 2.5]);
        let mut unknown = [f64::NAN; 2];
        fill_with_mean(&mut unknown);
        assert_eq!(unknown, [0.0; 2]);
    }
}
