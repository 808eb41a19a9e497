//! `tool-router import file` and `import openapi`: tools from disk into a running router, with progress.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::connection::Connection;
use super::{Exit, output};
use crate::import::file::{self, Imported};
use crate::import::{ImportError, openapi};
use crate::rpc::client::{Client, ClientError, chunks};
use crate::rpc::proto::CatalogDiff;
use crate::tool::Tool;

/// Tools per registration: small enough that the bar moves every few seconds while the router embeds.
const STEP: usize = 50;

/// What to import from.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// MCP tools/list answers, OpenAI or Anthropic tools arrays, or JSON lines; told apart by content
    File(FileArguments),
    /// OpenAPI 3.0 or 3.1 documents, JSON or YAML: one tool per operation
    Openapi(FileArguments),
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
    /// Each file is the whole list of its sources: tools that are not in it are removed
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
    /// One JSON object per file and source instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Reads a file, with the source to use whatever it says.
type Reader = fn(&std::path::Path, Option<&str>) -> Result<Imported, ImportError>;

/// Tools by source, sources in order of first appearance.
type Sources = Vec<(String, Vec<Tool>)>;

struct Row {
    file: PathBuf,
    source: String,
    diff: CatalogDiff,
}

pub(super) async fn run(command: Command) -> Result<(), Exit> {
    let (arguments, read): (_, Reader) = match command {
        Command::File(arguments) => (arguments, file::read),
        Command::Openapi(arguments) => (arguments, openapi::read),
    };
    // Everything is read before anything is sent: a bad second file leaves no half import.
    let mut lists: Vec<(PathBuf, Sources)> = Vec::new();
    for path in &arguments.files {
        let imported = read(path, arguments.source.as_deref()).map_err(|error| Exit::failed(error.to_string()))?;
        if arguments.whole_list && imported.has_more_pages {
            let file = path.display();
            return Err(Exit::failed(format!(
                "{file} is one page of a longer list (it has a nextCursor): it is not the whole list"
            )));
        }
        for skipped in &imported.skipped {
            output::complain(&format!("{}: skipped {skipped}", path.display()));
        }
        let mut sources = by_source(imported.tools);
        if sources.is_empty() && arguments.whole_list {
            let Some(source) = &arguments.source else {
                return Err(Exit::failed(format!("{} holds no tools: give --source to say whose tools go", path.display())));
            };
            sources.push((source.clone(), Vec::new()));
        }
        lists.push((path.clone(), sources));
    }
    let FileArguments { whole_list, allow_mass_removal, skip_refused, dry_run, json, connection, .. } = arguments;
    let mut client = connection.open().await?;
    let mut left_out = 0;
    if skip_refused {
        for (path, sources) in &mut lists {
            for (source, tools) in sources {
                let refused = take_out_refused(&mut client, source, tools).await.map_err(|e| placed(path, &e))?;
                left_out += refused.len();
                for error in refused {
                    output::complain(&format!("left out: {}", placed(path, &error).message));
                }
            }
        }
    } else if !whole_list && !dry_run {
        // The router checks every batch before it takes the first: a bad tool in the last leaves no half import.
        for (path, sources) in &lists {
            for (source, tools) in sources {
                register(&mut client, source, tools, true, None).await.map_err(|e| placed(path, &e))?;
            }
        }
    }
    let total: usize = lists.iter().flat_map(|(_, sources)| sources).map(|(_, tools)| tools.len()).sum();
    let bar = output::progress(total);
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    let mut rows = Vec::new();
    for (path, sources) in lists {
        for (source, tools) in sources {
            bar.set_message(source.clone());
            let sent = if whole_list {
                let sent = client.sync(&source, &tools, dry_run, allow_mass_removal).await;
                sent.map(|answer| answer.diff.unwrap_or_default())
                    .map_err(|error| Refused { tools: describe(&source, &tools, 0), error })
            } else {
                register(&mut client, &source, &tools, dry_run, Some(&bar)).await
            };
            if whole_list {
                bar.inc(tools.len() as u64);
            }
            let diff = sent.inspect_err(|_| bar.abandon()).map_err(|e| placed(&path, &e))?;
            rows.push(Row { file: path.clone(), source, diff });
        }
    }
    bar.finish_and_clear();
    print(&rows, dry_run, json);
    if 0 < left_out {
        output::complain(&format!("{left_out} refused tools were left out, see above"));
    }
    Ok(())
}

fn by_source(tools: Vec<Tool>) -> Sources {
    let mut groups = Sources::new();
    let mut places = std::collections::HashMap::new();
    for tool in tools {
        let source = tool.id.source().to_owned();
        let place = *places.entry(source.clone()).or_insert_with(|| {
            groups.push((source, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(tool);
    }
    groups
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

fn placed(path: &std::path::Path, refused: &Refused) -> Exit {
    Exit::failed(format!("{}, {}: {}", path.display(), refused.tools, refused.error))
}

async fn register(
    client: &mut Client,
    source: &str,
    tools: &[Tool],
    dry_run: bool,
    bar: Option<&indicatif::ProgressBar>,
) -> Result<CatalogDiff, Refused> {
    let mut whole = CatalogDiff::default();
    let mut offset = 0;
    for chunk in chunks(tools, STEP) {
        let sent = client.register(source, chunk, dry_run).await;
        let diff = sent.map_err(|error| Refused { tools: describe(source, chunk, offset), error })?.diff.unwrap_or_default();
        offset += chunk.len();
        whole.added.extend(diff.added);
        whole.changed.extend(diff.changed);
        whole.unchanged += diff.unchanged;
        if let Some(bar) = bar {
            bar.inc(chunk.len() as u64);
        }
    }
    Ok(whole)
}

/// Takes the tools that the router refuses out of `tools` and says why, each by itself: asks for whole batches, and tool by tool where one
/// is refused.
async fn take_out_refused(client: &mut Client, source: &str, tools: &mut Vec<Tool>) -> Result<Vec<Refused>, Refused> {
    let mut refused = Vec::new();
    let mut kept = Vec::with_capacity(tools.len());
    for chunk in chunks(tools, STEP) {
        match register(client, source, chunk, true, None).await {
            Ok(_) => kept.extend_from_slice(chunk),
            Err(error) if !error.error.is_about_input() => return Err(error),
            Err(_) => {
                for tool in chunk {
                    match register(client, source, std::slice::from_ref(tool), true, None).await {
                        Ok(_) => kept.push(tool.clone()),
                        Err(error) if error.error.is_about_input() => refused.push(error),
                        Err(error) => return Err(error),
                    }
                }
            }
        }
    }
    *tools = kept;
    Ok(refused)
}

fn print(rows: &[Row], dry_run: bool, json: bool) {
    if json {
        for Row { file, source, diff } in rows {
            let line = serde_json::json!({
                "file": file.display().to_string(), "source": source, "dry_run": dry_run,
                "added": diff.added, "changed": diff.changed, "removed": diff.removed, "unchanged": diff.unchanged,
            });
            output::line(&line.to_string());
        }
        return;
    }
    let cells = rows.iter().map(|Row { source, diff, .. }| {
        vec![
            source.clone(),
            diff.added.len().to_string(),
            diff.changed.len().to_string(),
            diff.removed.len().to_string(),
            diff.unchanged.to_string(),
        ]
    });
    output::table(&["source", "added", "changed", "removed", "unchanged"], &[1, 2, 3, 4], cells);
    let sum = |count: fn(&CatalogDiff) -> usize| rows.iter().map(|row| count(&row.diff)).sum::<usize>();
    let verb = if dry_run { "would be" } else { "were" };
    output::line(&format!(
        "{} added, {} changed, {} removed {verb} written; {} unchanged",
        sum(|d| d.added.len()),
        sum(|d| d.changed.len()),
        sum(|d| d.removed.len()),
        sum(|d| d.unchanged as usize)
    ));
}
