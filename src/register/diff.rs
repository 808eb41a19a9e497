//! What a list of tools changes, by content hash: an unchanged tool is not scanned, embedded, counted or written again.

use std::collections::HashSet;

use super::Meaning;
use crate::catalog::{Record, State, TenantCatalog};
use crate::compact::Costs;
use crate::tool::{Fingerprint, ModelName, Tool, ToolId};

/// What changed, by tool name within the source, in the order of the list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// New tools.
    pub added: Vec<String>,
    /// Tools with other content.
    pub changed: Vec<String>,
    /// Tools that are gone.
    pub removed: Vec<String>,
    /// How many were already as sent.
    pub unchanged: usize,
}

/// A tool as it should be.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    tool: Tool,
    fingerprint: Fingerprint,
}

impl Wanted {
    pub(super) fn new(tool: Tool) -> Self {
        Self { fingerprint: tool.fingerprint(), tool }
    }
}

/// A tool to write.
#[derive(Clone, Debug)]
pub(super) struct Upsert {
    pub(super) tool: Tool,
    fingerprint: Fingerprint,
    now_ms: u64,
}

/// Everything that would change.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) diff: Diff,
    pub(super) upserts: Vec<Upsert>,
    pub(super) removals: Vec<ToolId>,
}

impl Plan {
    pub(super) fn is_empty(&self) -> bool {
        self.upserts.is_empty() && self.removals.is_empty()
    }
}

pub(super) fn plan(current: &TenantCatalog, source: &str, wanted: &[Wanted], meaning: Meaning, now_ms: u64) -> Plan {
    let mut diff = Diff::default();
    let mut upserts = Vec::new();
    for Wanted { tool, fingerprint } in wanted {
        let name = tool.id.name().to_owned();
        match current.get(&tool.id) {
            Some(entry) if entry.record.fingerprint == *fingerprint => {
                diff.unchanged += 1;
                continue;
            }
            Some(_) => diff.changed.push(name),
            None => diff.added.push(name),
        }
        upserts.push(Upsert { tool: tool.clone(), fingerprint: *fingerprint, now_ms });
    }
    let mut removals = Vec::new();
    if matches!(meaning, Meaning::WholeList { .. }) {
        let listed: HashSet<&ToolId> = wanted.iter().map(|w| &w.tool.id).collect();
        removals = current.of_source(source).map(|e| e.record.tool.id.clone()).filter(|id| !listed.contains(id)).collect();
        diff.removed = removals.iter().map(|id| id.name().to_owned()).collect();
    }
    Plan { diff, upserts, removals }
}

/// Decides what is decided once: the model name, the position, the counts. A tool that stays keeps its name, position and state.
pub(super) fn records(current: &TenantCatalog, upserts: Vec<Upsert>, removals: &[ToolId]) -> Vec<Record> {
    let freed: HashSet<&str> =
        removals.iter().filter_map(|id| current.get(id)).map(|entry| entry.record.model_name.as_str()).collect();
    let mut chosen: HashSet<String> = HashSet::new();
    let mut position = current.next_position();
    let mut records = Vec::with_capacity(upserts.len());
    for Upsert { tool, fingerprint, now_ms } in upserts {
        let old = current.get(&tool.id).map(|entry| &entry.record);
        let model_name = old.map_or_else(
            || {
                let in_use = |name: &str| current.by_model_name(name).is_some() && !freed.contains(name);
                ModelName::choose(&tool.id, |name| in_use(name) || chosen.contains(name))
            },
            |record| record.model_name.clone(),
        );
        chosen.insert(model_name.as_str().to_owned());
        let own_position = old.map_or(position, |record| record.position);
        position = position.max(own_position + 1);
        records.push(Record {
            costs: Costs::of(&tool, &model_name),
            state: old.map_or(State::Enabled, |record| record.state),
            registered_at_ms: old.map_or(now_ms, |record| record.registered_at_ms),
            // A clock that was set back does not make a change older than the one before.
            updated_at_ms: old.map_or(now_ms, |record| now_ms.max(record.updated_at_ms)),
            position: own_position,
            model_name,
            fingerprint,
            tool,
        });
    }
    records
}
