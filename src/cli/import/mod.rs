//! `tool-router import`: tools from disk and from MCP servers into a running router, with progress.

mod mcp;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use indicatif::ProgressBar;

use super::connection::Connection;
use super::{Exit, output};
use crate::import::file::{self, Imported};
use crate::import::{ImportError, openapi};
use crate::rpc::client::{Client, ClientError, chunks};
use crate::rpc::proto::{CatalogDiff, LookAlike};
use crate::tool::Tool;

/// Tools per registration: small enough that the bar moves every few seconds while the router embeds.
const STEP: usize = 50;
/// Look-alikes that are printed of each list: enough to see what is wrong.
const LOOK_ALIKES: usize = 20;

/// What to import from.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// MCP tools/list answers, OpenAI or Anthropic tools arrays, or JSON lines; told apart by content
    File(FileArguments),
    /// OpenAPI 3.0 or 3.1 documents, JSON or YAML: one tool per operation
    Openapi(FileArguments),
    /// The tools of an MCP server, over stdio or streamable HTTP; `[[sources]]` in the configuration keeps one in sync
    Mcp(mcp::Arguments),
}

/// Flags of `import file` and `import openapi`.
#[derive(Args, Debug)]
pub struct FileArguments {
    /// The files
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
    /// Source of all tools; without it the file says (an OpenAPI document by its title), else its name does
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    #[command(flatten)]
    sending: Sending,
}

/// Flags of every import: how what was read is sent.
#[derive(Args, Debug)]
struct Sending {
    /// What is read is the whole list of its sources: tools that are not in it are removed
    #[arg(long)]
    whole_list: bool,
    /// With --whole-list: also when most tools of a source would go
    #[arg(long, requires = "whole_list")]
    allow_mass_removal: bool,
    /// Leave out and name the tools that the router refuses; without it one of them stops the import
    #[arg(long, conflicts_with = "whole_list")]
    skip_refused: bool,
    /// Say what would change; change nothing
    #[arg(long)]
    dry_run: bool,
    /// One JSON object per list instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Reads a file, with the source to use whatever it says.
type Reader = fn(&Path, Option<&str>) -> Result<Imported, ImportError>;

/// Where a list came from: the key of the JSON output, and what messages call it.
#[derive(Clone, Debug)]
struct Origin {
    key: &'static str,
    name: String,
}

impl Origin {
    fn file(path: &Path) -> Self {
        Self { key: "file", name: path.display().to_string() }
    }
}

/// The tools of one source from one origin.
struct List {
    origin: Origin,
    source: String,
    tools: Vec<Tool>,
    /// Names of those that the router refuses.
    refused: Vec<String>,
}

/// What became of a list.
struct Row {
    origin: Origin,
    source: String,
    done: Done,
    refused: Vec<String>,
}

/// What the router said, of all batches of a list together.
#[derive(Default)]
struct Done {
    diff: CatalogDiff,
    look_alikes: Vec<LookAlike>,
    look_alikes_total: u32,
}

pub(super) async fn run(command: Command) -> Result<(), Exit> {
    let (arguments, read): (_, Reader) = match command {
        Command::File(arguments) => (arguments, file::read),
        Command::Openapi(arguments) => (arguments, openapi::read),
        Command::Mcp(arguments) => return mcp::run(arguments).await,
    };
    let whole_list = arguments.sending.whole_list;
    // Everything is read before anything is sent: a bad second file leaves no half import.
    let mut lists: Vec<List> = Vec::new();
    for path in &arguments.files {
        let imported = read(path, arguments.source.as_deref()).map_err(|error| Exit::failed(error.to_string()))?;
        if whole_list && imported.has_more_pages {
            let file = path.display();
            return Err(Exit::failed(format!(
                "{file} is one page of a longer list (it has a nextCursor): it is not the whole list"
            )));
        }
        for skipped in &imported.skipped {
            output::complain(&format!("{}: skipped {skipped}", path.display()));
        }
        let mut of_file = by_source(&Origin::file(path), imported.tools);
        if of_file.is_empty() && whole_list {
            let Some(source) = arguments.source.clone() else {
                return Err(Exit::failed(format!("{} holds no tools: give --source to say whose tools go", path.display())));
            };
            of_file.push(List { origin: Origin::file(path), source, tools: Vec::new(), refused: Vec::new() });
        }
        lists.extend(of_file);
    }
    send(lists, arguments.sending).await
}

/// Sends what was read, after the router has looked at all of it.
async fn send(mut lists: Vec<List>, sending: Sending) -> Result<(), Exit> {
    let Sending { whole_list, allow_mass_removal, skip_refused, dry_run, json, connection } = sending;
    let mut client = connection.open().await?;
    // The router checks every batch before it takes the first: a bad tool in the last leaves no half import.
    if skip_refused || (!whole_list && !dry_run) {
        let bar = progress(&lists);
        for list in &mut lists {
            bar.set_message(format!("checking {}", list.source));
            let checked = if skip_refused {
                take_out_refused(&mut client, list, &bar).await
            } else {
                register(&mut client, &list.source, &list.tools, true, &bar).await.map(drop)
            };
            checked.inspect_err(|_| bar.abandon()).map_err(|e| placed(&list.origin, &e))?;
        }
        bar.finish_and_clear();
    }
    let bar = progress(&lists);
    let mut rows = Vec::new();
    for List { origin, source, tools, refused } in lists {
        bar.set_message(source.clone());
        let sent = if whole_list {
            let sent = client.sync(&source, &tools, dry_run, allow_mass_removal).await;
            bar.inc(tools.len() as u64);
            sent.map(|answer| Done {
                diff: answer.diff.unwrap_or_default(),
                look_alikes: answer.look_alikes,
                look_alikes_total: answer.look_alikes_total,
            })
            .map_err(|error| Refused { tools: describe(&source, &tools, 0), error })
        } else {
            register(&mut client, &source, &tools, dry_run, &bar).await
        };
        let done = sent.inspect_err(|_| bar.abandon()).map_err(|e| placed(&origin, &e))?;
        rows.push(Row { origin, source, done, refused });
    }
    bar.finish_and_clear();
    print(&rows, dry_run, json);
    Ok(())
}

fn progress(lists: &[List]) -> ProgressBar {
    let bar = output::progress(lists.iter().map(|list| list.tools.len()).sum());
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// One list for each source, in order of first appearance.
fn by_source(origin: &Origin, tools: Vec<Tool>) -> Vec<List> {
    let mut lists: Vec<List> = Vec::new();
    let mut places = std::collections::HashMap::new();
    for tool in tools {
        let source = tool.id.source().to_owned();
        let place = *places.entry(source.clone()).or_insert_with(|| {
            lists.push(List { origin: origin.clone(), source, tools: Vec::new(), refused: Vec::new() });
            lists.len() - 1
        });
        lists[place].tools.push(tool);
    }
    lists
}

/// A refusal with the tools it is about: the router counts from the start of what it was sent.
struct Refused {
    tools: String,
    error: ClientError,
}

fn describe(source: &str, tools: &[Tool], offset: usize) -> String {
    let name = |tool: Option<&Tool>| tool.map(|tool| tool.id.name().to_owned()).unwrap_or_default();
    let (first, last) = (name(tools.first()), name(tools.last()));
    format!("source {source}, tools {} ({first}) to {} ({last}), counted from tools[0]", offset + 1, offset + tools.len())
}

fn placed(origin: &Origin, refused: &Refused) -> Exit {
    Exit::failed(format!("{}, {}: {}", origin.name, refused.tools, refused.error))
}

async fn register(client: &mut Client, source: &str, tools: &[Tool], dry_run: bool, bar: &ProgressBar) -> Result<Done, Refused> {
    let mut whole = Done::default();
    let mut offset = 0;
    for chunk in chunks(tools, STEP) {
        let sent = client.register(source, chunk, dry_run).await;
        let answer = sent.map_err(|error| Refused { tools: describe(source, chunk, offset), error })?;
        let diff = answer.diff.unwrap_or_default();
        offset += chunk.len();
        whole.diff.added.extend(diff.added);
        whole.diff.changed.extend(diff.changed);
        whole.diff.unchanged += diff.unchanged;
        whole.look_alikes.extend(answer.look_alikes);
        whole.look_alikes_total += answer.look_alikes_total;
        bar.inc(chunk.len() as u64);
    }
    Ok(whole)
}

/// Takes the tools that the router refuses out of the list and says why, each by itself: asks for whole batches, and tool by tool where one
/// is refused.
async fn take_out_refused(client: &mut Client, list: &mut List, bar: &ProgressBar) -> Result<(), Refused> {
    let mut kept = Vec::with_capacity(list.tools.len());
    for chunk in chunks(&list.tools, STEP) {
        match register(client, &list.source, chunk, true, bar).await {
            Ok(_) => {
                kept.extend_from_slice(chunk);
                continue;
            }
            Err(refused) if !refused.error.is_about_input() => return Err(refused),
            Err(_) => (),
        }
        for tool in chunk {
            match register(client, &list.source, std::slice::from_ref(tool), true, bar).await {
                Ok(_) => kept.push(tool.clone()),
                Err(refused) if refused.error.is_about_input() => {
                    bar.inc(1);
                    bar.suspend(|| output::complain(&format!("left out: {}", placed(&list.origin, &refused).message)));
                    list.refused.push(tool.id.name().to_owned());
                }
                Err(refused) => return Err(refused),
            }
        }
    }
    list.tools = kept;
    Ok(())
}

fn print(rows: &[Row], dry_run: bool, json: bool) {
    if json {
        for Row { origin, source, done: Done { diff, look_alikes, look_alikes_total }, refused } in rows {
            let line = serde_json::json!({
                origin.key: origin.name, "source": source, "dry_run": dry_run,
                "added": diff.added, "changed": diff.changed, "removed": diff.removed, "unchanged": diff.unchanged,
                "refused": refused,
                "look_alikes": look_alikes.iter().map(as_json).collect::<Vec<_>>(), "look_alikes_total": look_alikes_total,
            });
            output::line(&line.to_string());
        }
        return;
    }
    let cells = rows.iter().map(|Row { source, done: Done { diff, .. }, .. }| {
        vec![
            source.clone(),
            diff.added.len().to_string(),
            diff.changed.len().to_string(),
            diff.removed.len().to_string(),
            diff.unchanged.to_string(),
        ]
    });
    output::table(&["source", "added", "changed", "removed", "unchanged"], &[1, 2, 3, 4], cells);
    let sum = |count: fn(&CatalogDiff) -> usize| rows.iter().map(|row| count(&row.done.diff)).sum::<usize>();
    let verb = if dry_run { "would be" } else { "were" };
    output::line(&format!(
        "{} added, {} changed, {} removed {verb} written; {} unchanged",
        sum(|d| d.added.len()),
        sum(|d| d.changed.len()),
        sum(|d| d.removed.len()),
        sum(|d| d.unchanged as usize)
    ));
    rows.iter().for_each(print_look_alikes);
    let left_out: usize = rows.iter().map(|row| row.refused.len()).sum();
    if 0 < left_out {
        output::complain(&format!("{left_out} refused tools were left out, see above"));
    }
}

fn print_look_alikes(row: &Row) {
    let Done { look_alikes, look_alikes_total, .. } = &row.done;
    for look_alike in look_alikes.iter().take(LOOK_ALIKES) {
        output::line(&in_words(&row.source, look_alike));
    }
    let shown = look_alikes.len().min(LOOK_ALIKES) as u64;
    let more = u64::from(*look_alikes_total).saturating_sub(shown);
    if 0 < more {
        output::line(&format!("{}: {more} more look-alikes; --json tells more of them", row.source));
    }
}

fn in_words(source: &str, look_alike: &LookAlike) -> String {
    let LookAlike { tool, other, similarity, shared_words, same_name } = look_alike;
    let other = other.clone().unwrap_or_default();
    let closeness =
        similarity.map_or_else(|| format!("{:.0} % of words shared", shared_words * 100.0), |cosine| format!("{cosine:.2}"));
    let name = if *same_name { ", same name" } else { "" };
    format!(
        "{source}/{tool} looks like {}/{} ({closeness}{name}): say in the description what sets it apart",
        other.source, other.tool
    )
}

fn as_json(look_alike: &LookAlike) -> serde_json::Value {
    let LookAlike { tool, other, similarity, shared_words, same_name } = look_alike;
    let other = other.clone().unwrap_or_default();
    serde_json::json!({
        "tool": tool, "other": {"source": other.source, "tool": other.tool},
        "similarity": similarity, "shared_words": shared_words, "same_name": same_name,
    })
}
