//! `describe_tools`: the publishers' own definitions, whole.

use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::json;

use super::{Front, read, schema};
use crate::compact::{Fidelity, Format, Forms};
use crate::rpc::client::published;
use crate::rpc::proto::described_tool::Result as Described;
use crate::rpc::proto::{DescribeToolsRequest, ToolRef};
use crate::tool::ToolId;

pub(super) const NAME: &str = "describe_tools";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    tools: Vec<String>,
}

pub(super) fn tool() -> Tool {
    let description =
        "Gives the complete definition of tools, as their publishers wrote it: use it when search_tools showed a short form.";
    let input = json!({
        "type": "object",
        "properties": {
            "tools": {
                "type": "array",
                "items": {"type": "string"},
                "minItems": 1,
                "maxItems": 50,
                "description": "Names as search_tools returned them, or source/tool.",
            },
        },
        "required": ["tools"],
        "additionalProperties": false,
    });
    Tool::new(NAME, description, schema(input)).with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
}

pub(super) async fn call(front: &Front, arguments: JsonObject) -> Result<CallToolResult, String> {
    let Arguments { tools } = read(arguments)?;
    // A model name has no `/`.
    let (references, names): (Vec<String>, Vec<String>) = tools.into_iter().partition(|tool| tool.contains('/'));
    let reference = |text: &String| {
        let id = ToolId::parse(text).map_err(|v| format!("{text:?} {}", v.description))?;
        Ok(ToolRef { source: id.source().to_owned(), tool: id.name().to_owned() })
    };
    let references: Vec<ToolRef> = references.iter().map(reference).collect::<Result<_, String>>()?;
    // What the router says of a tool that does not exist, for those that are not shown here: nobody can tell them apart.
    let not_here: Vec<String> = references
        .iter()
        .filter_map(|reference| ToolId::new(&reference.source, &reference.tool).ok())
        .map(|id| format!("tool {id} is not registered"))
        .chain(names.iter().map(|name| format!("no tool has the model name {name:?}")))
        .collect();
    let request = DescribeToolsRequest { tools: references, model_names: names, calls: Vec::new() };
    let answer = front.client.clone().describe(request).await.map_err(|e| e.to_string())?;
    let (mut found, mut whose, mut missing) = (Vec::new(), Vec::new(), Vec::new());
    for (result, not_here) in answer.results.into_iter().zip(not_here) {
        match result.result {
            // What is out of the front's sources reads as what does not exist.
            Some(Described::Tool(tool)) if front.defaults.sources.is_empty() || front.defaults.sources.contains(&tool.source) => {
                if let Some((definition, name)) = published(&tool) {
                    found.push(Forms::of(&definition).render(&definition, &name, Format::Mcp, Fidelity::Full));
                    whose.push(json!({"name": tool.model_name, "source": tool.source, "tool": definition.id.name()}));
                }
            }
            Some(Described::Tool(_)) => missing.push(not_here),
            Some(Described::NotFound(not_found)) => missing.push(not_found.detail),
            None => (),
        }
    }
    if found.is_empty() {
        return Err(missing.join("; "));
    }
    let mut result = CallToolResult::success(vec![ContentBlock::text(format!("[{}]", found.join(",\n")))]);
    if !missing.is_empty() {
        result.content.push(ContentBlock::text(missing.join("; ")));
    }
    result.structured_content = Some(json!({"tools": whose, "missing": missing}));
    Ok(result)
}
