//! A slip of the pen in any shipped file: never a panic, and either a plan or at least one mistake with a place.

use crate::common::{read, schemas};
use prem_spec::{SourceFile, compile};
use proptest::prelude::*;

/// Enough to hit every file and many kinds of line in a few seconds.
const CASES: u32 = 300;

fn holds(sources: &[SourceFile]) -> Result<(), TestCaseError> {
    let compiled = compile(sources);
    prop_assert_eq!(compiled.plan.is_none(), !compiled.diagnostics.is_empty());
    for diagnostic in &compiled.diagnostics {
        let source = sources.iter().find(|source| source.name == diagnostic.file);
        let text = &source.expect("a file that was given").text;
        let span = diagnostic.span.clone().unwrap_or(0..0);
        prop_assert!(text.get(span).is_some(), "{:?}", diagnostic);
        prop_assert!(!diagnostic.message.is_empty());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_line_is_lost(file in any::<prop::sample::Index>(), line in any::<prop::sample::Index>()) {
        let mut sources = read(&schemas());
        let place = file.index(sources.len());
        let lines: Vec<&str> = sources[place].text.lines().collect();
        let lost = line.index(lines.len());
        let kept: Vec<&str> = lines.iter().enumerate().filter(|(index, _)| *index != lost).map(|(_, line)| *line).collect();
        sources[place].text = kept.join("\n");
        holds(&sources)?;
    }

    #[test]
    fn a_character_is_another(
        file in any::<prop::sample::Index>(),
        at in any::<prop::sample::Index>(),
        new in prop_oneof![any::<char>(), prop::sample::select("\"[]{}=.,#\n\\'-0159axæ".chars().collect::<Vec<_>>())],
    ) {
        let mut sources = read(&schemas());
        let place = file.index(sources.len());
        let mut characters: Vec<char> = sources[place].text.chars().collect();
        let changed = at.index(characters.len());
        characters[changed] = new;
        sources[place].text = characters.into_iter().collect();
        holds(&sources)?;
    }

    #[test]
    fn a_file_is_cut_short(file in any::<prop::sample::Index>(), at in any::<prop::sample::Index>()) {
        let mut sources = read(&schemas());
        let place = file.index(sources.len());
        let count = sources[place].text.chars().count();
        sources[place].text = sources[place].text.chars().take(at.index(count)).collect();
        holds(&sources)?;
    }
}
