//! Definitions that are not written as they were counted at registration: rendered and counted when first asked for, then remembered.
//!
//! Counting two hundred definitions takes as long as the rest of a selection many times over, so it is done once for each. What a
//! definition looks like depends on the tool's texts and on nothing else, so those are the key, by their hash: a tool that a caller brings
//! with every turn is known the second time, and one that changed is another.

use std::sync::Arc;

use super::counted::Counted;
use crate::cache::Cache;
use crate::catalog::{Entry, TextHash};
use crate::compact::Tokenizer;
use crate::compact::profile::{Style, Written};
use crate::tool::TenantId;

/// Bytes of remembered definitions: some 7,000 tools of a few hundred tokens in one style.
const KNOWN_BYTES: u64 = 16 << 20;

/// Whose tool it is belongs to the key: nobody can learn from timing what another tenant has.
type Key = (TenantId, TextHash, Style, Tokenizer);

/// Written definitions. A cheap handle.
#[derive(Clone, Debug)]
pub(super) struct Styled {
    written: Cache<Key, Arc<Written>>,
    pub(super) counted: Counted,
}

impl Styled {
    /// Remembers nothing yet.
    pub(super) fn new() -> Self {
        Self { written: Cache::new(KNOWN_BYTES, |_, written| written.bytes() + 200), counted: Counted::new() }
    }

    /// `entry` in `style`.
    pub(super) fn written(&self, tenant: &TenantId, entry: &Entry, style: Style, tokenizer: Tokenizer) -> Arc<Written> {
        let key = (tenant.clone(), entry.text_hash(), style, tokenizer);
        self.written.get(&key).unwrap_or_else(|| {
            let written = Arc::new(entry.written(style, tokenizer));
            self.written.put(key, Arc::clone(&written));
            written
        })
    }
}
