//! Levels of stratifiers: which group of patients a row belongs to.

use polars::prelude::{DataFrame, DataType};
use prem_spec::{Stratifier, StratifierLevels};

use crate::{
    StageError,
    design::band_place,
    frames::{codes, numbers, series, texts},
};

/// The place of each row's level among the declared ones; `None` where it is in none.
pub(crate) fn levels_of(frame: &DataFrame, stratifier: &Stratifier) -> Result<Vec<Option<i16>>, StageError> {
    let column = &stratifier.column;
    Ok(match &stratifier.levels {
        StratifierLevels::Bands { bands } => {
            numbers(frame, column)?.into_iter().map(|value| band_place(bands, value)).collect()
        }
        StratifierLevels::Groups { groups } if series(frame, column)?.dtype() == &DataType::String => {
            let place = |text: &str| groups.iter().position(|group| group.codes.iter().any(|code| code == text));
            let level = |text: Option<&str>| i16::try_from(place(text?)?).ok();
            texts(frame, column)?.into_iter().map(level).collect()
        }
        StratifierLevels::Groups { groups } => {
            let parsed: Vec<Vec<i16>> =
                groups.iter().map(|group| group.codes.iter().filter_map(|code| code.parse().ok()).collect()).collect();
            let place = |code: i16| parsed.iter().position(|codes| codes.contains(&code));
            let level = |code: Option<i16>| i16::try_from(place(code?)?).ok();
            codes(frame, column)?.into_iter().map(level).collect()
        }
    })
}

/// The place of a row's level; what is in no declared level comes after them all, at `unknown`, their number.
pub(crate) fn level_or_unknown(level: Option<i16>, unknown: usize) -> usize {
    level.and_then(|level| usize::try_from(level).ok()).unwrap_or(unknown)
}

/// The stored column of a stratifier's levels.
pub(crate) fn level_column(stratifier: &Stratifier) -> String {
    format!("group:{}", stratifier.id)
}

/// Stratifiers known of everybody who was asked.
pub(crate) fn register_stratifiers(all: &[Stratifier]) -> impl Iterator<Item = &Stratifier> {
    all.iter().filter(|stratifier| stratifier.from_register)
}
