//! Judges the columns of a file: what share of their values identifies a person.

use super::{
    contact::{has_email, header_is_telephone, is_telephone},
    national::has_identity_form,
};

/// A column with a larger share of hits than this stops the file. One to three in a hundred random strings of eleven digits have
/// the form of an identity number, so a column of other eleven-digit codes stays far below.
pub(crate) const SHARE_MAX: f64 = 0.10;
/// Fewer hits than this may be chance in a short column of codes.
pub(crate) const HITS_MIN: u64 = 3;
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
    /// Ten digits that would be an identity number with a zero before them. Too common by chance to judge a single row by.
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
        self.is_too_many(self.identity)
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

/// Whether `part` is more than `share` of `whole`.
#[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
pub(crate) fn exceeds(part: u64, share: f64, whole: u64) -> bool {
    part as f64 > share * whole as f64
}

/// What the beginning of a file says about a column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// Most values are long numbers: single hits are chance.
    pub(crate) long_codes: bool,
}

impl From<Counts> for Context {
    fn from(counts: Counts) -> Self {
        Self { long_codes: counts.digits >= CODES_MIN && counts.digits * 2 >= counts.values }
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
        let found = find_identity(value.as_bytes());
        if found != Finding::Nothing {
            return found;
        }
    }
    if is_telephone(value, telephone_header) { Finding::Telephone } else { Finding::Nothing }
}

/// Looks for eleven digits that stand by themselves (or behind a word such as `fnr`), written together or with a blank, point or
/// hyphen after the sixth; a whole value of ten digits is read as one that lost its leading zero. Digits among the letters of a
/// hexadecimal pseudonym do not count.
fn find_identity(bytes: &[u8]) -> Finding {
    let mut long = false;
    let mut start = 0;
    while let Some(from) = bytes[start..].iter().position(u8::is_ascii_digit).map(|offset| start + offset) {
        let end = digits_end(bytes, from);
        let whole_from = from == 0;
        match end - from {
            11 if stands_alone(bytes, from, end) => {
                let whole = whole_from && end == bytes.len();
                if let Some(true) = form(bytes[from..end].iter().copied()) {
                    return if whole { Finding::Identity } else { Finding::IdentityInText };
                }
                long = true;
            }
            10 if whole_from && end == bytes.len() => {
                if let Some(true) = form(std::iter::once(b'0').chain(bytes.iter().copied())) {
                    return Finding::IdentityWithoutZero;
                }
                long = true;
            }
            6 if matches!(bytes.get(end), Some(b' ' | b'.' | b'-')) => {
                let second = digits_end(bytes, end + 1);
                if second - end == 6 && stands_alone(bytes, from, second) {
                    let digits = bytes[from..end].iter().chain(&bytes[end + 1..second]).copied();
                    if let Some(true) = form(digits) {
                        let whole = whole_from && second == bytes.len();
                        return if whole { Finding::Identity } else { Finding::IdentityInText };
                    }
                }
            }
            _ => {}
        }
        start = end;
    }
    if long { Finding::Digits } else { Finding::Nothing }
}

/// No letter behind the digits, and none before them but those of a word: letters that are not all hexadecimal.
fn stands_alone(bytes: &[u8], from: usize, end: usize) -> bool {
    let before = bytes[..from].iter().rev().take_while(|byte| byte.is_ascii_alphanumeric());
    let is_word = |byte: &u8| byte.is_ascii_alphabetic() && !byte.is_ascii_hexdigit();
    let clear =
        before.clone().all(u8::is_ascii_alphabetic) && (before.clone().next().is_none() || before.clone().any(is_word));
    clear && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric)
}

fn digits_end(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |offset| from + offset)
}

fn form(digits: impl Iterator<Item = u8>) -> Option<bool> {
    let mut all = [0; 11];
    let mut count = 0;
    for byte in digits {
        *all.get_mut(count)? = u32::from(byte - b'0');
        count += 1;
    }
    (count == 11).then(|| has_identity_form(all))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_numbers_however_they_are_written() {
        for whole in ["15076500565", "150765 00565", "150765-00565"] {
            assert_eq!(find(whole, false), Finding::Identity, "{whole}");
        }
        for inside in ["fnr 15076500565", "x150765 00565.", "(15076500565)", "fnr15076500565"] {
            assert_eq!(find(inside, false), Finding::IdentityInText, "{inside}");
        }
        assert_eq!(find("15076500566", false), Finding::Digits);
        assert_eq!(find("2013299997", false), Finding::IdentityWithoutZero);
        for other in [
            "115076500565",
            "2025-10-01T12:30:00",
            "974707152",
            "15076500565a",
            "bad15076500565",
            "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
        ] {
            assert_eq!(find(other, false), Finding::Nothing, "{other}");
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
