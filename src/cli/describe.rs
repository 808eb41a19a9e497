//! `tool-router describe`: the publisher's own definitions.

use clap::Args;

use super::connection::{Connection, tool_ref};
use super::{Exit, output};
use crate::rpc::proto::described_tool::Result as Described;
use crate::rpc::proto::{DescribeToolsRequest, RegisteredTool};

/// Flags of `describe`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Tools, as `source/tool` or by the name the model used
    #[arg(required = true, value_name = "TOOL")]
    tools: Vec<String>,
    /// The answer as one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
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
