//! The members of a definition, in the shape of each API.
//!
//! What a publisher wrote beyond name, description and schema is shown at FULL where the format has a place for it, and only
//! there: an API refuses the whole request for one member that it does not know. MCP takes the title, the output schema, the
//! annotations and every further member. OpenAI takes `strict`, and in Responses the output schema; Gemini the output schema;
//! Anthropic `input_examples`. Anthropic's `cache_control` belongs to a place in a list (four per request), not to a tool.
//!
//! Gemini's declarations have two places for a schema. `parametersJsonSchema` takes JSON Schema as it is, so what publishers
//! write goes there; `parameters` takes the OpenAPI subset alone, and only what was made to be of it goes there.

use std::borrow::Cow;

use super::Format;
use crate::json::{Json, write_string};
use crate::tool::{Document, ModelName, Tool};

/// What the formats have in common at one fidelity.
pub(in crate::compact) struct Body<'a> {
    pub(in crate::compact) description: Cow<'a, str>,
    pub(in crate::compact) schema: &'a str,
    /// Whether everything else the publisher wrote is shown too.
    pub(in crate::compact) is_full: bool,
    /// What OpenAI is told of the schema.
    pub(in crate::compact) strict: Strict,
    /// Whether the schema is of the subset that Gemini's `parameters` takes.
    pub(in crate::compact) in_subset: bool,
    /// Whether the tool is to be loaded only once a search found it; formats that cannot say so leave it out.
    pub(in crate::compact) deferred: bool,
}

/// OpenAI's `strict`: whether the API is to hold arguments to the schema, which it then takes in a subset only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::compact) enum Strict {
    /// As the publisher said of this schema.
    Publishers,
    /// The schema is ours, and not made for it.
    No,
    /// The schema is made for it.
    Yes,
    /// It was asked for and cannot be.
    Refused,
}

impl Body<'_> {
    pub(in crate::compact) fn render(&self, tool: &Tool, model_name: &ModelName, format: Format) -> String {
        let extra = tool.extra.as_ref().filter(|_| self.is_full).map(Document::json);
        let extra = extra.as_ref();
        let output_schema = tool.output_schema.as_ref().filter(|_| self.is_full);
        let mut out = Object::with_room(self.schema.len() + self.description.len() + model_name.as_str().len() + FRAME_BYTES);
        match format {
            Format::OpenAiChat => {
                out.string("type", "function");
                out.open("function");
                self.name(&mut out, model_name);
                out.member("parameters", self.schema);
                if let Some(strict) = self.strict(extra) {
                    out.member("strict", strict);
                }
                out.end();
            }
            Format::OpenAiResponses => {
                out.string("type", "function");
                self.name(&mut out, model_name);
                out.member("parameters", self.schema);
                // Never left out: this API would take that for `true` and refuse most schemas.
                out.member("strict", self.strict(extra).unwrap_or("false"));
                if let Some(schema) = output_schema {
                    out.member("output_schema", schema.text());
                }
            }
            Format::Anthropic => {
                self.name(&mut out, model_name);
                out.member("input_schema", self.schema);
                if let Some(examples) = extra.and_then(|extra| extra.get("input_examples")).filter(|e| is_list_of_objects(e)) {
                    out.member("input_examples", &examples.to_string());
                }
            }
            Format::Gemini => {
                self.name(&mut out, model_name);
                // A tool without parameters: the subset has no object without members.
                if !self.schema.is_empty() {
                    out.member(if self.in_subset { "parameters" } else { "parametersJsonSchema" }, self.schema);
                }
                if let Some(schema) = output_schema {
                    out.member("responseJsonSchema", schema.text());
                }
            }
            Format::Mcp => {
                out.string("name", model_name.as_str());
                if let Some(title) = tool.title.as_ref().filter(|_| self.is_full) {
                    out.string("title", title);
                }
                out.string_unless_empty("description", &self.description);
                out.member("inputSchema", self.schema);
                let annotations = tool.annotations.as_ref().filter(|_| self.is_full);
                for (key, document) in [("outputSchema", output_schema), ("annotations", annotations)] {
                    if let Some(document) = document {
                        out.member(key, document.text());
                    }
                }
                for (key, value) in extra.and_then(Json::as_object).unwrap_or_default() {
                    if !MCP_MEMBERS.contains(&key.as_str()) {
                        out.member(key, &value.to_string());
                    }
                }
            }
        }
        if self.deferred && format.can_defer() {
            out.member("defer_loading", "true");
        }
        out.close()
    }

    fn name(&self, out: &mut Object, model_name: &ModelName) {
        out.string("name", model_name.as_str());
        out.string_unless_empty("description", &self.description);
    }

    /// A publisher's `strict` of any other kind is a word of another API.
    fn strict(&self, extra: Option<&Json>) -> Option<&'static str> {
        match (self.strict, extra.and_then(|extra| extra.get("strict"))) {
            (Strict::Yes, _) | (Strict::Publishers, Some(Json::Bool(true))) => Some("true"),
            (Strict::Refused, _) | (Strict::Publishers, Some(Json::Bool(false))) => Some("false"),
            (Strict::No | Strict::Publishers, _) => None,
        }
    }
}

fn is_list_of_objects(json: &Json) -> bool {
    json.as_array().is_some_and(|elements| elements.iter().all(|element| element.as_object().is_some()))
}

/// Members of an MCP tool that have a field of their own in [`Tool`], so that a further member of that name is not written.
const MCP_MEMBERS: [&str; 6] = ["name", "title", "description", "inputSchema", "outputSchema", "annotations"];

/// Room for a definition's keys and marks, so that few definitions are moved while they are written.
const FRAME_BYTES: usize = 128;

/// A JSON object being written, with the objects that are open in it.
struct Object {
    text: String,
}

impl Object {
    fn with_room(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self { text }
    }

    fn key(&mut self, key: &str) {
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
        write_string(key, &mut self.text);
        self.text.push(':');
    }

    /// `value` is JSON text.
    fn member(&mut self, key: &str, value: &str) {
        self.key(key);
        self.text.push_str(value);
    }

    fn string(&mut self, key: &str, value: &str) {
        self.key(key);
        write_string(value, &mut self.text);
    }

    fn string_unless_empty(&mut self, key: &str, value: &str) {
        if !value.is_empty() {
            self.string(key, value);
        }
    }

    /// The members that follow are of the object under `key`.
    fn open(&mut self, key: &str) {
        self.member(key, "{");
    }

    /// The last that was opened is complete.
    fn end(&mut self) {
        self.text.push('}');
    }

    fn close(mut self) -> String {
        self.end();
        self.text
    }
}
