//! Mistakes of TOML itself, in words that say what to write. One slip of the pen is one mistake, also where the parser stumbles
//! over it twice.

use std::{ops::Range, sync::LazyLock};

use regex::Regex;
use toml::de::Error;

use super::reader::Sink;

/// A date as people write it: 1.3.2025, 01/03/2025, 2025.03.01.
static DATE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4})|(\d{4})[./-](\d{1,2})[./-](\d{1,2})").ok());
const DUPLICATE: &str = "duplicate key";
const UNQUOTED: &str = "string values must be quoted";

pub(super) fn tell(errors: &[Error], sink: &Sink<'_>) {
    let mut told: Range<usize> = 0..0;
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        if told.contains(&span.start) {
            continue;
        }
        if let Some((date, help)) = date_at(sink.text, span.start) {
            let written = sink.text.get(date.clone()).unwrap_or_default();
            sink.error(date.clone(), format!("«{written}» is not how a date is written"), Some(help));
            told = date;
            continue;
        }
        sink.error(span.clone(), error.message(), help(error.message(), sink.text, &span));
        if error.message() == DUPLICATE && line_of(sink.text, span.start).1.trim_start().starts_with('[') {
            // The keys below stand twice only because their section does.
            let rest = sink.text.get(span.end..).unwrap_or_default();
            told = span.start..rest.find("\n[").map_or(sink.text.len(), |at| span.end + at);
        }
    }
}

fn help(message: &str, text: &str, span: &Range<usize>) -> Option<String> {
    let (start, line) = line_of(text, span.start);
    let (before, after) = line.split_at_checked(span.start - start)?;
    if message == DUPLICATE {
        return Some(match line.trim_start().strip_prefix('[') {
            Some(section) => {
                let section = section.trim_start_matches('[').split(']').next().unwrap_or_default();
                format!("a section that comes several times is written [[{section}]] each time")
            }
            None => "a key stands once in its section".to_owned(),
        });
    }
    if message.starts_with(UNQUOTED) {
        let bare = text.get(span.clone())?.trim_matches(|c: char| "“”„«»‘’‚\"'".contains(c));
        return Some(format!("put it in straight quotes: \"{bare}\""));
    }
    let Some(right) = after.strip_prefix(',') else {
        let is_too_much = message.starts_with("unexpected key or value");
        return is_too_much
            .then(|| "the line goes on after its value: is a bracket, quote or # too many or missing?".to_owned());
    };
    let whole = before.rsplit(|c: char| !c.is_ascii_digit()).next().and_then(digits);
    Some(match whole.zip(digits(right)) {
        Some((whole, decimals)) => {
            format!("decimals have a point, {whole}.{decimals}; several values stand in brackets, [1, 2]")
        }
        None => "several values stand in brackets: [\"…\", \"…\"]".to_owned(),
    })
}

/// The digits that `text` begins with.
fn digits(text: &str) -> Option<&str> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    text.get(..end).filter(|digits| !digits.is_empty())
}

/// Where the line around `at` begins, and the line.
fn line_of(text: &str, at: usize) -> (usize, &str) {
    let start = text.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1);
    (start, text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default())
}

/// A date in a form of its own around `at`, and how to write it.
fn date_at(text: &str, at: usize) -> Option<(Range<usize>, String)> {
    let (start, line) = line_of(text, at);
    let found = DATE.as_ref()?.captures_iter(line).find(|found| {
        let whole = found.get(0).map_or(0..0, |whole| whole.range());
        (start + whole.start..start + whole.end).contains(&at)
    })?;
    let number = |group: usize| found.get(group).and_then(|digits| digits.as_str().parse::<u32>().ok());
    let (year, month, day) = match number(3) {
        Some(year) => (year, number(2)?, number(1)?),
        None => (number(4)?, number(5)?, number(6)?),
    };
    let whole = found.get(0)?.range();
    let written = format!("{year:04}-{month:02}-{day:02}");
    // An impossible day in the right form is another mistake.
    let is_other_form = line.get(whole.clone()).is_some_and(|own| own != written);
    let span = start + whole.start..start + whole.end;
    is_other_form.then(|| (span, format!("year, month, day with hyphens: {written}")))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use toml::de::DeTable;

    use super::*;

    /// `text at the place: message (help)` of every mistake.
    fn told(text: &str) -> Vec<String> {
        let diagnostics = RefCell::default();
        tell(&DeTable::parse_recoverable(text).1, &Sink { file: "a.toml", text, diagnostics: &diagnostics });
        let one = |told: crate::Diagnostic| {
            let place = &text[told.span.unwrap_or(0..0)];
            format!("{place}: {} ({})", told.message, told.help.unwrap_or_default())
        };
        diagnostics.into_inner().into_iter().map(one).collect()
    }

    #[test]
    fn a_date_of_another_form_is_one_mistake_that_says_the_form() {
        for (text, place) in [
            ("a = 01.03.2025\nb = 1\n", "01.03.2025"),
            ("b = 1\na = 1.3.2025", "1.3.2025"),
            ("a = { b = 01.03.2025, c = 1 }", "01.03.2025"),
            ("a = 01/03/2025", "01/03/2025"),
            ("a = 2025.03.01", "2025.03.01"),
            ("a = 2025/03/01", "2025/03/01"),
            ("a = 2025-3-1 # first of March", "2025-3-1"),
        ] {
            let expected =
                format!("{place}: «{place}» is not how a date is written (year, month, day with hyphens: 2025-03-01)");
            assert_eq!(told(text), [expected], "{text}");
        }
        let impossible = told("a = 2025-02-30");
        assert!(impossible[0].starts_with("2025-02-30: invalid date, expected day"), "{impossible:?}");
    }

    #[test]
    fn slips_that_people_make_are_told_with_what_to_write() {
        for (text, words) in [
            ("high = 65,5\n", "(decimals have a point, 65.5; several values stand in brackets, [1, 2])"),
            ("items = \"a\"]\n", "(the line goes on after its value: is a bracket, quote or # too many or missing?)"),
            ("items = \"a\", \"b\"\n", "(several values stand in brackets: [\"…\", \"…\"])"),
            ("direction = higher\n", "(put it in straight quotes: \"higher\")"),
            ("direction = “higher”\n", "(put it in straight quotes: \"higher\")"),
            ("a = 1\na = 2\n", "(a key stands once in its section)"),
        ] {
            let told = told(text);
            assert!(told.len() == 1 && told[0].ends_with(words), "{text}: {told:?}");
        }
    }

    #[test]
    fn a_section_that_stands_twice_is_one_mistake() {
        let twice = "[[p.x]]\na = 1\nb = 1\n[p.x]\na = 2\nb = 2\n[q]\nc = 1\nc = 2\n";
        let told = told(twice);
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told[0].ends_with("(a section that comes several times is written [[p.x]] each time)"), "{told:?}");
        assert!(told[1].starts_with("c: duplicate key"), "{told:?}");
    }
}
