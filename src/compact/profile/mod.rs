//! Schemas in the dialect that one model API enforces, and definitions written with them.
//!
//! What publishers write is full JSON Schema; what an API holds a model's arguments to is a small part of it. RAW shows the
//! publisher's schema, LEAN the shortened one at every fidelity, OPENAI_STRICT and GEMINI a schema in the API's own subset. Each of
//! these is written from one reading (`shape`), checked against the API's published rules before it is called so (`rules`),
//! and says what it lost; a schema that has no such form is shown as LEAN, with the reason. Arguments made for OPENAI_STRICT are
//! turned back with [`restore_arguments`].
//!
//! What is registered is counted for RAW. A definition of another [`Style`] is rendered and counted as a whole, so that a list
//! of them adds up as exactly.

mod conjunction;
mod gemini;
mod read;
mod rules;
mod shape;
mod strict;

pub use self::rules::{check_gemini, check_openai_strict};
use self::shape::Shape;
use super::render::{Body, Fidelity, Format, Forms, Strict, line_tokens};
use super::schema::lean_weakens;
use super::tokens::Tokenizer;
use crate::json::Json;
use crate::tool::{ModelName, TokenCount, Tool};

/// Whose dialect a schema is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Profile {
    /// The publisher's; LEAN and SKELETON are shortened.
    #[default]
    Raw,
    /// As RAW, with the schema of LEAN at FULL too: it takes at least the same arguments.
    Lean,
    /// What OpenAI's `strict` enforces.
    OpenAiStrict,
    /// The OpenAPI subset of the Gemini API's `parameters`.
    Gemini,
}

impl Profile {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Raw, Self::Lean, Self::OpenAiStrict, Self::Gemini];

    /// `raw`, `lean`, `openai_strict` or `gemini`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::Lean => "lean",
            Self::OpenAiStrict => "openai_strict",
            Self::Gemini => "gemini",
        }
    }

    /// The profile of that [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|profile| profile.name() == name)
    }
}

/// How a definition is written, however much of it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Style {
    /// Whose shape it has.
    pub format: Format,
    /// Whose dialect its schema is in.
    pub profile: Profile,
    /// Whether it is marked as one that the API loads only once a search of the model's found it.
    pub deferred: bool,
}

impl Style {
    /// The one whose costs are counted at registration.
    #[must_use]
    pub fn is_counted(self) -> bool {
        self.profile == Profile::Raw && !self.deferred
    }
}

/// A schema in a profile's dialect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InProfile {
    /// With descriptions and limits.
    pub schema: Json,
    /// Names, types and choices alone.
    pub bare: Json,
    /// Whether arguments may pass that the publisher's schema refuses: check them before the call.
    pub is_weaker: bool,
    /// What differs from the publisher's schema, in words; empty when nothing does.
    pub losses: String,
}

/// How much of a schema to write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Detail {
    Full,
    Bare,
}

/// `schema` as OpenAI's `strict` enforces it.
///
/// # Errors
/// Why it has no such form, in words.
pub fn openai_strict(schema: &Json) -> Result<InProfile, String> {
    strict_shape(schema).map(|(_, written)| written)
}

/// `schema` as `parameters` of a Gemini function declaration takes it.
///
/// # Errors
/// Why it has no such form, in words.
pub fn gemini(schema: &Json) -> Result<InProfile, String> {
    let shape = read::shape(schema).map_err(|obstacle| obstacle.to_string())?;
    let mut losses = shape.losses.clone();
    let bare = gemini::write(&shape, Detail::Bare, &mut shape.losses.clone()).map_err(|obstacle| obstacle.to_string())?;
    let schema = gemini::write(&shape, Detail::Full, &mut losses).map_err(|obstacle| obstacle.to_string())?;
    checked(schema, bare, &losses, check_gemini)
}

fn strict_shape(schema: &Json) -> Result<(Shape, InProfile), String> {
    let shape = read::shape(schema).map_err(|obstacle| obstacle.to_string())?;
    let bare = strict::write(&shape, Detail::Bare, &mut shape.losses.clone());
    let mut losses = shape.losses.clone();
    let schema = strict::write(&shape, Detail::Full, &mut losses);
    let written = checked(schema, bare, &losses, check_openai_strict)?;
    Ok((shape, written))
}

fn checked(
    schema: Json,
    bare: Json,
    losses: &shape::Losses,
    check: fn(&Json) -> Result<(), String>,
) -> Result<InProfile, String> {
    check(&schema)?;
    check(&bare)?;
    Ok(InProfile { schema, bare, is_weaker: !losses.weakened.is_empty(), losses: losses.summary() })
}

/// Arguments that a model made for the OPENAI_STRICT form of `schema`, as the publisher's `schema` has them: where `null` stands
/// for "left out", the member is left out. A schema without such a form was shown as it is, and so are its arguments.
///
/// # Errors
/// They can be read in too many ways to look at.
pub fn restore_arguments(schema: &Json, arguments: &Json) -> Result<Json, String> {
    match strict_shape(schema) {
        Ok((shape, _)) => strict::restore(&shape, arguments).map_err(|obstacle| obstacle.to_string()),
        Err(_) => Ok(arguments.clone()),
    }
}

const FIDELITIES: usize = Fidelity::ALL.len();

/// A definition of one style at every fidelity, rendered and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    forms: [(Box<str>, [TokenCount; 2]); FIDELITIES],
    /// The profile that its schemas are in: the one asked for, or LEAN where the tool has no such form.
    pub profile: Profile,
    /// Whether the schemas differ from the publisher's in more than the dialect.
    pub is_lossy: bool,
    /// What was lost, or why the tool has no such form; empty when neither.
    pub detail: String,
}

impl Written {
    /// Renders and counts `tool`.
    #[must_use]
    pub fn of(tool: &Tool, forms: &Forms, model_name: &ModelName, style: Style, tokenizer: Tokenizer) -> Self {
        let in_profile = match style.profile {
            Profile::Raw | Profile::Lean => None,
            Profile::OpenAiStrict => Some(openai_strict(&tool.input_schema.json())),
            Profile::Gemini => Some(gemini(&tool.input_schema.json())),
        };
        let ours = in_profile.as_ref().and_then(|made| made.as_ref().ok());
        let ours = ours.map(|ours| [&ours.bare, &ours.schema].map(|schema| parameters(schema, style)));
        let (profile, is_lossy, detail) = match &in_profile {
            None => (style.profile, style.profile == Profile::Lean && lean_weakens(&tool.input_schema.json()), String::new()),
            Some(Ok(made)) => (style.profile, !made.losses.is_empty(), made.losses.clone()),
            Some(Err(why)) => (
                Profile::Lean,
                lean_weakens(&tool.input_schema.json()),
                format!("shown as lean, it cannot be {}: {why}", style.profile.name()),
            ),
        };
        let mut lower: Option<(Box<str>, [TokenCount; 2])> = None;
        let forms = Fidelity::ALL.map(|fidelity| {
            let (description, schema) = forms.texts(tool, fidelity);
            let is_full = fidelity == Fidelity::Full;
            let schema = match (&ours, fidelity) {
                (Some([bare, _]), Fidelity::Skeleton) => bare,
                (Some([_, schema]), Fidelity::Lean | Fidelity::Full) => schema,
                (None, Fidelity::Full) if style.profile != Profile::Raw => forms.texts(tool, Fidelity::Lean).1,
                (None, Fidelity::Skeleton | Fidelity::Lean | Fidelity::Full) => schema,
            };
            let strict = match style.profile {
                Profile::OpenAiStrict if ours.is_some() => Strict::Yes,
                Profile::OpenAiStrict => Strict::Refused,
                Profile::Raw if is_full => Strict::Publishers,
                Profile::Raw | Profile::Lean | Profile::Gemini => Strict::No,
            };
            let in_subset = style.profile == Profile::Gemini && ours.is_some();
            let body = Body { description, schema, is_full, strict, in_subset, deferred: style.deferred };
            let text = body.render(tool, model_name, style.format).into_boxed_str();
            let form = match &lower {
                Some((same, counted)) if *same == text => (text, *counted),
                _ => {
                    let counted = line_tokens(&text, tokenizer);
                    (text, counted)
                }
            };
            lower = Some(form.clone());
            form
        });
        Self { forms, profile, is_lossy, detail }
    }

    /// The entry.
    #[must_use]
    pub fn text(&self, fidelity: Fidelity) -> &str {
        &self.forms[fidelity as usize].0
    }

    /// Its exact counts: [`line_tokens`].
    #[must_use]
    pub fn line(&self, fidelity: Fidelity) -> [TokenCount; 2] {
        self.forms[fidelity as usize].1
    }

    /// What it costs wherever it stands in a list: [`cost`](super::cost).
    #[must_use]
    pub fn cost(&self, fidelity: Fidelity) -> TokenCount {
        let [followed, last] = self.line(fidelity);
        followed.max(last)
    }

    /// All of them, by fidelity: what packing needs to know.
    #[must_use]
    pub fn costs(&self) -> [TokenCount; FIDELITIES] {
        Fidelity::ALL.map(|fidelity| self.cost(fidelity))
    }

    /// About how much memory it takes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>() + self.detail.len() + self.forms.iter().map(|(text, _)| text.len()).sum::<usize>()
    }
}

/// The text of a schema; empty where Gemini's `parameters` wants none.
fn parameters(schema: &Json, style: Style) -> String {
    let has_members = schema.get("properties").and_then(Json::as_object).is_some_and(|members| !members.is_empty());
    let is_subset = style.format == Format::Gemini && style.profile == Profile::Gemini;
    if is_subset && !has_members { String::new() } else { schema.to_string() }
}

/// A schema being written.
fn object<'a>(members: impl IntoIterator<Item = (&'a str, Json)>) -> Json {
    Json::Object(members.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn array(elements: impl IntoIterator<Item = Json>) -> Json {
    Json::Array(elements.into_iter().collect())
}

fn text(text: &str) -> Json {
    Json::String(text.to_owned())
}

#[cfg(test)]
mod tests;
