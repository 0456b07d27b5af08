//! A questionnaire's `[[adjuster]]`: what case-mix adjustment may use.

use super::{
    reader::{At, Node},
    scope::Names,
};
use crate::model::{Adjuster, AdjusterKind, Band};

/// `stored` are the columns that an adjuster may read, `bank` all items that a form might ask.
pub(super) fn read_adjuster(node: Node<'_>, stored: &Names, bank: &Names, ids: &mut Names) -> Option<At<Adjuster>> {
    let id = node.string("id");
    ids.declare_once(&node, "adjuster", id.as_ref());
    let title = node.text("title");
    let column = node.string("column");
    if let Some(column) = &column {
        node.refer_asked("column or item", column, stored, bank);
    }
    let ways = [node.has("bands"), node.has("levels"), node.has("min") || node.has("max")];
    let has_one_way = ways.iter().filter(|is_used| **is_used).count() == 1;
    if !has_one_way {
        node.error(
            node.span.clone(),
            "an adjuster has either `bands`, or `levels`, or `min` and `max`",
            Some("bands = [18, 50, 67] makes 18–49, 50–66 and 67+; levels = [\"1\", \"2\"] are codes".to_owned()),
        );
    }
    let kind = if node.has("bands") {
        read_bands(&node).map(|bands| AdjusterKind::Bands { bands })
    } else if node.has("levels") {
        let levels = node.strings("levels");
        if node.entries_written("levels") < 2 {
            node.error(node.span_of("levels"), "`levels` needs at least two codes, the reference first", None);
        }
        let is_whole = levels.len() == node.entries_written("levels");
        is_whole.then(|| AdjusterKind::Levels { levels: levels.into_iter().map(|at| at.value).collect() })
    } else if !has_one_way {
        None
    } else {
        let (min, max) = (node.number("min"), node.number("max"));
        if let (Some(min), Some(max)) = (&min, &max)
            && min.value >= max.value
        {
            node.error(max.span.clone(), "`max` is not above `min`", None);
        }
        min.zip(max).map(|(min, max)| AdjusterKind::Continuous { min: min.value, max: max.value })
    };
    let span = id.as_ref().map_or_else(|| node.span.clone(), |id| id.span.clone());
    node.finish();
    Some(At { value: Adjuster { id: id?.value, title: title?, column: column?.value, kind: kind? }, span })
}

/// `bands`: lower ends, of which the last is open; `None` where one of them is no number.
#[expect(clippy::cast_precision_loss, reason = "bounds are ages and the like, far below 2^53")]
pub(super) fn read_bands(node: &Node<'_>) -> Option<Vec<Band>> {
    let bounds = node.integers("bands");
    if node.entries_written("bands") < 2 || bounds.windows(2).any(|pair| pair[0].value >= pair[1].value) {
        node.error(node.span_of("bands"), "`bands` are at least two lower ends in rising order", None);
    }
    let upper = |index: usize| bounds.get(index + 1).map(|at| at.value);
    let label = |from: i64, to: Option<i64>| to.map_or_else(|| format!("{from}+"), |to| format!("{from}-{}", to - 1));
    let bands = bounds.iter().enumerate().map(|(index, at)| Band {
        label: label(at.value, upper(index)),
        from: at.value as f64,
        to: upper(index).map(|to| to as f64),
    });
    (bounds.len() == node.entries_written("bands")).then(|| bands.collect())
}
