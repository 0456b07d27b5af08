//! Text from outside on a line of a terminal.

/// A text that can do nothing to the line it is printed on: control characters (line breaks and terminal escapes among them),
/// separators of lines, and characters that turn the direction of writing are written as escapes, `\n` or `\u{202e}`.
///
/// For file names, codes and headers wherever a person reads them; what programs read keeps them as they are.
pub fn printable(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        if acts(character) {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}

fn acts(character: char) -> bool {
    let separates = matches!(character, '\u{2028}' | '\u{2029}');
    // The characters with the property Bidi_Control.
    let turns =
        matches!(character, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    character.is_control() || separates || turns
}

#[cfg(test)]
mod tests {
    use super::printable;

    #[test]
    fn what_acts_on_a_line_is_escaped_and_nothing_else() {
        let cases = [
            ("År/svar «1»_2025-01.csv", "År/svar «1»_2025-01.csv"),
            ("a\nREFUSED b.csv", "a\\nREFUSED b.csv"),
            ("a\r\tb", "a\\r\\tb"),
            ("\u{1b}[31mred\u{9b}m\u{7f}", "\\u{1b}[31mred\\u{9b}m\\u{7f}"),
            ("a\u{202e}vsc.\u{2066}\u{61c}\u{2028}", "a\\u{202e}vsc.\\u{2066}\\u{61c}\\u{2028}"),
            ("", ""),
        ];
        for (text, shown) in cases {
            assert_eq!(printable(text), shown);
        }
    }
}
