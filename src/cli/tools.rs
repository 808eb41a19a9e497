//! `tool-router tools`: list, get, enable, disable, remove, watch.

use clap::{Args, Subcommand};

use super::connection::{Connection, tool_ref};
use super::{Exit, describe, output};
use crate::rpc::client::Client;
use crate::rpc::proto::watch_catalog_response::Event;
use crate::rpc::proto::{self, ToolRef, ToolState};

/// Tools per page when listing.
const PAGE: u32 = 500;

/// What to do with tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// List registered tools
    List(ListArguments),
    /// Show one tool
    Get(GetArguments),
    /// Make tools selectable again
    Enable(NamesArguments),
    /// Keep tools registered but never select them
    Disable(NamesArguments),
    /// Remove tools, or a whole source
    Remove(RemoveArguments),
    /// Print changes as they are published, until interrupted
    Watch(WatchArguments),
}

/// Flags of `tools list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// Only this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Only disabled tools
    #[arg(long)]
    disabled: bool,
    /// One JSON object per tool
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Flags of `tools get`.
#[derive(Args, Debug)]
pub struct GetArguments {
    /// The tool
    #[arg(value_name = "SOURCE/TOOL", value_parser = tool_ref)]
    tool: ToolRef,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Flags of `tools enable` and `tools disable`.
#[derive(Args, Debug)]
pub struct NamesArguments {
    /// The tools
    #[arg(required = true, value_name = "SOURCE/TOOL", value_parser = tool_ref)]
    tools: Vec<ToolRef>,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Flags of `tools remove`.
#[derive(Args, Debug)]
pub struct RemoveArguments {
    /// The tools
    #[arg(required_unless_present = "source", conflicts_with = "source", value_name = "SOURCE/TOOL", value_parser = tool_ref)]
    tools: Vec<ToolRef>,
    /// Every tool of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// Say what would go; remove nothing
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Flags of `tools watch`.
#[derive(Args, Debug)]
pub struct WatchArguments {
    /// Only changes of this source
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The catalogue version seen last; without it from now on
    #[arg(long, value_name = "VERSION")]
    since: Option<String>,
    /// One JSON object per event, bookmarks included
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List(arguments) => list(arguments).await,
        Command::Get(arguments) => {
            let message = proto::GetToolRequest { source: arguments.tool.source, tool: arguments.tool.tool };
            let answer = arguments.connection.open().await?.get(message).await?;
            if arguments.json {
                return output::json(&answer);
            }
            answer.tool.iter().for_each(describe::print);
            Ok(())
        }
        Command::Enable(arguments) => set_state(arguments, ToolState::Enabled).await,
        Command::Disable(arguments) => set_state(arguments, ToolState::Disabled).await,
        Command::Remove(arguments) => remove(arguments).await,
        Command::Watch(arguments) => watch(arguments).await,
    }
}

async fn list(arguments: ListArguments) -> Result<(), Exit> {
    let mut client: Client = arguments.connection.open().await?;
    let state = if arguments.disabled { ToolState::Disabled } else { ToolState::Unspecified };
    let mut message = proto::ListToolsRequest {
        source: arguments.source,
        state: state.into(),
        page_size: Some(PAGE),
        page_token: String::new(),
    };
    let mut rows = Vec::new();
    loop {
        let page = client.list(message.clone()).await?;
        for tool in &page.tools {
            if arguments.json {
                output::json(tool)?;
            } else {
                let definition = tool.definition.clone().unwrap_or_default();
                let summary: String = definition.description.lines().next().unwrap_or_default().chars().take(70).collect();
                let name = format!("{}/{}", tool.source, definition.name);
                rows.push(vec![name, describe::state(tool).to_owned(), tool.tokens.to_string(), summary]);
            }
        }
        if page.next_page_token.is_empty() {
            if !arguments.json {
                output::table(&["tool", "state", "tokens", "description"], &[2], rows);
                output::line(&format!("{} tools, catalogue version {}", page.total, page.catalog_version));
            }
            return Ok(());
        }
        message.page_token = page.next_page_token;
    }
}

async fn watch(arguments: WatchArguments) -> Result<(), Exit> {
    let mut client = arguments.connection.open().await?;
    let message =
        proto::WatchCatalogRequest { since_version: arguments.since, source: arguments.source, bookmark_interval_ms: None };
    let mut events = client.watch(message).await?;
    let mut first = true;
    while let Some(told) = events.next().await? {
        if arguments.json {
            output::json(&told)?;
            continue;
        }
        match told.event {
            Some(Event::Change(change)) => {
                let parts = [
                    ("added", change.added),
                    ("changed", change.changed),
                    ("removed", change.removed),
                    ("enabled", change.enabled),
                    ("disabled", change.disabled),
                ];
                for (verb, names) in parts.iter().filter(|(_, names)| !names.is_empty()) {
                    output::line(&format!("{}  {}: {verb} {}", change.catalog_version, change.source, names.join(", ")));
                }
            }
            // The first says that it works and where it begins; later ones are for programs.
            Some(Event::Bookmark(bookmark)) if first => {
                first = false;
                output::line(&format!("{}  watching", bookmark.catalog_version));
            }
            Some(Event::ResyncRequired(resync)) => output::line(&format!("{}  {}", resync.catalog_version, resync.reason)),
            Some(Event::Bookmark(_)) | None => (),
        }
    }
    Err(Exit::failed("the router stopped"))
}

/// Groups by source: a change is atomic per source.
fn by_source(tools: Vec<ToolRef>) -> std::collections::BTreeMap<String, Vec<String>> {
    let mut groups = std::collections::BTreeMap::new();
    for ToolRef { source, tool } in tools {
        groups.entry(source).or_insert_with(Vec::new).push(tool);
    }
    groups
}

async fn set_state(arguments: NamesArguments, state: ToolState) -> Result<(), Exit> {
    let mut client = arguments.connection.open().await?;
    for (source, tools) in by_source(arguments.tools) {
        let asked = tools.len();
        let message = proto::SetToolStateRequest { source: source.clone(), tools, state: state.into(), expected_version: None };
        let answer = client.set_state(message).await?;
        if arguments.json {
            output::json(&answer)?;
        } else {
            let word = if state == ToolState::Enabled { "enabled" } else { "disabled" };
            output::line(&format!("{source}: {} {word}, {} already were", answer.changed.len(), asked - answer.changed.len()));
        }
    }
    Ok(())
}

async fn remove(arguments: RemoveArguments) -> Result<(), Exit> {
    let mut client = arguments.connection.open().await?;
    let groups: Vec<(String, Vec<String>, bool)> = match arguments.source {
        Some(source) => vec![(source, Vec::new(), true)],
        None => by_source(arguments.tools).into_iter().map(|(source, tools)| (source, tools, false)).collect(),
    };
    for (source, tools, all) in groups {
        let message = proto::UnregisterToolsRequest {
            source: source.clone(),
            tools,
            all,
            expected_version: None,
            dry_run: arguments.dry_run,
        };
        let answer = client.unregister(message).await?;
        if arguments.json {
            output::json(&answer)?;
        } else {
            let removed = answer.diff.unwrap_or_default().removed;
            let verb = if arguments.dry_run { "would be removed" } else { "removed" };
            output::line(&format!("{source}: {} {verb}: {}", removed.len(), removed.join(", ")));
        }
    }
    Ok(())
}
