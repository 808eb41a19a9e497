//! Writes one tool as one JSON object of a model API, and says what that object costs within a list.
//!
//! FULL is the publisher's own text, byte for byte; LEAN and SKELETON are minified. In every format `name` is the model name.
//! The costs hold for the list as [`prompt`] writes it, with a line end after each comma: see there why they add up.

mod body;

use std::borrow::Cow;

pub(super) use self::body::{Body, Strict};
use super::describe;
use super::schema::{self, Step, Steps};
use super::tokens::Tokenizer;
use crate::json::Json;
use crate::tool::{ModelName, TokenCount, Tool};

/// Whose shape a definition has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `tools[]` of OpenAI's Chat Completions: `{"type":"function","function":{"name",…,"parameters"}}`.
    OpenAiChat,
    /// `tools[]` of Anthropic's Messages: `{"name",…,"input_schema"}`.
    Anthropic,
    /// `tools[]` of an MCP `tools/list` answer: `{"name",…,"inputSchema",…}`.
    Mcp,
    /// `tools[]` of OpenAI's Responses: `{"type":"function","name",…,"parameters","strict"}`.
    OpenAiResponses,
    /// `functionDeclarations[]` of a tool of the Gemini API: `{"name",…,"parametersJsonSchema"}`.
    Gemini,
}

impl Format {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::OpenAiChat, Self::Anthropic, Self::Mcp, Self::OpenAiResponses, Self::Gemini];

    /// `openai_chat`, `anthropic`, `mcp`, `openai_responses` or `gemini`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::OpenAiChat => "openai_chat",
            Self::Anthropic => "anthropic",
            Self::Mcp => "mcp",
            Self::OpenAiResponses => "openai_responses",
            Self::Gemini => "gemini",
        }
    }

    /// Whether the API has a place to mark a tool that it is to load only once a search of the model's found it.
    #[must_use]
    pub fn can_defer(self) -> bool {
        match self {
            Self::Anthropic | Self::OpenAiResponses => true,
            Self::OpenAiChat | Self::Mcp | Self::Gemini => false,
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
    /// What a model acts on: annotations that say nothing are gone, choices are written shortly, descriptions keep what a call needs.
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

/// The texts of LEAN and SKELETON, made once: parsing and writing one takes longer than all else about an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forms {
    /// The description of LEAN; `None` where it is the publisher's.
    description: Option<Box<str>>,
    /// `None` where the publisher already writes it so.
    lean: Option<Box<str>>,
    /// `None` where it equals LEAN.
    skeleton: Option<Box<str>>,
}

impl Forms {
    /// Those of `tool`.
    #[must_use]
    pub fn of(tool: &Tool) -> Self {
        Self::by(tool, Steps::ALL)
    }

    /// With some of LEAN's steps left out, to see what they save.
    #[must_use]
    pub fn by(tool: &Tool, steps: Steps) -> Self {
        let schema = tool.input_schema.json();
        let cleaned = schema::lean_by(&schema, steps);
        let description = if steps.has(Step::ToolText) {
            describe::tool(&tool.description, &|name| {
                let parameter = cleaned.get("properties").and_then(|named| named.get(name));
                parameter.is_some_and(|schema| schema.get("description").is_some())
            })
        } else {
            describe::tidy(&tool.description).into_owned()
        };
        let (lean, skeleton) = (arguments(cleaned), arguments(schema::skeleton(&schema)));
        Self {
            description: (description != tool.description).then(|| description.into()),
            skeleton: (skeleton != lean).then(|| skeleton.into()),
            lean: (lean != tool.input_schema.text()).then(|| lean.into()),
        }
    }

    /// One tool as one JSON object.
    ///
    /// An empty description is left out, and SKELETON has none. Schemas of LEAN and SKELETON get a `type` of `object` and
    /// `properties` where the root lacks them: the APIs ask for both, and since arguments are always an object neither changes
    /// what is accepted. FULL adds what else the publisher wrote, where the format has a place for it: see `render/body.rs`.
    #[must_use]
    pub fn render(&self, tool: &Tool, model_name: &ModelName, format: Format, fidelity: Fidelity) -> String {
        let (description, schema) = self.texts(tool, fidelity);
        let is_full = fidelity == Fidelity::Full;
        let strict = if is_full { Strict::Publishers } else { Strict::No };
        Body { description, schema, is_full, strict, in_subset: false, deferred: false }.render(tool, model_name, format)
    }

    /// The description and the schema.
    pub(super) fn texts<'a>(&'a self, tool: &'a Tool, fidelity: Fidelity) -> (Cow<'a, str>, &'a str) {
        let publishers = tool.input_schema.text();
        let lean = self.lean.as_deref().unwrap_or(publishers);
        match fidelity {
            Fidelity::Full => (Cow::Borrowed(tool.description.as_str()), publishers),
            Fidelity::Lean => (Cow::Borrowed(self.description.as_deref().unwrap_or(&tool.description)), lean),
            Fidelity::Skeleton => (Cow::Borrowed(""), self.skeleton.as_deref().unwrap_or(lean)),
        }
    }
}

/// The list ready to paste: a JSON array with every item on a line of its own, or nothing at all when there are no items.
///
/// Why the line ends? Both vocabularies first split a text into pieces and never join tokens across two of them. A run of
/// punctuation takes the line ends that follow it along and there the piece ends. So `},\n` closes a piece, the next item
/// opens one, and the count of the list is exactly the sum of the counts of its lines. `},{` would be one piece, and the
/// count of a list would depend on its neighbours.
pub fn prompt<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    let items: Vec<&str> = items.into_iter().collect();
    if items.is_empty() { String::new() } else { ["[\n", &items.join(",\n"), "\n]"].concat() }
}

/// The content of a `tool_result` that answers a tool search of Anthropic's API: one reference for each tool, or nothing at all when there
/// are none. The API then loads the definitions that the request lists as deferred.
#[must_use]
pub fn tool_references<'a>(names: impl IntoIterator<Item = &'a ModelName>) -> String {
    // Model names have no character that JSON would escape.
    let reference = |name: &ModelName| format!(r#"{{"type":"tool_reference","tool_name":"{}"}}"#, name.as_str());
    let references: Vec<String> = names.into_iter().map(reference).collect();
    if references.is_empty() { String::new() } else { format!("[{}]", references.join(",")) }
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

#[cfg(test)]
mod tests;
