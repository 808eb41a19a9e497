//! The words everything else is said in: who a tool is, what its publisher wrote, how its text is counted.

use std::fmt;
use std::sync::Arc;

use sha2::{Digest, Sha256};

use crate::error::Violation;
use crate::json::{Json, JsonError};

/// Longest source or tool name, in bytes. MCP suggests 128 characters for tool names; sources are often URLs or package names.
pub const MAX_NAME_BYTES: usize = 256;
/// Deepest nesting of a schema. Real ones stay under 15; the model cannot follow deeper ones, nor can every parser.
pub const MAX_SCHEMA_DEPTH: usize = 64;
/// Longest `model_name`: the limit of OpenAI and Anthropic.
pub const MAX_MODEL_NAME_BYTES: usize = 64;

/// Whose catalogue. Comes from the credentials, never from a request field.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TenantId(Arc<str>);

impl TenantId {
    /// The tenant of a router that serves one team.
    pub const DEFAULT: &str = "default";

    /// A tenant by name.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for TenantId {
    fn default() -> Self {
        Self::new(Self::DEFAULT)
    }
}

/// Name of a source or of a tool: 1 to [`MAX_NAME_BYTES`] bytes, not blank at either end.
/// Hidden characters are the gate's business, since it has to say which one it found.
fn check_name(field: &str, name: &str) -> Result<(), Violation> {
    if name.is_empty() {
        return Err(Violation::new(field, "is empty"));
    }
    if MAX_NAME_BYTES < name.len() {
        return Err(Violation::new(field, format!("has {} bytes, the limit is {MAX_NAME_BYTES}", name.len())));
    }
    if name.trim() != name {
        return Err(Violation::new(field, format!("{name:?} begins or ends with a blank")));
    }
    Ok(())
}

/// Who a tool is: two fields, because real source names contain `/`. Ordered by source, then name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ToolId {
    source: Arc<str>,
    name: Arc<str>,
}

impl ToolId {
    /// Checks both names.
    ///
    /// # Errors
    /// An empty, over-long or blank-padded name; the violation's field is `source` or `name`.
    pub fn new(source: &str, name: &str) -> Result<Self, Violation> {
        check_source(source)?;
        check_name("name", name)?;
        Ok(Self { source: source.into(), name: name.into() })
    }

    /// The source: the server, document or team that publishes the tool.
    #[must_use]
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The tool's name within its source.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Reads the display form back: `files/read`, `npm%2Ffs/read`.
    ///
    /// # Errors
    /// No `/`, or a name that [`ToolId::new`] refuses; the field is `id`.
    pub fn parse(display: &str) -> Result<Self, Violation> {
        let Some((source, name)) = display.split_once('/') else {
            return Err(Violation::new("id", format!("{display:?} is not of the form source/tool")));
        };
        let decode = |part: &str| part.replace("%2F", "/").replace("%25", "%");
        Self::new(&decode(source), &decode(name)).map_err(|v| v.within("id"))
    }
}

/// Checks the name of a source.
///
/// # Errors
/// Empty, over-long or blank-padded.
pub fn check_source(source: &str) -> Result<(), Violation> {
    check_name("source", source)
}

/// For display only: `source/name`, with `/` and `%` inside the parts percent-encoded.
impl fmt::Display for ToolId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encode = |part: &str| part.replace('%', "%25").replace('/', "%2F");
        write!(f, "{}/{}", encode(&self.source), encode(&self.name))
    }
}

/// The name a model sees: `^[A-Za-z0-9_-]{1,64}$`, unique per tenant, fixed at registration.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelName(Arc<str>);

impl ModelName {
    /// Takes a name that a store kept.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let fits = !name.is_empty() && name.len() <= MAX_MODEL_NAME_BYTES;
        (fits && name.bytes().all(allowed_in_model_name)).then(|| Self(name.into()))
    }

    /// Chooses the name for a tool: its own if free, else `source__tool`, else that cut short plus 8 characters of hash.
    /// `taken` tells which names other tools of the tenant have. It never depends on what else a selection returns.
    #[must_use]
    pub fn choose(id: &ToolId, taken: impl Fn(&str) -> bool) -> Self {
        let own = model_safe(id.name());
        let joined = format!("{}__{own}", model_safe(id.source()));
        for candidate in [&own, &joined] {
            if candidate.len() <= MAX_MODEL_NAME_BYTES && !taken(candidate) {
                return Self(candidate.as_str().into());
            }
        }
        // Two ids that share the first 8 hash characters are rare, yet a name must be free: count on until one is.
        let mut round = 0_u64;
        loop {
            let digest = hex::encode(Sha256::digest(format!("{id}#{round}").as_bytes()));
            let candidate = format!("{}_{}", joined.chars().take(MAX_MODEL_NAME_BYTES - 9).collect::<String>(), &digest[..8]);
            if !taken(&candidate) {
                return Self(candidate.into());
            }
            round += 1;
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn allowed_in_model_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn model_safe(name: &str) -> String {
    name.chars().map(|c| if c.is_ascii() && allowed_in_model_name(c as u8) { c } else { '_' }).collect()
}

/// A JSON object exactly as its publisher wrote it, known to parse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document(Box<str>);

impl Document {
    /// Checks that `text` is a JSON object at most [`MAX_SCHEMA_DEPTH`] deep with no key twice.
    ///
    /// # Errors
    /// What [`Json::parse_object`] refuses.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        Json::parse_object(text, MAX_SCHEMA_DEPTH)?;
        Ok(Self(text.trim().into()))
    }

    /// `{}`
    #[must_use]
    pub fn empty() -> Self {
        Self("{}".into())
    }

    /// The publisher's text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The parsed form, made anew: trees are ten times their text, and 10,000 tools are kept.
    #[must_use]
    pub fn json(&self) -> Json {
        // Checked in `parse`, the only way in besides `{}`; an empty object is the harmless answer to the impossible.
        Json::parse_object(&self.0, MAX_SCHEMA_DEPTH).unwrap_or_else(|_| Json::Object(Vec::new()))
    }
}

/// What a publisher registered. Nothing in here is derived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tool {
    /// Who it is.
    pub id: ToolId,
    /// Name for people.
    pub title: Option<String>,
    /// What it does, for the model. May be empty.
    pub description: String,
    /// JSON Schema of the arguments.
    pub input_schema: Document,
    /// JSON Schema of the result.
    pub output_schema: Option<Document>,
    /// MCP annotations: hints, never trusted.
    pub annotations: Option<Document>,
    /// The publisher's other top-level fields, kept for FULL.
    pub extra: Option<Document>,
    /// Subject area, for scopes.
    pub domain: Option<String>,
    /// Labels, for scopes.
    pub tags: Vec<String>,
    /// Requests that this tool answers, in users' words: matched like a description.
    pub examples: Vec<String>,
}

impl Tool {
    /// A tool of which nothing else is said.
    #[must_use]
    pub fn new(id: ToolId, description: String, input_schema: Document) -> Self {
        Self {
            id,
            title: None,
            description,
            input_schema,
            output_schema: None,
            annotations: None,
            extra: None,
            domain: None,
            tags: Vec::new(),
            examples: Vec::new(),
        }
    }

    /// Hash of everything the publisher wrote, independent of key order, number spelling and whitespace.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        let text = |t: &str| Json::String(t.to_owned());
        let optional = |t: Option<&String>| t.map_or(Json::Null, |t| text(t));
        let document = |d: Option<&Document>| d.map_or(Json::Null, Document::json);
        let list = |l: &[String]| Json::Array(l.iter().map(|t| text(t)).collect());
        let whole = Json::Array(vec![
            text(self.id.source()),
            text(self.id.name()),
            optional(self.title.as_ref()),
            text(&self.description),
            self.input_schema.json(),
            document(self.output_schema.as_ref()),
            document(self.annotations.as_ref()),
            document(self.extra.as_ref()),
            optional(self.domain.as_ref()),
            list(&self.tags),
            list(&self.examples),
        ]);
        Fingerprint(Sha256::digest(whole.canonical().as_bytes()).into())
    }

    /// Bytes of all the publisher's texts together: what the size limit of a tool is about.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let document = |d: Option<&Document>| d.map_or(0, |d| d.text().len());
        self.id.source().len()
            + self.id.name().len()
            + self.title.as_ref().map_or(0, String::len)
            + self.description.len()
            + self.input_schema.text().len()
            + document(self.output_schema.as_ref())
            + document(self.annotations.as_ref())
            + document(self.extra.as_ref())
            + self.domain.as_ref().map_or(0, String::len)
            + self.tags.iter().chain(&self.examples).map(String::len).sum::<usize>()
    }
}

/// SHA-256 of a tool's content. Equal fingerprints need no new scan, embedding, count or write.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint([u8; 32]);

impl Fingerprint {
    /// From stored bytes; `None` unless there are 32.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

/// A number of tokens of some tokenizer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenCount(pub u32);

impl TokenCount {
    /// `self - other`, not below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::ops::Add for TokenCount {
    type Output = Self;

    /// Saturates: a count past four billion is "too many" either way.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl std::iter::Sum for TokenCount {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self(0), std::ops::Add::add)
    }
}

impl fmt::Display for TokenCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn id(source: &str, name: &str) -> ToolId {
        ToolId::new(source, name).unwrap()
    }

    #[test]
    fn display_keeps_slashes_apart() {
        let tool = id("@scope/files", "read/write%");
        assert_eq!(tool.to_string(), "@scope%2Ffiles/read%2Fwrite%25");
        assert_eq!(ToolId::parse(&tool.to_string()).unwrap(), tool);
        assert_eq!(ToolId::parse("read").unwrap_err().description, "\"read\" is not of the form source/tool");
    }

    #[test]
    fn names_are_checked() {
        assert_eq!(ToolId::new("", "x").unwrap_err(), Violation::new("source", "is empty"));
        assert_eq!(ToolId::new("s", "").unwrap_err(), Violation::new("name", "is empty"));
        assert_eq!(ToolId::new("s", &"x".repeat(257)).unwrap_err(), Violation::new("name", "has 257 bytes, the limit is 256"));
        assert!(ToolId::new("s", " x").is_err());
    }

    #[test]
    fn model_name_is_own_then_joined_then_hashed() {
        assert_eq!(ModelName::choose(&id("files", "read"), |_| false).as_str(), "read");
        assert_eq!(ModelName::choose(&id("files", "read"), |n| n == "read").as_str(), "files__read");
        assert_eq!(ModelName::choose(&id("files", "read.é"), |_| false).as_str(), "read__");
        let long = ModelName::choose(&id("files", &"x".repeat(200)), |_| false);
        assert_eq!(long.as_str().len(), 64);
        assert!(ModelName::parse(long.as_str()).is_some());
    }

    fn tool(schema: &str) -> Tool {
        Tool::new(id("s", "t"), "d".into(), Document::parse(schema).unwrap())
    }

    #[test]
    fn fingerprint_sees_content_not_spelling() {
        let one = tool(r#"{"type":"object","maximum":1.0}"#);
        assert_eq!(one.fingerprint(), tool(r#"{ "maximum": 1, "type": "object" }"#).fingerprint());
        assert_ne!(one.fingerprint(), tool(r#"{"type":"object","maximum":2}"#).fingerprint());
        assert_ne!(one.fingerprint(), Tool { title: Some("d".into()), ..one.clone() }.fingerprint());
    }

    proptest! {
        #[test]
        fn display_form_reads_back(source in "[a-z%/]{1,6}", name in "[a-z%/2F]{1,6}") {
            let tool = id(&source, &name);
            prop_assert_eq!(ToolId::parse(&tool.to_string()).unwrap(), tool);
        }

        #[test]
        fn model_name_is_always_valid_and_free(source in "\\PC{1,20}", name in "\\PC{1,80}", taken in prop::collection::hash_set("[a-z_]{1,4}", 0..20)) {
            if let Ok(id) = ToolId::new(&source, &name) {
                let chosen = ModelName::choose(&id, |n| taken.contains(n));
                prop_assert!(ModelName::parse(chosen.as_str()).is_some());
                prop_assert!(!taken.contains(chosen.as_str()));
            }
        }
    }
}
