//! Shrunken values of all levels by one model of unweighted respondents: a ward borrows strength from its department, that from its
//! hospital. (Weighted values: `areas.rs`.)

use std::collections::HashMap;

use prem_spec::{Level, Weighting};
use prem_stats::case_mix::{NestedShrinkage, ShrinkageInterval, ShrunkenMean, nested_shrinkage};
use prem_store::tables::{CaseMix, Estimate, NESTED_TERM};

use super::{fit::Fit, fixed, method, shrink};
use crate::{
    estimate::{
        Task,
        areas::interval,
        rows::{converged_between, count, is_top, model_row},
    },
    explain::Shrinkage,
    tree::LevelTree,
};

/// The model of one indicator and period over the levels of the organisation.
pub(super) struct Nested {
    tree: LevelTree,
    fit: NestedShrinkage,
    /// Unit id → its place in the organisation.
    places: HashMap<String, u32>,
}

impl Nested {
    /// The model, where the indicator asks for it and there are units enough.
    pub fn of(task: &Task<'_>, fit: &Fit) -> Option<Self> {
        let indicator = task.indicator;
        if !indicator.case_mix.shrinkage.is_nested() || indicator.weighting != Weighting::None {
            return None;
        }
        let organisation = &task.inputs.plan.organisation;
        let levels: Vec<Level> = indicator.levels.iter().copied().filter(|level| !is_top(*level)).collect();
        let tree = LevelTree::of(organisation, &levels);
        let shape = (tree.parents.as_slice(), tree.tops);
        let beta = fixed(task, fit);
        let level = indicator.ci_level;
        let model = nested_shrinkage(&fit.moments, shape, beta, &fit.reference, interval(task), level).ok()?;
        let places = organisation.units.iter().map(|unit| unit.id.clone()).zip(0u32..).collect();
        Some(Self { tree, fit: model, places })
    }

    fn unit(&self, level: Level, id: &str) -> Option<&ShrunkenMean> {
        let node = self.tree.node(level, *self.places.get(id)?)?;
        // The first level of the fit is that of the units themselves.
        self.fit.levels.get(self.tree.place_of(level)? + 1)?.get(node)
    }

    /// Fills the shrunken values of the units of one level.
    pub fn fill(&self, level: Level, rows: &mut [Estimate]) {
        for row in rows.iter_mut().filter(|row| row.value.is_some()) {
            let Some(shrunken) = self.unit(level, &row.unit_id) else { continue };
            row.shrunken = Some(shrunken.value);
            row.shrunken_low = Some(shrunken.lower);
            row.shrunken_high = Some(shrunken.upper);
            row.reliability = Some(shrunken.reliability);
        }
    }

    /// The model as a person is told of it.
    pub fn told(&self, task: &Task<'_>, fit: &Fit) -> Shrinkage {
        let lowest = self.tree.name_of_lowest(&task.inputs.plan.organisation, &fit.moments);
        let sds = self.fit.level_sds.iter().enumerate();
        Shrinkage {
            model: "nested".to_owned(),
            mean: shrink::at_reference(&self.fit.coefficients, &fit.reference),
            level_sds: sds.filter_map(|(place, sd)| Some((self.name(place, lowest).to_owned(), (*sd)?))).collect(),
            residual_sd: Some(self.fit.residual_sd),
            is_averaged: interval(task) == ShrinkageInterval::Averaged,
            ..Shrinkage::default()
        }
    }

    /// The level of the effects at `place`, lowest first.
    fn name(&self, place: usize, lowest: &'static str) -> &'static str {
        match place.checked_sub(1).and_then(|above| self.tree.levels.get(above)) {
            Some(level) => level.as_str(),
            None => lowest,
        }
    }

    /// One row per level that has effects of its own, lowest first.
    pub fn case_mix_rows(&self, task: &Task<'_>, fit: &Fit) -> Vec<CaseMix> {
        let lowest = self.tree.name_of_lowest(&task.inputs.plan.organisation, &fit.moments);
        let total: f64 =
            self.fit.level_sds.iter().flatten().map(|sd| sd * sd).sum::<f64>() + self.fit.residual_sd.powi(2);
        let row = |(place, sd): (usize, &Option<f64>)| {
            let sd = (*sd)?;
            Some(CaseMix {
                n_used: count(fit.within.rows).unwrap_or(0),
                n_left_out: count(fit.left_out).unwrap_or(0),
                n_units: i64::try_from(self.fit.levels[place].iter().filter(|node| node.n > 0).count()).ok()?,
                sigma: Some(self.fit.residual_sd),
                between_sd: Some(sd),
                icc: Some(sd * sd / total),
                convergence: converged_between(sd),
                ..model_row(task, &format!("{NESTED_TERM}{})", self.name(place, lowest)), &method(task))
            })
        };
        self.fit.level_sds.iter().enumerate().filter_map(row).collect()
    }
}
