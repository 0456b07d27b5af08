//! From declaration files to one plan, or all that is wrong with them.

mod adjuster;
mod bank;
mod consistency;
mod dataset;
mod diagnostic;
mod draw;
mod expected;
mod export;
mod format;
mod indicator;
mod levels;
mod limits;
mod municipality;
mod order;
mod organisation;
mod population;
mod questionnaire;
mod reader;
mod rule;
mod scope;
mod sources;
mod stratifier;
mod suggestion;
mod syntax;
mod versions;
mod weighting;

use std::{
    cell::RefCell,
    collections::{BTreeMap, btree_map::Entry},
};

use toml::{Spanned, de::DeTable};

pub use diagnostic::{Diagnostic, Severity, SourceFile};
pub use sources::{Unread, load_folder};
pub use suggestion::suggestion;

use self::{
    bank::Bank,
    reader::{Node, Sink},
    scope::Scope,
    sources::{KINDS, kind_of},
};
use crate::model::{Municipalities, Organisation, Plan};

/// The plan where there is no error, and every mistake in any case.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    pub plan: Option<Plan>,
    /// In the order of file name and place.
    pub diagnostics: Vec<Diagnostic>,
}

/// Compiles declarations; a file's folder says what it declares, and files are read in the order of their names. Reads
/// nothing but `sources`.
pub fn compile(sources: &[SourceFile]) -> Compiled {
    let mut sources: Vec<&SourceFile> = sources.iter().collect();
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    let diagnostics = RefCell::new(Vec::new());
    let plan = {
        let sinks: Vec<Sink<'_>> = sources
            .iter()
            .map(|source| Sink { file: &source.name, text: &source.text, diagnostics: &diagnostics })
            .collect();
        let parsed: Vec<(Spanned<DeTable<'_>>, bool)> =
            sources.iter().zip(&sinks).map(|(source, sink)| parse(source, sink)).collect();
        let mut scope = Scope::default();
        for (source, _) in sources.iter().zip(&parsed).filter(|(_, (_, is_sound))| !is_sound) {
            scope.lose_file(kind_of(&source.name));
        }
        let files: Vec<File<'_>> = sources
            .iter()
            .zip(&sinks)
            .zip(&parsed)
            .filter(|(_, (_, is_sound))| *is_sound)
            .map(|((source, sink), (table, _))| File { kind: kind_of(&source.name), sink, table })
            .collect();
        for file in files.iter().filter(|file| !KINDS.contains(&file.kind)) {
            let seems = file.seems();
            let help = match seems {
                Some(kind) => format!("put it in «{kind}»"),
                None => format!("known: {}", KINDS.join(", ")),
            };
            file.sink.error(0..0, "this file is in no known folder", Some(help));
            seems.into_iter().for_each(|kind| scope.lose_file(kind));
        }
        build(&files, &mut scope)
    };
    let mut diagnostics = diagnostics.into_inner();
    let place = |diagnostic: &Diagnostic| diagnostic.span.as_ref().map_or(0, |span| span.start);
    diagnostics.sort_by(|a, b| (&a.file, place(a), &a.message).cmp(&(&b.file, place(b), &b.message)));
    let failed = diagnostics.iter().any(|diagnostic| diagnostic.severity == Severity::Error);
    Compiled { plan: (!failed).then_some(plan), diagnostics }
}

struct File<'a> {
    kind: &'a str,
    sink: &'a Sink<'a>,
    table: &'a Spanned<DeTable<'a>>,
}

impl<'a> File<'a> {
    fn node(&self) -> Node<'a> {
        // The whole file has no caret worth showing; its first line is where a missing key belongs.
        Node::new(self.sink, self.table.get_ref(), 0..0)
    }

    /// The folder whose files look like this one.
    fn seems(&self) -> Option<&'static str> {
        const MARKS: [(&str, &str); 8] = [
            ("kind", "questionnaires"),
            ("item", "questionnaires"),
            ("scale", "questionnaires"),
            ("column", "datasets"),
            ("units", "organisations"),
            ("measure", "indicators"),
            ("files", "exports"),
            ("change", "municipalities"),
        ];
        let table = self.table.get_ref();
        MARKS.into_iter().find(|(key, _)| table.contains_key(*key)).map(|(_, kind)| kind)
    }
}

/// The table of a file and whether it is whole; what is no declaration at all is an empty one.
fn parse<'a>(source: &'a SourceFile, sink: &Sink<'_>) -> (Spanned<DeTable<'a>>, bool) {
    if let Some(unread) = &source.unread {
        sink.error(unread.span.clone(), &unread.message, Some(unread.help.clone()));
        return (Spanned::new(0..0, DeTable::new()), false);
    }
    let (table, errors) = DeTable::parse_recoverable(&source.text);
    syntax::tell(&errors, sink);
    (table, errors.is_empty())
}

/// Datasets first, indicators last: each kind refers to those before it.
fn build(files: &[File<'_>], scope: &mut Scope) -> Plan {
    let of = |kind: &'static str| files.iter().filter(move |file| file.kind == kind);
    let mut plan = Plan {
        datasets: BTreeMap::new(),
        exports: BTreeMap::new(),
        questionnaires: BTreeMap::new(),
        indicators: BTreeMap::new(),
        organisation: Organisation { units: Vec::new() },
        municipalities: Municipalities::default(),
        draws: BTreeMap::new(),
    };
    for file in of("datasets") {
        let dataset = dataset::read(file.node(), scope);
        insert(&mut plan.datasets, (file, scope), dataset, "name", |dataset| &dataset.name);
    }
    dataset::check_references(&plan.datasets, scope, |name| {
        of("datasets").find(|file| file.sink.file == name).map(File::node)
    });
    let mut units = Vec::new();
    for file in of("organisations") {
        organisation::read(file.node(), &mut units, scope);
    }
    organisation::check_all(&units, scope);
    plan.organisation.units = organisation::in_tree_order(units.into_iter().map(|placed| placed.unit).collect());
    let mut changes = municipality::Changes::default();
    for file in of("municipalities") {
        municipality::read(file.node(), &mut changes);
    }
    plan.municipalities = changes.finish();
    read_questionnaires(&mut plan, files, scope);
    for file in of("exports") {
        let export = export::read(file.node(), scope);
        if let Some(export) = &export {
            order::check_types(&file.node(), export, &plan.datasets);
            order::check_shared_keys(&file.node(), export, &plan.exports, &plan.datasets);
        }
        insert(&mut plan.exports, (file, scope), export, "name", |export| &export.name);
    }
    for file in of("indicators") {
        let indicator = indicator::read(file.node(), scope, &plan);
        insert(&mut plan.indicators, (file, scope), indicator, "id", |indicator| &indicator.id);
    }
    plan
}

/// All scales of all banks, then all items, then the questionnaires that pick from them, then their versions together.
fn read_questionnaires(plan: &mut Plan, files: &[File<'_>], scope: &mut Scope) {
    #[derive(Clone, Copy, PartialEq)]
    enum Kind {
        Bank,
        Questionnaire,
        Draw,
    }
    const WORDS: [(&str, Kind); 3] =
        [("bank", Kind::Bank), ("questionnaire", Kind::Questionnaire), ("draw", Kind::Draw)];
    let nodes: Vec<(&File<'_>, Node<'_>, Option<Kind>)> = files
        .iter()
        .filter(|file| file.kind == "questionnaires")
        .map(|file| {
            let node = file.node();
            let kind = node.choice("kind", &WORDS);
            (file, node, kind)
        })
        .collect();
    let mut bank = Bank::default();
    for (_, node, _) in nodes.iter().filter(|(.., kind)| kind.is_none()) {
        if node.has("scale") || node.has("item") {
            scope.lose_bank();
        } else {
            scope.lose_version(node.opt_string("id").as_ref());
        }
    }
    let banks = || nodes.iter().filter(|(.., kind)| *kind == Some(Kind::Bank)).map(|(_, node, _)| node);
    for node in banks() {
        node.tolerate(&["item"]);
        bank::read_scales(node, &mut bank, scope);
        if node.has_strangers() {
            scope.lose_bank();
        }
    }
    for node in banks() {
        bank::read_items(node, &mut bank, scope);
    }
    bank::check_filters(&bank, scope);
    let (mut drafts, mut draws) = (Vec::new(), Vec::new());
    for (file, node, kind) in nodes {
        match kind {
            Some(Kind::Bank) => node.finish(),
            Some(Kind::Questionnaire) => {
                drafts.extend(questionnaire::read(node, &bank, &plan.organisation, scope));
            }
            Some(Kind::Draw) => draws.push((file, node)),
            None => {}
        }
    }
    plan.questionnaires = versions::merge(drafts, &scope.incomplete);
    scope.blur_questionnaires();
    for (file, node) in draws {
        let draw = draw::read(node, scope, plan);
        insert(&mut plan.draws, (file, scope), draw, "id", |draw| &draw.id);
    }
}

/// Adds what a file declares under its id, which the file has as `id_key`.
fn insert<T>(
    map: &mut BTreeMap<String, T>,
    (file, scope): (&File<'_>, &mut Scope),
    value: Option<T>,
    id_key: &str,
    id: impl Fn(&T) -> &String,
) {
    let Some(value) = value else { return };
    let key = id(&value).clone();
    let span = file.node().span_of(id_key);
    match scope.files.entry((file.kind.to_owned(), key.clone())) {
        Entry::Occupied(first) => {
            file.sink.error(span, format!("«{key}» is declared already, in {}", first.get()), None);
        }
        Entry::Vacant(place) => _ = place.insert(file.sink.place(&span)),
    }
    map.insert(key, value);
}
