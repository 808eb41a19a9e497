//! What waits for the store: per tenant, tool and minute.
//!
//! Bounded in cells. When the store is away for long, or tools are many, what belongs to a cell that is there is still added to it, and what
//! would need another one is dropped and counted. Being returned makes up to three quarters of the cells: selections return twenty tools
//! where an agent calls one, and a wide catalogue must not leave calls without room.

use std::collections::HashMap;

use super::tally::{Tally, ToolMinute};
use super::{Counted, minute_of};
use crate::tool::{TenantId, ToolId};

/// Most cells: with names of usual length some 5 MB.
const MAX_CELLS: usize = 10_000;

/// A tool in a minute.
type Cell = (u64, TenantId, ToolId);

/// The counts that no store has yet.
#[derive(Debug)]
pub struct Rollup {
    cells: HashMap<Cell, Tally>,
    max_cells: usize,
    dropped_calls: u64,
    dropped_returns: u64,
}

impl Default for Rollup {
    fn default() -> Self {
        Self::bounded(MAX_CELLS)
    }
}

impl Rollup {
    /// One of at most so many cells.
    #[must_use]
    pub fn bounded(max_cells: usize) -> Self {
        Self { cells: HashMap::new(), max_cells, dropped_calls: 0, dropped_returns: 0 }
    }

    /// Counts a call; false when there is no room for it.
    pub fn call(&mut self, counted: &Counted, now_ms: u64) -> bool {
        let Counted { tenant, tool, outcome, latency, input_tokens, output_tokens, .. } = counted;
        let cell = self.cell((minute_of(now_ms), tenant.clone(), tool.clone()), self.max_cells);
        let Some(tally) = cell else {
            self.dropped_calls += 1;
            return false;
        };
        tally.call(*outcome, *latency, *input_tokens, *output_tokens);
        true
    }

    /// Counts that a selection returned a tool; false when there is no room for it.
    pub fn shown(&mut self, tenant: &TenantId, tool: &ToolId, now_ms: u64) -> bool {
        let cell = self.cell((minute_of(now_ms), tenant.clone(), tool.clone()), self.max_cells - self.max_cells / 4);
        let Some(tally) = cell else {
            self.dropped_returns += 1;
            return false;
        };
        tally.shown();
        true
    }

    fn cell(&mut self, cell: Cell, most: usize) -> Option<&mut Tally> {
        if most <= self.cells.len() && !self.cells.contains_key(&cell) {
            return None;
        }
        Some(self.cells.entry(cell).or_default())
    }

    /// All that waits, oldest minute first, then by tenant and tool: routers that write the same rows take them in the same order.
    #[must_use]
    pub fn take(&mut self) -> Vec<ToolMinute> {
        let cells = std::mem::take(&mut self.cells).into_iter();
        let mut minutes: Vec<ToolMinute> =
            cells.map(|((minute, tenant, tool), tally)| ToolMinute { tenant, tool, minute, tally }).collect();
        minutes.sort_by(|a, b| (a.minute, &a.tenant, &a.tool).cmp(&(b.minute, &b.tenant, &b.tool)));
        minutes
    }

    /// How many cells wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True when nothing waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether it is time to write, whatever the clock says.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.max_cells / 2 < self.cells.len()
    }

    /// Calls that there was no room for.
    #[must_use]
    pub fn dropped_calls(&self) -> u64 {
        self.dropped_calls
    }

    /// Returned tools that there was no room for.
    #[must_use]
    pub fn dropped_returns(&self) -> u64 {
        self.dropped_returns
    }
}

#[cfg(test)]
mod tests;
