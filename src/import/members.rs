//! One level of a JSON object with its values as they were written, because schemas travel verbatim.

use crate::json::{self, Json, JsonError, Members};

/// The members of the valid JSON text `raw`.
///
/// # Errors
/// Not an object, or a key twice.
pub(super) fn of(raw: &str) -> Result<Members<'_>, JsonError> {
    if raw.starts_with('{') { json::members(raw) } else { Err(JsonError::NotAnObject { found: type_name(raw) }) }
}

/// What the valid JSON text `raw` is, with its article: `a string`.
pub(super) fn type_name(raw: &str) -> &'static str {
    match raw.as_bytes().first() {
        Some(b'{') => Json::Object(Vec::new()).type_name(),
        Some(b'[') => Json::Array(Vec::new()).type_name(),
        Some(b'"') => Json::String(String::new()).type_name(),
        Some(b'n') => Json::Null.type_name(),
        Some(b't' | b'f') => Json::Bool(true).type_name(),
        _ => Json::Number("0".into()).type_name(),
    }
}
