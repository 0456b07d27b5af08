//! Codes that could not be placed: reason → code → how many rows had it.

use std::collections::BTreeMap;

/// Reason → code → rows. A reason without a code to name has its rows under [`NO_CODE`].
pub type Unplaced = BTreeMap<String, BTreeMap<String, u64>>;

/// Stands for a code of another shape than codes have, which may be something that must not be shown.
pub const OTHER_SHAPE: &str = "(of another shape)";
/// Stands for a missing code.
pub const NO_CODE: &str = "(none)";

/// Codes longer than this, or with other characters, are not shown: they may be something else than a code.
const SHOWN_MAX: usize = 16;
/// As many digits may be a person.
const PERSON_DIGITS: usize = 11;

pub(crate) fn add(all: &mut Unplaced, reason: &str, code: &str, rows: u64) {
    let codes = all.entry(reason.to_owned()).or_default();
    *codes.entry(shown(code).to_owned()).or_default() += rows;
}

/// A code as it may stand in a log.
pub(crate) fn shown(code: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let digits = code.chars().filter(char::is_ascii_digit).count();
    if code.is_empty() {
        NO_CODE
    } else if code.len() <= SHOWN_MAX && code.chars().all(is_plain) && digits < PERSON_DIGITS {
        code
    } else {
        OTHER_SHAPE
    }
}

/// The id of a unit as it may stand in a log: ids are often longer than codes, and have the letters that declarations allow.
pub(crate) fn shown_id(id: &str) -> &str {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let digits = id.chars().filter(char::is_ascii_digit).count();
    let is_id = !id.is_empty() && id.chars().all(is_plain) && digits < PERSON_DIGITS;
    if is_id { id } else { shown(id) }
}

#[cfg(test)]
mod tests {
    use super::{NO_CODE, OTHER_SHAPE, shown, shown_id};

    #[test]
    fn ids_of_units_are_shown_whatever_their_length() {
        for id in ["ous", "ous-rikshospitalet-tho", "OUS"] {
            assert_eq!(shown_id(id), id);
        }
        for id in ["02013299997", "0201329-9997", "Kari Nordmann", "OUS-Rikshospitalet-tho"] {
            assert_eq!(shown_id(id), OTHER_SHAPE, "{id}");
        }
        assert_eq!(shown_id(""), NO_CODE);
    }

    #[test]
    fn what_may_be_a_person_is_not_shown() {
        for code in ["OUS-0111", "301", "4.2", "1234567890"] {
            assert_eq!(shown(code), code);
        }
        for code in ["02013299997", "Kari Nordmann", "a-code-that-is-long", "0201329-9997"] {
            assert_eq!(shown(code), OTHER_SHAPE, "{code}");
        }
        assert_eq!(shown(""), NO_CODE);
    }
}
