//! `tool-router select`: what an orchestrator would get, as a table or as JSON.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::connection::{Connection, tool_ref};
use super::{Exit, conversation, output};
use crate::import::file;
use crate::rpc::client::{Client, offered};
use crate::rpc::proto::select_tools_request::Input;
use crate::rpc::proto::{self, ToolRef};

/// Flags of `select`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// What the user asks for; several give one table each
    #[arg(required_unless_present = "conversation", value_name = "QUERY")]
    queries: Vec<String>,
    /// A conversation instead, as JSON or JSON lines: turns with `role` and `text` or `content`, as chat completions have them
    #[arg(long, value_name = "FILE", conflicts_with = "queries")]
    conversation: Option<PathBuf>,
    /// The cap on the whole list [default: the router's, 1500]
    #[arg(long, value_name = "N")]
    max_tokens: Option<u32>,
    /// `o200k_base`, `cl100k_base` or a name from the router's configuration [default: the router's, o200k_base]
    #[arg(long, value_name = "NAME")]
    tokenizer: Option<String>,
    /// Most tools, 1 to 200 [default: 20]
    #[arg(long, value_name = "N")]
    max_tools: Option<u32>,
    /// Return so many however unlikely they are [default: 0]
    #[arg(long, value_name = "N")]
    min_tools: Option<u32>,
    /// Return only what is at least this likely to fit, 0 to 1; 0 holds nothing back [default: as calibrated]
    #[arg(long, value_name = "P")]
    min_confidence: Option<f32>,
    /// Leave out what is less likely than the best by more than this share of it, 0 to 1
    #[arg(long, value_name = "SHARE")]
    relative_margin: Option<f32>,
    /// Answer from this version of the catalogue or a later one, as a registration gave it, through whichever router
    #[arg(long, value_name = "VERSION", conflicts_with = "tools")]
    min_catalog_version: Option<String>,
    /// The model's API
    #[arg(long, value_enum, default_value_t = Format::OpenaiChat)]
    format: Format,
    /// Whose dialect of JSON Schema
    #[arg(long, value_enum, default_value_t = Profile::Raw)]
    schema_profile: Profile,
    /// Mark all but pinned tools to be loaded only once a search found them; for `anthropic` and `openai_responses`
    #[arg(long)]
    defer_loading: bool,
    /// Print only the references that a tool search of Anthropic's API answers with
    #[arg(long, conflicts_with_all = ["json", "prompt"])]
    tool_references: bool,
    /// Only tools of this source; may be repeated
    #[arg(long, value_name = "NAME")]
    source: Vec<String>,
    /// Only tools of this domain; may be repeated
    #[arg(long, value_name = "NAME")]
    domain: Vec<String>,
    /// Only tools with this tag; may be repeated
    #[arg(long, value_name = "NAME")]
    tag: Vec<String>,
    /// Never this tool; may be repeated
    #[arg(long, value_name = "SOURCE/TOOL", value_parser = tool_ref)]
    deny: Vec<ToolRef>,
    /// This tool first, whatever its score; may be repeated
    #[arg(long, value_name = "SOURCE/TOOL", value_parser = tool_ref)]
    pin: Vec<ToolRef>,
    /// Select of the tools in this file instead of the registered ones; nothing is registered. May be repeated, 200 tools at most
    #[arg(long, value_name = "FILE", conflicts_with_all = ["source", "domain", "tag", "deny"])]
    tools: Vec<PathBuf>,
    /// Also list, as lines of text under the same cap, tools that are worth knowing of and did not fit
    #[arg(long)]
    directory: bool,
    /// Take the queries as turns of one conversation: each list keeps the one before and appends what is missing
    #[arg(long)]
    continue_lists: bool,
    /// Say why each tool is there
    #[arg(long)]
    explain: bool,
    /// Say what became of this tool; may be repeated
    #[arg(long, value_name = "SOURCE/TOOL", value_parser = tool_ref)]
    why: Vec<ToolRef>,
    /// Print only the list, ready to paste
    #[arg(long, conflicts_with = "json")]
    prompt: bool,
    /// One JSON object per query
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Format {
    OpenaiChat,
    Anthropic,
    Mcp,
    OpenaiResponses,
    Gemini,
}

/// Profiles as flags have them.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(super) enum Profile {
    Raw,
    Lean,
    OpenaiStrict,
    Gemini,
}

impl Profile {
    pub(super) fn wire(self) -> proto::SchemaProfile {
        match self {
            Self::Raw => proto::SchemaProfile::Raw,
            Self::Lean => proto::SchemaProfile::Lean,
            Self::OpenaiStrict => proto::SchemaProfile::OpenaiStrict,
            Self::Gemini => proto::SchemaProfile::Gemini,
        }
    }
}

impl Format {
    fn wire(self) -> proto::Format {
        match self {
            Self::OpenaiChat => proto::Format::OpenaiChat,
            Self::Anthropic => proto::Format::Anthropic,
            Self::Mcp => proto::Format::Mcp,
            Self::OpenaiResponses => proto::Format::OpenaiResponses,
            Self::Gemini => proto::Format::Gemini,
        }
    }
}

pub(super) async fn run(mut arguments: Arguments) -> Result<(), Exit> {
    let mut inputs: Vec<Input> = std::mem::take(&mut arguments.queries).into_iter().map(Input::Query).collect();
    if let Some(path) = &arguments.conversation {
        inputs.push(Input::Conversation(conversation::read(path)?));
    }
    let mut brought = Vec::new();
    for path in &arguments.tools {
        let imported = file::read(path, None).map_err(|e| Exit::failed(e.to_string()))?;
        brought.extend(imported.tools.iter().map(offered));
    }
    let mut request = proto::SelectToolsRequest {
        input: None,
        scope: Some(proto::Scope {
            sources: arguments.source,
            domains: arguments.domain,
            tags: arguments.tag,
            allow: Vec::new(),
            deny: arguments.deny,
        }),
        budget: Some(proto::Budget {
            max_tokens: arguments.max_tokens,
            tokenizer: arguments.tokenizer,
            max_tools: arguments.max_tools,
            min_tools: arguments.min_tools,
        }),
        output: Some(proto::Output {
            format: arguments.format.wire().into(),
            include: if arguments.directory { WITH_DIRECTORY.map(Into::into).to_vec() } else { Vec::new() },
            schema_profile: arguments.schema_profile.wire().into(),
            defer_loading: arguments.defer_loading,
            tool_references: arguments.tool_references,
        }),
        min_catalog_version: arguments.min_catalog_version,
        keep_replay: false,
        pinned: arguments.pin,
        explain: arguments.explain,
        explain_tools: arguments.why,
        min_confidence: arguments.min_confidence,
        relative_margin: arguments.relative_margin,
        continuity: arguments.continue_lists.then(proto::Continuity::default),
    };
    let mut client = arguments.connection.open().await?;
    for input in inputs {
        let query = if let Input::Query(query) = &input { query.clone() } else { String::new() };
        request.input = Some(input);
        let message = request.clone();
        let answer =
            if arguments.tools.is_empty() { client.select(message).await? } else { rank(&mut client, message, &brought).await? };
        if let Some(continuity) = &mut request.continuity {
            continuity.previous_tools = answer.tools.iter().map(previous).collect();
        }
        if arguments.json {
            output::json(&answer)?;
        } else if arguments.prompt {
            output::line(&answer.prompt);
            if !answer.directory.is_empty() {
                output::line(&format!("\n{}", answer.directory.trim_end()));
            }
        } else if arguments.tool_references {
            output::line(&answer.tool_references_json);
        } else {
            print(if query.is_empty() { &answer.condensed } else { &query }, &answer);
        }
    }
    Ok(())
}

/// All that an answer can hold.
const WITH_DIRECTORY: [proto::Include; 3] = [proto::Include::Prompt, proto::Include::Definitions, proto::Include::Directory];

/// A tool as the next turn names it.
fn previous(tool: &proto::SelectedTool) -> proto::PreviousTool {
    proto::PreviousTool {
        source: tool.source.clone(),
        tool: tool.tool.clone(),
        fidelity: tool.fidelity,
        definition_hash: tool.definition_hash.clone(),
    }
}

/// The same request over the tools that were brought.
async fn rank(
    client: &mut Client,
    message: proto::SelectToolsRequest,
    brought: &[proto::OfferedTool],
) -> Result<proto::SelectToolsResponse, Exit> {
    let proto::SelectToolsRequest {
        input,
        continuity,
        budget,
        output,
        pinned,
        explain,
        explain_tools,
        min_confidence,
        relative_margin,
        scope: _,
        min_catalog_version: _,
        keep_replay: _,
    } = message;
    let (query, conversation) = match input {
        Some(Input::Query(query)) => (query, None),
        Some(Input::Conversation(conversation)) => (String::new(), Some(conversation)),
        None => (String::new(), None),
    };
    let request = proto::RankToolsRequest {
        query,
        tools: brought.to_vec(),
        budget,
        output,
        pinned,
        explain,
        explain_tools,
        min_confidence,
        relative_margin,
        conversation,
        continuity,
    };
    Ok(client.rank(request).await?.selection.unwrap_or_default())
}

fn print(query: &str, answer: &proto::SelectToolsResponse) {
    output::line(&format!("\n» {query}"));
    let rows = answer.tools.iter().map(|tool| {
        let mut name = format!("{}/{}", tool.source, tool.tool);
        for reason in &tool.reasons {
            name.push_str(&format!("\n  {reason}"));
        }
        if !tool.profile_detail.is_empty() {
            name.push_str(&format!("\n  {}", tool.profile_detail));
        }
        let confidence = tool.confidence.map_or_else(String::new, |confidence| format!("{confidence:.2}"));
        vec![name, format!("{:.3}", tool.score), confidence, fidelity(tool.fidelity()).to_owned(), tool.tokens.to_string()]
    });
    if !answer.tools.is_empty() {
        output::table(&["tool", "score", "confidence", "fidelity", "tokens"], &[1, 2, 4], rows);
    }
    if !answer.directory.is_empty() {
        output::line(answer.directory.trim_end());
        for listed in answer.listed.iter().filter(|listed| !listed.reasons.is_empty()) {
            output::line(&format!("{}/{}: {}", listed.source, listed.tool, listed.reasons.join("; ")));
        }
    }
    if let Some(continuity) = &answer.continuity {
        output::line(&continued(continuity));
    }
    if let Some(no_match) = &answer.no_match {
        output::line(&format!("no tool: {}", no_match.detail));
    }
    if let Some(usage) = &answer.usage {
        let percent =
            if usage.eligible_tokens == 0 { 0.0 } else { usage.saved_tokens as f64 * 100.0 / usage.eligible_tokens as f64 };
        let overhead = match usage.overhead_tokens {
            0 => String::new(),
            tokens => format!(" and {} that the vendor adds", output::thousands(tokens.into())),
        };
        output::line(&format!(
            "{} of {} tools; {} tokens{overhead} of at most {}; all would be {}: {} saved ({percent:.1} %)",
            answer.tools.len(),
            usage.eligible_tools,
            output::thousands(usage.returned_tokens.into()),
            output::thousands(usage.max_tokens.into()),
            output::thousands(usage.eligible_tokens),
            output::thousands(usage.saved_tokens)
        ));
    }
    if !answer.degraded_reason.is_empty() {
        let what = if answer.mode() == proto::Mode::Lexical { "by words alone" } else { "degraded" };
        output::line(&format!("{what}: {}", answer.degraded_reason));
    }
    for dropped in &answer.dropped {
        output::line(&format!("left out {}/{}: {}", dropped.source, dropped.tool, dropped.detail));
    }
    for explanation in &answer.explanations {
        let rank = explanation.rank.map_or_else(String::new, |rank| format!(" (rank {rank})"));
        output::line(&format!("{}/{}{rank}: {}", explanation.source, explanation.tool, explanation.fate));
        for reason in &explanation.reasons {
            output::line(&format!("  {reason}"));
        }
    }
}

fn continued(continuity: &proto::ListContinuity) -> String {
    use proto::list_continuity::Change;
    let kept = continuity.kept_tools;
    match continuity.change() {
        Change::Unspecified => "?".to_owned(),
        Change::First => "the first list of its conversation".to_owned(),
        Change::Appended => format!("the list before is kept: {kept} tools in their places, new ones behind them"),
        Change::Rebuilt => format!("a new list, of which {kept} tools are in their places: {}", continuity.detail),
    }
}

fn fidelity(fidelity: proto::Fidelity) -> &'static str {
    match fidelity {
        proto::Fidelity::Unspecified => "?",
        proto::Fidelity::Skeleton => "skeleton",
        proto::Fidelity::Lean => "lean",
        proto::Fidelity::Full => "full",
    }
}
