//! `tool-router describe`: the publisher's own definitions, and whether arguments are what they ask for.

use clap::Args;

use super::connection::{Connection, tool_ref};
use super::select::Profile;
use super::{Exit, output};
use crate::rpc::proto::checked_call::Verdict;
use crate::rpc::proto::described_tool::Result as Described;
use crate::rpc::proto::{DescribeToolsRequest, RegisteredTool, ToolCall};

/// Flags of `describe`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Tools, as `source/tool` or by the name the model used
    #[arg(required = true, value_name = "TOOL")]
    tools: Vec<String>,
    /// Say whether these arguments are valid for the one tool, as a JSON object or as @FILE, instead of showing it
    #[arg(long, value_name = "JSON|@FILE")]
    arguments: Option<String>,
    /// Whose dialect of JSON Schema the model was shown: nulls of `openai_strict` arguments are turned back first
    #[arg(long, value_enum, default_value_t = Profile::Raw, requires = "arguments")]
    made_for: Profile,
    /// The answer as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    if let Some(text) = arguments.arguments.clone() {
        return check(arguments, &text).await;
    }
    let mut request = DescribeToolsRequest::default();
    for tool in arguments.tools {
        match tool_ref(&tool) {
            Ok(reference) => request.tools.push(reference),
            Err(_) => request.model_names.push(tool),
        }
    }
    let answer = arguments.connection.open().await?.describe(request).await?;
    let missing: Vec<String> = answer
        .results
        .iter()
        .filter_map(|result| match &result.result {
            Some(Described::NotFound(not_found)) => Some(not_found.detail.clone()),
            _ => None,
        })
        .collect();
    if arguments.json {
        output::json(&answer)?;
    } else {
        for result in &answer.results {
            if let Some(Described::Tool(tool)) = &result.result {
                print(tool);
            }
        }
    }
    if missing.is_empty() { Ok(()) } else { Err(Exit::failed(missing.join("\n"))) }
}

/// Holds arguments against the one tool's schema; invalid ones fail the command.
async fn check(arguments: Arguments, text: &str) -> Result<(), Exit> {
    let [tool] = arguments.tools.as_slice() else {
        return Err(Exit::failed(format!("--arguments are for one tool, and there are {}", arguments.tools.len())));
    };
    let text = match text.strip_prefix('@') {
        Some(path) => std::fs::read_to_string(path).map_err(|e| Exit::failed(format!("{path} cannot be read: {e}")))?,
        None => text.to_owned(),
    };
    let made_for = arguments.made_for.wire().into();
    let call = match tool_ref(tool) {
        Ok(tool) => ToolCall { tool: Some(tool), arguments_json: text, made_for, ..ToolCall::default() },
        Err(_) => ToolCall { model_name: tool.clone(), arguments_json: text, made_for, ..ToolCall::default() },
    };
    let request = DescribeToolsRequest { calls: vec![call], ..DescribeToolsRequest::default() };
    let answer = arguments.connection.open().await?.describe(request).await?;
    if arguments.json {
        output::json(&answer)?;
    }
    let checked = answer.checked.into_iter().next().unwrap_or_default();
    let errors = checked
        .errors
        .iter()
        .map(|error| format!("{} {}", if error.path.is_empty() { "the whole" } else { &error.path }, error.description));
    let errors = errors.collect::<Vec<_>>().join("\n");
    match checked.verdict() {
        Verdict::Valid if arguments.json => Ok(()),
        Verdict::Valid => {
            output::line("valid");
            output::line(&checked.arguments_json);
            Ok(())
        }
        Verdict::Invalid => Err(Exit::failed(errors)),
        Verdict::NotFound | Verdict::Unchecked | Verdict::Unspecified => Err(Exit::failed(checked.detail)),
    }
}

/// One tool for people.
pub(super) fn print(tool: &RegisteredTool) {
    let definition = tool.definition.clone().unwrap_or_default();
    output::line(&format!("\n{}/{}", tool.source, definition.name));
    let optional = |label: &str, text: Option<&String>| {
        if let Some(text) = text {
            output::line(&format!("  {label}: {text}"));
        }
    };
    optional("title", definition.title.as_ref());
    output::line(&format!("  model name: {}", tool.model_name));
    output::line(&format!("  state: {}", state(tool)));
    output::line(&format!("  tokens: {}", tool.tokens));
    optional("domain", definition.domain.as_ref());
    if !definition.tags.is_empty() {
        output::line(&format!("  tags: {}", definition.tags.join(", ")));
    }
    output::line(&format!("  description: {}", definition.description.replace('\n', "\n    ")));
    for example in &definition.examples {
        output::line(&format!("  example: {example}"));
    }
    output::line(&format!("  input schema: {}", definition.input_schema_json));
    optional("output schema", definition.output_schema_json.as_ref());
    optional("annotations", definition.annotations_json.as_ref());
    optional("other fields", definition.extra_json.as_ref());
}

/// The state in words.
pub(super) fn state(tool: &RegisteredTool) -> &'static str {
    match tool.state() {
        crate::rpc::proto::ToolState::Unspecified => "?",
        crate::rpc::proto::ToolState::Enabled => "enabled",
        crate::rpc::proto::ToolState::Disabled => "disabled",
    }
}
