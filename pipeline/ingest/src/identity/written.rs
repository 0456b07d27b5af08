//! The ways in which people and programs write an identity number, and where in a value it stands.
//!
//! - Together, or with single blanks, points or hyphens between: as a whole value cut anywhere (`15 076 500 565`, what a
//!   spreadsheet makes of large numbers); inside a text cut after the date (`150765 00565`, `15 07 65 00565`, `150765 005 65`).
//! - As a spreadsheet's number: `15076500565.0`, `15076500565,00`, `1.5076500565E+10`.
//! - Without its leading zero, as a whole value: ten digits.
//!
//! Letters before or behind do not hide a number (`fnr15076500565`, `15076500565A`); digits of a hexadecimal pseudonym are none.

use std::ops::Range;

use super::{guard::Finding, national::has_identity_form};

const LENGTH: usize = 11;
/// Without its leading zero.
const SHORT: usize = 10;
/// Digits of the date that a number begins with.
const DATE: usize = 6;
/// Groups of digits in which a number is written inside a text: the date may be cut, and the rest after its third digit.
const GROUPS: [&[usize]; 4] = [&[11], &[6, 5], &[6, 3, 2], &[2, 2, 2, 5]];
const GROUPS_MAX: usize = 4;
/// The exponent of a number of eleven digits, and of one that lost its leading zero.
const EXPONENTS: [(&str, usize); 2] = [("10", 11), ("9", 10)];
/// Hexadecimal digits of a short pseudonym: 64 bits.
const PSEUDONYM_MIN: usize = 16;
/// Last digits that may be zero in a number with an exponent before it counts as rounded.
const ROUNDED: usize = 4;

/// What a value says of identity numbers: [`Finding::Nothing`] where it has no eleven digits together.
pub(super) fn find_identity(value: &str) -> Finding {
    if let Some((whole, decimals)) = decimal_number(value) {
        // Decimals that are all zeros are none; others say that the value is a measure, whatever its whole part looks like.
        let is_whole = decimals.bytes().all(|byte| byte == b'0');
        return if is_whole { of_digits(whole) } else { find_in_text(whole) };
    }
    match whole_number(value) {
        Some(digits) if digits.len() == LENGTH || digits.len() == SHORT => of_digits(&digits),
        // Digits of another length may hold a number all the same: `15076500565 2`.
        _ => find_in_text(value),
    }
}

/// What digits without anything between them say.
fn of_digits(digits: &str) -> Finding {
    match digits.len() {
        LENGTH if has_form(digits.bytes()) => Finding::Identity,
        SHORT if has_form(std::iter::once(b'0').chain(digits.bytes())) => Finding::IdentityWithoutZero,
        SHORT | LENGTH => Finding::Digits,
        _ => Finding::Nothing,
    }
}

/// The whole part and the decimals of a plain decimal number. A cut after six digits is that of an identity number.
fn decimal_number(value: &str) -> Option<(&str, &str)> {
    let is_digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let (whole, decimals) = value.strip_prefix('+').unwrap_or(value).split_once(['.', ','])?;
    (is_digits(whole) && is_digits(decimals) && whole.len() != DATE).then_some((whole, decimals))
}

/// The digits of a value that is one number, without separators or exponent.
fn whole_number(value: &str) -> Option<String> {
    let value = value.strip_prefix('+').unwrap_or(value);
    if !value.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    if let Some((mantissa, exponent)) = value.split_once(['e', 'E']) {
        return with_exponent(mantissa, exponent);
    }
    let mut digits = String::with_capacity(LENGTH);
    let mut separated = false;
    for character in value.chars() {
        if character.is_ascii_digit() {
            digits.push(character);
            separated = false;
        } else if is_separator(character) && !separated {
            separated = true;
        } else {
            return None;
        }
    }
    let cut_ten = digits.len() == SHORT && value.len() > digits.len();
    // Ten digits with something between them are a telephone number or a date with a time rather than a lost zero.
    (!separated && !cut_ten).then_some(digits)
}

/// `1.5076500565E+10` → `15076500565`.
fn with_exponent(mantissa: &str, exponent: &str) -> Option<String> {
    let exponent = exponent.strip_prefix('+').unwrap_or(exponent).trim_start_matches('0');
    let (_, length) = EXPONENTS.into_iter().find(|(written, _)| *written == exponent)?;
    let (first, rest) = mantissa.split_once(['.', ',']).unwrap_or((mantissa, ""));
    let is_number = first.len() == 1 && rest.bytes().chain(first.bytes()).all(|byte| byte.is_ascii_digit());
    let rest = rest.trim_end_matches('0');
    // Fewer digits than this are a rounded number, which is nobody's.
    let is_exact = (length - ROUNDED..=length).contains(&(rest.len() + 1));
    let width = length - 1;
    (is_number && is_exact).then(|| format!("{first}{rest:0<width$}"))
}

fn is_separator(character: char) -> bool {
    matches!(character, ' ' | '.' | '-' | '\u{a0}' | '\u{202f}' | '\'' | '’')
}

/// A run of digits in a text, as bytes `from..to`.
#[derive(Clone, Copy, Default)]
struct Run {
    from: usize,
    to: usize,
}

impl Run {
    fn length(self) -> usize {
        self.to - self.from
    }
}

fn find_in_text(text: &str) -> Finding {
    match search(text) {
        (Some(_), _) => Finding::IdentityInText,
        (None, true) => Finding::Digits,
        (None, false) => Finding::Nothing,
    }
}

/// A file's name or path with stars for the digits of identity numbers; `None` where it has none. Underscores part digits there too.
pub(crate) fn without_identity(name: &str) -> Option<String> {
    let mut text = name.replace('_', "-");
    let mut shown = None;
    while let (Some(place), _) = search(&text) {
        let stars = "*".repeat(place.len());
        text.replace_range(place.clone(), &stars);
        shown.get_or_insert_with(|| name.to_owned()).replace_range(place, &stars);
    }
    shown
}

/// The place of the first identity number in a text, and whether there are eleven digits together that are none.
fn search(text: &str) -> (Option<Range<usize>>, bool) {
    let bytes = text.as_bytes();
    let mut long = false;
    // The runs that end here, the newest last; those that are not there have no length.
    let mut recent = [Run::default(); GROUPS_MAX];
    let mut start = 0;
    while let Some(from) = bytes[start..].iter().position(u8::is_ascii_digit).map(|offset| start + offset) {
        start =
            bytes[from..].iter().position(|byte| !byte.is_ascii_digit()).map_or(bytes.len(), |length| from + length);
        recent.rotate_left(1);
        recent[GROUPS_MAX - 1] = Run { from, to: start };
        for groups in GROUPS {
            let group = &recent[GROUPS_MAX - groups.len()..];
            let fits = group.iter().rev().zip(groups.iter().rev()).all(|(run, length)| run.length() == *length)
                && group.windows(2).all(|pair| is_one_separator(&text[pair[0].to..pair[1].from]))
                && stands_alone(bytes, group[0].from, start);
            if fits && has_form(bytes[group[0].from..start].iter().copied().filter(u8::is_ascii_digit)) {
                return (Some(group[0].from..start), long);
            }
            long |= fits && groups.len() == 1;
        }
    }
    (None, long)
}

fn is_one_separator(between: &str) -> bool {
    let mut characters = between.chars();
    characters.next().is_some_and(is_separator) && characters.next().is_none()
}

/// Whether the digits are no part of a hexadecimal pseudonym: letters on either side do not hide a number, but those of
/// sixteen hexadecimal digits and more, hyphens between them or not.
fn stands_alone(bytes: &[u8], from: usize, end: usize) -> bool {
    let around = |is_part: fn(&u8) -> bool| {
        let before = bytes[..from].iter().rev().take_while(|byte| is_part(byte)).count();
        let behind = bytes[end..].iter().take_while(|byte| is_part(byte)).count();
        from - before..end + behind
    };
    let word = &bytes[around(u8::is_ascii_alphanumeric)];
    if word.len() == end - from || !word.iter().all(u8::is_ascii_hexdigit) {
        return true;
    }
    let pseudonym = &bytes[around(|byte| byte.is_ascii_hexdigit() || *byte == b'-')];
    pseudonym.iter().filter(|byte| byte.is_ascii_hexdigit()).count() < PSEUDONYM_MIN
}

fn has_form(digits: impl Iterator<Item = u8>) -> bool {
    let mut all = [0; LENGTH];
    let mut count = 0;
    for byte in digits {
        let Some(place) = all.get_mut(count) else { return false };
        *place = u32::from(byte - b'0');
        count += 1;
    }
    count == LENGTH && has_identity_form(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_shown_without_numbers() {
        for (name, shown) in [
            ("svar_15076500565.csv", "svar_***********.csv"),
            ("15076500565", "***********"),
            ("pasient150765_00565/år_150765-00565_1.csv", "pasient************/år_************_1.csv"),
        ] {
            assert_eq!(without_identity(name).as_deref(), Some(shown), "{name}");
        }
        for name in ["answers_2025-01-31_001.csv", "contacts_20250131120000.csv", "svar_15076500566.csv", "a.csv", ""] {
            assert_eq!(without_identity(name), None, "{name}");
        }
    }

    #[test]
    fn finds_numbers_however_they_are_written() {
        for whole in [
            "15076500565",
            "150765 00565",
            "150765-00565",
            "15 076 500 565",
            "15\u{a0}076\u{a0}500\u{a0}565",
            "15.07.65-00565",
            "15076500565.0",
            "15076500565,00",
            "1.5076500565E10",
            "1,5076500565e+10",
            "+15076500565",
        ] {
            assert_eq!(find_identity(whole), Finding::Identity, "{whole}");
        }
        for inside in [
            "fnr 15076500565",
            "x150765 00565.",
            "(15076500565)",
            "fnr15076500565",
            "født 15.07.65 00565",
            "fnr: 150765 005 65, ring",
            "15076500565.5",
            "15076500565 2",
            "15076500565;15076500566",
            "15076500565X",
            "15076500565a",
            "15076500565A1",
            "bad15076500565",
            "2b15076500565",
            "15076500565-abcdef",
        ] {
            assert_eq!(find_identity(inside), Finding::IdentityInText, "{inside}");
        }
        for zero in ["2013299997", "2013299997.0", "2.013299997E+09"] {
            assert_eq!(find_identity(zero), Finding::IdentityWithoutZero, "{zero}");
        }
        for digits in ["15076500566", "15076500566.0", "1.5076500566E10", "2013299998"] {
            assert_eq!(find_identity(digits), Finding::Digits, "{digits}");
        }
        for other in [
            "115076500565",
            "2025-10-01T12:30:00",
            "974707152",
            "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
            "a1b2c3d4-e5f6-7890-abcd-e15076500565",
            "15076500565abcde",
            // Rounded: six digits of eleven are nobody's number.
            "1.50765E+10",
            "1.5076500565E+11",
            "0.15076500565",
            "15076.500565",
            "20 13 29 99 97",
            "1507 6500565 kr",
            "",
            "+",
            "e",
            "1e",
            "٣",
        ] {
            assert_ne!(find_identity(other), Finding::Identity, "{other}");
            assert_ne!(find_identity(other), Finding::IdentityInText, "{other}");
            assert_ne!(find_identity(other), Finding::IdentityWithoutZero, "{other}");
        }
    }
}
