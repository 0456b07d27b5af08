//! Numbers of typed formats as text cells.

use std::fmt::Write;

use crate::reason::Reason;

/// Whole numbers from here on are not all told apart by a 64-bit float.
const EXACT_INTEGER_MAX: f64 = 9_007_199_254_740_992.0;

/// Writes a number: whole ones without decimals, others with as many as tell them apart. NaN writes nothing: it is how several
/// programs write a missing value.
///
/// # Errors
/// [`Reason::InexactNumber`] for a whole number so large that its last digits are lost: an id of seventeen digits in a spreadsheet
/// is another id.
#[expect(clippy::cast_possible_truncation, reason = "checked to be whole and below 2^53")]
pub(super) fn write_number(to: &mut String, value: f64, decimal: char) -> Result<(), Reason> {
    if value.is_nan() {
        return Ok(());
    }
    if value.is_infinite() {
        return Err(Reason::NotANumber);
    }
    if value.fract() == 0.0 {
        if value.abs() >= EXACT_INTEGER_MAX {
            return Err(Reason::InexactNumber);
        }
        _ = write!(to, "{}", value as i64);
        return Ok(());
    }
    let start = to.len();
    _ = write!(to, "{value}");
    if decimal != '.'
        && let Some(point) = to[start..].find('.')
    {
        to.replace_range(start + point..=start + point, decimal.encode_utf8(&mut [0; 4]));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_texts() {
        let text = |value: f64| {
            let mut text = String::new();
            write_number(&mut text, value, ',').map(|()| text)
        };
        for (value, expected) in [(1.0, "1"), (-0.0, "0"), (71.5, "71,5"), (1e-7, "0,0000001"), (f64::NAN, "")] {
            assert_eq!(text(value).as_deref(), Ok(expected));
        }
        assert_eq!(text(f64::INFINITY).as_deref(), Err(&Reason::NotANumber));
        assert_eq!(text(1e17), Err(Reason::InexactNumber));
        assert_eq!(text(1e-300).unwrap().len(), 302);
    }
}
