//! Norwegian national identity numbers, by form alone.
//!
//! Eleven digits `ddmmyyiiikk`: fødselsnummer; D-number (day + 40); H-number (month + 40); synthetic numbers (month + 40, + 65
//! or + 80); FH-number (first digit 8 or 9, the nine first digits arbitrary). Check digits: weights 3 7 6 1 8 9 4 5 2 1 and
//! 5 4 3 2 7 6 5 4 3 2 1 give sums that 11 divides. For numbers of 2032 and later the first sum may leave 0, 1, 2 or 3.
//!
//! Source: Skatteetaten, «Fødselsnummer» and «Nytt fødselsnummer fra 2032»; HelseID and Grunndata on FH- and H-numbers.
//!
//! About one in a hundred random strings of eleven digits passes, so a single hit says little and a share says much.

const WEIGHTS_FIRST: [u32; 10] = [3, 7, 6, 1, 8, 9, 4, 5, 2, 1];
const WEIGHTS_SECOND: [u32; 11] = [5, 4, 3, 2, 7, 6, 5, 4, 3, 2, 1];
/// Largest remainder of the first sum that the scheme of 2032 allows.
const REMAINDER_MAX_2032: u32 = 3;
/// What is added to the month: H-numbers and some synthetic ones, synthetic of Norsk helsenett, synthetic of Tenor.
const MONTH_SHIFTS: [u32; 4] = [0, 40, 65, 80];
const DAY_SHIFT_D_NUMBER: u32 = 40;
const DAYS_IN_MONTH: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Whether eleven ASCII digits have the form of an identity number.
///
/// ```
/// assert!(prem_ingest::is_identity_number("15076500565"));
/// assert!(!prem_ingest::is_identity_number("15076500566"));
/// ```
pub fn is_identity_number(text: &str) -> bool {
    let Ok(bytes) = <[u8; 11]>::try_from(text.as_bytes()) else { return false };
    bytes.iter().all(u8::is_ascii_digit) && has_identity_form(bytes.map(|byte| u32::from(byte - b'0')))
}

/// The same for digits as numbers.
pub(super) fn has_identity_form(digits: [u32; 11]) -> bool {
    if !weighted(&digits, &WEIGHTS_SECOND).is_multiple_of(11) {
        return false;
    }
    let first = weighted(&digits, &WEIGHTS_FIRST) % 11;
    let is_fh = digits[0] >= 8;
    if is_fh { first == 0 } else { first <= REMAINDER_MAX_2032 && has_date(digits) }
}

fn weighted(digits: &[u32], weights: &[u32]) -> u32 {
    digits.iter().zip(weights).map(|(digit, weight)| digit * weight).sum()
}

/// The century is not looked at: 29 February counts in every fourth year.
fn has_date(digits: [u32; 11]) -> bool {
    let pair = |at: usize| digits[at] * 10 + digits[at + 1];
    let (day, month, year) = (pair(0), pair(2), pair(4));
    let day = if day > DAY_SHIFT_D_NUMBER { day - DAY_SHIFT_D_NUMBER } else { day };
    MONTH_SHIFTS.iter().filter_map(|shift| month.checked_sub(*shift)).filter(|month| (1..=12).contains(month)).any(
        |month| {
            let leap_day_missing = month == 2 && day == 29 && year % 4 != 0;
            (1..=DAYS_IN_MONTH[month as usize - 1]).contains(&day) && !leap_day_missing
        },
    )
}
