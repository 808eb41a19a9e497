//! What others count over the last minutes, in the plain form that status, map and conditions take it.
//!
//! Whoever keeps outcomes and whoever measures the store hand it over when they are asked; nobody here knows how it is kept.

use std::time::Duration;

use crate::tool::ToolId;

/// Calls of one party by another over a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    /// How many.
    pub calls: u64,
    /// Of these, how many failed.
    pub errors: u64,
    /// 95th percentile of how long they took, where that is known.
    pub p95: Option<Duration>,
}

/// Reported calls of a tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolWindow {
    /// The tool.
    pub tool: ToolId,
    /// Its calls; those that ended in an error or too late failed.
    pub calls: Calls,
}

/// Reported calls of a tool by an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentToolWindow {
    /// The agent.
    pub agent: String,
    /// The tool.
    pub tool: ToolId,
    /// Its calls.
    pub calls: Calls,
}

/// Tokens of a tenant's models since the start, as reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModelTokens {
    /// The tenant.
    pub tenant: String,
    /// Input tokens.
    pub input: u64,
    /// Output tokens.
    pub output: u64,
}

/// What was reported over the last quarter of an hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutcomeWindow {
    /// By tool.
    pub tools: Vec<ToolWindow>,
    /// By agent and tool.
    pub edges: Vec<AgentToolWindow>,
    /// By tenant, since the start.
    pub tenants: Vec<ModelTokens>,
}
