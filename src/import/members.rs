//! One level of a JSON object with its values as they were written, because schemas travel verbatim.

use std::collections::HashSet;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::json::{Json, JsonError};

/// Keys, unescaped, and values, verbatim, in the order they were written.
pub(super) type Members<'a> = Vec<(String, &'a RawValue)>;

/// The members of the object `raw`.
///
/// # Errors
/// Not an object, or a key twice: two readers would see two different tools.
pub(super) fn of(raw: &str) -> Result<Members<'_>, JsonError> {
    if !raw.starts_with('{') {
        return Err(JsonError::NotAnObject { found: type_name(raw) });
    }
    let InOrder(members) = serde_json::from_str(raw).map_err(|e| JsonError::Syntax { detail: e.to_string() })?;
    let mut seen = HashSet::with_capacity(members.len());
    match members.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        Some((key, _)) => Err(JsonError::DuplicateKey { key: key.clone() }),
        None => Ok(members),
    }
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

struct InOrder<'a>(Members<'a>);

impl<'de: 'a, 'a> Deserialize<'de> for InOrder<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(members)
            }
        }
        deserializer.deserialize_map(Collect).map(InOrder)
    }
}
