//! Ranks of a synthetic region's units in three columns (true, raw, adjusted), joined by lines: an SVG file.
//!
//! The units are no one's: nothing here may be fed with figures of real patients, which leave the house as
//! [`prem_protect::Protected`] alone.

use minijinja::value::Serde;
use prem_spec::Level;
use serde::Serialize;

use crate::{Language, ReportError, number::fixed, page::environment, texts::Texts, words};

/// Autoescaping goes by the ending.
const NAME: &str = "ranks.xml";
const TEMPLATE: &str = include_str!("../templates/ranks.svg");

const WIDTH: u32 = 1_080;
const COLUMNS: [u32; 3] = [360, 540, 720];
/// Middle of the first row, and distance of rows.
const TOP: u32 = 104;
const STEP: u32 = 30;
/// Half the height of a digit, from a circle's middle to its text's base line; of a name's.
const DIGIT: u32 = 4;
const LETTER: u32 = 5;
const BESIDE: u32 = 20;
const INK: &str = "#1b2733";
const SOFT: &str = "#8795a3";
const CORRELATION_DECIMALS: usize = 2;

/// One unit with its values and ranks (1 is best).
#[derive(Debug, Clone, PartialEq)]
pub struct RankedUnit {
    pub name: String,
    pub true_value: f64,
    pub adjusted_value: f64,
    /// True, raw and adjusted.
    pub ranks: [u32; 3],
}

/// What the picture shows.
#[derive(Debug, Clone, PartialEq)]
pub struct RankPicture {
    pub indicator: String,
    pub period: String,
    pub level: Level,
    pub decimals: usize,
    /// Rank correlation of the raw and of the adjusted values with the truth.
    pub correlations: [f64; 2],
    /// By true rank.
    pub units: Vec<RankedUnit>,
}

/// The picture as an SVG file. Readable without colour: the truly best unit has a thick line, the truly last a dashed one.
///
/// # Errors
/// When texts or template cannot be read.
pub fn ranks_svg(picture: &RankPicture, language: Language) -> Result<String, ReportError> {
    let failed = |error: minijinja::Error| ReportError::Page { path: "ranks".into(), reason: error.to_string() };
    let texts = Texts::load(language)?;
    let environment = environment(&[(NAME, TEMPLATE)]).map_err(failed)?;
    let view = View::of(picture, &texts, language);
    let svg = environment.get_template(NAME).and_then(|template| template.render(Serde(view))).map_err(failed)?;
    Ok(svg.trim_end().to_owned() + "\n")
}

#[derive(Serialize)]
struct View {
    width: u32,
    height: u32,
    language: &'static str,
    title: String,
    description: String,
    columns: Vec<Column>,
    lines: Vec<Line>,
    legend: Vec<LegendLine>,
}

#[derive(Serialize)]
struct Column {
    x: u32,
    anchor: &'static str,
    heading: String,
}

#[derive(Serialize)]
struct Line {
    points: String,
    stroke: &'static str,
    width: u32,
    is_dashed: bool,
    is_named: bool,
    marks: Vec<Mark>,
    name: String,
    true_value: String,
    adjusted_value: String,
    left_x: u32,
    left_y: u32,
    right_x: u32,
    right_y: u32,
}

#[derive(Serialize)]
struct Mark {
    x: u32,
    y: u32,
    text_y: u32,
    rank: u32,
}

#[derive(Serialize)]
struct LegendLine {
    y: u32,
    text: String,
}

fn height_of(rank: u32) -> u32 {
    TOP + STEP * rank.saturating_sub(1)
}

impl View {
    fn of(picture: &RankPicture, texts: &Texts, language: Language) -> Self {
        let correlation = |value: f64| fixed(value, CORRELATION_DECIMALS, language);
        let [raw, adjusted] = picture.correlations.map(correlation);
        let level = texts.get(words::level_key(picture.level));
        let title = texts
            .fill("ranks_title", &[("indicator", &picture.indicator), ("level", level), ("period", &picture.period)]);
        let best = picture.units.iter().find(|unit| unit.ranks[0] == 1);
        let last = picture.units.iter().max_by_key(|unit| unit.ranks[0]);
        let mut legend = vec![texts.fill("ranks_correlation", &[("raw", &raw), ("adjusted", &adjusted)])];
        for (key, unit) in [("ranks_best", best), ("ranks_last", last)] {
            if let Some(unit) = unit {
                let [_, raw, adjusted] = unit.ranks.map(|rank| rank.to_string());
                legend.push(texts.fill(key, &[("name", &unit.name), ("raw", &raw), ("adjusted", &adjusted)]));
            }
        }
        legend.push(texts.get("ranks_synthetic").to_owned());
        let rows = picture.units.len() as u32;
        let after = height_of(rows.max(1)) + STEP;
        let headings = ["ranks_true", "ranks_raw", "ranks_adjusted"];
        let column = |(x, key): (u32, &str)| Column { x, anchor: "middle", heading: texts.get(key).to_owned() };
        Self {
            width: WIDTH,
            height: after + STEP * legend.len() as u32,
            language: language.code(),
            description: legend.join(" "),
            title,
            columns: COLUMNS.into_iter().zip(headings).map(column).collect(),
            lines: picture.units.iter().map(|unit| Line::of(unit, rows, picture.decimals, language)).collect(),
            legend: (0..)
                .zip(legend)
                .map(|(index, text)| LegendLine { y: after + STEP * index + LETTER, text })
                .collect(),
        }
    }
}

impl Line {
    fn of(unit: &RankedUnit, last: u32, decimals: usize, language: Language) -> Self {
        let places: Vec<(u32, u32)> = COLUMNS.into_iter().zip(unit.ranks.map(height_of)).collect();
        let points: Vec<String> = places.iter().map(|(x, y)| format!("{x},{y}")).collect();
        let is_named = unit.ranks[0] == 1 || unit.ranks[0] == last;
        Self {
            points: points.join(" "),
            stroke: if is_named { INK } else { SOFT },
            width: if is_named { 4 } else { 2 },
            is_dashed: unit.ranks[0] == last,
            is_named,
            marks: places
                .iter()
                .zip(unit.ranks)
                .map(|(&(x, y), rank)| Mark { x, y, text_y: y + DIGIT, rank })
                .collect(),
            name: unit.name.clone(),
            true_value: fixed(unit.true_value, decimals, language),
            adjusted_value: fixed(unit.adjusted_value, decimals, language),
            left_x: COLUMNS[0] - BESIDE,
            left_y: height_of(unit.ranks[0]) + LETTER,
            right_x: COLUMNS[2] + BESIDE,
            right_y: height_of(unit.ranks[2]) + LETTER,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(name: &str, ranks: [u32; 3]) -> RankedUnit {
        RankedUnit { name: name.to_owned(), true_value: 71.25, adjusted_value: 70.5, ranks }
    }

    #[test]
    fn says_what_it_shows_and_escapes_names() {
        let picture = RankPicture {
            indicator: "Personalet".to_owned(),
            period: "2024".to_owned(),
            level: Level::Hf,
            decimals: 1,
            correlations: [-0.5, 1.0],
            units: vec![unit("Øst & <vest>", [1, 3, 1]), unit("Nord", [2, 1, 2]), unit("Sør", [3, 2, 3])],
        };
        for language in Language::ALL {
            let svg = ranks_svg(&picture, language).expect("a picture");
            assert!(svg.contains("<title id=") && svg.contains("<desc id=") && svg.contains("role=\"img\""));
            assert!(!svg.contains("<vest>") && svg.contains("Øst &amp; &lt;vest&gt;"), "{svg}");
            assert_eq!(svg.matches("<polyline").count(), 3);
            assert_eq!(svg.matches("stroke-dasharray").count(), 1);
            assert!(!svg.contains('{'), "a place was not filled: {svg}");
        }
        let svg = ranks_svg(&picture, Language::Bokmal).expect("a picture");
        assert!(
            svg.contains("Øst &amp; &lt;vest&gt; er best i virkeligheten, nummer 3 uten justering og nummer 1 med.")
        );
        // Rank 1, then 3, then 1 again: 30 apart from 104.
        assert!(svg.contains("points=\"360,104 540,164 720,104\""), "{svg}");
    }
}
