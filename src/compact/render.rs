//! Writes one tool as one JSON object of a model API, and says what that object costs within a list.
//!
//! FULL is the publisher's own text, byte for byte; LEAN and SKELETON are minified. In every format `name` is the model name.
//! The costs hold for the list as [`prompt`] writes it, with a line end after each comma: see there why they add up.

use std::borrow::Cow;

use super::schema;
use super::tokens::Tokenizer;
use crate::json::{Json, write_string};
use crate::tool::{Document, ModelName, TokenCount, Tool};

/// Whose shape a definition has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `tools[]` of OpenAI's Chat Completions: `{"type":"function","function":{"name",…,"parameters"}}`.
    OpenAiChat,
    /// `tools[]` of Anthropic's Messages: `{"name",…,"input_schema"}`.
    Anthropic,
    /// `tools[]` of an MCP `tools/list` answer: `{"name",…,"inputSchema",…}`.
    Mcp,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::OpenAiChat, Self::Anthropic, Self::Mcp];

    /// `openai_chat`, `anthropic` or `mcp`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::Anthropic => "anthropic",
            Self::Mcp => "mcp",
        }
    }

    /// The format of that [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.name() == name)
    }
}

/// How much of a definition is shown; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fidelity {
    /// Names, types, required, enums and nested shape; no description.
    Skeleton,
    /// Everything that says something: annotations that do not, and whitespace, are gone.
    Lean,
    /// What the publisher wrote.
    Full,
}

impl Fidelity {
    /// All of them, smallest first.
    pub const ALL: [Self; 3] = [Self::Skeleton, Self::Lean, Self::Full];

    /// `skeleton`, `lean` or `full`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Skeleton => "skeleton",
            Self::Lean => "lean",
            Self::Full => "full",
        }
    }
}

/// The schemas of LEAN and SKELETON, made once: parsing and writing one takes longer than all else about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forms {
    /// `None` where the publisher already writes it so.
    lean: Option<Box<str>>,
    /// `None` where it equals LEAN.
    skeleton: Option<Box<str>>,
}

impl Forms {
    /// Those of `tool`.
    #[must_use]
    pub fn of(tool: &Tool) -> Self {
        let schema = tool.input_schema.json();
        let (lean, skeleton) = (arguments(schema::lean(&schema)), arguments(schema::skeleton(&schema)));
        Self {
            skeleton: (skeleton != lean).then(|| skeleton.into()),
            lean: (lean != tool.input_schema.text()).then(|| lean.into()),
        }
    }

    /// One tool as one JSON object.
    ///
    /// An empty description is left out, and SKELETON has none. Schemas of LEAN and SKELETON get a `type` of `object` and
    /// `properties` where the root lacks them: the APIs ask for both, and since arguments are always an object neither changes
    /// what is accepted. FULL adds, where the format has a place for it, what else the publisher wrote: MCP takes the title, the
    /// output schema, the annotations and every further member; OpenAI takes `strict`; Anthropic refuses members it does not
    /// know, and its `cache_control` belongs to a place in a list (four per request), not to a tool.
    #[must_use]
    pub fn render(&self, tool: &Tool, model_name: &ModelName, format: Format, fidelity: Fidelity) -> String {
        let publishers = tool.input_schema.text();
        let lean = self.lean.as_deref().unwrap_or(publishers);
        let (description, schema) = match fidelity {
            Fidelity::Full => (Cow::Borrowed(tool.description.as_str()), publishers),
            Fidelity::Lean => (schema::tidy(&tool.description), lean),
            Fidelity::Skeleton => (Cow::Borrowed(""), self.skeleton.as_deref().unwrap_or(lean)),
        };
        Body { description, schema, full: fidelity == Fidelity::Full }.render(tool, model_name, format)
    }
}

/// The list ready to paste: a JSON array with every item on a line of its own, or nothing at all when there are no items.
///
/// Why the line ends? Both vocabularies first split a text into pieces and never join tokens across two of them. A run of
/// punctuation takes the line ends that follow it along and there the piece ends. So `},\n` closes a piece, the next item
/// opens one, and the count of the list is exactly the sum of the counts of its lines. `},{` would be one piece, and the
/// count of a list would depend on its neighbours.
pub fn prompt<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for item in items {
        out.push_str(if out.is_empty() { "[\n" } else { ",\n" });
        out.push_str(item);
    }
    if !out.is_empty() {
        out.push_str("\n]");
    }
    out
}

/// Tokens of an item within a [`prompt`], wherever it stands: the dearer of "a comma follows" and "it is the last".
/// `item` is a JSON object.
#[must_use]
pub fn cost(item: &str, tokenizer: Tokenizer) -> TokenCount {
    let [followed, last] = line_tokens(item, tokenizer);
    followed.max(last)
}

/// Tokens of an item's line in a [`prompt`], exactly: when another follows, and when it is the last.
#[must_use]
pub fn line_tokens(item: &str, tokenizer: Tokenizer) -> [TokenCount; 2] {
    // Only the closing punctuation differs between the two, so everything before it is counted once.
    let (body, end) = item.split_at(closing(item));
    let body = tokenizer.count(body);
    [",\n", "\n"].map(|behind| body + tokenizer.count(&format!("{end}{behind}")))
}

/// Tokens of a [`prompt`], exactly, from the [`line_tokens`] of its items.
#[must_use]
pub fn list_tokens(lines: &[[TokenCount; 2]], tokenizer: Tokenizer) -> TokenCount {
    let Some((last, followed)) = lines.split_last() else { return TokenCount(0) };
    followed.iter().fold(frame(tokenizer) + last[1], |sum, line| sum + line[0])
}

/// Tokens of a [`prompt`] apart from its items: the brackets.
#[must_use]
pub fn frame(tokenizer: Tokenizer) -> TokenCount {
    tokenizer.count("[\n") + tokenizer.count("]")
}

/// Where the last run of closing punctuation starts. A word or number ends before it, and no piece of either vocabulary goes
/// on from a letter or digit into a quote or bracket; 0 when there is no such place.
fn closing(item: &str) -> usize {
    let is_edge = |pair: &[u8]| matches!(pair, [word, b'"' | b'}' | b']'] if word.is_ascii_alphanumeric());
    item.as_bytes().windows(2).rposition(is_edge).map_or(0, |position| position + 1)
}

/// What the formats have in common at one fidelity.
struct Body<'a> {
    description: Cow<'a, str>,
    schema: &'a str,
    /// Whether everything else the publisher wrote is shown too.
    full: bool,
}

impl Body<'_> {
    fn render(&self, tool: &Tool, model_name: &ModelName, format: Format) -> String {
        let full = self.full;
        let extra = tool.extra.as_ref().filter(|_| full).map(Document::json);
        match format {
            Format::OpenAiChat => {
                let mut function = Object::default();
                function.string("name", model_name.as_str());
                function.string_unless_empty("description", &self.description);
                function.member("parameters", self.schema);
                if let Some(strict) = extra.as_ref().and_then(|extra| extra.get("strict")) {
                    function.member("strict", &strict.to_string());
                }
                let mut out = Object::default();
                out.string("type", "function");
                out.member("function", &function.close());
                out.close()
            }
            Format::Anthropic => {
                let mut out = Object::default();
                out.string("name", model_name.as_str());
                out.string_unless_empty("description", &self.description);
                out.member("input_schema", self.schema);
                out.close()
            }
            Format::Mcp => {
                let mut out = Object::default();
                out.string("name", model_name.as_str());
                if let Some(title) = tool.title.as_ref().filter(|_| full) {
                    out.string("title", title);
                }
                out.string_unless_empty("description", &self.description);
                out.member("inputSchema", self.schema);
                for (key, document) in [("outputSchema", &tool.output_schema), ("annotations", &tool.annotations)] {
                    if let Some(document) = document.as_ref().filter(|_| full) {
                        out.member(key, document.text());
                    }
                }
                for (key, value) in extra.as_ref().and_then(Json::as_object).unwrap_or_default() {
                    if !MCP_MEMBERS.contains(&key.as_str()) {
                        out.member(key, &value.to_string());
                    }
                }
                out.close()
            }
        }
    }
}

/// Members of an MCP tool that have a field of their own in [`Tool`], so that a further member of that name is not written.
const MCP_MEMBERS: [&str; 6] = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"];

/// A schema that the APIs take as one of arguments.
fn arguments(schema: Json) -> String {
    let Json::Object(mut members) = schema else { return schema.to_string() };
    let lacks = |members: &[(String, Json)], keyword: &str| !members.iter().any(|(key, _)| key == keyword);
    if lacks(&members, "type") {
        members.insert(0, ("type".to_owned(), Json::String("object".to_owned())));
    }
    if lacks(&members, "properties") {
        members.push(("properties".to_owned(), Json::Object(Vec::new())));
    }
    Json::Object(members).to_string()
}

/// A JSON object being written.
#[derive(Default)]
struct Object {
    text: String,
}

impl Object {
    /// `value` is JSON text.
    fn member(&mut self, key: &str, value: &str) {
        self.text.push(if self.text.is_empty() { '{' } else { ',' });
        write_string(key, &mut self.text);
        self.text.push(':');
        self.text.push_str(value);
    }

    fn string(&mut self, key: &str, value: &str) {
        let mut quoted = String::with_capacity(value.len() + 2);
        write_string(value, &mut quoted);
        self.member(key, &quoted);
    }

    fn string_unless_empty(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.string(key, value);
        }
    }

    fn close(mut self) -> String {
        if self.text.is_empty() {
            self.text.push('{');
        }
        self.text.push('}');
        self.text
    }
}

#[cfg(test)]
mod tests;
