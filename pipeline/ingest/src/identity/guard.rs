//! Judges the columns of a file: what share of their values identifies a person.
//!
//! | a column | a value with the form of an identity number |
//! |---|---|
//! | declared `eleven_digits_are_pseudonyms` | is not looked at |
//! | of which more than [`SHARE_MAX`] has it, and at least [`HITS_MIN`] values | stops the file |
//! | of long codes, more of which have it than [`CHANCE_MAX`] explains | stops the file |
//! | of long codes otherwise | is chance, and kept |
//! | any other | costs its row, and its value is never shown |

use super::{
    contact::{has_email, header_is_telephone, is_telephone},
    written::find_identity,
};
use crate::share::exceeds;

/// A column with a larger share of hits than this stops the file. One to three in a hundred random strings of eleven digits have
/// the form of an identity number, so a column of other eleven-digit codes stays far below.
pub(crate) const SHARE_MAX: f64 = 0.10;
/// Fewer hits than this may be chance in a short column of codes.
pub(crate) const HITS_MIN: u64 = 3;
/// The largest share of codes of eleven digits that can have the form by chance: codes that begin with a date, of which four in
/// eleven pass the first check as it is from 2032 and one in eleven the second.
const CHANCE_MAX: f64 = 4.0 / 121.0;
/// Standard errors above [`CHANCE_MAX`] that are no chance in any number of nightly files.
const CHANCE_ERRORS: f64 = 6.0;
/// Values of ten or eleven digits that a column needs before it counts as one of long codes, where a hit is chance.
const CODES_MIN: u64 = 20;
/// Shorter values hold no identity number, address or telephone number (a lost leading zero leaves ten digits).
const LENGTH_MIN: usize = 6;

/// What one value looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finding {
    Nothing,
    /// Ten digits, or eleven digits somewhere, that are no identity number.
    Digits,
    /// The whole value is an identity number.
    Identity,
    /// Ten digits that would be an identity number with a zero before them.
    IdentityWithoutZero,
    /// An identity number stands in a longer text.
    IdentityInText,
    Email,
    Telephone,
}

/// What was found in a column, mergeable over chunks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Values that are not missing.
    pub(crate) values: u64,
    /// Values with as many digits together as an identity number has, whether they are one or not.
    pub(crate) digits: u64,
    pub(crate) identity: u64,
    pub(crate) contact: u64,
}

impl Counts {
    pub(crate) fn merge(&mut self, other: Self) {
        self.values += other.values;
        self.digits += other.digits;
        self.identity += other.identity;
        self.contact += other.contact;
    }

    pub(crate) fn is_identity_column(&self) -> bool {
        self.is_too_many(self.identity) || (self.is_long_codes() && self.exceeds_chance())
    }

    /// Most values are long numbers, and there are enough of them to tell.
    fn is_long_codes(&self) -> bool {
        self.digits >= CODES_MIN && self.digits.saturating_mul(2) >= self.values
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    fn exceeds_chance(&self) -> bool {
        let codes = self.digits as f64;
        let error = (codes * CHANCE_MAX * (1.0 - CHANCE_MAX)).sqrt();
        self.identity as f64 > CHANCE_MAX * codes + CHANCE_ERRORS * error
    }

    pub(crate) fn is_contact_column(&self) -> bool {
        self.is_too_many(self.contact)
    }

    fn is_too_many(&self, hits: u64) -> bool {
        hits >= HITS_MIN && exceeds(hits, SHARE_MAX, self.values)
    }

    fn add(&mut self, finding: Finding) {
        self.values += 1;
        match finding {
            Finding::Nothing => {}
            Finding::Digits => self.digits += 1,
            Finding::Identity | Finding::IdentityWithoutZero | Finding::IdentityInText => {
                self.digits += 1;
                self.identity += 1;
            }
            Finding::Email | Finding::Telephone => self.contact += 1,
        }
    }
}

/// What the beginning of a file says about a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// Most values are long numbers: single hits are chance.
    pub(crate) long_codes: bool,
}

impl From<Counts> for Context {
    fn from(counts: Counts) -> Self {
        Self { long_codes: counts.is_long_codes() }
    }
}

/// How closely a value is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The value may hold an identity number, an address or a telephone number anywhere.
    Text,
    /// Only the value as a whole may be an identity number: numbers, whose decimals are no identity.
    Whole,
}

/// Looks at the values of one column.
#[derive(Debug, Clone)]
pub(crate) struct Guard {
    telephone_header: bool,
    /// Declared pseudonyms may have the form of identity numbers.
    pseudonyms: bool,
}

impl Guard {
    pub(crate) fn new(header: &str, pseudonyms: bool) -> Self {
        Self { telephone_header: header_is_telephone(header), pseudonyms }
    }

    pub(crate) fn look(&self, value: &str, scope: Scope, counts: &mut Counts) -> Finding {
        let found = if value.len() < LENGTH_MIN { Finding::Nothing } else { find(value, self.telephone_header) };
        let finding = match found {
            Finding::Identity | Finding::IdentityWithoutZero | Finding::IdentityInText | Finding::Digits
                if self.pseudonyms =>
            {
                Finding::Nothing
            }
            Finding::IdentityInText | Finding::Email | Finding::Telephone if scope == Scope::Whole => Finding::Nothing,
            finding => finding,
        };
        counts.add(finding);
        finding
    }
}

/// Whether a value may not be shown to anybody.
pub(crate) fn is_sensitive(value: &str) -> bool {
    !matches!(find(value, true), Finding::Nothing | Finding::Digits)
}

fn find(value: &str, telephone_header: bool) -> Finding {
    let mut digits = 0;
    let mut at_sign = false;
    for byte in value.bytes() {
        digits += usize::from(byte.is_ascii_digit());
        at_sign |= byte == b'@';
    }
    if at_sign && has_email(value) {
        return Finding::Email;
    }
    if digits < 8 {
        return Finding::Nothing;
    }
    if digits >= 10 {
        let found = find_identity(value);
        if found != Finding::Nothing {
            return found;
        }
    }
    if is_telephone(value, telephone_header) { Finding::Telephone } else { Finding::Nothing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(values: u64, digits: u64, identity: u64) -> Counts {
        Counts { values, digits, identity, contact: 0 }
    }

    #[test]
    fn a_column_is_judged_by_share_and_by_what_chance_allows() {
        // Three of five, three of thirty; two are never enough, and one in ten million costs its row and nothing else.
        for (is, of) in [
            (true, counts(5, 3, 3)),
            (true, counts(29, 3, 3)),
            (false, counts(30, 3, 3)),
            (false, counts(2, 2, 2)),
            (false, counts(10_000_000, 1, 1)),
            (false, counts(10_000_000, 900, 900)),
            // Codes of eleven digits: what one of 30 passes by chance is no sign, what 7 or 5 of 100 do is.
            (false, counts(1000, 1000, 33)),
            (false, counts(1000, 1000, 66)),
            (true, counts(1000, 1000, 70)),
            (false, counts(1_000_000, 1_000_000, 33_100)),
            (true, counts(1_000_000, 1_000_000, 50_000)),
        ] {
            assert_eq!(of.is_identity_column(), is, "{of:?}");
        }
    }

    #[test]
    fn finds_addresses_and_telephones() {
        for email in ["kari@example.no", "skriv til k.n@sub.example.com takk"] {
            assert_eq!(find(email, false), Finding::Email);
        }
        for telephone in ["+47 912 34 567", "0047 912 34 567", "22 34 56 78", "912 34 567"] {
            assert_eq!(find(telephone, false), Finding::Telephone, "{telephone}");
        }
        assert_eq!(find("91234567", false), Finding::Nothing);
        assert_eq!(find("0047123456781234", true), Finding::Nothing);
        assert_eq!(find("004791234567", false), Finding::Nothing);
        assert_eq!(find("004791234567", true), Finding::Telephone);
        assert_eq!(find("91234567", true), Finding::Telephone);
        assert_eq!(find("2025-10-01", true), Finding::Nothing);
        assert_eq!(find("01.10.2025", true), Finding::Nothing);
    }
}
