//! One fit of a proportion and period: answers per cell and pattern of adjusters, the logistic model, and what counts for how
//! much.

use std::collections::BTreeMap;

use prem_spec::{Adjustment, Weighting};
use prem_stats::{
    Result, StatsError,
    binary::{
        BinaryCounts, BinaryTable, CellCalibration, LogisticDiscrimination, LogisticFit, ReferencePopulation,
        SeparationPolicy, WeightedCells, fit_logistic, logistic_discrimination, weighted_reference,
    },
};
use rayon::prelude::*;

use crate::estimate::{
    Attempt, Task,
    non_response::{Adjusted, adjust},
    respondents::{Respondents, is_by_month, merged},
    rows::chosen_strata,
    survey::{Cells, Survey},
    weighting::{Weights, calibrate},
};

pub(super) struct Fit {
    pub names: Vec<String>,
    pub left_out: u64,
    /// `None` without adjustment.
    pub model: Option<LogisticFit>,
    /// How well the model tells the answers apart.
    pub discrimination: Option<LogisticDiscrimination>,
    /// The adjusters of the region's patients.
    pub reference: ReferencePopulation,
    pub weights: Weights,
    pub total: Source,
    /// One per stratifier of the indicator.
    pub parts: Vec<Source>,
}

/// Answers per cell of respondents who share unit, sampling stratum and weight; divided by the levels of a stratifier where
/// there is one.
pub(super) struct Source {
    pub table: BinaryTable,
    pub units: Vec<u32>,
    pub weights: Vec<f64>,
    pub strata: Vec<u32>,
    /// Respondents by stratum who are in no cell.
    outside: Vec<u64>,
    calibration: Option<CellCalibration>,
    /// Position of the stratifier, and its declared levels; one more stands for «unknown».
    pub stratifier: Option<(usize, usize)>,
}

impl Source {
    /// Levels with the unknown one; 1 for everybody together.
    pub fn width(&self) -> usize {
        self.stratifier.map_or(1, |(_, levels)| levels + 1)
    }

    pub fn cells<'a>(&'a self, correction: Option<&'a [f64]>) -> WeightedCells<'a> {
        WeightedCells {
            table: &self.table,
            weights: &self.weights,
            strata: &self.strata,
            outside: &self.outside,
            correction,
            calibration: self.calibration.as_ref(),
        }
    }

    /// Which group of `of_unit` each cell of `level` belongs to.
    pub fn parents(&self, of_unit: &[Option<u32>], level: usize) -> Vec<Option<u32>> {
        let width = self.width();
        let parent = |(at, unit): (usize, &u32)| of_unit[*unit as usize].filter(|_| at % width == level);
        self.units.iter().enumerate().map(parent).collect()
    }
}

/// Answers of one month, or of a period where months cannot be merged.
#[derive(Clone)]
struct Counts {
    names: Vec<String>,
    total: BinaryCounts,
    parts: Vec<BinaryCounts>,
    left_out: u64,
}

impl Counts {
    /// `cell_of` gives each row's cell, of `cells`.
    fn of(task: &Task<'_>, survey: &Survey<'_>, rows: &Respondents, cell_of: &[u32], cells: usize) -> Result<Self> {
        let x = rows.slices();
        let mut total = BinaryCounts::new(cells, x.len());
        total.add(cell_of, &rows.y, &x)?;
        let mut parts = Vec::new();
        for place in chosen_strata(task, survey) {
            let width = width_of(survey, place);
            let levels = rows.levels(survey, place);
            let step = u32::try_from(width).unwrap_or(u32::MAX);
            let domains: Vec<u32> = cell_of.iter().zip(levels).map(|(cell, level)| cell * step + level).collect();
            let mut counts = BinaryCounts::new(cells * width, x.len());
            counts.add(&domains, &rows.y, &x)?;
            parts.push(counts);
        }
        Ok(Self { names: rows.names.clone(), total, parts, left_out: rows.left_out })
    }

    fn merge(&mut self, other: &Self) -> Result<()> {
        self.total.merge(&other.total)?;
        for (own, part) in self.parts.iter_mut().zip(&other.parts) {
            own.merge(part)?;
        }
        self.left_out += other.left_out;
        Ok(())
    }
}

fn width_of(survey: &Survey<'_>, place: usize) -> usize {
    survey.questionnaire.stratifiers.get(place).map_or(0, |stratifier| stratifier.labels().len()) + 1
}

/// Counts that periods have in common.
pub(super) struct Blocks {
    /// By month of the survey; empty where the indicator has to be read by period.
    months: Vec<Result<Counts>>,
}

impl Blocks {
    /// Reads every month once.
    pub fn read(task: &Task<'_>, survey: &Survey<'_>) -> Self {
        let read = |at: usize| {
            let rows = Respondents::of(task, survey, &[at])?;
            Counts::of(task, survey, &rows, &rows.classes, survey.classes.len())
        };
        Self {
            months: if is_by_month(task) && !is_adjusted(task) {
                (0..survey.months.len()).into_par_iter().map(read).collect()
            } else {
                Vec::new()
            },
        }
    }
}

fn is_adjusted(task: &Task<'_>) -> bool {
    matches!(task.indicator.weighting, Weighting::PostStratify | Weighting::Rake)
}

const NOBODY: StatsError = StatsError::Empty { what: "responses in the period" };

pub(super) fn fit(task: &Task<'_>, survey: &Survey<'_>, blocks: &Blocks) -> Attempt<Fit> {
    let months: Vec<usize> = survey.months_of(task.period).collect();
    if !blocks.months.is_empty() {
        let parts: Vec<&Counts> =
            months.iter().map(|at| blocks.months[*at].as_ref().map_err(Clone::clone)).collect::<Result<_>>()?;
        let counts = merged(&parts, &|all: &mut Counts, part: &Counts| all.merge(part))?.ok_or(NOBODY)?;
        return Ok(by_strata(task, survey, counts)?);
    }
    let rows = Respondents::of(task, survey, &months)?;
    if rows.len() == 0 {
        return Err(NOBODY.into());
    }
    if !is_adjusted(task) {
        let counts = Counts::of(task, survey, &rows, &rows.classes, survey.classes.len())?;
        return Ok(by_strata(task, survey, counts)?);
    }
    let adjusted = adjust(task, survey, &rows)?;
    let (cells, cell_of, calibration) = cells_by_weight(survey, &rows, &adjusted);
    let counts = Counts::of(task, survey, &rows, &cell_of, cells.len())?;
    let by_design = rows.cells.iter().zip(&rows.weights).map(|(cell, w)| (survey.cells.strata[*cell as usize], 1, *w));
    let weights = Weights::Margins(adjusted, calibrate(task, survey, by_design));
    Ok(finish(task, survey, counts, &cells, (weights, Some(calibration)))?)
}

/// Cells of rows that share unit, stratum, weight and categories of the margins.
fn cells_by_weight(survey: &Survey<'_>, rows: &Respondents, adjusted: &Adjusted) -> (Cells, Vec<u32>, CellCalibration) {
    let key = |row: usize| {
        let categories: Vec<usize> = adjusted.categories.iter().map(|of| of[row]).collect();
        (rows.cells[row], adjusted.weights[row].to_bits(), adjusted.blocks[row], categories)
    };
    let mut numbers: BTreeMap<_, u32> = (0..rows.len()).map(|row| (key(row), 0)).collect();
    let mut cells = Cells::default();
    let mut calibration =
        CellCalibration { block: Vec::new(), categories: vec![Vec::new(); adjusted.categories.len()] };
    for ((key, place), at) in numbers.iter_mut().zip(0u32..) {
        *place = at;
        cells.units.push(survey.cells.units[key.0 as usize]);
        cells.strata.push(survey.cells.strata[key.0 as usize]);
        cells.weights.push(f64::from_bits(key.1));
        calibration.block.push(key.2);
        for (of, category) in calibration.categories.iter_mut().zip(&key.3) {
            of.push(*category);
        }
    }
    let cell_of = (0..rows.len()).map(|row| numbers.get(&key(row)).copied().unwrap_or(0)).collect();
    (cells, cell_of, calibration)
}

/// Design weights scaled to the strata's sizes, or equal ones.
#[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
fn by_strata(task: &Task<'_>, survey: &Survey<'_>, counts: Counts) -> Result<Fit> {
    let mut cells = survey.classes.clone();
    if task.indicator.weighting == Weighting::None {
        cells.weights.fill(1.0);
        return finish(task, survey, counts, &cells, (Weights::Equal, None));
    }
    let table = counts.total.clone().finish();
    let of = |cell: usize| {
        let n = table.trials(cell);
        (cells.strata[cell], n, n as f64 * cells.weights[cell])
    };
    let calibration = calibrate(task, survey, (0..cells.len()).map(of));
    for (weight, stratum) in cells.weights.iter_mut().zip(&cells.strata) {
        *weight *= calibration.factors[*stratum as usize];
    }
    finish(task, survey, counts, &cells, (Weights::Strata(calibration), None))
}

fn finish(
    task: &Task<'_>,
    survey: &Survey<'_>,
    counts: Counts,
    cells: &Cells,
    (weights, calibration): (Weights, Option<CellCalibration>),
) -> Result<Fit> {
    let outside = match &weights {
        Weights::Strata(_) => survey.outside(task.period, &task.indicator.id),
        Weights::Equal | Weights::Margins(..) => Vec::new(),
    };
    let source = |counts: BinaryCounts, stratifier: Option<(usize, usize)>| {
        let width = stratifier.map_or(1, |(_, levels)| levels + 1);
        let wide = |of: &[u32]| of.iter().flat_map(|value| std::iter::repeat_n(*value, width)).collect::<Vec<u32>>();
        let calibration = calibration.as_ref().map(|of| CellCalibration {
            block: wide(&of.block),
            categories: of
                .categories
                .iter()
                .map(|of| of.iter().flat_map(|value| std::iter::repeat_n(*value, width)).collect())
                .collect(),
        });
        Source {
            table: counts.finish(),
            units: wide(&cells.units),
            strata: wide(&cells.strata),
            weights: cells.weights.iter().flat_map(|value| std::iter::repeat_n(*value, width)).collect(),
            outside: outside.clone(),
            calibration,
            stratifier,
        }
    };
    let names = counts.names;
    let total = source(counts.total, None);
    let rows: u64 = (0..total.table.units()).map(|cell| total.table.trials(cell)).sum();
    if rows == 0 {
        return Err(NOBODY);
    }
    let places = chosen_strata(task, survey).into_iter().map(|place| (place, width_of(survey, place) - 1));
    let parts = counts.parts.into_iter().zip(places).map(|(counts, place)| source(counts, Some(place))).collect();
    let unit_parents: Vec<Option<u32>> = total.units.iter().copied().map(Some).collect();
    let by_unit = total.table.aggregate(&unit_parents, task.inputs.plan.organisation.units.len())?;
    // An adjuster that separates the answers has no finite coefficient; the others still adjust, and it is named.
    let is_logistic = task.indicator.case_mix.adjustment == Adjustment::Logistic;
    let model = is_logistic.then(|| fit_logistic(&by_unit, SeparationPolicy::Drop)).transpose()?;
    let discrimination = model.as_ref().map(|model| logistic_discrimination(&by_unit, model)).transpose()?;
    let reference = weighted_reference(&total.cells(None))?;
    Ok(Fit { names, left_out: counts.left_out, model, discrimination, reference, weights, total, parts })
}
