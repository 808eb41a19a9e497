//! What becomes of a list that is in whole: bad tools are left out, a suspicious list is held, the rest is registered.

use std::collections::HashSet;

use super::{LeftOut, Shared, SourceError, Surroundings};
use crate::import::mcp::Listed;
use crate::register::{Diff, Meaning, Options, RegisterError, validate};
use crate::tool::{Tool, ToolId};

/// A list that waits for someone's word, just as it was listed.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) tools: Vec<Tool>,
    pub(super) reason: String,
}

/// Registers `listed` as the whole list of the source.
pub(super) async fn apply(shared: &Shared, around: &Surroundings, listed: Listed) -> Result<Diff, SourceError> {
    let name = &shared.source.name;
    let checked = tokio::task::spawn_blocking(move || check(listed)).await;
    let (mut tools, mut left_out) = checked.map_err(|e| RegisterError::Task { detail: e.to_string() })?;
    // A tool whose new revision is not taken goes on serving as it was: it did not vanish.
    let current = around.catalog.load().tenant(&around.tenant);
    let mut there: HashSet<ToolId> = tools.iter().map(|tool| tool.id.clone()).collect();
    for left in &mut left_out {
        let old = ToolId::new(name, &left.tool).ok().filter(|id| !there.contains(id)).and_then(|id| current.get(&id));
        if let Some(entry) = old {
            left.kept = true;
            there.insert(entry.record.tool.id.clone());
            tools.push(entry.record.tool.clone());
        }
    }
    if !left_out.is_empty() {
        tracing::warn!(source.name = %name, source.left_out = left_out.len(), "tools of a source were left out");
    }
    let had = current.of_source(name).count();
    // A server that lists nothing is more likely broken than emptied, however few tools it had.
    if tools.is_empty() && 0 < had {
        shared.progress().left_out = left_out;
        return Err(hold(shared, tools, format!("its list is empty, and it has {had} tools")));
    }
    let sent = tools.clone();
    match register(shared, around, sent, false).await {
        Err(SourceError::Register(RegisterError::MassRemoval { removed, of, .. })) => {
            shared.progress().left_out = left_out;
            Err(hold(shared, tools, format!("its list would remove {removed} of its {of} tools")))
        }
        other => {
            // Together with what was published, not before: who sees the one finds the other.
            if other.is_ok() {
                let mut progress = shared.progress();
                (progress.held, progress.left_out) = (None, left_out);
            }
            other
        }
    }
}

fn hold(shared: &Shared, tools: Vec<Tool>, reason: String) -> SourceError {
    tracing::warn!(source.name = %shared.source.name, source.reason = reason, "the list of a source is held");
    shared.progress().held = Some(Held { tools, reason: reason.clone() });
    SourceError::Held { name: shared.source.name.clone(), reason }
}

/// Registers what is held. What is held stays held when that fails.
pub(super) async fn release(shared: &Shared, around: &Surroundings) -> Result<Diff, SourceError> {
    let held = shared.progress().held.as_ref().map(|held| held.tools.clone());
    let tools = held.ok_or_else(|| SourceError::NotHeld { name: shared.source.name.clone() })?;
    let diff = register(shared, around, tools, true).await?;
    shared.progress().held = None;
    tracing::info!(source.name = %shared.source.name, source.removed = diff.removed.len(), "a held list was released");
    Ok(diff)
}

async fn register(
    shared: &Shared,
    around: &Surroundings,
    tools: Vec<Tool>,
    allow_mass_removal: bool,
) -> Result<Diff, SourceError> {
    let meaning = Meaning::WholeList { allow_mass_removal };
    let options = Options { actor: format!("source {}", shared.source.name), ..Options::default() };
    let outcome = around.registrar.register(&around.tenant, &shared.source.name, tools, meaning, options).await?;
    if 0 < outcome.look_alikes.all {
        let (name, all) = (&shared.source.name, outcome.look_alikes.all);
        tracing::info!(source.name = %name, source.look_alikes = all, "tools of a source look like others");
    }
    Ok(outcome.diff)
}

/// The limits and the gate, as for every publisher.
fn check(listed: Listed) -> (Vec<Tool>, Vec<LeftOut>) {
    let mut left_out: Vec<LeftOut> =
        listed.refused.into_iter().map(|r| LeftOut { tool: r.tool, reason: r.reason, kept: false }).collect();
    let mut tools = Vec::with_capacity(listed.tools.len());
    for tool in listed.tools {
        let name = tool.id.name().to_owned();
        match validate::validate_tool(tool) {
            Ok(tool) => tools.push(tool),
            Err(violations) => {
                let reason = violations.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ");
                left_out.push(LeftOut { tool: name, reason, kept: false });
            }
        }
    }
    (tools, left_out)
}
