//! A tool list in the making: takes entries one by one and remembers where each stood.

use std::collections::HashMap;
use std::fmt;

use serde_json::value::RawValue;

use super::entry::{self, Entry, Shape};
use super::error::ImportError;
use super::file::{FileFormat, Imported, MAX_LINE_BYTES, MAX_PROBLEMS, SourceOf, parser_words};
use crate::error::Violation;
use crate::tool::{Tool, ToolId};

/// Where an entry stands in its file.
#[derive(Clone, Copy)]
pub(super) enum Place {
    /// An element of the array at this path.
    Element { array: &'static str, index: usize },
    /// A line, counted from 1.
    Line(usize),
}

impl Place {
    /// Within the entry; an empty `field` is the whole of it.
    fn field(self, field: &str) -> String {
        match self {
            _ if field.is_empty() => self.to_string(),
            Self::Element { .. } => format!("{self}.{field}"),
            Self::Line(_) => format!("{self}: {field}"),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Element { array, index } => write!(f, "{array}[{index}]"),
            Self::Line(line) => write!(f, "line {line}"),
        }
    }
}

pub(super) struct List<'a> {
    source: SourceOf<'a>,
    tools: Vec<Tool>,
    /// Of the first tool.
    shape: Option<Shape>,
    places: HashMap<ToolId, Place>,
    skipped: Vec<Violation>,
    problems: Vec<Violation>,
    more_problems: usize,
}

impl<'a> List<'a> {
    pub(super) fn new(source: SourceOf<'a>) -> Self {
        Self {
            source,
            tools: Vec::new(),
            shape: None,
            places: HashMap::new(),
            skipped: Vec::new(),
            problems: Vec::new(),
            more_problems: 0,
        }
    }

    /// Takes the entry `raw`, which is valid JSON.
    pub(super) fn take(&mut self, raw: &str, place: Place) {
        match entry::read(raw, self.source, matches!(place, Place::Line(_))) {
            Err(problems) => problems.into_iter().for_each(|p| self.problem(place.field(&p.field), p.description)),
            Ok(Entry::Skipped(reason)) => self.skipped.push(Violation::new(place.to_string(), reason)),
            Ok(Entry::Tool(tool, shape)) => {
                if let Some(first) = self.places.get(&tool.id) {
                    let description = format!("is {:?} again, as in {first}; keep one", tool.id.to_string());
                    return self.problem(place.to_string(), description);
                }
                self.places.insert(tool.id.clone(), place);
                self.shape.get_or_insert(shape);
                self.tools.push(*tool);
            }
        }
    }

    /// Takes every line that is not blank.
    pub(super) fn take_lines(&mut self, text: &str) {
        for (i, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let place = Place::Line(i + 1);
            if MAX_LINE_BYTES < line.len() {
                self.problem(place.to_string(), format!("has {} bytes, the limit is {MAX_LINE_BYTES}", line.len()));
                continue;
            }
            match serde_json::from_str::<&RawValue>(line) {
                Ok(raw) => self.take(raw.get(), place),
                Err(e) if e.is_eof() => {
                    self.problem(place.to_string(), format!("ends in the middle of a JSON value, at column {}", e.column()));
                }
                Err(e) => {
                    let description = format!("is not valid JSON at column {}: {}", e.column(), parser_words(&e));
                    self.problem(place.to_string(), description);
                }
            }
        }
    }

    fn problem(&mut self, field: String, description: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Violation { field, description });
        } else {
            self.more_problems += 1;
        }
    }

    /// The format by the shape of the first tool; an empty list can only be MCP's, the others are never sent empty.
    pub(super) fn array_format(&self) -> FileFormat {
        match self.shape {
            Some(Shape::OpenAi) => FileFormat::OpenAiTools,
            Some(Shape::Anthropic) => FileFormat::AnthropicTools,
            Some(Shape::Mcp) | None => FileFormat::McpToolsList,
        }
    }

    pub(super) fn finish(self, file: &str, format: FileFormat, has_more_pages: bool) -> Result<Imported, ImportError> {
        let Self { tools, skipped, problems, more_problems: more, .. } = self;
        if !problems.is_empty() {
            return Err(ImportError::Entries { file: file.to_owned(), problems, more });
        }
        let mut seen = std::collections::HashSet::new();
        let sources = tools.iter().map(|t| t.id.source()).filter(|s| seen.insert(*s)).map(str::to_owned).collect();
        Ok(Imported { tools, sources, format, skipped, has_more_pages })
    }
}
