//! Rust source, taken apart just far enough for rules: code without strings and comments, strings, comments.

use std::ops::Range;

/// One file, line by line.
#[derive(Debug, Clone, Default)]
pub struct Source {
    pub file: String,
    pub lines: Vec<Line>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Line {
    /// What the compiler sees, string and character literals emptied.
    pub code: String,
    pub comment: String,
    /// String literals that begin here, without quotes.
    pub strings: Vec<String>,
}

impl Source {
    pub fn new(file: &str, text: &str) -> Self {
        Self { file: file.to_owned(), lines: Lexer::new(text).lines() }
    }

    /// Lines with their numbers, from 1.
    pub fn numbered(&self) -> impl Iterator<Item = (usize, &Line)> {
        (1..).zip(&self.lines)
    }

    /// The same file with every item under `#[cfg(test)]` emptied, so that line numbers stay.
    pub fn without_tests(mut self) -> Self {
        while let Some(range) = self.test_item() {
            for line in &mut self.lines[range] {
                *line = Line::default();
            }
        }
        self
    }

    /// Lines of the first item under `#[cfg(test)]`: up to its closing brace, or its semicolon.
    fn test_item(&self) -> Option<Range<usize>> {
        let first = self.lines.iter().position(|line| line.code.trim_start().starts_with("#[cfg(test)]"))?;
        let mut depth = 0usize;
        for (index, line) in self.lines.iter().enumerate().skip(first) {
            for character in line.code.chars() {
                match character {
                    '{' => depth += 1,
                    '}' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                if (character == '}' || character == ';') && depth == 0 {
                    return Some(first..index + 1);
                }
            }
        }
        Some(first..self.lines.len())
    }

    /// Numbers of the lines whose code has `word` as a word of its own.
    pub fn lines_with(&self, word: &str) -> Vec<usize> {
        self.numbered().filter(|(_, line)| has_word(&line.code, word)).map(|(number, _)| number).collect()
    }

    /// The code of `use` statements, each with the number of its first line, blanks taken out.
    pub fn uses(&self) -> Vec<(usize, String)> {
        let mut uses: Vec<(usize, String)> = Vec::new();
        let mut is_open = false;
        for (number, line) in self.numbered() {
            let code = line.code.trim();
            let starts =
                ["use ", "pub use ", "pub(crate) use ", "pub(super) use "].iter().any(|word| code.starts_with(word));
            if starts {
                uses.push((number, String::new()));
                is_open = true;
            }
            if let (true, Some((_, statement))) = (is_open, uses.last_mut()) {
                statement.extend(code.chars().filter(|character| !character.is_whitespace()));
                is_open = !code.contains(';');
            }
        }
        uses
    }
}

/// Whether `text` has `word` with no letter, digit or `_` on either side.
pub fn has_word(text: &str, word: &str) -> bool {
    let is_part = |character: Option<char>| character.is_some_and(|c| c.is_alphanumeric() || c == '_');
    text.match_indices(word)
        .any(|(at, _)| !is_part(text[..at].chars().next_back()) && !is_part(text[at + word.len()..].chars().next()))
}

struct Lexer {
    characters: Vec<char>,
    at: usize,
    lines: Vec<Line>,
}

impl Lexer {
    fn new(text: &str) -> Self {
        Self { characters: text.chars().collect(), at: 0, lines: vec![Line::default()] }
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.characters.get(self.at + ahead).copied()
    }

    /// Takes one character; a new line begins after a line feed.
    fn take(&mut self) -> Option<char> {
        let character = self.peek(0)?;
        self.at += 1;
        if character == '\n' {
            self.lines.push(Line::default());
        }
        Some(character)
    }

    fn line(&mut self) -> &mut Line {
        if self.lines.is_empty() {
            self.lines.push(Line::default());
        }
        let last = self.lines.len() - 1;
        &mut self.lines[last]
    }

    fn lines(mut self) -> Vec<Line> {
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('/')) => self.line_comment(),
                ('/', Some('*')) => self.block_comment(),
                ('"', _) => self.string(0, true),
                ('r', Some('"' | '#')) if self.is_word_start() && self.hashes(1).is_some() => {
                    let hashes = self.hashes(1).unwrap_or(0);
                    self.at += 1 + hashes;
                    self.string(hashes, false);
                }
                ('\'', _) => self.character_or_lifetime(),
                _ => {
                    self.take();
                    if character != '\n' {
                        self.line().code.push(character);
                    }
                }
            }
        }
        self.lines
    }

    fn is_word_start(&self) -> bool {
        let before = self.at.checked_sub(1).and_then(|at| self.characters.get(at));
        before.is_none_or(|c| !(c.is_alphanumeric() || *c == '_') || (*c == 'b' && !self.is_inside_word(self.at - 1)))
    }

    fn is_inside_word(&self, at: usize) -> bool {
        at.checked_sub(1).and_then(|at| self.characters.get(at)).is_some_and(|c| c.is_alphanumeric() || *c == '_')
    }

    /// Number of `#` from `ahead` on, if a quote follows them.
    fn hashes(&self, ahead: usize) -> Option<usize> {
        let count = self.characters[self.at + ahead..].iter().take_while(|character| **character == '#').count();
        (self.peek(ahead + count) == Some('"')).then_some(count)
    }

    fn line_comment(&mut self) {
        while let Some(character) = self.peek(0).filter(|character| *character != '\n') {
            self.line().comment.push(character);
            self.at += 1;
        }
    }

    fn block_comment(&mut self) {
        let mut depth = 0usize;
        while let Some(character) = self.peek(0) {
            match (character, self.peek(1)) {
                ('/', Some('*')) => depth += 1,
                ('*', Some('/')) => depth -= 1,
                _ => {
                    self.take();
                    if character != '\n' {
                        self.line().comment.push(character);
                    }
                    continue;
                }
            }
            self.at += 2;
            if depth == 0 {
                return;
            }
        }
    }

    /// From the opening quote to the closing one with as many `#`.
    fn string(&mut self, hashes: usize, has_escapes: bool) {
        self.take();
        self.line().code.push_str("\"\"");
        let begins = self.lines.len() - 1;
        let mut text = String::new();
        while let Some(character) = self.take() {
            if has_escapes && character == '\\' {
                text.push(character);
                text.extend(self.take());
            } else if character == '"' && (0..hashes).all(|ahead| self.peek(ahead) == Some('#')) {
                self.at += hashes;
                break;
            } else {
                text.push(character);
            }
        }
        self.lines[begins].strings.push(text);
    }

    fn character_or_lifetime(&mut self) {
        let is_character = self.peek(1) == Some('\\') || self.peek(2) == Some('\'');
        self.at += 1;
        if !is_character {
            self.line().code.push('\'');
            return;
        }
        self.line().code.push_str("''");
        while let Some(character) = self.take() {
            match character {
                '\\' => _ = self.take(),
                '\'' => return,
                _ => {}
            }
        }
    }
}

#[test]
fn strings_and_comments_are_no_code() {
    let text = "let a = \"x // y\"; // z\nlet b = 'q'; let c: &'static str = r#\"in \"side\"#; /* one\ntwo */ d(b\"e\\\"f\");\n";
    let source = Source::new("a.rs", text);
    let line = |index: usize| &source.lines[index];
    assert_eq!(line(0).code, "let a = \"\"; ");
    assert_eq!((line(0).strings.as_slice(), line(0).comment.as_str()), (["x // y".to_owned()].as_slice(), "// z"));
    assert_eq!(line(1).code, "let b = ''; let c: &'static str = \"\"; ");
    assert_eq!(line(1).strings, ["in \"side"]);
    assert_eq!(line(2).code, " d(b\"\");");
    assert_eq!(line(2).strings, ["e\\\"f"]);
    assert_eq!(line(2).comment, "two ");
}

#[test]
fn tests_are_taken_out_and_lines_keep_their_numbers() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c() }\n}\n#[cfg(test)]\nuse d::E;\nfn f() {}\n";
    let source = Source::new("a.rs", text).without_tests();
    let left: Vec<(usize, &str)> = source
        .numbered()
        .map(|(number, line)| (number, line.code.as_str()))
        .filter(|(_, code)| !code.is_empty())
        .collect();
    assert_eq!(left, [(1, "fn a() {}"), (8, "fn f() {}")]);
}

#[test]
fn words_are_whole() {
    assert!(has_word("a::polars::b", "polars") && has_word("polars", "polars"));
    assert!(!has_word("bipolars", "polars") && !has_word("polars_like", "polars"));
}
