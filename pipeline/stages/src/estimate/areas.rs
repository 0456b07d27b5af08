//! Shrunken values of a level as areas, by values and their sampling variances: weighted means and proportions. Each level by itself
//! (Fay–Herriot), or in the tree of the levels above it.

use prem_spec::Level;
use prem_stats::{
    Result,
    case_mix::{FayHerriotUnit, ShrinkageInterval, fay_herriot, nested_areas},
};
use prem_store::tables::{CaseMix, Estimate, NESTED_TERM};

use super::{
    Task,
    rows::{converged_between, is_top, model_row},
};
use crate::{
    explain::Shrinkage,
    placement::{LevelMap, positions},
    tree::LevelTree,
};

/// A level shrunken as areas.
pub(super) struct ShrunkAreas {
    /// The model as a person is told of it.
    pub model: Shrinkage,
    /// Of the nested model, lowest level first.
    pub effects: Vec<Effects>,
}

impl ShrunkAreas {
    /// Of a model that knows of no levels above.
    pub fn without_tree(model: Shrinkage) -> Self {
        Self { model, effects: Vec::new() }
    }
}

/// The effects of one level in a nested model of areas.
pub(super) struct Effects {
    level: Level,
    /// Units of the level with areas below them; areas themselves at the lowest.
    units: usize,
    sd: f64,
}

/// What the interval knows of the variances.
pub(super) fn interval(task: &Task<'_>) -> ShrinkageInterval {
    if task.indicator.case_mix.shrinkage.is_plug_in() { ShrinkageInterval::PlugIn } else { ShrinkageInterval::Averaged }
}

/// Fills the shrunken columns of `rows` at the places of `areas`: (place, value, sampling variance). `range` bounds the limits.
///
/// Areas are to be publishable by their own counts. Where all are published, a shrunken value tells nothing that they do not, whatever
/// levels above lend to it: those are known by the organisation. Where one is withheld for another's sake, protection takes the
/// shrunken values too.
pub(super) fn shrink_areas(
    task: &Task<'_>,
    map: &LevelMap<'_>,
    rows: &mut [Estimate],
    areas: &[(usize, f64, f64)],
    range: (f64, f64),
) -> Option<ShrunkAreas> {
    let values: Vec<f64> = areas.iter().map(|area| area.1).collect();
    let variances: Vec<f64> = areas.iter().map(|area| area.2).collect();
    let tree = task.indicator.case_mix.shrinkage.is_nested().then(|| AreaTree::of(task, map, areas)).flatten();
    // A tree that cannot be fitted leaves each area to the level's own mean; too few areas have nothing to borrow from.
    let (units, shrunk) = match tree.and_then(|tree| tree.fit(task, &values, &variances).ok()) {
        Some(of_tree) => of_tree,
        None => {
            let fit = fay_herriot(&values, &variances, &[], interval(task), task.indicator.ci_level).ok()?;
            let model = Shrinkage {
                model: "fay-herriot".to_owned(),
                mean: fit.coefficients.first().copied().unwrap_or(0.0),
                between_sd: Some(fit.between_unit_variance.max(0.0).sqrt()),
                is_averaged: interval(task) == ShrinkageInterval::Averaged,
                ..Shrinkage::default()
            };
            (fit.units, ShrunkAreas::without_tree(model))
        }
    };
    for ((place, ..), unit) in areas.iter().zip(&units) {
        let row = rows.get_mut(*place)?;
        row.shrunken = Some(unit.value);
        row.shrunken_low = Some(unit.lower.max(range.0));
        row.shrunken_high = Some(unit.upper.min(range.1));
        row.reliability = Some(unit.reliability);
    }
    Some(shrunk)
}

/// Areas and the units above them, at the declared levels.
struct AreaTree {
    /// The areas' own level, then those above.
    levels: Vec<Level>,
    /// From areas to nodes of the level above, and so on.
    parents: Vec<Vec<u32>>,
    /// Nodes of the last level.
    tops: usize,
}

impl AreaTree {
    /// `None` where an area is not in the organisation.
    fn of(task: &Task<'_>, map: &LevelMap<'_>, areas: &[(usize, f64, f64)]) -> Option<Self> {
        let organisation = &task.inputs.plan.organisation;
        // Levels are in order from the top.
        let is_above = |level: &Level| !is_top(*level) && *level <= map.level;
        let levels: Vec<Level> = task.indicator.levels.iter().copied().filter(is_above).collect();
        let tree = LevelTree::of(organisation, &levels);
        let places = positions(&organisation.units);
        let node = |(place, ..): &(usize, f64, f64)| {
            let unit = map.units.get(*place)?;
            tree.node(map.level, *places.get(unit.id.as_str())?)
        };
        let nodes: Vec<usize> = areas.iter().map(node).collect::<Option<_>>()?;
        // The first step of the tree leads from units to the areas' own level.
        let mut steps = tree.parents.iter().skip(1);
        let Some(first) = steps.next() else {
            return Some(Self { levels: tree.levels, parents: Vec::new(), tops: areas.len() });
        };
        let first: Vec<u32> = nodes.into_iter().map(|node| first.get(node).copied()).collect::<Option<_>>()?;
        let parents = std::iter::once(first).chain(steps.cloned()).collect();
        Some(Self { levels: tree.levels, parents, tops: tree.tops })
    }

    fn fit(&self, task: &Task<'_>, values: &[f64], variances: &[f64]) -> Result<(Vec<FayHerriotUnit>, ShrunkAreas)> {
        let shape = (self.parents.as_slice(), self.tops);
        let fit = nested_areas(values, variances, shape, interval(task), task.indicator.ci_level)?;
        let effects: Vec<Effects> = self
            .levels
            .iter()
            .enumerate()
            .zip(&fit.variances)
            .filter_map(|((place, level), variance)| {
                Some(Effects {
                    level: *level,
                    units: self.units(place, values.len()),
                    sd: (*variance)?.max(0.0).sqrt(),
                })
            })
            .collect();
        let model = Shrinkage {
            model: "nested-areas".to_owned(),
            mean: fit.mean,
            level_sds: effects.iter().map(|effects| (effects.level.as_str().to_owned(), effects.sd)).collect(),
            is_averaged: interval(task) == ShrinkageInterval::Averaged,
            ..Shrinkage::default()
        };
        Ok((fit.areas, ShrunkAreas { model, effects }))
    }

    /// Nodes of the level at `place` that have areas.
    fn units(&self, place: usize, areas: usize) -> usize {
        let mut nodes: Vec<u32> = (0u32..).take(areas).collect();
        for step in self.parents.iter().take(place) {
            nodes = nodes.into_iter().filter_map(|node| step.get(node as usize).copied()).collect();
        }
        nodes.sort_unstable();
        nodes.dedup();
        nodes.len()
    }
}

/// One row of the case-mix table per level that has effects of its own, filled into `of_all` (rows used and left out), lowest first.
pub(super) fn effects_rows(task: &Task<'_>, effects: &[Effects], of_all: &CaseMix) -> Vec<CaseMix> {
    let row = |effects: &Effects| CaseMix {
        n_used: of_all.n_used,
        n_left_out: of_all.n_left_out,
        n_units: i64::try_from(effects.units).unwrap_or(i64::MAX),
        between_sd: Some(effects.sd),
        convergence: converged_between(effects.sd),
        ..model_row(task, &format!("{NESTED_TERM}{})", effects.level.as_str()), &of_all.method)
    };
    effects.iter().map(row).collect()
}
