//! OpenAPI 3.0 and 3.1 documents, JSON or YAML: one tool per operation.
//!
//! A tool takes one object: the operation's parameters by name, and `body` for the request body. Schemas keep their structure; what they
//! refer to within the document comes along under `$defs`, so recursive ones need no unrolling. Method and path travel in `_meta`, for
//! whoever makes the call. All or nothing, as for every file: a document with one broken operation is refused with every place named.

mod operation;
mod schema;

use std::collections::HashMap;
use std::path::Path;

use self::operation::Operation;
use super::error::ImportError;
use super::file::{FileFormat, Imported, MAX_PROBLEMS};
use super::text;
use crate::error::Violation;
use crate::json::Json;
use crate::tool::{MAX_NAME_BYTES, check_source};

/// Deepest nesting of a document: a schema of the deepest kind within a response within an operation.
const MAX_DEPTH: usize = 160;
/// The methods that a path item may have, as the specification lists them.
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// Reads a document. Without `source` the tools belong to a source of the document's title.
///
/// # Errors
/// Whatever keeps the document from being used whole: see [`ImportError`].
pub fn read(path: &Path, source: Option<&str>) -> Result<Imported, ImportError> {
    let (text, stem) = text::read_at_most(text::MAX_FILE_BYTES, path)?;
    parse(&text, &path.display().to_string(), source, &stem)
}

/// Reads a document from its text; `file` is what messages call it, `stem` the source of one without a title.
///
/// # Errors
/// As [`read`], without those of the file system.
pub fn parse(text: &str, file: &str, source: Option<&str>, stem: &str) -> Result<Imported, ImportError> {
    let text = text::without_mark(text);
    if text.trim().is_empty() {
        return Err(ImportError::Empty { file: file.to_owned() });
    }
    let document = tree(text, file)?;
    let wrong = |found: String| ImportError::NotOpenApi { file: file.to_owned(), found };
    let is_3_0 = version(&document).map_err(wrong)?;
    let title = document.get("info").and_then(|info| info.get("title")).and_then(Json::as_str).map(str::trim);
    let source = source.or(title.filter(|title| !title.is_empty() && title.len() <= MAX_NAME_BYTES)).unwrap_or(stem);
    check_source(source).map_err(ImportError::Source)?;
    let Some(paths) = document.get("paths").and_then(Json::as_object) else {
        return Err(wrong("has no paths".to_owned()));
    };
    let mut problems = Vec::new();
    let mut operations = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with('/')) {
        match schema::resolve(&document, item) {
            Ok(item) => operations.extend(METHODS.into_iter().filter_map(|method| {
                let own = item.get(method)?;
                Some(Operation { document: &document, path, method, item, own, is_3_0 })
            })),
            Err(reason) => problems.push(Violation::new(format!("paths.{path}"), reason)),
        }
    }
    // Names that authors gave come first: a derived one gives way to them.
    let mut places: HashMap<String, String> = HashMap::new();
    for (operation, id) in operations.iter().filter_map(|operation| Some((operation, operation.id()?))) {
        if let Some(first) = places.get(id) {
            let description = format!("is called {id:?}, and so is {first}: operationIds must differ");
            problems.push(Violation::new(operation.place(), description));
        } else {
            places.insert(id.to_owned(), operation.place());
        }
    }
    let mut tools = Vec::with_capacity(operations.len());
    for operation in &operations {
        let name = operation.id().map_or_else(|| operation.derived_name(|name| places.contains_key(name)), str::to_owned);
        match operation.tool(source, &name) {
            Ok(tool) => tools.push(tool),
            Err(found) => problems.extend(found.into_iter().map(|violation| violation.within(&operation.place()))),
        }
        places.insert(name, operation.place());
    }
    if !problems.is_empty() {
        let more = problems.len().saturating_sub(MAX_PROBLEMS);
        problems.truncate(MAX_PROBLEMS);
        return Err(ImportError::Entries { file: file.to_owned(), problems, more });
    }
    if tools.is_empty() {
        return Err(wrong("has no operations".to_owned()));
    }
    let sources = vec![source.to_owned()];
    Ok(Imported { tools, sources, format: FileFormat::OpenApi, skipped: Vec::new(), has_more_pages: false })
}

/// The document as a tree, whatever it is written in.
fn tree(text: &str, file: &str) -> Result<Json, ImportError> {
    let syntax = |line: usize, column: usize, detail: String| ImportError::Syntax { file: file.to_owned(), line, column, detail };
    let as_json = |text: &str| Json::parse_object(text, MAX_DEPTH).map_err(|e| syntax(1, 1, e.to_string()));
    if text.trim_start().starts_with('{') {
        return match serde_json::from_str::<&serde_json::value::RawValue>(text) {
            Ok(_) => as_json(text),
            Err(e) => Err(syntax(e.line(), e.column(), super::file::parser_words(&e))),
        };
    }
    let broken = |e: serde_norway::Error| {
        let (line, column) = e.location().map_or((1, 1), |at| (at.line(), at.column()));
        syntax(line, column, format!("as YAML: {e}"))
    };
    let mut value: serde_norway::Value = serde_norway::from_str(text).map_err(broken)?;
    value.apply_merge().map_err(broken)?;
    // Through text, so that what JSON forbids (a key twice, too deep) is found in one place.
    as_json(&yaml(value).to_string())
}

/// YAML as JSON, in the order it was written; keys that are numbers, as of answers by status, become text.
fn yaml(value: serde_norway::Value) -> Json {
    use serde_norway::Value;
    match value {
        Value::Null => Json::Null,
        Value::Bool(is) => Json::Bool(is),
        Value::Number(number) if number.is_f64() && !number.is_finite() => Json::Null,
        Value::Number(number) => Json::Number(number.to_string().into()),
        Value::String(text) => Json::String(text),
        Value::Sequence(all) => Json::Array(all.into_iter().map(yaml).collect()),
        Value::Mapping(all) => Json::Object(
            all.into_iter()
                .map(|(key, value)| {
                    let key = match yaml(key) {
                        Json::String(text) => text,
                        other => other.to_string(),
                    };
                    (key, yaml(value))
                })
                .collect(),
        ),
        Value::Tagged(tagged) => yaml(tagged.value),
    }
}

/// Whether it is 3.0, whose schemas differ from those of 3.1; what it is instead when it is neither.
fn version(document: &Json) -> Result<bool, String> {
    if let Some(version) = document.get("swagger").and_then(Json::as_str) {
        return Err(format!(
            "is Swagger {version}, the format before OpenAPI 3: convert it first, for example with swagger2openapi"
        ));
    }
    match document.get("openapi").and_then(Json::as_str) {
        Some(version) if version == "3.0" || version.starts_with("3.0.") => Ok(true),
        Some(version) if version.starts_with("3.") => Ok(false),
        Some(version) => Err(format!("says openapi: {version:?}; 3.0 and 3.1 can be read")),
        None => Err("has no member openapi".to_owned()),
    }
}

#[cfg(test)]
mod tests;
