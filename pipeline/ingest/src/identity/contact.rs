//! E-mail addresses and telephone numbers. Eight bare digits are a telephone number only under a header that says so: many
//! codes have eight digits.

/// Digits of a Norwegian number, which does not begin with 0 or 1.
const NORWEGIAN_DIGITS: usize = 8;
/// Digits after `+` of an international number (ITU-T E.164: at most 15).
const INTERNATIONAL_DIGITS: std::ops::RangeInclusive<usize> = 8..=15;
const HEADER_WORDS: [&str; 5] = ["telefon", "tlf", "mobil", "phone", "sms"];

/// An address anywhere in the text: a name, `@`, and a host with a dot.
pub(super) fn has_email(text: &str) -> bool {
    text.match_indices('@').any(|(at, _)| {
        let name = text[..at].chars().next_back().is_some_and(|last| last.is_alphanumeric() || "._-+".contains(last));
        let host: &str =
            text[at + 1..].split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '-')).next().unwrap_or("");
        let dotted = host.split_once('.').is_some_and(|(first, rest)| {
            first.starts_with(char::is_alphanumeric) && rest.starts_with(char::is_alphabetic)
        });
        name && dotted
    })
}

/// A whole value that is a telephone number: with a country's code, in pairs (`22 34 56 78`) or as 3-2-3 (`912 34 567`);
/// under a header about telephones also eight bare digits.
pub(super) fn is_telephone(text: &str, header_says_so: bool) -> bool {
    let bytes = text.as_bytes();
    if bytes.len() < NORWEGIAN_DIGITS || bytes.iter().any(|byte| !(byte.is_ascii_digit() || b" +()-.".contains(byte))) {
        return false;
    }
    let digits = bytes.iter().filter(|byte| byte.is_ascii_digit()).count();
    let spaced = digits < bytes.len();
    // Codes with leading zeros may begin with 0047 too.
    let norwegian_abroad = text.starts_with("0047") && digits == NORWEGIAN_DIGITS + 4 && (spaced || header_says_so);
    let international = bytes[0] == b'+' && INTERNATIONAL_DIGITS.contains(&digits) || norwegian_abroad;
    let norwegian = digits == NORWEGIAN_DIGITS && (b'2'..=b'9').contains(&bytes[0]);
    let groups = || text.split(' ').map(str::len);
    let grouped = norwegian && (groups().eq([2, 2, 2, 2]) || groups().eq([3, 2, 3]));
    international || grouped || norwegian && header_says_so && !spaced
}

/// Whether a header announces telephone numbers.
pub(super) fn header_is_telephone(header: &str) -> bool {
    let header = header.to_lowercase();
    HEADER_WORDS.iter().any(|word| header.contains(word))
}
