//! Score: item codes → one value per response and indicator, adjusters coded for the design.

use std::{collections::BTreeMap, path::Path};

use jiff::civil::Date;
use polars::prelude::*;
use prem_spec::{Adjuster, AdjusterKind, Indicator, Item, Measure, Organisation, Plan, Questionnaire, ValueScale};

use crate::{
    StageError,
    asked::Forms,
    design::{Coded, band_of},
    frames::{self, codes, numbered, numbers, texts},
    link::{SAMPLING_STRATUM, UNIT, WEIGHT},
    placement::positions,
    population::{self, NOT_ANSWERED, PopulationCount, excludes_by_answer, mark},
    strata::{level_column, levels_of},
};

/// The scored rows of one month of one questionnaire, in the order of unit and response id.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoredMonth {
    pub month: Date,
    /// Position of the unit in the organisation.
    pub units: Vec<u32>,
    /// Inverse inclusion probability.
    pub weights: Vec<f64>,
    /// Place of the respondent's version among the questionnaire's.
    pub(crate) versions: Vec<Option<i16>>,
    /// Name of the sampling stratum, as a position in `sampling_strata`; `None` where none was stated.
    pub(crate) sampling: Vec<Option<u32>>,
    /// Sorted.
    pub(crate) sampling_strata: Vec<String>,
    /// Levels of the questionnaire's stratifiers, in their order.
    pub(crate) groups: Vec<Vec<Option<i16>>>,
    /// In the order of the questionnaire's adjusters.
    pub(crate) adjusters: Vec<Coded>,
    /// Indicator → value; NaN where the respondent has none.
    pub(crate) values: BTreeMap<String, Vec<f64>>,
    /// Indicator → its items' values (composites).
    pub(crate) items: BTreeMap<String, Vec<Vec<f64>>>,
    /// Indicator that leaves some out for what they answered → whether each of those whom the register counts belongs to its
    /// population; `None` for all others.
    pub(crate) standing: BTreeMap<String, Vec<Option<bool>>>,
}

impl ScoredMonth {
    pub fn len(&self) -> usize {
        self.units.len()
    }

    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }
}

/// Value of an item's code; `None` for «not applicable» and other missing codes.
pub(crate) fn item_value(item: &Item, scale: ValueScale, code: i16) -> Option<f64> {
    let (low, high) = (item.scale.low, item.scale.high);
    if !(low..=high).contains(&code) {
        return None;
    }
    let code = if item.reversed { low + high - code } else { code };
    Some(match scale {
        ValueScale::Native => f64::from(code),
        ValueScale::Score0To100 => 100.0 * f64::from(code - low) / f64::from(high - low),
    })
}

/// The indicators that read `questionnaire`, in the order of their ids.
pub(crate) fn indicators_of<'a>(plan: &'a Plan, questionnaire: &str) -> Vec<&'a Indicator> {
    let reads = |indicator: &&Indicator| indicator.population.questionnaire.as_deref() == Some(questionnaire);
    plan.indicators.values().filter(reads).collect()
}

/// Scores one linked month: reads `linked`, writes `scored`, and counts per indicator who counts and who does not.
///
/// # Errors
/// When a table cannot be read or written.
pub fn score_partition(
    plan: &Plan,
    questionnaire: &Questionnaire,
    linked: &Path,
    scored: &Path,
) -> Result<BTreeMap<String, PopulationCount>, StageError> {
    let frame = frames::scan(linked)?.collect().map_err(StageError::frame("read linked responses"))?;
    let forms = Forms::of(plan, questionnaire, &frame)?;
    let mut columns: Vec<Column> = Vec::new();
    for name in ["response_id", UNIT, WEIGHT, SAMPLING_STRATUM] {
        columns.push(frame.column(name).map_err(StageError::frame("read linked responses"))?.clone());
    }
    let place = |version: &Option<usize>| version.and_then(|place| i16::try_from(place).ok());
    columns.push(Column::new(VERSION.into(), forms.versions().iter().map(place).collect::<Vec<Option<i16>>>()));
    for adjuster in &questionnaire.adjusters {
        columns.push(match code_adjuster(&frame, adjuster)? {
            Coded::Continuous(values) => optional_numbers(&adjuster_column(&adjuster.id), &values),
            Coded::Level(levels) => Column::new(adjuster_column(&adjuster.id).as_str().into(), levels),
        });
    }
    for stratifier in &questionnaire.stratifiers {
        columns.push(Column::new(level_column(stratifier).as_str().into(), levels_of(&frame, stratifier)?));
    }
    let mut counts = BTreeMap::new();
    for indicator in indicators_of(plan, &questionnaire.id) {
        let mut reasons = population::reasons(&frame, &forms, indicator)?;
        let items = item_values(&frame, questionnaire, indicator)?;
        let belongs: Vec<bool> = reasons.iter().map(Option::is_none).collect();
        if excludes_by_answer(plan, questionnaire, indicator) {
            let is_member = population::members(&frame, plan, questionnaire, &indicator.population)?;
            let may_answer = forms.may_answer(&indicator.measure.items());
            let standing = |row: usize| (is_member[row] && may_answer[row]).then_some(belongs[row]);
            let standing: Vec<Option<bool>> = (0..frame.height()).map(standing).collect();
            columns.push(Column::new(standing_column(&indicator.id).as_str().into(), standing));
        }
        if matches!(indicator.measure, Measure::Composite { .. }) {
            for (place, item) in items.iter().enumerate() {
                let masked: Vec<f64> = item
                    .iter()
                    .zip(&belongs)
                    .map(|(value, belongs)| if *belongs { *value } else { f64::NAN })
                    .collect();
                columns.push(optional_numbers(&item_column(&indicator.id, place), &masked));
            }
        }
        let kept_from = forms.kept_from(&frame, &indicator.measure.items())?;
        let value = |row: usize| {
            if !belongs[row] {
                return f64::NAN;
            }
            let asked = items.len() - kept_from.iter().filter(|item| item[row]).count();
            respondent_value(&indicator.measure, &items, asked, row)
        };
        let values: Vec<f64> = (0..frame.height()).map(value).collect();
        mark(&mut reasons, |row| values[row].is_nan().then_some(NOT_ANSWERED));
        columns.push(optional_numbers(&value_column(&indicator.id), &values));
        columns.push(Column::new(left_out_column(&indicator.id).as_str().into(), &reasons));
        counts.insert(indicator.id.clone(), PopulationCount::of(&reasons));
    }
    let height = frame.height();
    let mut out = DataFrame::new(height, columns).map_err(StageError::frame("score responses"))?;
    frames::write(&mut out, scored)?;
    Ok(counts)
}

/// Place of the respondent's version among the questionnaire's.
const VERSION: &str = "version";

/// Why a respondent does not count, null for those who do: for people who explain a number, not for estimation.
fn left_out_column(indicator: &str) -> String {
    format!("left-out:{indicator}")
}

/// Of those whom the register counts, whether they belong to the population.
fn standing_column(indicator: &str) -> String {
    format!("standing:{indicator}")
}

fn value_column(indicator: &str) -> String {
    format!("value:{indicator}")
}

fn item_column(indicator: &str, place: usize) -> String {
    format!("item:{indicator}:{place}")
}

fn adjuster_column(adjuster: &str) -> String {
    format!("adjuster:{adjuster}")
}

fn optional_numbers(name: &str, values: &[f64]) -> Column {
    let values: Float64Chunked = values.iter().map(|value| (!value.is_nan()).then_some(*value)).collect();
    values.into_series().with_name(name.into()).into()
}

/// Per item of the indicator, a value per row; for a proportion 1 or 0.
pub(crate) fn item_values(
    frame: &DataFrame,
    questionnaire: &Questionnaire,
    indicator: &Indicator,
) -> Result<Vec<Vec<f64>>, StageError> {
    let scale = match &indicator.measure {
        Measure::Scale { scale, .. } | Measure::Item { scale, .. } | Measure::Composite { scale, .. } => *scale,
        Measure::TopBox { .. } | Measure::Rate { .. } => ValueScale::Native,
    };
    let items = indicator.measure.items();
    let found = items.iter().filter_map(|id| questionnaire.item(id));
    found
        .map(|item| {
            let value = |code: Option<i16>| -> f64 {
                let Some(value) = code.and_then(|code| item_value(item, scale, code)) else { return f64::NAN };
                match &indicator.measure {
                    Measure::TopBox { codes, .. } => {
                        if code.is_some_and(|code| codes.contains(&code)) {
                            1.0
                        } else {
                            0.0
                        }
                    }
                    _ => value,
                }
            };
            Ok(codes(frame, &item.id)?.into_iter().map(value).collect())
        })
        .collect()
}

/// The value of one respondent over the items' values in `row`, of which no filter kept them from `asked`; NaN where the
/// rule gives none.
fn respondent_value(measure: &Measure, items: &[Vec<f64>], asked: usize, row: usize) -> f64 {
    let answered = items.iter().map(|item| item[row]).filter(|value| !value.is_nan());
    #[expect(clippy::cast_precision_loss, reason = "numbers of items")]
    let (count, of) = (answered.clone().count() as f64, asked as f64);
    let needed = match measure {
        Measure::Scale { min_answered, .. } => min_answered * of,
        _ => 1.0,
    };
    if count == 0.0 || count < needed { f64::NAN } else { answered.sum::<f64>() / count }
}

fn code_adjuster(frame: &DataFrame, adjuster: &Adjuster) -> Result<Coded, StageError> {
    let column = frames::series(frame, &adjuster.column)?;
    Ok(match &adjuster.kind {
        AdjusterKind::Continuous { min, max } => {
            let within = |value: f64| if (*min..=*max).contains(&value) { value } else { f64::NAN };
            Coded::Continuous(numbers(frame, &adjuster.column)?.into_iter().map(within).collect())
        }
        AdjusterKind::Bands { .. } => {
            Coded::Level(numbers(frame, &adjuster.column)?.into_iter().map(|v| band_of(&adjuster.kind, v)).collect())
        }
        AdjusterKind::Levels { levels } if column.dtype() == &DataType::String => {
            let place =
                |text: Option<&str>| i16::try_from(levels.iter().position(|level| Some(level.as_str()) == text)?).ok();
            Coded::Level(texts(frame, &adjuster.column)?.into_iter().map(place).collect())
        }
        AdjusterKind::Levels { levels } => {
            let levels: Vec<Option<i16>> = levels.iter().map(|level| level.parse().ok()).collect();
            let place = |code: Option<i16>| {
                i16::try_from(levels.iter().position(|level| level.is_some() && *level == code)?).ok()
            };
            Coded::Level(codes(frame, &adjuster.column)?.into_iter().map(place).collect())
        }
    })
}

/// Reads a scored month back.
///
/// # Errors
/// When the table cannot be read or lacks a column of the plan.
pub fn read_scored(
    plan: &Plan,
    questionnaire: &Questionnaire,
    month: Date,
    path: &Path,
) -> Result<ScoredMonth, StageError> {
    let mut scored = frames::scan(path)?;
    let names = scored.collect_schema().map_err(StageError::frame("read a schema"))?;
    let read: Vec<Expr> =
        names.iter_names().filter(|name| !name.starts_with(&left_out_column(""))).cloned().map(col).collect();
    let frame = scored.select(read).collect().map_err(StageError::frame("read scored responses"))?;
    let absent = |column: String| StageError::Column { path: path.to_path_buf(), column };
    let mut adjusters = Vec::new();
    for adjuster in &questionnaire.adjusters {
        let name = adjuster_column(&adjuster.id);
        let coded = match &adjuster.kind {
            AdjusterKind::Continuous { .. } => numbers(&frame, &name).map(Coded::Continuous),
            _ => codes(&frame, &name).map(Coded::Level),
        };
        adjusters.push(coded.map_err(|_| absent(name))?);
    }
    let (mut values, mut items, mut standing) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for indicator in indicators_of(plan, &questionnaire.id) {
        let name = value_column(&indicator.id);
        values.insert(indicator.id.clone(), numbers(&frame, &name).map_err(|_| absent(name))?);
        if excludes_by_answer(plan, questionnaire, indicator) {
            let name = standing_column(&indicator.id);
            let column = frames::series(&frame, &name).map_err(|_| absent(name.clone()))?;
            let column = column.bool().map_err(|_| absent(name))?;
            standing.insert(indicator.id.clone(), column.iter().collect());
        }
        if let Measure::Composite { items: of, .. } = &indicator.measure {
            let read = |place| numbers(&frame, &item_column(&indicator.id, place));
            let columns = (0..of.len()).map(read).collect::<Result<Vec<_>, _>>();
            items.insert(indicator.id.clone(), columns.map_err(|_| absent(item_column(&indicator.id, 0)))?);
        }
    }
    let mut groups = Vec::new();
    for stratifier in &questionnaire.stratifiers {
        let name = level_column(stratifier);
        groups.push(codes(&frame, &name).map_err(|_| absent(name))?);
    }
    let (sampling_strata, sampling) = numbered(&texts(&frame, SAMPLING_STRATUM)?);
    Ok(ScoredMonth {
        month,
        sampling,
        sampling_strata,
        groups,
        units: unit_positions(&plan.organisation, &frame, path)?,
        weights: numbers(&frame, WEIGHT)?,
        versions: codes(&frame, VERSION)?,
        adjusters,
        values,
        items,
        standing,
    })
}

/// Why each response of a scored month does not count in `indicator`, in the order of its rows; `None` for those who do.
pub(crate) fn read_left_out(path: &Path, indicator: &str) -> Result<Vec<Option<String>>, StageError> {
    let name = left_out_column(indicator);
    let frame = frames::scan(path)?.select([col(name.as_str())]).collect();
    let frame = frame.map_err(StageError::frame("read reasons of scored responses"))?;
    Ok(texts(&frame, &name)?.into_iter().map(|reason| reason.map(str::to_owned)).collect())
}

fn unit_positions(organisation: &Organisation, frame: &DataFrame, path: &Path) -> Result<Vec<u32>, StageError> {
    let position = positions(&organisation.units);
    let unit = |id: Option<&str>| {
        id.and_then(|id| position.get(id).copied())
            .ok_or_else(|| StageError::Column { path: path.to_path_buf(), column: UNIT.to_owned() })
    };
    texts(frame, UNIT)?.into_iter().map(unit).collect()
}
