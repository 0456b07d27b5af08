//! Numbers as Norwegian readers expect them: decimal comma, a narrow hard space between thousands from 10 000, a real minus
//! sign, a hard space before the per cent sign. English pages have point and comma.

use prem_spec::Indicator;

use crate::Language;

/// Narrow no-break space.
const THIN: char = '\u{202f}';
/// No-break space.
const HARD: char = '\u{a0}';
const MINUS: char = '\u{2212}';
/// Whole parts with fewer digits are not grouped in Norwegian.
const GROUPED_DIGITS_MIN: usize = 5;

/// `value` with a fixed number of decimals.
pub(crate) fn fixed(value: f64, decimals: usize, language: Language) -> String {
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
    let is_zero = text.chars().all(|c| matches!(c, '0' | '.'));
    let (point, separator) = if language == Language::English { ('.', ',') } else { (',', THIN) };
    let mut out = String::new();
    if value < 0.0 && !is_zero {
        out.push(MINUS);
    }
    for (index, digit) in whole.chars().enumerate() {
        let left = whole.len() - index;
        if index > 0 && left % 3 == 0 && whole.len() >= GROUPED_DIGITS_MIN {
            out.push(separator);
        }
        out.push(digit);
    }
    if !fraction.is_empty() {
        out.push(point);
        out.push_str(fraction);
    }
    out
}

/// A count.
pub(crate) fn count(value: i64, language: Language) -> String {
    fixed(value as f64, 0, language)
}

/// Most decimals of a number that somebody declared.
const DECLARED_DECIMALS_MAX: usize = 6;

/// A declared number with as many decimals as it has.
pub(crate) fn declared(value: f64, language: Language) -> String {
    let is_whole = |decimals: &usize| {
        let shifted = value * 10_f64.powi(i32::try_from(*decimals).unwrap_or(0));
        (shifted - shifted.round()).abs() < 1e-6
    };
    let decimals = (0..DECLARED_DECIMALS_MAX).find(is_whole).unwrap_or(DECLARED_DECIMALS_MAX);
    fixed(value, decimals, language)
}

/// A probability with so many decimals; one that would read as zero is told to be below the smallest.
pub(crate) fn probability(value: f64, decimals: usize, language: Language) -> String {
    let smallest = 10_f64.powi(i32::try_from(decimals).unwrap_or(0)).recip();
    if value < smallest {
        return format!("<{HARD}{}", fixed(smallest, decimals, language));
    }
    fixed(value, decimals, language)
}

/// How the values of one indicator are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    pub(crate) decimals: usize,
    pub(crate) is_share: bool,
    pub(crate) language: Language,
}

impl Style {
    pub(crate) fn of(indicator: &Indicator, language: Language) -> Self {
        Self { decimals: usize::from(indicator.decimals), is_share: indicator.measure.is_proportion(), language }
    }

    /// Shares are shown per hundred.
    pub(crate) fn scaled(self, value: f64) -> f64 {
        if self.is_share { value * 100.0 } else { value }
    }

    /// A value without its unit.
    pub(crate) fn plain(self, value: f64) -> String {
        fixed(self.scaled(value), self.decimals, self.language)
    }

    /// A value with its unit: `72,4` or `72,4 %`.
    pub(crate) fn value(self, value: f64) -> String {
        let percent = if self.language == Language::English { "%".to_owned() } else { format!("{HARD}%") };
        format!("{}{}", self.plain(value), if self.is_share { percent.as_str() } else { "" })
    }

    /// An interval: `70,1–74,7`, or with a word between where a minus sign could be misread.
    pub(crate) fn interval(self, low: f64, high: f64) -> String {
        if low < 0.0 || high < 0.0 {
            let word = if self.language == Language::English { "to" } else { "til" };
            return format!("{}{HARD}{word}{HARD}{}", self.plain(low), self.plain(high));
        }
        format!("{}–{}", self.plain(low), self.plain(high))
    }

    /// A difference with its sign: `+1,2`.
    pub(crate) fn difference(self, value: f64) -> String {
        let text = self.plain(value);
        let is_zero = text.chars().all(|c| matches!(c, '0' | ',' | '.'));
        if value > 0.0 && !is_zero { format!("+{text}") } else { text }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn norwegian_and_english() {
        assert_eq!(fixed(1234.5, 1, Language::Bokmal), "1234,5");
        assert_eq!(fixed(-12345.678, 2, Language::Bokmal), "\u{2212}12\u{202f}345,68");
        assert_eq!(fixed(1_234_567.0, 0, Language::Nynorsk), "1\u{202f}234\u{202f}567");
        assert_eq!(fixed(12345.6, 1, Language::English), "12,345.6");
        assert_eq!(fixed(-0.04, 1, Language::Bokmal), "0,0");
    }

    #[test]
    fn declared_numbers_have_the_decimals_that_they_have() {
        for (value, text) in [(2.0, "2"), (0.07 * 100.0, "7"), (0.5, "0,5"), (97.5, "97,5"), (1.25, "1,25")] {
            assert_eq!(declared(value, Language::Bokmal), text);
        }
    }

    #[test]
    fn no_probability_reads_as_zero() {
        assert_eq!(probability(0.0001, 3, Language::Bokmal), "<\u{a0}0,001");
        assert_eq!(probability(0.001, 3, Language::Bokmal), "0,001");
        assert_eq!(probability(0.25, 3, Language::English), "0.250");
    }

    #[test]
    fn shares_are_per_cent() {
        let share = Style { decimals: 1, is_share: true, language: Language::Bokmal };
        assert_eq!(share.value(0.8749), "87,5\u{a0}%");
        assert_eq!(share.interval(0.8, 0.9), "80,0–90,0");
        assert_eq!(share.interval(-0.012, 0.034), "\u{2212}1,2\u{a0}til\u{a0}3,4");
        assert_eq!(share.difference(0.012), "+1,2");
        assert_eq!(share.difference(-0.0001), "0,0");
    }
}
