//! `tool-router source`: the sources that the router keeps in sync.

use clap::{Args, Subcommand};

use super::connection::Connection;
use super::figures::span;
use super::{Exit, output};
use crate::rpc::proto::{CatalogDiff, SourceState, SourceStatus};

/// What to do with configured sources.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show every configured source: state, tools, age, last error
    List(ListArguments),
    /// Sync a source now, and wait for it
    Sync(NameArguments),
    /// Stop syncing a source; its tools stay
    Pause(NameArguments),
    /// Go on with a paused source
    Resume(NameArguments),
    /// Apply a list that is held because it removes most tools, or all
    Release(NameArguments),
}

/// Flags of `source list`.
#[derive(Args, Debug)]
pub struct ListArguments {
    /// One JSON object per source
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Flags of the others.
#[derive(Args, Debug)]
pub struct NameArguments {
    /// The source
    #[arg(value_name = "NAME")]
    source: String,
    /// As JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: Command) -> Result<(), Exit> {
    match command {
        Command::List(arguments) => list(arguments).await,
        Command::Sync(NameArguments { source, json, connection }) => {
            let answer = connection.open().await?.refresh_source(&source).await?;
            if json { output::json(&answer) } else { changed(answer.status.as_ref(), answer.diff) }
        }
        Command::Release(NameArguments { source, json, connection }) => {
            let answer = connection.open().await?.release_source(&source).await?;
            if json { output::json(&answer) } else { changed(answer.status.as_ref(), answer.diff) }
        }
        Command::Pause(NameArguments { source, json, connection }) => {
            let answer = connection.open().await?.pause_source(&source).await?;
            if json { output::json(&answer) } else { now(answer.status.as_ref()) }
        }
        Command::Resume(NameArguments { source, json, connection }) => {
            let answer = connection.open().await?.resume_source(&source).await?;
            if json { output::json(&answer) } else { now(answer.status.as_ref()) }
        }
    }
}

async fn list(arguments: ListArguments) -> Result<(), Exit> {
    let answer = arguments.connection.open().await?.list_sources().await?;
    if arguments.json {
        return answer.sources.iter().try_for_each(output::json);
    }
    if answer.sources.is_empty() {
        output::line("no sources are configured: add [[sources]] to the configuration file");
        return Ok(());
    }
    let rows = answer.sources.iter().map(|status| {
        let ago = status.age_ms.map_or_else(|| "never".to_owned(), |ms| format!("{} ago", span(ms)));
        let next = status.next_sync_in_ms.map_or_else(|| "-".to_owned(), |ms| format!("in {}", span(ms)));
        vec![status.source.clone(), state(status).to_owned(), status.tools.to_string(), ago, next, status.endpoint.clone()]
    });
    output::table(&["source", "state", "tools", "synced", "next", "server"], &[2], rows);
    for status in &answer.sources {
        if !status.error.is_empty() {
            let tries = if status.failures == 0 { String::new() } else { format!(" ({} tries)", status.failures) };
            output::line(&format!("{}: {}{tries}", status.source, status.error));
        }
        for refused in &status.refused {
            let kept = if refused.kept { "; its last good revision stays" } else { "" };
            output::line(&format!("{}: left out {}: {}{kept}", status.source, refused.tool, refused.reason));
        }
        let more = (status.refused_tools as usize).saturating_sub(status.refused.len());
        if 0 < more {
            output::line(&format!("{}: left out {more} more", status.source));
        }
    }
    Ok(())
}

fn changed(status: Option<&SourceStatus>, diff: Option<CatalogDiff>) -> Result<(), Exit> {
    let diff = diff.unwrap_or_default();
    let name = status.map(|status| status.source.clone()).unwrap_or_default();
    output::line(&format!(
        "{name}: {} added, {} changed, {} removed, {} unchanged",
        diff.added.len(),
        diff.changed.len(),
        diff.removed.len(),
        diff.unchanged
    ));
    Ok(())
}

fn now(status: Option<&SourceStatus>) -> Result<(), Exit> {
    if let Some(status) = status {
        output::line(&format!("{}: {}, {} tools", status.source, state(status), status.tools));
    }
    Ok(())
}

pub(super) fn state(status: &SourceStatus) -> &'static str {
    match status.state() {
        SourceState::Unspecified => "?",
        SourceState::Starting => "starting",
        SourceState::Synced => "synced",
        SourceState::Failing => "failing",
        SourceState::Held => "held",
        SourceState::Paused => "paused",
        SourceState::Elsewhere => "elsewhere",
    }
}
