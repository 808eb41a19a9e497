//! Tool lists from disk. People have them in the shape of whatever they last talked to, so the shape is told by content:
//! a file name says little, and the same `tools.json` may hold an MCP answer or an OpenAI array.
//!
//! All or nothing: half a list looks like a list whose other half was removed. So every problem of a file is reported at
//! once, each with its place, and nothing of the file is used.

use std::path::Path;

use serde_json::value::RawValue;

pub use super::error::ImportError;
use super::list::{List, Place};
use super::members;
use super::text::{self, MAX_FILE_BYTES};
use crate::error::Violation;
use crate::tool::{Tool, check_source};

/// Longest line of JSON Lines: four times the largest tool that can be registered.
pub const MAX_LINE_BYTES: usize = 1 << 20;
/// Problems of one file told one by one.
pub const MAX_PROBLEMS: usize = 20;

/// What a file turned out to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileFormat {
    /// The answer to MCP `tools/list`, with or without its JSON-RPC envelope, or its array alone.
    McpToolsList,
    /// `tools` of a request to `OpenAI`, Chat Completions or Responses, with or without the request around it.
    OpenAiTools,
    /// `tools` of a request to Anthropic, likewise.
    AnthropicTools,
    /// An `OpenAPI` document, one tool per operation.
    OpenApi,
    /// One tool per line, each in any of the shapes above or in that of a data set (`id`, `server`, `x_*`).
    JsonLines,
}

/// Whose tools the entries are.
#[derive(Clone, Copy, Debug)]
pub enum SourceOf<'a> {
    /// This source's, whatever the entries say.
    Always(&'a str),
    /// That of the source which an entry names as `server` or `source`, without blanks around it; this one's where it names
    /// none.
    Unnamed(&'a str),
}

/// A tool list that was read whole.
#[derive(Debug)]
pub struct Imported {
    /// In file order; no two with the same id. Fields that are not the router's are in `extra`, as they were written.
    pub tools: Vec<Tool>,
    /// The sources of the tools, in order of first appearance.
    pub sources: Vec<String>,
    /// What the file turned out to hold.
    pub format: FileFormat,
    /// Entries that are no functions, such as a model API's own web search: place and reason.
    pub skipped: Vec<Violation>,
    /// The MCP answer has a `nextCursor`: the list goes on elsewhere, so this must not be taken for the whole of its source.
    pub has_more_pages: bool,
}

/// Reads a tool list. `source` overrides what the entries say; without it an entry's own `server` or `source` counts, and
/// the file's name without its extension where an entry names none.
///
/// # Errors
/// Whatever keeps the file from being used whole: see [`ImportError`].
pub fn read(path: &Path, source: Option<&str>) -> Result<Imported, ImportError> {
    read_at_most(MAX_FILE_BYTES, path, source)
}

fn read_at_most(limit: u64, path: &Path, source: Option<&str>) -> Result<Imported, ImportError> {
    let (text, stem) = text::read_at_most(limit, path)?;
    parse(&text, &path.display().to_string(), source.map_or(SourceOf::Unnamed(&stem), SourceOf::Always))
}

/// Reads a tool list from its text; `file` is what messages call it. A byte order mark at the start is passed over.
///
/// # Errors
/// As [`read`], without those of the file system.
pub fn parse(text: &str, file: &str, source: SourceOf<'_>) -> Result<Imported, ImportError> {
    if let SourceOf::Always(source) = source {
        check_source(source).map_err(ImportError::Source)?;
    }
    let text = text::without_mark(text);
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    let first = match values.next() {
        None => return Err(ImportError::Empty { file: file.to_owned() }),
        Some(first) => first.map_err(|e| syntax(file, &e))?.get(),
    };
    let rest = text.get(values.byte_offset()..).unwrap_or_default();
    let mut list = List::new(source);
    if first.starts_with('{') && !rest.trim().is_empty() {
        list.take_lines(text);
        return list.finish(file, FileFormat::JsonLines, false);
    }
    // Once more as one value: whatever follows an array is an error that has a place.
    serde_json::from_str::<&RawValue>(text).map_err(|e| syntax(file, &e))?;
    match envelope(first).map_err(|found| ImportError::NoTools { file: file.to_owned(), found })? {
        Envelope::Tools { array, entries, has_more_pages } => {
            for (index, entry) in entries.iter().enumerate() {
                list.take(entry.get(), Place::Element { array, index });
            }
            let format = list.array_format();
            list.finish(file, format, has_more_pages)
        }
        Envelope::OneTool => {
            let blank = text.len() - text.trim_start().len();
            let line = 1 + text.get(..blank).unwrap_or_default().matches('\n').count();
            list.take(first, Place::Line(line));
            list.finish(file, FileFormat::JsonLines, false)
        }
    }
}

fn syntax(file: &str, error: &serde_json::Error) -> ImportError {
    let (file, line, column) = (file.to_owned(), error.line(), error.column());
    if error.is_eof() {
        return ImportError::Truncated { file, line, column };
    }
    ImportError::Syntax { file, line, column, detail: parser_words(error) }
}

/// The parser's words without its place, which is told beside them.
pub(super) fn parser_words(error: &serde_json::Error) -> String {
    let words = error.to_string();
    words.rsplit_once(" at line ").map_or_else(|| words.clone(), |(before, _)| before.to_owned())
}

/// What a document that is one JSON value has its tools in.
enum Envelope<'a> {
    Tools { array: &'static str, entries: Vec<&'a RawValue>, has_more_pages: bool },
    OneTool,
}

/// Finds the tools, or says what is there instead.
fn envelope(document: &str) -> Result<Envelope<'_>, String> {
    if document.starts_with('[') {
        let entries = serde_json::from_str(document).map_err(|e| parser_words(&e))?;
        return Ok(Envelope::Tools { array: "", entries, has_more_pages: false });
    }
    let outer = members::of(document).map_err(|e| e.to_string())?;
    let result = outer.iter().find(|(key, raw)| key == "result" && raw.get().starts_with('{'));
    let (array, inner) = match result {
        Some((_, result)) => ("result.tools", members::of(result.get()).map_err(|e| format!("result: {e}"))?),
        None => ("tools", outer),
    };
    let member = |key: &str| inner.iter().find(|(k, _)| k == key).map(|(_, raw)| raw.get());
    if let Some(tools) = member("tools") {
        if !tools.starts_with('[') {
            return Err(format!("{array} is {}, not an array", members::type_name(tools)));
        }
        let entries = serde_json::from_str(tools).map_err(|e| parser_words(&e))?;
        let has_more_pages = member("nextCursor").is_some_and(|cursor| cursor != "null" && cursor != "\"\"");
        return Ok(Envelope::Tools { array, entries, has_more_pages });
    }
    match (member("error"), member("name").or(member("function"))) {
        (_, Some(_)) => Ok(Envelope::OneTool),
        (Some(error), None) => {
            Err(format!("holds a JSON-RPC error, not an answer: {}", error.chars().take(200).collect::<String>()))
        }
        (None, None) => Err(format!("has no {array}")),
    }
}

#[cfg(test)]
mod tests;
