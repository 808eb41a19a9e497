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

/// One tool as one JSON object.
///
/// An empty description is left out, and SKELETON has none. Schemas of LEAN and SKELETON get a `type` of `object` and
/// `properties` where the root lacks them: the APIs ask for both, and since arguments are always an object neither changes
/// what is accepted. FULL adds, where the format has a place for it, what else the publisher wrote: MCP takes the title, the
/// output schema, the annotations and every further member; OpenAI takes `strict`; Anthropic refuses members it does not
/// know, and its `cache_control` belongs to a place in a list (four per request), not to a tool.
#[must_use]
pub fn render(tool: &Tool, model_name: &ModelName, format: Format, fidelity: Fidelity) -> String {
    Body::of(tool, fidelity).render(tool, model_name, format)
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
    // Only the closing punctuation differs between the two, so everything before it is counted once.
    let (body, end) = item.split_at(closing(item));
    let followed = tokenizer.count(&format!("{end},\n"));
    let last = tokenizer.count(&format!("{end}\n"));
    tokenizer.count(body) + followed.max(last)
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
    schema: Cow<'a, str>,
    fidelity: Fidelity,
}

impl<'a> Body<'a> {
    fn of(tool: &'a Tool, fidelity: Fidelity) -> Self {
        let (description, schema) = match fidelity {
            Fidelity::Full => (Cow::Borrowed(tool.description.as_str()), Cow::Borrowed(tool.input_schema.text())),
            Fidelity::Lean => (schema::tidy(&tool.description), arguments(schema::lean(&tool.input_schema.json()))),
            Fidelity::Skeleton => (Cow::Borrowed(""), arguments(schema::skeleton(&tool.input_schema.json()))),
        };
        Self { description, schema, fidelity }
    }

    fn render(&self, tool: &Tool, model_name: &ModelName, format: Format) -> String {
        let full = self.fidelity == Fidelity::Full;
        let extra = tool.extra.as_ref().filter(|_| full).map(Document::json);
        match format {
            Format::OpenAiChat => {
                let mut function = Object::default();
                function.string("name", model_name.as_str());
                function.string_unless_empty("description", &self.description);
                function.member("parameters", &self.schema);
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
                out.member("input_schema", &self.schema);
                out.close()
            }
            Format::Mcp => {
                let mut out = Object::default();
                out.string("name", model_name.as_str());
                if let Some(title) = tool.title.as_ref().filter(|_| full) {
                    out.string("title", title);
                }
                out.string_unless_empty("description", &self.description);
                out.member("inputSchema", &self.schema);
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
fn arguments(schema: Json) -> Cow<'static, str> {
    let Json::Object(mut members) = schema else { return Cow::Owned(schema.to_string()) };
    let lacks = |members: &[(String, Json)], keyword: &str| !members.iter().any(|(key, _)| key == keyword);
    if lacks(&members, "type") {
        members.insert(0, ("type".to_owned(), Json::String("object".to_owned())));
    }
    if lacks(&members, "properties") {
        members.push(("properties".to_owned(), Json::Object(Vec::new())));
    }
    Cow::Owned(Json::Object(members).to_string())
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

/// Version of what [`Costs`] were counted on. Raise it with every change to what [`render`], [`lean`](super::lean) or
/// [`skeleton`](super::skeleton) write: stored costs of another version are refused and counted anew.
pub const COSTS_VERSION: u8 = 1;

/// The [`cost`] of one tool in every format, fidelity and vocabulary, counted once, at registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs([[[TokenCount; TOKENIZERS]; FIDELITIES]; FORMATS]);

const FORMATS: usize = Format::ALL.len();
const FIDELITIES: usize = Fidelity::ALL.len();
const TOKENIZERS: usize = Tokenizer::ALL.len();

impl Costs {
    /// Bytes of the stored form.
    pub const BYTES: usize = 1 + 4 * FORMATS * FIDELITIES * TOKENIZERS;

    /// Renders and counts all of them.
    #[must_use]
    pub fn of(tool: &Tool, model_name: &ModelName) -> Self {
        let mut costs = Self([[[TokenCount(0); TOKENIZERS]; FIDELITIES]; FORMATS]);
        let bodies = Fidelity::ALL.map(|fidelity| Body::of(tool, fidelity));
        for format in Format::ALL {
            let mut lower: Option<(String, [TokenCount; TOKENIZERS])> = None;
            for body in &bodies {
                let text = body.render(tool, model_name, format);
                // Many publishers already write what LEAN would: the same text is not counted twice.
                let counted = match lower {
                    Some((lower_text, counted)) if lower_text == text => counted,
                    _ => Tokenizer::ALL.map(|tokenizer| cost(&text, tokenizer)),
                };
                costs.0[format as usize][body.fidelity as usize] = counted;
                lower = Some((text, counted));
            }
        }
        costs
    }

    /// The cost of one form.
    #[must_use]
    pub fn get(&self, format: Format, fidelity: Fidelity, tokenizer: Tokenizer) -> TokenCount {
        self.0[format as usize][fidelity as usize][tokenizer as usize]
    }

    /// For storage: [`COSTS_VERSION`], then little-endian u32 by format, fidelity and tokenizer, each in the order of its `ALL`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let counts = self.0.iter().flatten().flatten();
        std::iter::once(COSTS_VERSION).chain(counts.flat_map(|count| count.0.to_le_bytes())).collect()
    }

    /// Reads [`to_bytes`](Self::to_bytes) back; `None` for another version or length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&COSTS_VERSION, counts) = bytes.split_first()? else { return None };
        if bytes.len() != Self::BYTES {
            return None;
        }
        let mut costs = Self([[[TokenCount(0); TOKENIZERS]; FIDELITIES]; FORMATS]);
        let (counts, _) = counts.as_chunks();
        for (cost, count) in costs.0.iter_mut().flatten().flatten().zip(counts) {
            *cost = TokenCount(u32::from_le_bytes(*count));
        }
        Some(costs)
    }
}

#[cfg(test)]
mod tests;
