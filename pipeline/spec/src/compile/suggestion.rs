//! What a misspelt word was probably meant to be.

/// Known words that a person is shown.
const SHOWN_MAX: usize = 40;

/// «did you mean …» where a known word is near, else the known words, at most the first 40.
pub fn suggestion(word: &str, known: &[&str]) -> String {
    match near(word, known) {
        Some(name) => format!("did you mean «{name}»?"),
        None if known.is_empty() => "nothing of the kind is declared".to_owned(),
        None if known.len() > SHOWN_MAX => {
            format!("known: {} … and {} more", known[..SHOWN_MAX].join(", "), known.len() - SHOWN_MAX)
        }
        None => format!("known: {}", known.join(", ")),
    }
}

/// The known word that `word` seems to be a slip of the pen for.
pub(super) fn near<'n>(word: &str, known: &[&'n str]) -> Option<&'n str> {
    let (distance, name) = known.iter().map(|name| (edit_distance(word, name), *name)).min()?;
    (distance <= 1 + word.chars().count() / 4).then_some(name)
}

/// Levenshtein distance in characters.
fn edit_distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let substituted = corner + usize::from(from != *to);
            corner = row[j + 1];
            row[j + 1] = substituted.min(corner + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}
