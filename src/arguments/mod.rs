//! Whether arguments that a model made are what a tool's publisher asks for, and how to give them to the tool.
//!
//! What a model was shown may say less than the publisher's schema, and models make mistakes in any case; so arguments are held
//! against the publisher's own schema, whatever was shown, before the tool is called. Errors are in words that a model can act
//! on. Schema and arguments are both strangers' texts: how long checking may take is bounded before it begins (`effort`), and no
//! reference is followed out of the document.

mod effort;
mod validator;

use crate::compact::profile::{Profile, restore_arguments};
use crate::json::Json;
use crate::tool::{Document, MAX_SCHEMA_DEPTH};

/// Longest arguments, in bytes: those of a schema.
pub const MAX_ARGUMENT_BYTES: usize = 256 * 1024;
/// Most errors that are told: nobody mends more at once.
pub const MAX_ERRORS: usize = 20;
/// Of the thread that checks. Validating recurses as deep as schema, references and arguments together go.
const STACK_BYTES: usize = 64 << 20;

/// What came of checking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Whether they are valid.
    pub verdict: Verdict,
    /// The arguments to call the tool with, as JSON text; empty where what was given is no object.
    pub arguments: String,
}

/// Whether arguments are valid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// They are.
    Valid,
    /// They are not; at most [`MAX_ERRORS`].
    Invalid(Vec<ArgumentError>),
    /// The schema cannot be checked against, and why.
    Unchecked(String),
}

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArgumentError {
    /// A JSON pointer into the arguments; empty for the whole.
    pub path: String,
    /// What is wrong and what is allowed.
    pub description: String,
}

impl ArgumentError {
    fn whole(description: impl Into<String>) -> Self {
        Self { path: String::new(), description: description.into() }
    }
}

/// Checks `arguments`, JSON text, against the publisher's `schema`; empty text means no arguments. Those that were made for
/// OPENAI_STRICT are turned back first.
#[must_use]
pub fn check(schema: &Document, arguments: &str, made_for: Profile) -> Checked {
    let wrong = |description: String| Checked {
        verdict: Verdict::Invalid(vec![ArgumentError::whole(description)]),
        arguments: String::new(),
    };
    if MAX_ARGUMENT_BYTES < arguments.len() {
        return wrong(format!("has {} bytes, the limit is {MAX_ARGUMENT_BYTES}", arguments.len()));
    }
    let text = if arguments.trim().is_empty() { "{}" } else { arguments.trim() };
    let given = match Json::parse_object(text, MAX_SCHEMA_DEPTH) {
        Ok(given) => given,
        Err(error) => return wrong(error.to_string()),
    };
    let schema = schema.json();
    let restored = match made_for {
        Profile::OpenAiStrict => match restore_arguments(&schema, &given) {
            Ok(restored) => restored,
            Err(why) => {
                return Checked { verdict: Verdict::Unchecked(format!("the arguments {why}")), arguments: text.to_owned() };
            }
        },
        // What these show takes no argument that means something else to the publisher.
        Profile::Raw | Profile::Lean | Profile::Gemini => given.clone(),
    };
    let arguments = if restored == given { text.to_owned() } else { restored.to_string() };
    Checked { verdict: on_a_deep_stack(&schema, &restored), arguments }
}

fn on_a_deep_stack(schema: &Json, arguments: &Json) -> Verdict {
    let failed = || Verdict::Unchecked("the schema cannot be read".to_owned());
    std::thread::scope(|scope| {
        let named = std::thread::Builder::new().name("arguments".to_owned()).stack_size(STACK_BYTES);
        let checking = named.spawn_scoped(scope, || verdict(schema, arguments));
        checking.map_or_else(|_| failed(), |checking| checking.join().unwrap_or_else(|_| failed()))
    })
}

fn verdict(schema: &Json, arguments: &Json) -> Verdict {
    if let Err(why) = effort::within_bounds(schema, arguments) {
        return Verdict::Unchecked(why);
    }
    match validator::errors(schema, arguments) {
        Ok(errors) if errors.is_empty() => Verdict::Valid,
        Ok(errors) => Verdict::Invalid(errors),
        Err(why) => Verdict::Unchecked(why),
    }
}

#[cfg(test)]
mod tests;
