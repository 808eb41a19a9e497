//! The validator, and its errors in words for a model.
//!
//! The one place that names the crate. Nothing is fetched, and a regular expression may neither grow without bounds when it is
//! compiled nor go back without end when it is matched.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kind};
use jsonschema::{Draft, PatternOptions, ValidationError};
use serde_json::Value;

use super::{ArgumentError, MAX_ERRORS};
use crate::json::Json;

/// Bytes of one compiled expression, and of its cache.
const PATTERN_BYTES: usize = 2 << 20;
/// Steps that one expression may go back while it is matched.
const PATTERN_STEPS: usize = 100_000;
/// Characters of a value that an error shows.
const SHOWN: usize = 60;
/// Names or values that an error lists.
const LISTED: usize = 20;

/// What is wrong with `arguments`, in the validator's order.
///
/// # Errors
/// The schema is none that can be checked against.
pub(super) fn errors(schema: &Json, arguments: &Json) -> Result<Vec<ArgumentError>, String> {
    let value = |json: &Json| serde_json::from_str::<Value>(&json.to_string()).map_err(|error| error.to_string());
    let (mut schema, arguments) = (value(schema)?, value(arguments)?);
    if Draft::default().detect(&schema) == Draft::Unknown {
        // A dialect of somebody's own: the keywords mostly mean what they mean elsewhere.
        if let Some(members) = schema.as_object_mut() {
            members.remove("$schema");
        }
    }
    let patterns =
        PatternOptions::fancy_regex().backtrack_limit(PATTERN_STEPS).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES);
    let options = jsonschema::options().offline().with_pattern_options(patterns);
    let validator = options.build(&schema).map_err(|error| format!("the schema cannot be used: {}", unusable(&error)))?;
    Ok(validator.iter_errors(&arguments).take(MAX_ERRORS).map(|error| told(&error, &schema)).collect())
}

fn unusable(error: &ValidationError<'_>) -> String {
    let at = error.instance_path().as_str();
    let what = match error.kind() {
        Kind::Referencing(error) => error.to_string(),
        _ => shown_text(&error.to_string(), 3 * SHOWN),
    };
    if at.is_empty() { what } else { format!("{at}: {what}") }
}

fn told(error: &ValidationError<'_>, schema: &Value) -> ArgumentError {
    ArgumentError { path: error.instance_path().as_str().to_owned(), description: words(error, schema) }
}

fn words(error: &ValidationError<'_>, schema: &Value) -> String {
    let is = shown(error.instance());
    match error.kind() {
        Kind::Required { property } => format!("lacks {}", shown(property)),
        Kind::AdditionalProperties { unexpected } | Kind::UnevaluatedProperties { unexpected } => {
            let known = beside(error, schema, "properties").and_then(Value::as_object);
            let known = known.map(|known| format!("; there are {}", list(known.keys().map(|name| format!("{name:?}")))));
            format!(
                "has {}, which is not there{}",
                list(unexpected.iter().map(|name| format!("{name:?}"))),
                known.unwrap_or_default()
            )
        }
        Kind::Type { kind } => {
            let wanted = match kind {
                TypeKind::Single(one) => one.to_string(),
                TypeKind::Multiple(several) => several.iter().map(|one| one.to_string()).collect::<Vec<_>>().join(" or "),
            };
            format!("is {is}, it must be of the type {wanted}")
        }
        Kind::Enum { options } => {
            let options = options.as_array().map(|all| list(all.iter().map(shown))).unwrap_or_default();
            format!("is {is}; allowed are {options}")
        }
        Kind::Constant { expected_value } => format!("is {is}; only {} is allowed", shown(expected_value)),
        Kind::AnyOf { context } | Kind::OneOfNotValid { context } => {
            // The form with the fewest errors is most likely the one that was meant.
            let nearest = context.iter().filter(|errors| !errors.is_empty()).min_by_key(|errors| errors.len());
            let nearest = nearest.and_then(|errors| errors.first()).map(|error| told(error, schema));
            let nearest = nearest.map(|error| {
                let at = if error.path.is_empty() { "the whole".to_owned() } else { error.path };
                format!("; by the nearest, {at} {}", error.description)
            });
            format!("is {is}, which is none of its {} forms{}", context.len(), nearest.unwrap_or_default())
        }
        Kind::OneOfMultipleValid { .. } => format!("is {is}, which is several of its forms at once; it must be one"),
        Kind::Pattern { pattern } => format!("is {is}, it must match {}", shown_text(pattern, 3 * SHOWN)),
        Kind::Format { format } => format!("is {is}, which is no {format}"),
        Kind::Minimum { limit } => format!("is {is}, the least is {limit}"),
        Kind::Maximum { limit } => format!("is {is}, the most is {limit}"),
        Kind::ExclusiveMinimum { limit } => format!("is {is}, it must be more than {limit}"),
        Kind::ExclusiveMaximum { limit } => format!("is {is}, it must be less than {limit}"),
        Kind::MultipleOf { multiple_of } => format!("is {is}, it must be a multiple of {multiple_of}"),
        Kind::MinLength { limit } => format!("is {is}, it must have at least {limit} characters"),
        Kind::MaxLength { limit } => format!("is {is}, it must have at most {limit} characters"),
        Kind::MinItems { limit } => format!("has {} elements, the least is {limit}", count(error.instance())),
        Kind::MaxItems { limit } => format!("has {} elements, the most is {limit}", count(error.instance())),
        Kind::AdditionalItems { limit } => format!("has {} elements, the most is {limit}", count(error.instance())),
        Kind::MinProperties { limit } => format!("has {} members, the least is {limit}", count(error.instance())),
        Kind::MaxProperties { limit } => format!("has {} members, the most is {limit}", count(error.instance())),
        Kind::UniqueItems => "has elements that are equal to each other".to_owned(),
        Kind::FalseSchema => "must not be there".to_owned(),
        Kind::BacktrackLimitExceeded { .. } | Kind::RegexEngineFailure { .. } => {
            format!("is {is}, and the regular expression takes too long on it")
        }
        Kind::Not { .. } | Kind::Contains | Kind::PropertyNames { .. } | Kind::UnevaluatedItems { .. } => {
            shown_text(&error.to_string(), 5 * SHOWN)
        }
        Kind::ContentEncoding { .. }
        | Kind::ContentMediaType { .. }
        | Kind::Custom { .. }
        | Kind::FromUtf8 { .. }
        | Kind::Referencing(_) => shown_text(&error.to_string(), 5 * SHOWN),
    }
}

/// The keyword beside the one that failed, where the way there leads through no reference.
fn beside<'a>(error: &ValidationError<'_>, schema: &'a Value, keyword: &str) -> Option<&'a Value> {
    let (holder, _) = error.schema_path().as_str().rsplit_once('/')?;
    schema.pointer(holder)?.get(keyword)
}

fn count(value: &Value) -> usize {
    match value {
        Value::Array(elements) => elements.len(),
        Value::Object(members) => members.len(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

fn list(items: impl ExactSizeIterator<Item = String>) -> String {
    let more = items.len().saturating_sub(LISTED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    format!("{}{more}", items.take(LISTED).collect::<Vec<_>>().join(", "))
}

/// The value as JSON, cut where it is long: it may be a whole document.
fn shown(value: &Value) -> String {
    match value {
        Value::Array(elements) => format!("a list of {}", elements.len()),
        Value::Object(members) => format!("an object of {}", members.len()),
        plain => shown_text(&plain.to_string(), SHOWN),
    }
}

fn shown_text(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
