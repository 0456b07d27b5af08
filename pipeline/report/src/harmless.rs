//! Text that a spreadsheet would run as a formula is made harmless with an apostrophe before it.

use std::borrow::Cow;

/// Text cells that begin with one of these are read as formulas or commands by some spreadsheet.
const DANGEROUS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// `text`, with an apostrophe first where it could be taken for a formula. For text columns only: a negative number is
/// a number.
pub(crate) fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(DANGEROUS) || text.trim_start().starts_with(DANGEROUS) {
        return Cow::Owned(format!("'{text}"));
    }
    Cow::Borrowed(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text() {
        for text in ["=HYPERLINK(\"x\")", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1"] {
            assert_eq!(harmless(text), format!("'{text}"));
        }
        for text in ["", "Sykehuset", "2025-10..2026-03", "a=b"] {
            assert_eq!(harmless(text), text);
        }
    }
}
