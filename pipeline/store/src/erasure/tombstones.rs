//! All erased keys at once, and what a row that holds one of them teaches about others.

use std::collections::HashMap;

use super::{
    chain::KeyColumn,
    ledger::{Erasure, Tombstone},
    secret::KeyHash,
};

/// The hashed keys of one row, in the order of [`KeyColumn::ALL`].
pub(super) type RowKeys = [Option<KeyHash>; KeyColumn::ALL.len()];

/// Looks rows up. Only looked up by hash and never walked through, so its order does not matter.
#[derive(Debug, Default)]
pub(super) struct Tombstones {
    numbers: HashMap<KeyHash, u64>,
    /// Keys that were found to hang below erased ones, with the number of the erasure.
    found: Vec<(u64, Tombstone)>,
}

impl Tombstones {
    pub(super) fn of(erasures: &[Erasure]) -> Self {
        let mut numbers = HashMap::new();
        for erasure in erasures {
            for tombstone in &erasure.tombstones {
                numbers.entry(tombstone.hash).or_insert(erasure.number);
            }
        }
        Self { numbers, found: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(super) fn holds(&self, hash: &KeyHash) -> bool {
        self.numbers.contains_key(hash)
    }

    /// The erasure that takes a row, by the key nearest to the person; its keys further down are erased from now on.
    pub(super) fn judge(&mut self, row: &RowKeys) -> Option<u64> {
        let known = |hash: &Option<KeyHash>| hash.as_ref().and_then(|hash| self.numbers.get(hash)).copied();
        let (level, number) = row.iter().enumerate().find_map(|(level, hash)| Some((level, known(hash)?)))?;
        for (column, hash) in KeyColumn::ALL.into_iter().zip(row).skip(level + 1) {
            if let Some(hash) = hash
                && !self.numbers.contains_key(hash)
            {
                self.numbers.insert(*hash, number);
                self.found.push((number, Tombstone { column, hash: *hash }));
            }
        }
        Some(number)
    }

    /// Moves what was found since the last call into the ledger, whose erasures are incomplete again; says whether
    /// there was anything.
    pub(super) fn teach(&mut self, erasures: &mut [Erasure]) -> bool {
        let found = std::mem::take(&mut self.found);
        for (number, tombstone) in &found {
            if let Some(erasure) = erasures.iter_mut().find(|erasure| erasure.number == *number) {
                erasure.tombstones.insert(*tombstone);
                erasure.complete = false;
            }
        }
        !found.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERSON: KeyHash = [1; 32];
    const CONTACT: KeyHash = [2; 32];
    const INVITATION: KeyHash = [3; 32];
    const RESPONSE: KeyHash = [4; 32];

    fn withdrawn(column: KeyColumn, hash: KeyHash) -> Vec<Erasure> {
        vec![Erasure {
            number: 7,
            erased_at: jiff::Timestamp::UNIX_EPOCH,
            column,
            complete: true,
            counts: std::collections::BTreeMap::new(),
            tombstones: [Tombstone { column, hash }].into(),
        }]
    }

    #[test]
    fn erasure_goes_down_and_never_up() {
        let mut erasures = withdrawn(KeyColumn::ContactId, CONTACT);
        let mut tombstones = Tombstones::of(&erasures);
        assert_eq!(tombstones.judge(&[Some(PERSON), Some(CONTACT), None, None]), Some(7));
        // Another contact of the same person stays.
        assert_eq!(tombstones.judge(&[Some(PERSON), Some([9; 32]), None, None]), None);
        assert!(!tombstones.teach(&mut erasures) && erasures[0].complete);
        assert_eq!(tombstones.judge(&[None, None, Some(INVITATION), Some(RESPONSE)]), None);
        assert_eq!(tombstones.judge(&[None, Some(CONTACT), Some(INVITATION), None]), Some(7));
        assert_eq!(tombstones.judge(&[None, None, Some(INVITATION), Some(RESPONSE)]), Some(7));
        assert_eq!(tombstones.judge(&[None, None, None, Some(RESPONSE)]), Some(7));
        assert!(tombstones.teach(&mut erasures) && !erasures[0].complete);
        assert_eq!(erasures[0].tombstones.len(), 3);
    }
}
