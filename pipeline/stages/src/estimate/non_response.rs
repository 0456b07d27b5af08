//! Weights adjusted to the register: respondents of each hospital get the margins of all who were asked there.
//!
//! Margins are counts of patients (1 / inclusion probability) over the eligible invitations. Categories with few
//! respondents join the one before or after them in the declared order, and that is told. Unknown is a category of its own,
//! the last. Large weights are trimmed, and raking and trimming alternate until every margin holds.

use std::collections::{BTreeMap, BTreeSet};

use prem_spec::{Level, Organisation, Weighting};
use prem_stats::{
    StatsError,
    weights::{Cap, Margin, RakeOptions, collapse_cells, rake},
};

use super::{Attempt, Failure, Task, respondents::Respondents, survey::Survey};
use crate::{
    placement::positions,
    strata::{level_or_unknown, register_stratifiers},
};

/// Weights of some respondents, and the margins that they meet.
pub(super) struct Adjusted {
    pub weights: Vec<f64>,
    /// Unit (position in the organisation) within which a row's weight was adjusted.
    pub blocks: Vec<u32>,
    /// Per margin, the category of every row, numbered over all blocks.
    pub categories: Vec<Vec<usize>>,
    pub collapsed: Vec<String>,
    pub categories_used: usize,
    pub trimmed: usize,
    pub iterations: usize,
    pub largest_gap: f64,
}

/// A margin before its categories are joined: labels, the category of rows, and the patients of each block's categories.
struct Declared {
    name: String,
    labels: Vec<String>,
    of_row: Vec<usize>,
    population: BTreeMap<u32, Vec<f64>>,
}

pub(super) fn adjust(task: &Task<'_>, survey: &Survey<'_>, rows: &Respondents) -> Attempt<Adjusted> {
    let organisation = &task.inputs.plan.organisation;
    let block_of = blocks(organisation, task.indicator.weights.within);
    let blocks: Vec<u32> = rows.units.iter().map(|unit| block_of[*unit as usize]).collect();
    let declared = match task.indicator.weighting {
        Weighting::PostStratify => vec![crossed(margins(task, survey, rows, &block_of, true))],
        _ => margins(task, survey, rows, &block_of, false).0,
    };
    let mut made = Adjusted {
        weights: rows.weights.clone(),
        categories: vec![vec![0; rows.len()]; declared.len()],
        collapsed: Vec::new(),
        categories_used: 0,
        trimmed: 0,
        iterations: 0,
        largest_gap: 0.0,
        blocks,
    };
    let mut rows_of: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (row, block) in made.blocks.iter().enumerate() {
        rows_of.entry(*block).or_default().push(row);
    }
    for (block, members) in &rows_of {
        adjust_block(task, survey, rows, (*block, members), &declared, &mut made)?;
    }
    Ok(made)
}

/// The unit of level `within` that each unit lies in; above it where there is none, and itself where there is nothing above.
fn blocks(organisation: &Organisation, within: Level) -> Vec<u32> {
    let position = positions(&organisation.units);
    let levels: Vec<Level> = Level::ALL.into_iter().rev().skip_while(|level| *level != within).collect();
    let block = |(own, unit): (usize, &prem_spec::Unit)| {
        let above = levels.iter().find_map(|level| organisation.ancestor_at(&unit.id, *level));
        let place = above.and_then(|above| position.get(above.id.as_str()).copied());
        place.unwrap_or_else(|| u32::try_from(own).unwrap_or(u32::MAX))
    };
    organisation.units.iter().enumerate().map(block).collect()
}

/// Block → combination of levels → patients.
type Joint = BTreeMap<u32, BTreeMap<Vec<usize>, f64>>;

/// The declared margins; with `keep_joint` also the patients of every combination, by block.
fn margins(
    task: &Task<'_>,
    survey: &Survey<'_>,
    rows: &Respondents,
    block_of: &[u32],
    keep_joint: bool,
) -> (Vec<Declared>, Joint) {
    let all = &survey.questionnaire.stratifiers;
    let chosen: Vec<(usize, usize)> = task
        .indicator
        .weights
        .margins
        .iter()
        .filter_map(|id| {
            let place = all.iter().position(|stratifier| stratifier.id == *id)?;
            Some((place, register_stratifiers(all).position(|stratifier| stratifier.id == *id)?))
        })
        .collect();
    let mut declared: Vec<Declared> = chosen
        .iter()
        .map(|(place, _)| {
            let labels = all[*place].labels().into_iter().map(str::to_owned);
            Declared {
                name: all[*place].id.clone(),
                labels: labels.chain([prem_spec::Stratifier::UNKNOWN.to_owned()]).collect(),
                of_row: rows.levels(survey, *place).into_iter().map(|level| level as usize).collect(),
                population: BTreeMap::new(),
            }
        })
        .collect();
    let mut joint: BTreeMap<u32, BTreeMap<Vec<usize>, f64>> = BTreeMap::new();
    // Whoever is left out for what they answered is taken to be as frequent in all categories of a block: margins scaled
    // one by one would not agree on the number of patients.
    let share = survey.belonging(task.period, &task.indicator.id, block_of.len(), |_, unit| block_of[unit]);
    let asked = survey.invitations.to_members(&task.indicator.id);
    for row in asked.filter(|row| task.period.contains(row.month)) {
        let block = block_of[row.unit as usize];
        let patients = row.population * share[block as usize];
        let mut combination = Vec::with_capacity(chosen.len());
        for (margin, (_, register)) in declared.iter_mut().zip(&chosen) {
            let unknown = margin.labels.len() - 1;
            let level = level_or_unknown(row.groups.get(*register).copied().flatten(), unknown).min(unknown);
            margin.population.entry(block).or_insert_with(|| vec![0.0; unknown + 1])[level] += patients;
            combination.push(level);
        }
        if keep_joint {
            *joint.entry(block).or_default().entry(combination).or_default() += patients;
        }
    }
    (declared, joint)
}

/// All combinations as one margin, the last declared level changing fastest.
fn crossed((declared, joint): (Vec<Declared>, Joint)) -> Declared {
    let sizes: Vec<usize> = declared.iter().map(|margin| margin.labels.len()).collect();
    let number = |levels: &[usize]| levels.iter().zip(&sizes).fold(0, |at, (level, size)| at * size + level);
    let count: usize = sizes.iter().product();
    let label = |mut at: usize| {
        let mut labels: Vec<&str> = Vec::new();
        for margin in declared.iter().rev() {
            labels.push(&margin.labels[at % margin.labels.len()]);
            at /= margin.labels.len();
        }
        labels.reverse();
        labels.join("/")
    };
    let rows = declared.first().map_or(0, |margin| margin.of_row.len());
    let of_row = |row: usize| number(&declared.iter().map(|margin| margin.of_row[row]).collect::<Vec<_>>());
    let population = joint.into_iter().map(|(block, of)| {
        let mut totals = vec![0.0; count];
        of.into_iter().for_each(|(levels, patients)| totals[number(&levels)] += patients);
        (block, totals)
    });
    Declared {
        name: declared.iter().map(|margin| margin.name.as_str()).collect::<Vec<_>>().join(" × "),
        labels: (0..count).map(label).collect(),
        of_row: (0..rows).map(of_row).collect(),
        population: population.collect(),
    }
}

fn adjust_block(
    task: &Task<'_>,
    survey: &Survey<'_>,
    rows: &Respondents,
    (block, members): (u32, &[usize]),
    declared: &[Declared],
    made: &mut Adjusted,
) -> Result<(), Failure> {
    let unit = task.inputs.plan.organisation.units.get(block as usize);
    let place = unit.map_or("", |unit| unit.id.as_str());
    let mut margins = Vec::with_capacity(declared.len());
    let mut labels: Vec<Vec<String>> = Vec::with_capacity(declared.len());
    for (number, margin) in declared.iter().enumerate() {
        let mut respondents = vec![0_usize; margin.labels.len()];
        members.iter().for_each(|row| respondents[margin.of_row[*row]] += 1);
        let empty = vec![0.0; margin.labels.len()];
        let patients = margin.population.get(&block).unwrap_or(&empty);
        // What nobody of is there, neither asked nor answering, is no category.
        let present: Vec<usize> =
            (0..respondents.len()).filter(|at| respondents[*at] > 0 || patients[*at] > 0.0).collect();
        let counts: Vec<usize> = present.iter().map(|at| respondents[*at]).collect();
        let fewest = usize::try_from(task.indicator.weights.minimum_cell).unwrap_or(usize::MAX);
        let groups = collapse_cells(&counts, fewest);
        let size = groups.iter().max().map_or(0, |last| last + 1);
        let (mut totals, mut names) = (vec![0.0; size], vec![Vec::new(); size]);
        let mut group_of = vec![0_usize; margin.labels.len()];
        for (at, group) in present.iter().zip(&groups) {
            totals[*group] += patients[*at];
            names[*group].push(margin.labels[*at].as_str());
            group_of[*at] = *group;
        }
        for names in names.iter().filter(|names| names.len() > 1) {
            made.collapsed.push(format!("{place}: {} {}", margin.name, names.join(" + ")));
        }
        for row in members {
            made.categories[number][*row] = made.categories_used + group_of[margin.of_row[*row]];
        }
        let cells = members.iter().map(|row| group_of[margin.of_row[*row]]).collect();
        made.categories_used += size;
        labels.push(names.iter().map(|names| names.join(" + ")).collect());
        margins.push(Margin { cells, totals });
    }
    let strata = members.iter().map(|row| survey.cells.strata[rows.cells[*row] as usize] as usize).collect();
    let options =
        RakeOptions { cap: Some(Cap { times_mean: task.indicator.weights.cap, strata }), ..RakeOptions::default() };
    let design: Vec<f64> = members.iter().map(|row| rows.weights[*row]).collect();
    let raked = rake(&design, &margins, &options).map_err(|error| match error {
        // The counts behind it are small and stay here.
        StatsError::Margin { margin, cell, .. } => Failure::Weights(format!(
            "weights for non-response: the margin «{}» cannot be met in the category «{}» of {place}",
            declared.get(margin).map_or("", |margin| margin.name.as_str()),
            labels.get(margin).and_then(|labels| labels.get(cell)).map_or("", String::as_str),
        )),
        other => Failure::Kernel(other),
    })?;
    for (row, weight) in members.iter().zip(&raked.weights) {
        made.weights[*row] = *weight;
    }
    made.trimmed += raked.trimmed;
    made.iterations = made.iterations.max(raked.iterations);
    made.largest_gap = made.largest_gap.max(raked.largest_gap);
    Ok(())
}

impl Adjusted {
    /// The margins of some rows, categories numbered without gaps. Totals do not matter for residuals.
    pub fn margins_of(&self, rows: &[usize]) -> Vec<Margin> {
        let one = |of: &Vec<usize>| {
            let present: BTreeSet<usize> = rows.iter().map(|row| of[*row]).collect();
            let rank: BTreeMap<usize, usize> = present.iter().enumerate().map(|(rank, at)| (*at, rank)).collect();
            Margin {
                cells: rows.iter().map(|row| rank.get(&of[*row]).copied().unwrap_or(0)).collect(),
                totals: vec![0.0; present.len()],
            }
        };
        self.categories.iter().map(one).collect()
    }
}
