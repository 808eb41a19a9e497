//! Calls that were reported of late: a client that got no answer reports again, and a call must not count twice for it.
//!
//! Remembered is a hash of who, which selection and which call. It is cryptographic, so nobody makes two calls look like one; a set of hashes
//! has one size whatever the ids are like.

use std::collections::{HashSet, VecDeque};

use sha2::{Digest, Sha256};

use crate::tool::TenantId;

/// Most calls: 200 batches of the largest kind. About 6 MB.
const MAX_CALLS: usize = 100_000;

/// The latest calls.
#[derive(Debug)]
pub struct Calls {
    known: HashSet<u128>,
    /// Oldest first.
    order: VecDeque<u128>,
    max: usize,
}

impl Default for Calls {
    fn default() -> Self {
        Self::bounded(MAX_CALLS)
    }
}

impl Calls {
    /// At most so many.
    #[must_use]
    pub fn bounded(max: usize) -> Self {
        Self { known: HashSet::new(), order: VecDeque::new(), max }
    }

    /// Remembers a call; false when it was reported before. Without a selection or without a name it is always another one: `call_1` is
    /// what many agents call their first.
    pub fn is_new(&mut self, tenant: &TenantId, selection_id: &str, call_id: &str) -> bool {
        if selection_id.is_empty() || call_id.is_empty() {
            return true;
        }
        let call = key(&[tenant.as_str(), selection_id, call_id]);
        if !self.known.insert(call) {
            return false;
        }
        self.order.push_back(call);
        if self.max < self.order.len()
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
        true
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True when none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

fn key(parts: &[&str]) -> u128 {
    let mut hash = Sha256::new();
    for part in parts {
        // With lengths, since "a" and "bc" are not "ab" and "c".
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let digest: [u8; 32] = hash.finalize().into();
    digest.iter().take(16).fold(0, |number, byte| number << 8 | u128::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_counts_once_within_its_selection() {
        let (mut calls, tenant) = (Calls::default(), TenantId::default());
        assert!(calls.is_new(&tenant, "s", "c"));
        assert!(!calls.is_new(&tenant, "s", "c"));
        assert!(calls.is_new(&tenant, "sc", ""), "a call without a name is always another");
        assert!(calls.is_new(&tenant, "sc", ""));
        assert!(calls.is_new(&tenant, "", "c") && calls.is_new(&tenant, "", "c"), "so is one without a selection");
        assert!(calls.is_new(&tenant, "other", "c"));
        assert!(calls.is_new(&TenantId::new("other"), "s", "c"));
    }

    #[test]
    fn the_oldest_are_forgotten() {
        let (mut calls, tenant) = (Calls::bounded(3), TenantId::default());
        assert!((0..1_000).all(|i| calls.is_new(&tenant, "s", &i.to_string())));
        assert_eq!((calls.len(), calls.known.len()), (3, 3));
        assert!(!calls.is_new(&tenant, "s", "998"));
        assert!(calls.is_new(&tenant, "s", "1"));
    }
}
