//! Who talks to whom, as far as one router knows: agents, itself, its store, sources, tools.
//!
//! Traces draw such a map too, of everything and of what was sampled; this one needs no collector and counts every call. Pure, and in a fixed
//! order, so that two maps can be compared line by line.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::recent::AgentTraffic;
use super::windows::{Calls, OutcomeWindow};
use crate::sources::Status;
use crate::tool::ToolId;

/// Most tools that are shown: the hottest by reported calls, then by how often they were returned.
const MAX_TOOLS: usize = 200;
/// Most agents that are shown; recent traffic knows no more, reports may.
const MAX_AGENTS: usize = 200;
/// The router's id.
const ROUTER: &str = "router";
/// The store's id.
const STORE: &str = "store";

/// What a party is. In the order of the map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Party {
    /// Calls the router, and tools.
    Agent,
    /// The router.
    Router,
    /// Where the catalogue is kept.
    Store,
    /// A server that the router lists tools of.
    Source,
    /// A tool.
    Tool,
}

/// A party.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub party: Party,
    /// Unique in the map.
    pub id: String,
    /// For people.
    pub label: String,
}

/// One party calls another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// Who calls, by id.
    pub caller: String,
    /// Who is called, by id.
    pub callee: String,
    /// How often.
    pub calls: Calls,
}

/// Who talks to whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Map {
    /// By kind, then by id.
    pub nodes: Vec<Node>,
    /// By `caller`, then by `callee`.
    pub edges: Vec<Edge>,
}

/// What a map is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// The router's own name.
    pub router: &'a str,
    /// Who called it.
    pub agents: &'a [AgentTraffic],
    /// The store's place.
    pub store: &'a str,
    /// What the router asked of its store.
    pub store_calls: Calls,
    /// Configured sources.
    pub sources: &'a [Status],
    /// How often tools were returned.
    pub returned: &'a [(ToolId, u64)],
    /// What was reported.
    pub outcomes: &'a OutcomeWindow,
}

/// Draws the map.
#[must_use]
pub fn map(known: &Known<'_>) -> Map {
    let tools = hottest(known.outcomes, known.returned, MAX_TOOLS);
    let shown: BTreeSet<&ToolId> = tools.iter().map(|heat| &heat.tool).collect();
    let mut edges = BTreeMap::new();
    for agent in known.agents.iter().take(MAX_AGENTS) {
        let calls = Calls { calls: agent.calls, errors: agent.errors, p95: agent.p95 };
        edges.insert((agent_id(&agent.agent), ROUTER.to_owned()), calls);
    }
    edges.insert((ROUTER.to_owned(), STORE.to_owned()), known.store_calls);
    for source in known.sources {
        let tried = source.recent;
        let calls = Calls { calls: tried.syncs, errors: tried.failed, p95: tried.p95 };
        edges.insert((ROUTER.to_owned(), source_id(&source.source)), calls);
    }
    let mut agents: BTreeSet<&str> = known.agents.iter().take(MAX_AGENTS).map(|agent| agent.agent.as_str()).collect();
    for edge in known.outcomes.edges.iter().filter(|edge| shown.contains(&edge.tool)) {
        if agents.contains(edge.agent.as_str()) || agents.len() < MAX_AGENTS {
            agents.insert(&edge.agent);
            edges.insert((agent_id(&edge.agent), tool_id(&edge.tool)), edge.calls);
        }
    }
    let node = |party, id: String, label: &str| Node { party, id, label: label.to_owned() };
    let mut nodes: Vec<Node> = agents.iter().map(|agent| node(Party::Agent, agent_id(agent), agent)).collect();
    nodes.push(node(Party::Router, ROUTER.to_owned(), known.router));
    nodes.push(node(Party::Store, STORE.to_owned(), known.store));
    nodes.extend(known.sources.iter().map(|source| node(Party::Source, source_id(&source.source), &source.source)));
    nodes.extend(tools.iter().map(|heat| node(Party::Tool, tool_id(&heat.tool), &heat.tool.to_string())));
    nodes.sort_by(|a, b| (a.party, &a.id).cmp(&(b.party, &b.id)));
    let edges = edges.into_iter().map(|((caller, callee), calls)| Edge { caller, callee, calls }).collect();
    Map { nodes, edges }
}

fn agent_id(agent: &str) -> String {
    format!("agent:{agent}")
}

fn source_id(source: &str) -> String {
    format!("source:{source}")
}

fn tool_id(tool: &ToolId) -> String {
    format!("tool:{tool}")
}

/// How much a tool was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heat {
    /// The tool.
    pub tool: ToolId,
    /// How often it was returned.
    pub returned: u64,
    /// Its reported calls.
    pub calls: Calls,
}

/// The `most` tools that were called most, then those that were returned most; ties by id.
#[must_use]
pub fn hottest(outcomes: &OutcomeWindow, returned: &[(ToolId, u64)], most: usize) -> Vec<Heat> {
    let mut heats: HashMap<&ToolId, (u64, Calls)> = returned.iter().map(|(tool, n)| (tool, (*n, Calls::default()))).collect();
    for window in &outcomes.tools {
        heats.entry(&window.tool).or_default().1 = window.calls;
    }
    let mut sorted: Vec<_> = heats.into_iter().filter(|(_, (returned, calls))| 0 < *returned || 0 < calls.calls).collect();
    sorted.sort_by(|(a, (a_returned, a_calls)), (b, (b_returned, b_calls))| {
        (b_calls.calls, b_returned, a).cmp(&(a_calls.calls, a_returned, b))
    });
    let heat = |(tool, (returned, calls)): (&ToolId, (u64, Calls))| Heat { tool: tool.clone(), returned, calls };
    sorted.into_iter().take(most).map(heat).collect()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::windows::{AgentToolWindow, ToolWindow};
    use super::*;

    fn tool(name: &str) -> ToolId {
        ToolId::new("npm/fs", name).unwrap()
    }

    fn calls(calls: u64, errors: u64) -> Calls {
        Calls { calls, errors, p95: Some(Duration::from_millis(3)) }
    }

    const ALONE: Known<'static> = Known {
        router: "tool-router",
        agents: &[],
        store: "router.db",
        store_calls: Calls { calls: 0, errors: 0, p95: None },
        sources: &[],
        returned: &[],
        outcomes: &OutcomeWindow { tools: Vec::new(), edges: Vec::new(), tenants: Vec::new() },
    };

    fn told(map: &Map) -> Vec<String> {
        let nodes = map.nodes.iter().map(|node| format!("{:?} {}", node.party, node.id));
        let edges = map.edges.iter().map(|e| format!("{} -> {}: {}/{}", e.caller, e.callee, e.calls.errors, e.calls.calls));
        nodes.chain(edges).collect()
    }

    #[test]
    fn a_router_that_nobody_calls_knows_its_store() {
        assert_eq!(told(&map(&ALONE)), ["Router router", "Store store", "router -> store: 0/0"]);
    }

    #[test]
    fn agents_call_the_router_and_tools() {
        let agent = |name: &str| AgentTraffic { agent: name.into(), calls: 5, errors: 1, p95: None };
        let agents = [agent("planner"), agent("critic")];
        let edge = |agent: &str, name: &str| AgentToolWindow { agent: agent.into(), tool: tool(name), calls: calls(3, 2) };
        let outcomes = OutcomeWindow {
            tools: vec![ToolWindow { tool: tool("read"), calls: calls(4, 2) }],
            edges: vec![edge("planner", "read"), edge("writer", "read"), edge("planner", "never heard of")],
            tenants: Vec::new(),
        };
        let known = Known { agents: &agents, outcomes: &outcomes, returned: &[(tool("write"), 9)], ..ALONE };
        assert_eq!(
            told(&map(&known)),
            [
                "Agent agent:critic",
                "Agent agent:planner",
                "Agent agent:writer",
                "Router router",
                "Store store",
                "Tool tool:npm%2Ffs/read",
                "Tool tool:npm%2Ffs/write",
                "agent:critic -> router: 1/5",
                "agent:planner -> router: 1/5",
                "agent:planner -> tool:npm%2Ffs/read: 2/3",
                "agent:writer -> tool:npm%2Ffs/read: 2/3",
                "router -> store: 0/0",
            ]
        );
    }

    #[test]
    fn of_many_tools_the_hottest_are_shown() {
        let returned: Vec<_> = (0..1_000).map(|n| (tool(&format!("t{n:04}")), n)).collect();
        let outcomes =
            OutcomeWindow { tools: vec![ToolWindow { tool: tool("t0003"), calls: calls(1, 0) }], ..OutcomeWindow::default() };
        let heat = hottest(&outcomes, &returned, 3);
        let names: Vec<_> = heat.iter().map(|heat| (heat.tool.name(), heat.returned, heat.calls.calls)).collect();
        assert_eq!(names, [("t0003", 3, 1), ("t0999", 999, 0), ("t0998", 998, 0)]);
        let drawn = map(&Known { returned: &returned, ..ALONE });
        assert_eq!(drawn.nodes.iter().filter(|node| node.party == Party::Tool).count(), MAX_TOOLS);
    }
}
