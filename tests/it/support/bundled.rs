//! The bundled catalogue and its queries.

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

/// Registers everything.
pub(crate) async fn register(router: &mut TestRouter) {
    for (source, tools) in sources() {
        router.register(&source, tools).await;
    }
}
