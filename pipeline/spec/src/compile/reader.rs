//! Reads a TOML table key by key, collecting every mistake instead of stopping at the first.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use jiff::civil::Date;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{
    diagnostic::{Diagnostic, Severity},
    scope::Names,
    suggestion::suggestion,
};
use crate::model::Text;

/// Where mistakes go while one file is read.
pub(super) struct Sink<'a> {
    pub file: &'a str,
    pub text: &'a str,
    pub diagnostics: &'a RefCell<Vec<Diagnostic>>,
}

impl<'a> Sink<'a> {
    /// A sink for the same file that keeps its mistakes in `diagnostics`.
    pub fn apart<'b>(&'b self, diagnostics: &'b RefCell<Vec<Diagnostic>>) -> Sink<'b>
    where
        'a: 'b,
    {
        Sink { file: self.file, text: self.text, diagnostics }
    }

    /// `file:line` of a place in the file.
    pub fn place(&self, span: &Range<usize>) -> String {
        let before = self.text.get(..span.start).unwrap_or_default();
        format!("{}:{}", self.file, before.matches('\n').count() + 1)
    }

    pub fn error(&self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.tell(Severity::Error, span, message, help);
    }

    /// What may be meant and is worth a look.
    pub fn warn(&self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.tell(Severity::Warning, span, message, help);
    }

    fn tell(&self, severity: Severity, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.diagnostics.borrow_mut().push(Diagnostic {
            severity,
            file: self.file.to_owned(),
            span: Some(span),
            message: message.into(),
            help,
        });
    }

    /// Reports a value that refers to something nobody declared.
    pub fn refer(&self, what: &str, word: &At<String>, names: &Names) {
        if !names.may_hold(&word.value) {
            let message = format!("no {what} is called «{}»", word.value);
            self.error(word.span.clone(), message, Some(suggestion(&word.value, &names.known())));
        }
    }
}

/// A value together with where it stands.
#[derive(Debug, Clone)]
pub(super) struct At<T> {
    pub value: T,
    pub span: Range<usize>,
}

/// A table being read. Call [`Node::finish`] last: it reports keys that nobody asked for.
pub(super) struct Node<'a> {
    pub sink: &'a Sink<'a>,
    table: &'a DeTable<'a>,
    pub span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
}

impl<'a> Node<'a> {
    pub fn new(sink: &'a Sink<'a>, table: &'a DeTable<'a>, span: Range<usize>) -> Self {
        Self { sink, table, span, asked: RefCell::default() }
    }

    pub fn error(&self, span: Range<usize>, message: impl Into<String>, help: Option<String>) {
        self.sink.error(span, message, help);
    }

    /// Whether `key` is exactly this text; where it is not, it is still to be read.
    pub fn is_text(&self, key: &'static str, text: &str) -> bool {
        let is = self.table.get(key).is_some_and(|value| value.get_ref().as_str() == Some(text));
        if is {
            self.asked.borrow_mut().insert(key);
        }
        is
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// The raw value of `key`, remembering that it was asked for.
    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().insert(key);
        self.table.get(key)
    }

    fn missing(&self, key: &str) {
        self.error(self.span.clone(), format!("`{key}` is missing here"), Some(format!("add `{key} = …`")));
    }

    fn wrong(&self, key: &str, value: &Spanned<DeValue<'_>>, wanted: &str) {
        let found = value.get_ref();
        let help = match found {
            DeValue::String(_) if !wanted.contains("text") && !wanted.contains("table") => {
                Some("leave out the quotes".to_owned())
            }
            DeValue::Integer(_) | DeValue::Float(_) | DeValue::Datetime(_) | DeValue::Boolean(_)
                if wanted.contains("text") =>
            {
                Some("put it in quotes".to_owned())
            }
            _ => None,
        };
        self.error(value.span(), format!("`{key}` must be {wanted}, but is {}", kind_of(found)), help);
    }

    fn optional<T>(
        &self,
        key: &'static str,
        wanted: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Option<At<T>> {
        let value = self.get(key)?;
        let read = read(value.get_ref());
        if read.is_none() {
            self.wrong(key, value, wanted);
        }
        read.map(|read| At { value: read, span: value.span() })
    }

    /// Reports an absent key; a key of a wrong type has been reported by the reading.
    fn required<T>(&self, key: &'static str, read: Option<T>) -> Option<T> {
        if read.is_none() && !self.has(key) {
            self.missing(key);
        }
        read
    }

    pub fn opt_string(&self, key: &'static str) -> Option<At<String>> {
        self.optional(key, "text", |value| value.as_str().map(str::to_owned))
    }

    pub fn string(&self, key: &'static str) -> Option<At<String>> {
        self.required(key, self.opt_string(key))
    }

    pub fn opt_bool(&self, key: &'static str) -> Option<bool> {
        self.optional(key, "true or false", DeValue::as_bool).map(|at| at.value)
    }

    pub fn opt_integer(&self, key: &'static str) -> Option<At<i64>> {
        self.optional(key, "a whole number", integer)
    }

    pub fn integer(&self, key: &'static str) -> Option<At<i64>> {
        self.required(key, self.opt_integer(key))
    }

    /// A finite number, whole or not.
    pub fn opt_number(&self, key: &'static str) -> Option<At<f64>> {
        self.optional(key, "a number", number)
    }

    pub fn number(&self, key: &'static str) -> Option<At<f64>> {
        self.required(key, self.opt_number(key))
    }

    pub fn opt_date(&self, key: &'static str) -> Option<At<Date>> {
        self.optional(key, "a date such as 2025-01-31", date)
    }

    pub fn date(&self, key: &'static str) -> Option<At<Date>> {
        self.required(key, self.opt_date(key))
    }

    /// A list of texts; one bare text counts as a list of one.
    pub fn strings(&self, key: &'static str) -> Vec<At<String>> {
        self.list(key, "a list of texts", |value| value.as_str().map(str::to_owned))
    }

    pub fn integers(&self, key: &'static str) -> Vec<At<i64>> {
        self.list(key, "a list of whole numbers", integer)
    }

    fn list<T>(&self, key: &'static str, wanted: &str, read: impl Fn(&'a DeValue<'a>) -> Option<T>) -> Vec<At<T>> {
        self.get(key).map(|value| self.list_from(key, value, wanted, read)).unwrap_or_default()
    }

    /// The entries of a list; a bare value counts as a list of one.
    fn list_from<T>(
        &self,
        key: &str,
        value: &'a Spanned<DeValue<'a>>,
        wanted: &str,
        read: impl Fn(&'a DeValue<'a>) -> Option<T>,
    ) -> Vec<At<T>> {
        let entries: Vec<&Spanned<DeValue<'a>>> = match value.get_ref() {
            DeValue::Array(array) => array.iter().collect(),
            _ => vec![value],
        };
        let read_one = |entry: &'a Spanned<DeValue<'a>>| {
            let read = read(entry.get_ref());
            if read.is_none() {
                self.wrong(key, entry, wanted);
            }
            read.map(|read| At { value: read, span: entry.span() })
        };
        entries.into_iter().filter_map(read_one).collect()
    }

    /// A text of the region: bare (bokmål) or `{ nb = …, nn = …, en = … }`.
    pub fn opt_text(&self, key: &'static str) -> Option<Text> {
        self.text_from(key, self.get(key)?)
    }

    fn text_from(&self, key: &str, value: &'a Spanned<DeValue<'a>>) -> Option<Text> {
        match value.get_ref() {
            DeValue::String(text) => {
                if is_blank(text) {
                    self.error(value.span(), format!("`{key}` says nothing"), None);
                }
                Some(Text { nb: text.to_string(), nn: None, en: None })
            }
            DeValue::Table(table) => {
                let node = Node::new(self.sink, table, value.span());
                let said = |language: &str, at: At<String>| {
                    if is_blank(&at.value) {
                        let help = match language {
                            "nb" => "bokmål is needed: it stands in for the others".to_owned(),
                            _ => format!("leave `{language}` out where nobody has translated it: bokmål stands in"),
                        };
                        self.error(at.span, format!("`{language}` of `{key}` says nothing"), Some(help));
                    }
                    at.value
                };
                let nb = node.string("nb").map(|at| said("nb", at));
                let nn = node.opt_string("nn").map(|at| said("nn", at));
                let en = node.opt_string("en").map(|at| said("en", at));
                node.finish();
                Some(Text { nb: nb?, nn, en })
            }
            _ => {
                self.wrong(key, value, "text, or a table with nb, nn and en");
                None
            }
        }
    }

    pub fn text(&self, key: &'static str) -> Option<Text> {
        self.required(key, self.opt_text(key))
    }

    pub fn opt_table(&self, key: &'static str) -> Option<Node<'a>> {
        let value = self.get(key)?;
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong(key, value, "a table");
        }
        table.map(|table| Node::new(self.sink, table, value.span()))
    }

    pub fn table(&self, key: &'static str) -> Option<Node<'a>> {
        self.required(key, self.opt_table(key))
    }

    /// An array of tables.
    pub fn tables(&self, key: &'static str) -> Vec<Node<'a>> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.wrong(key, value, "a list of tables");
            return Vec::new();
        };
        let one = |entry: &'a Spanned<DeValue<'a>>| {
            let table = entry.get_ref().as_table();
            if table.is_none() {
                self.wrong(key, entry, "a list of tables");
            }
            table.map(|table| Node::new(self.sink, table, entry.span()))
        };
        array.iter().filter_map(one).collect()
    }

    /// A list of tables; one bare table counts as a list of one.
    pub fn one_or_more(&self, key: &'static str) -> Vec<Node<'a>> {
        if self.is_table(key) { self.opt_table(key).into_iter().collect() } else { self.tables(key) }
    }

    pub fn is_table(&self, key: &str) -> bool {
        self.table.get(key).is_some_and(|value| value.get_ref().as_table().is_some())
    }

    /// A table whose keys are the user's own: each with its value as text, or read by `read`.
    pub fn entries(&self, key: &'static str) -> Vec<(At<String>, &'a Spanned<DeValue<'a>>)> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, value, "a table");
            return Vec::new();
        };
        table.iter().map(|(key, value)| (At { value: key.get_ref().to_string(), span: key.span() }, value)).collect()
    }

    /// A table of texts, such as `{ "M" = "1" }`.
    pub fn string_map(&self, key: &'static str) -> BTreeMap<String, String> {
        let mut map = BTreeMap::new();
        for (name, value) in self.entries(key) {
            match value.get_ref().as_str() {
                Some(text) => _ = map.insert(name.value, text.to_owned()),
                None => self.wrong(&name.value, value, "text"),
            }
        }
        map
    }

    /// A table of lists of texts, such as `{ pas = ["A", "B"] }`.
    pub fn strings_map(&self, key: &'static str) -> BTreeMap<String, Vec<String>> {
        let mut map = BTreeMap::new();
        for (name, value) in self.entries(key) {
            let list = self.list_from(&name.value, value, "a list of texts", |value| value.as_str().map(str::to_owned));
            map.insert(name.value, list.into_iter().map(|at| at.value).collect());
        }
        map
    }

    /// One of a fixed set of words.
    pub fn opt_choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.opt_string(key)?;
        self.pick(&word, choices)
    }

    pub fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let word = self.string(key)?;
        self.pick(&word, choices)
    }

    pub fn choices<T: Copy>(&self, key: &'static str, choices: &[(&str, T)]) -> Vec<T> {
        self.strings(key).iter().filter_map(|word| self.pick(word, choices)).collect()
    }

    fn pick<T: Copy>(&self, word: &At<String>, choices: &[(&str, T)]) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == word.value).map(|(_, choice)| *choice);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.error(
                word.span.clone(),
                format!("«{}» is not one of the words known here", word.value),
                Some(suggestion(&word.value, &names)),
            );
        }
        found
    }

    /// Reports a value that refers to something nobody declared.
    pub fn refer(&self, what: &str, word: &At<String>, names: &Names) {
        self.sink.refer(what, word, names);
    }

    /// Reports a value that is not among what a questionnaire offers. An item of the bank is no slip of the pen here.
    pub fn refer_asked(&self, what: &str, word: &At<String>, offered: &Names, bank: &Names) {
        if bank.holds(&word.value) && !offered.may_hold(&word.value) {
            let message = format!("the questionnaire does not ask item «{}»", word.value);
            let help = "the bank has it: add it to the questionnaire's `items`, or take another";
            self.error(word.span.clone(), message, Some(help.to_owned()));
        } else {
            self.refer(what, word, offered);
        }
    }

    /// Whether `key` is absent or an empty list.
    pub fn lacks(&self, key: &str) -> bool {
        self.table.get(key).is_none_or(|value| value.get_ref().as_array().is_some_and(|array| array.is_empty()))
    }

    /// How many entries the list under `key` has as written, readable or not; a bare value is a list of one.
    pub fn entries_written(&self, key: &str) -> usize {
        self.table.get(key).map_or(0, |value| value.get_ref().as_array().map_or(1, |array| array.len()))
    }

    /// Counts `keys` as asked for: what stands there cannot be judged.
    pub fn tolerate(&self, keys: &[&'static str]) {
        self.asked.borrow_mut().extend(keys);
    }

    /// Where the value of `key` stands, or the table where there is none.
    pub fn span_of(&self, key: &str) -> Range<usize> {
        self.table.get(key).map_or_else(|| self.span.clone(), Spanned::span)
    }

    /// The same table again, with its mistakes told to `unheard`: for checks of values that were read and judged before.
    pub fn again<'b>(&'b self, unheard: &'b Sink<'b>) -> Node<'b> {
        Node::new(unheard, self.table, self.span.clone())
    }

    /// Whether there are keys that nobody has asked for yet: one of them may be a misspelt list.
    pub fn has_strangers(&self) -> bool {
        let asked = self.asked.borrow();
        self.table.keys().any(|key| !asked.contains(key.get_ref().as_ref()))
    }

    /// The keys of a table whose keys are the user's own, in the order of the file's table.
    pub fn keys(&self) -> Vec<String> {
        self.table.keys().map(|key| key.get_ref().to_string()).collect()
    }

    /// The text under one of the user's own keys.
    pub fn text_of(&self, key: &str) -> Option<Text> {
        self.text_from(key, self.table.get(key)?)
    }

    /// Reports every key that nobody asked for.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        let known: Vec<&str> = asked.iter().copied().collect();
        for (key, _) in self.table {
            if !asked.contains(key.get_ref().as_ref()) {
                self.error(
                    key.span(),
                    format!("`{}` means nothing here", key.get_ref()),
                    Some(suggestion(key.get_ref(), &known)),
                );
            }
        }
    }
}

fn is_blank(text: &str) -> bool {
    text.trim().is_empty()
}

/// What a value is, in the words of a person.
fn kind_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a decimal number",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(of) if of.date.is_none() => "a time",
        DeValue::Datetime(of) if of.time.is_some() => "a date with a time",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn integer(value: &DeValue<'_>) -> Option<i64> {
    let integer = value.as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn number(value: &DeValue<'_>) -> Option<f64> {
    let text = match value {
        DeValue::Float(float) => float.as_str(),
        DeValue::Integer(integer) if integer.radix() == 10 => integer.as_str(),
        _ => return None,
    };
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn date(value: &DeValue<'_>) -> Option<Date> {
    let datetime = value.as_datetime()?;
    if datetime.time.is_some() || datetime.offset.is_some() {
        return None;
    }
    let date = datetime.date?;
    Date::new(i16::try_from(date.year).ok()?, i8::try_from(date.month).ok()?, i8::try_from(date.day).ok()?).ok()
}

/// Whether `text` is one plain word: lower-case letters, digits and `-`.
pub(super) fn is_word(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}
