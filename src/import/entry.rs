//! One entry of a tool list: which shape it has, what in it is the tool's, and what is wrong with it.

use serde_json::value::RawValue;

use super::file::{SourceOf, parser_words};
use super::members;
use crate::error::Violation;
use crate::json::{self, Json, JsonError, Members};
use crate::tool::{Document, MAX_SCHEMA_DEPTH, Tool, ToolId};

/// The input schema of a tool that gives none: `OpenAI` leaves it out for functions without parameters.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;
/// Where the shapes keep the input schema: MCP, Anthropic, `OpenAI`.
const INPUT_SCHEMA: [&str; 3] = ["inputSchema", "input_schema", "parameters"];

/// Whose shape an entry has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Mcp,
    OpenAi,
    Anthropic,
}

/// What an entry is.
pub(super) enum Entry {
    Tool(Box<Tool>, Shape),
    /// No function, for this reason.
    Skipped(String),
}

/// Reads one entry. `bookkeeping`: drop `id` and `x_*`, which lines of a data set have and publishers do not.
///
/// # Errors
/// Everything wrong with it; fields are named from the entry on, and an empty one means the whole entry.
pub(super) fn read(raw: &str, source: SourceOf<'_>, bookkeeping: bool) -> Result<Entry, Vec<Violation>> {
    let mut problems = Vec::new();
    let whole = members::of(raw).map_err(|e| vec![Violation::new("", words(&e, raw))])?;
    let mut outer = Fields { prefix: "", members: whole };
    if let Some(reason) = outer.why_no_function() {
        return Ok(Entry::Skipped(reason));
    }
    let shape = outer.shape();
    let source = outer.source(source, &mut problems);
    outer.take_if("type", |raw| raw == "\"function\"");
    if bookkeeping {
        outer.members.retain(|(key, _)| key != "id" && !key.starts_with("x_"));
    }
    // Chat Completions wraps the definition in `function`; everyone else lays it open.
    let (mut own, wrapper) = match outer.take("function") {
        None => (outer, None),
        Some(function) => match members::of(function.get()) {
            Ok(members) => (Fields { prefix: "function.", members }, Some(outer)),
            Err(e) => return Err(vec![Violation::new("function", words(&e, function.get()))]),
        },
    };
    let name = own.required_text("name", &mut problems);
    let title = own.text("title", &mut problems);
    let description = own.text("description", &mut problems).unwrap_or_default();
    let input_schema = own.input_schema(&mut problems);
    let output_schema = own.document(&["outputSchema", "output_schema"], &mut problems);
    let annotations = own.document(&["annotations"], &mut problems);
    let domain = own.labels::<String>("domain");
    let tags = own.labels("tags").unwrap_or_default();
    let examples = own.labels("examples").unwrap_or_default();
    let prefix = own.prefix;
    let extra = own.extra(wrapper.as_ref(), &mut problems);
    let id = source.zip(name).and_then(|(source, name)| {
        let id = ToolId::new(&source, &name);
        id.map_err(|v| problems.push(if v.field == "name" { Violation { field: format!("{prefix}name"), ..v } } else { v })).ok()
    });
    match (id, input_schema) {
        (Some(id), Some(input_schema)) if problems.is_empty() => {
            let tool = Tool { id, title, description, input_schema, output_schema, annotations, extra, domain, tags, examples };
            Ok(Entry::Tool(Box::new(tool), shape))
        }
        _ => Err(problems),
    }
}

/// What is wrong with the JSON text `raw`, with the value that broke the limit and the way out.
fn words(error: &JsonError, raw: &str) -> String {
    match error {
        JsonError::TooDeep { limit } => format!("is nested {} levels deep, the limit is {limit}; flatten it", depth(raw)),
        JsonError::DuplicateKey { .. } => format!("{error}; keep one"),
        JsonError::Syntax { .. } | JsonError::NotAnObject { .. } => error.to_string(),
    }
}

/// Levels of arrays and objects in valid JSON.
fn depth(raw: &str) -> usize {
    let (mut open, mut deepest, mut in_string, mut escaped) = (0_usize, 0, false, false);
    for byte in raw.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                open += 1;
                deepest = deepest.max(open);
            }
            b'}' | b']' if !in_string => open = open.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Members that nobody has asked for yet, and where they stand in the entry.
struct Fields<'a> {
    prefix: &'static str,
    members: Members<'a>,
}

impl<'a> Fields<'a> {
    fn has(&self, key: &str) -> bool {
        self.members.iter().any(|(k, _)| k == key)
    }

    /// Takes the member `key` out; `null` is as good as absent.
    fn take(&mut self, key: &str) -> Option<&'a RawValue> {
        self.take_if(key, |_| true).filter(|raw| raw.get() != "null")
    }

    fn take_if(&mut self, key: &str, fits: impl Fn(&str) -> bool) -> Option<&'a RawValue> {
        let at = self.members.iter().position(|(k, raw)| k == key && fits(raw.get()))?;
        Some(self.members.remove(at).1)
    }

    fn problem(&self, key: &str, description: impl Into<String>) -> Violation {
        Violation::new(format!("{}{key}", self.prefix), description)
    }

    /// A model API's own tool has a `type` and no schema. Leaving it out is no loss: it is not called by the orchestrator.
    fn why_no_function(&self) -> Option<String> {
        let (_, kind) = self.members.iter().find(|(key, _)| key == "type")?;
        let has_definition = INPUT_SCHEMA.iter().chain(&["function"]).any(|key| self.has(key));
        let is_other = kind.get().starts_with('"') && kind.get() != "\"function\"";
        (is_other && !has_definition).then(|| format!("is a tool of type {}, not a function with a schema", kind.get()))
    }

    fn shape(&self) -> Shape {
        let is_function = self.members.iter().any(|(key, raw)| key == "type" && raw.get() == "\"function\"");
        if is_function || self.has("function") || self.has("parameters") {
            Shape::OpenAi
        } else if self.has("input_schema") {
            Shape::Anthropic
        } else {
            Shape::Mcp
        }
    }

    fn source(&mut self, source: SourceOf<'_>, problems: &mut Vec<Violation>) -> Option<String> {
        let unnamed = match source {
            SourceOf::Always(source) => {
                for key in ["server", "source"] {
                    self.take_if(key, |raw| raw.starts_with('"') || raw == "null");
                }
                return Some(source.to_owned());
            }
            SourceOf::Unnamed(unnamed) => unnamed,
        };
        for key in ["server", "source"] {
            if let Some(raw) = self.take(key) {
                // A label for people, unlike a tool's name, which is called: blanks around it say nothing.
                let named = serde_json::from_str::<String>(raw.get()).ok().map(|named| named.trim().to_owned());
                if named.is_none() {
                    let found = members::type_name(raw.get());
                    problems
                        .push(self.problem(key, format!("is {found}, not the name of a source; give one for the whole file")));
                }
                return named;
            }
        }
        Some(unnamed.to_owned())
    }

    fn text(&mut self, key: &str, problems: &mut Vec<Violation>) -> Option<String> {
        let raw = self.take(key)?;
        let text = serde_json::from_str(raw.get());
        text.map_err(|e| {
            let description = if raw.get().starts_with('"') {
                // Half of a surrogate pair: the one thing that a string may hold and a text may not.
                format!("is not valid JSON: {}", parser_words(&e))
            } else {
                format!("is {}, not a string", members::type_name(raw.get()))
            };
            problems.push(self.problem(key, description));
        })
        .ok()
    }

    fn required_text(&mut self, key: &str, problems: &mut Vec<Violation>) -> Option<String> {
        if self.members.iter().any(|(k, raw)| k == key && raw.get() != "null") {
            return self.text(key, problems);
        }
        problems.push(self.problem(key, "is missing"));
        None
    }

    fn input_schema(&mut self, problems: &mut Vec<Violation>) -> Option<Document> {
        let given: Vec<_> = INPUT_SCHEMA.iter().filter(|key| self.has(key)).collect();
        if let [one, other, ..] = given[..] {
            problems.push(self.problem(other, format!("stands beside {one}; keep one")));
            return None;
        }
        let before = problems.len();
        match self.document(&INPUT_SCHEMA, problems) {
            None if problems.len() == before => Document::parse(NO_ARGUMENTS).ok(),
            schema => schema,
        }
    }

    /// The JSON object under the first of `keys` that is there.
    fn document(&mut self, keys: &[&str], problems: &mut Vec<Violation>) -> Option<Document> {
        let (key, raw) = keys.iter().find_map(|key| self.take(key).map(|raw| (key, raw)))?;
        Document::parse(raw.get()).map_err(|e| problems.push(self.problem(key, words(&e, raw.get())))).ok()
    }

    /// Labels of ours (`domain`, `tags`, `examples`); of another type they are a publisher's and stay.
    fn labels<T: serde::de::DeserializeOwned>(&mut self, key: &str) -> Option<T> {
        let (_, raw) = self.members.iter().find(|(k, _)| k == key)?;
        let labels = serde_json::from_str(raw.get()).ok()?;
        self.take(key);
        Some(labels)
    }

    /// What is left, of the definition and of what it was wrapped in, as one object; the definition's own word counts.
    fn extra(&self, wrapper: Option<&Fields<'_>>, problems: &mut Vec<Violation>) -> Option<Document> {
        let mut text = String::new();
        for (key, raw) in &self.members {
            add_member(&mut text, self.prefix, key, raw.get(), problems);
        }
        for (key, raw) in wrapper.into_iter().flat_map(|wrapper| &wrapper.members).filter(|(key, _)| !self.has(key)) {
            add_member(&mut text, "", key, raw.get(), problems);
        }
        if text.is_empty() { None } else { Document::parse(&format!("{{{text}}}")).ok() }
    }
}

/// Appends a member that can be kept, or says why it cannot.
fn add_member(text: &mut String, prefix: &str, key: &str, raw: &str, problems: &mut Vec<Violation>) {
    // One level less: the member will stand inside an object.
    if let Err(e) = Json::parse(raw, MAX_SCHEMA_DEPTH - 1) {
        // A publisher's key may hold what a terminal obeys.
        problems.push(Violation::new(format!("{prefix}{}", key.escape_debug()), words(&e, raw)));
        return;
    }
    if !text.is_empty() {
        text.push(',');
    }
    json::write_string(key, text);
    text.push(':');
    text.push_str(raw);
}
