//! `search_tools`: a selection, as MCP definitions.

use rmcp::model::{CallToolResult, ContentBlock, JsonObject, Tool, ToolAnnotations};
use serde::Deserialize;
use serde_json::json;

use super::{Front, read, schema};
use crate::rpc::proto;
use crate::rpc::proto::select_tools_request::Input;

pub(super) const NAME: &str = "search_tools";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    query: String,
    max_tokens: Option<u32>,
    max_tools: Option<u32>,
    #[serde(default)]
    sources: Vec<String>,
}

pub(super) fn tool() -> Tool {
    let description = "Finds the tools that fit what you want to do, best first, as MCP tool definitions that take at most max_tokens \
                       tokens together. structuredContent says which source each tool belongs to.";
    let input = json!({
        "type": "object",
        "properties": {
            "query": {"type": "string", "description": "What you want to do, in plain words."},
            "max_tokens": {"type": "integer", "minimum": 1, "description": "Most tokens of all definitions together. Default 1500."},
            "max_tools": {"type": "integer", "minimum": 1, "maximum": 200, "description": "Most tools. Default 20."},
            "sources": {"type": "array", "items": {"type": "string"}, "description": "Only tools of these sources."},
        },
        "required": ["query"],
        "additionalProperties": false,
    });
    Tool::new(NAME, description, schema(input)).with_annotations(ToolAnnotations::new().read_only(true).open_world(false))
}

pub(super) async fn call(front: &Front, arguments: JsonObject) -> Result<CallToolResult, String> {
    let Arguments { query, max_tokens, max_tools, sources } = read(arguments)?;
    let request = proto::SelectToolsRequest {
        input: Some(Input::Query(query)),
        scope: Some(proto::Scope { sources: narrowed(&front.defaults.sources, sources)?, ..proto::Scope::default() }),
        budget: Some(proto::Budget {
            max_tokens: max_tokens.or(front.defaults.max_tokens),
            tokenizer: None,
            max_tools: max_tools.or(front.defaults.max_tools),
            min_tools: None,
        }),
        output: Some(proto::Output {
            format: proto::Format::Mcp.into(),
            include: vec![proto::Include::Prompt.into()],
            ..proto::Output::default()
        }),
        ..proto::SelectToolsRequest::default()
    };
    let answer = front.client.clone().select(request).await.map_err(|e| e.to_string())?;
    let no_match = answer.no_match.as_ref().map(|no_match| no_match.detail.clone());
    let text = no_match.as_ref().map_or_else(|| answer.prompt.clone(), |detail| format!("No tool: {detail}"));
    let tools: Vec<_> = answer
        .tools
        .iter()
        .map(|tool| json!({"name": tool.model_name, "source": tool.source, "tool": tool.tool, "tokens": tool.tokens}))
        .collect();
    let usage = answer.usage.unwrap_or_default();
    let mut result = CallToolResult::success(vec![ContentBlock::text(text)]);
    result.structured_content = Some(json!({
        "tools": tools,
        "tokens": usage.returned_tokens,
        "saved_tokens": usage.saved_tokens,
        "no_match": no_match,
        "catalog_version": answer.catalog_version,
    }));
    Ok(result)
}

/// The sources to look in: a caller may narrow what the front was given, not widen it.
fn narrowed(given: &[String], asked: Vec<String>) -> Result<Vec<String>, String> {
    if given.is_empty() || asked.is_empty() {
        return Ok(if asked.is_empty() { given.to_vec() } else { asked });
    }
    let both: Vec<String> = asked.into_iter().filter(|source| given.contains(source)).collect();
    if both.is_empty() {
        Err(format!("none of these sources is offered here; these are: {}", given.join(", ")))
    } else {
        Ok(both)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caller_narrows_and_never_widens() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let check = |given: &[&str], asked: &[&str], expected: &[&str]| {
            assert_eq!(narrowed(&list(given), list(asked)).unwrap(), list(expected));
        };
        check(&[], &[], &[]);
        check(&[], &["a"], &["a"]);
        check(&["a", "b"], &[], &["a", "b"]);
        check(&["a", "b"], &["b", "c"], &["b"]);
        assert!(narrowed(&list(&["a"]), list(&["c"])).unwrap_err().contains("these are: a"));
    }
}
