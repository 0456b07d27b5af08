//! What the estimates of one questionnaire share: its months, the cells that its respondents form, and who was asked.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Period, Questionnaire};

use crate::{Invitations, ScoredMonth};

/// A sampling stratum: as the invitations name it, or the lowest unit where they do not.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum StratumKey {
    Named(String),
    Unit(u32),
}

/// Respondents who share unit and sampling stratum, and within it the design weight.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Cells {
    /// Position in the organisation.
    pub units: Vec<u32>,
    /// Position in [`Survey::strata`].
    pub strata: Vec<u32>,
    /// Inverse inclusion probability of everybody in the cell; NaN where a cell is not divided by it.
    pub weights: Vec<f64>,
}

impl Cells {
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Which group of `of_unit` (a unit's group) each cell belongs to.
    pub fn parents(&self, of_unit: &[Option<u32>]) -> Vec<Option<u32>> {
        self.units.iter().map(|unit| of_unit.get(*unit as usize).copied().flatten()).collect()
    }

    pub fn unit_parents(&self) -> Vec<Option<u32>> {
        self.units.iter().copied().map(Some).collect()
    }
}

/// The months of a questionnaire.
pub(crate) struct Survey<'a> {
    pub questionnaire: &'a Questionnaire,
    pub months: &'a [ScoredMonth],
    pub invitations: &'a Invitations,
    pub strata: Vec<StratumKey>,
    /// Unit × sampling stratum.
    pub cells: Cells,
    /// Unit × sampling stratum × design weight.
    pub classes: Cells,
    /// Per month, the cell and the class of every row.
    pub cell_of: Vec<Vec<u32>>,
    pub class_of: Vec<Vec<u32>>,
}

impl<'a> Survey<'a> {
    pub fn new(questionnaire: &'a Questionnaire, months: &'a [ScoredMonth], invitations: &'a Invitations) -> Self {
        let key = |month: &ScoredMonth, row: usize| match month.sampling[row] {
            Some(place) => StratumKey::Named(month.sampling_strata[place as usize].clone()),
            None => StratumKey::Unit(month.units[row]),
        };
        // Few rows differ from the row before: keys are looked up once per run of rows.
        let mut found: BTreeSet<(u32, StratumKey, u64)> = BTreeSet::new();
        for month in months {
            let mut last = None;
            for row in 0..month.len() {
                let own = (month.units[row], month.sampling[row], month.weights[row].to_bits());
                if last != Some(own) {
                    found.insert((own.0, key(month, row), own.2));
                    last = Some(own);
                }
            }
        }
        let strata: Vec<StratumKey> =
            found.iter().map(|class| &class.1).collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let place =
            |key: &StratumKey| strata.binary_search(key).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(0);
        let (mut cells, mut classes) = (Cells::default(), Cells::default());
        let mut numbers: BTreeMap<(u32, u32, u64), (u32, u32)> = BTreeMap::new();
        for (unit, key, weight) in &found {
            let stratum = place(key);
            if (cells.units.last(), cells.strata.last()) != (Some(unit), Some(&stratum)) {
                cells.units.push(*unit);
                cells.strata.push(stratum);
                cells.weights.push(f64::NAN);
            }
            let number = |of: &Cells| u32::try_from(of.len()).unwrap_or(u32::MAX);
            numbers.insert((*unit, stratum, *weight), (number(&cells) - 1, number(&classes)));
            classes.units.push(*unit);
            classes.strata.push(stratum);
            classes.weights.push(f64::from_bits(*weight));
        }
        let (mut cell_of, mut class_of) = (Vec::new(), Vec::new());
        for month in months {
            let (mut own_cells, mut own_classes) = (Vec::with_capacity(month.len()), Vec::with_capacity(month.len()));
            let mut last = None;
            let mut number = (0, 0);
            for row in 0..month.len() {
                let own = (month.units[row], month.sampling[row], month.weights[row].to_bits());
                if last != Some(own) {
                    number = numbers.get(&(own.0, place(&key(month, row)), own.2)).copied().unwrap_or_default();
                    last = Some(own);
                }
                own_cells.push(number.0);
                own_classes.push(number.1);
            }
            cell_of.push(own_cells);
            class_of.push(own_classes);
        }
        Self { questionnaire, months, invitations, strata, cells, classes, cell_of, class_of }
    }

    /// The months of `period`, by position.
    pub fn months_of(&self, period: Period) -> impl Iterator<Item = usize> + '_ {
        (0..self.months.len()).filter(move |at| period.contains(self.months[*at].month))
    }

    /// N_h per stratum: the patients whom `indicator` counts that the eligible invitations of the period stand for. Where
    /// some are left out for what they answered, the register cannot tell them from the others: then N_h is the part of the
    /// stratum's patients that its respondents let expect.
    pub fn populations(&self, period: Period, indicator: &str) -> Populations {
        let mut sizes = Populations { of_stratum: vec![0.0; self.strata.len()], ..Populations::default() };
        let mut unreached: BTreeSet<StratumKey> = BTreeSet::new();
        let named: Vec<Option<u32>> =
            self.invitations.strata.iter().map(|name| self.place(&StratumKey::Named(name.clone()))).collect();
        for row in self.invitations.to_members(indicator).filter(|row| period.contains(row.month)) {
            let place = match row.stratum {
                Some(name) => named.get(name as usize).copied().flatten(),
                None => self.place(&StratumKey::Unit(row.unit)),
            };
            match place {
                Some(place) => sizes.of_stratum[place as usize] += row.population,
                None => {
                    sizes.unreached += row.population;
                    unreached.insert(match row.stratum {
                        Some(name) => StratumKey::Named(self.invitations.strata[name as usize].clone()),
                        None => StratumKey::Unit(row.unit),
                    });
                }
            }
        }
        sizes.strata_unreached = unreached.len();
        let shares = self.belonging(period, indicator, self.strata.len(), |cell, _| self.cells.strata[cell]);
        for (size, share) in sizes.of_stratum.iter_mut().zip(shares) {
            *size *= share;
        }
        sizes
    }

    /// Of those whom the register counts, the weighted share that belongs to the population of `indicator`, per group of
    /// respondents: `group_of` has a respondent's cell and unit. 1 where all belong or nobody answered.
    pub fn belonging(
        &self,
        period: Period,
        indicator: &str,
        groups: usize,
        group_of: impl Fn(usize, usize) -> u32,
    ) -> Vec<f64> {
        let (mut belonging, mut all) = (vec![0.0; groups], vec![0.0; groups]);
        for at in self.months_of(period) {
            let month = &self.months[at];
            let Some(standing) = month.standing.get(indicator) else { continue };
            for (row, belongs) in standing.iter().enumerate() {
                let Some(belongs) = belongs else { continue };
                let group = group_of(self.cell_of[at][row] as usize, month.units[row] as usize) as usize;
                all[group] += month.weights[row];
                if *belongs {
                    belonging[group] += month.weights[row];
                }
            }
        }
        belonging.iter().zip(&all).map(|(part, all)| if *all > 0.0 { part / all } else { 1.0 }).collect()
    }

    /// Respondents of each sampling stratum whom the register counts and who, by what they answered, are not of `indicator`'s
    /// population: how many of a stratum are is chance.
    pub fn outside(&self, period: Period, indicator: &str) -> Vec<u64> {
        let mut outside = vec![0; self.strata.len()];
        for at in self.months_of(period) {
            let Some(standing) = self.months[at].standing.get(indicator) else { continue };
            for (row, _) in standing.iter().enumerate().filter(|(_, belongs)| **belongs == Some(false)) {
                outside[self.cells.strata[self.cell_of[at][row] as usize] as usize] += 1;
            }
        }
        outside
    }

    fn place(&self, key: &StratumKey) -> Option<u32> {
        self.strata.binary_search(key).ok().and_then(|place| u32::try_from(place).ok())
    }
}

/// How many patients each sampling stratum has.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Populations {
    pub of_stratum: Vec<f64>,
    /// Patients of strata from which nobody ever answered, and their number.
    pub unreached: f64,
    pub strata_unreached: usize,
}

/// Design weights scaled to the strata's sizes.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Calibration {
    /// What the design weights of a stratum are multiplied with.
    pub factors: Vec<f64>,
    /// 1 − n_h/N_h.
    pub correction: Vec<f64>,
    pub strata: usize,
    /// Patients of the strata with respondents, and of those without.
    pub population: f64,
    pub unreached: f64,
    pub strata_unreached: usize,
    /// Strata whose respondents stand for more patients than were asked: their invitations are not complete.
    pub strata_incomplete: usize,
}

/// Rounding of sums of weights, relative.
const SLACK: f64 = 1e-9;

impl Calibration {
    /// `respondents` and `weights` are n_h and Σw of each stratum.
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^53")]
    pub fn new(populations: &Populations, respondents: &[u64], weights: &[f64]) -> Self {
        let mut made = Self {
            factors: vec![1.0; weights.len()],
            correction: vec![1.0; weights.len()],
            strata: 0,
            population: 0.0,
            unreached: populations.unreached,
            strata_unreached: populations.strata_unreached,
            strata_incomplete: 0,
        };
        for (place, (n, weight)) in respondents.iter().zip(weights).enumerate() {
            let size = populations.of_stratum.get(place).copied().unwrap_or(0.0);
            if *n == 0 || *weight <= 0.0 {
                made.unreached += size;
                made.strata_unreached += usize::from(size > 0.0);
                continue;
            }
            made.strata += 1;
            // Who answered was asked: a stratum cannot be smaller than what its respondents stand for.
            let is_incomplete = size < weight * (1.0 - SLACK);
            made.strata_incomplete += usize::from(is_incomplete);
            let size = if is_incomplete { *weight } else { size };
            made.factors[place] = size / weight;
            // Of a stratum whose size is not known nothing says how much of it was seen.
            if !is_incomplete {
                made.correction[place] = (1.0 - *n as f64 / size).clamp(0.0, 1.0);
            }
            made.population += size;
        }
        made
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stratum_counts_with_its_size_whoever_answered() {
        let populations =
            Populations { of_stratum: vec![100.0, 300.0, 50.0, 10.0], unreached: 7.0, strata_unreached: 1 };
        let made = Calibration::new(&populations, &[20, 30, 0, 12], &[40.0, 30.0, 0.0, 12.0]);
        assert_eq!(made.factors, [2.5, 10.0, 1.0, 1.0]);
        assert_eq!(made.correction, [0.8, 0.9, 1.0, 1.0]);
        assert_eq!((made.strata, made.population), (3, 412.0));
        assert_eq!((made.strata_unreached, made.unreached), (2, 57.0));
        // The last stratum's respondents stand for more than were asked.
        assert_eq!(made.strata_incomplete, 1);
    }
}
