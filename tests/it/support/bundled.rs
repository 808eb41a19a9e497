//! The bundled catalogue and its queries.

use std::path::Path;

use tool_router::rpc::proto::ToolDefinition;

use super::{TestRouter, repository};

/// A request with the tools that answer it.
pub(crate) struct Query {
    pub(crate) text: String,
    pub(crate) relevant: Vec<String>,
}

/// Every source with its tools.
pub(crate) fn sources() -> Vec<(String, Vec<ToolDefinition>)> {
    let mut files: Vec<_> = std::fs::read_dir(repository().join("examples/catalogue"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let imported = tool_router::import::file::read(path, None).unwrap();
            let tools = imported.tools.iter().map(|tool| ToolDefinition {
                name: tool.id.name().into(),
                title: tool.title.clone(),
                description: tool.description.clone(),
                input_schema_json: tool.input_schema.text().into(),
                output_schema_json: tool.output_schema.as_ref().map(|d| d.text().into()),
                annotations_json: tool.annotations.as_ref().map(|d| d.text().into()),
                ..Default::default()
            });
            (path.file_stem().unwrap().to_str().unwrap().to_owned(), tools.collect())
        })
        .collect()
}

/// The queries that some tool answers.
pub(crate) fn queries() -> Vec<Query> {
    let text = std::fs::read_to_string(repository().join("examples/catalogue/queries.jsonl")).unwrap();
    let parse = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let relevant = value["relevant"].as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect();
        Query { text: value["text"].as_str().unwrap().to_owned(), relevant }
    };
    text.lines().map(parse).filter(|query| !query.relevant.is_empty()).collect()
}

/// Writes the catalogue with its queries as the labelled set `bundled` into `folder`.
pub(crate) fn write_set(folder: &Path) {
    let folder = folder.join("bundled");
    std::fs::create_dir(&folder).unwrap();
    let line = |source: &str, tool: &ToolDefinition| {
        let schema: serde_json::Value = serde_json::from_str(&tool.input_schema_json).unwrap();
        let id = format!("{source}/{}", tool.name);
        serde_json::json!({"id": id, "name": tool.name, "description": tool.description, "input_schema": schema, "server": source}).to_string()
    };
    let tools: Vec<String> =
        sources().iter().flat_map(|(source, tools)| tools.iter().map(|tool| line(source, tool)).collect::<Vec<_>>()).collect();
    let query = |(i, query): (usize, Query)| {
        serde_json::json!({"id": format!("q{i}"), "text": query.text, "relevant": query.relevant}).to_string()
    };
    let queries: Vec<String> = queries().into_iter().enumerate().map(query).collect();
    std::fs::write(folder.join("tools.jsonl"), tools.join("\n")).unwrap();
    std::fs::write(folder.join("queries.jsonl"), queries.join("\n")).unwrap();
}

/// Registers everything.
pub(crate) async fn register(router: &mut TestRouter) {
    for (source, tools) in sources() {
        router.register(&source, tools).await;
    }
}
