//! A JSON tree that loses nothing: key order, number text and duplicate keys all survive or are reported.
//!
//! `serde_json::Value` would turn 12345678901234567890.1 into another number, and its `arbitrary_precision` switch is global
//! and breaks how tokenizer files are read. So numbers stay text here. Parsing rests on `serde_json`'s raw values, one level
//! at a time: the scanner under it is iterative, so a document nested a million deep is refused, not a stack overflow.

use std::collections::HashSet;
use std::{fmt, io};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// The number as it was written.
    Number(Box<str>),
    /// The string, unescaped.
    String(String),
    /// Elements in order.
    Array(Vec<Json>),
    /// Members in the order they were written; keys are unique.
    Object(Vec<(String, Json)>),
}

/// Why a text is not a document we take.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum JsonError {
    /// Not JSON.
    #[error("not valid JSON: {detail}")]
    Syntax {
        /// The parser's words, with line and column.
        detail: String,
    },
    /// Nested deeper than allowed.
    #[error("nested deeper than {limit} levels")]
    TooDeep {
        /// The deepest nesting allowed.
        limit: usize,
    },
    /// Two readers of such a text would see two different tools.
    #[error("key {key:?} appears twice in one object")]
    DuplicateKey {
        /// The repeated key.
        key: String,
    },
    /// An object was needed.
    #[error("is {found}, not an object")]
    NotAnObject {
        /// What stands there, with its article.
        found: &'static str,
    },
}

impl Json {
    /// Parses `text`, at most `max_depth` levels of arrays and objects deep.
    ///
    /// # Errors
    /// Bad syntax, too deep, or a key twice in one object.
    pub fn parse(text: &str, max_depth: usize) -> Result<Self, JsonError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(syntax)?;
        from_raw(raw.get(), max_depth, max_depth)
    }

    /// As [`Json::parse`], and the value must be an object.
    ///
    /// # Errors
    /// Also when the value is not an object.
    pub fn parse_object(text: &str, max_depth: usize) -> Result<Self, JsonError> {
        match Self::parse(text, max_depth)? {
            object @ Self::Object(_) => Ok(object),
            other => Err(JsonError::NotAnObject { found: other.type_name() }),
        }
    }

    /// The member `key` of an object.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.as_object()?.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The members, when this is an object.
    #[must_use]
    pub fn as_object(&self) -> Option<&[(String, Self)]> {
        match self {
            Self::Object(members) => Some(members),
            _ => None,
        }
    }

    /// The elements, when this is an array.
    #[must_use]
    pub fn as_array(&self) -> Option<&[Self]> {
        match self {
            Self::Array(elements) => Some(elements),
            _ => None,
        }
    }

    /// The text, when this is a string.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// What this is, with its article: `a string`.
    #[must_use]
    pub fn type_name(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "a boolean",
            Self::Number(_) => "a number",
            Self::String(_) => "a string",
            Self::Array(_) => "an array",
            Self::Object(_) => "an object",
        }
    }

    /// One text per meaning: keys sorted, numbers in one form, no whitespace. Hash this, never the text that was sent.
    #[must_use]
    pub fn canonical(&self) -> String {
        let mut out = String::new();
        self.write_canonical(&mut out);
        out
    }

    fn write_canonical(&self, out: &mut String) {
        match self {
            Self::Number(text) => out.push_str(&canonical_number(text)),
            Self::Array(elements) => {
                out.push('[');
                for (i, element) in elements.iter().enumerate() {
                    if 0 < i {
                        out.push(',');
                    }
                    element.write_canonical(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                let mut sorted: Vec<_> = members.iter().collect();
                sorted.sort_by(|a, b| a.0.cmp(&b.0));
                out.push('{');
                for (i, (key, value)) in sorted.into_iter().enumerate() {
                    if 0 < i {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write_canonical(out);
                }
                out.push('}');
            }
            plain => plain.write(out),
        }
    }

    fn write(&self, out: &mut String) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Bool(true) => out.push_str("true"),
            Self::Bool(false) => out.push_str("false"),
            Self::Number(text) => out.push_str(text),
            Self::String(text) => write_string(text, out),
            Self::Array(elements) => {
                out.push('[');
                for (i, element) in elements.iter().enumerate() {
                    if 0 < i {
                        out.push(',');
                    }
                    element.write(out);
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                for (i, (key, value)) in members.iter().enumerate() {
                    if 0 < i {
                        out.push(',');
                    }
                    write_string(key, out);
                    out.push(':');
                    value.write(out);
                }
                out.push('}');
            }
        }
    }
}

/// Minified, members in their own order, numbers as they were written.
impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut out = String::new();
        self.write(&mut out);
        f.write_str(&out)
    }
}

/// Appends `text` as a JSON string.
pub fn write_string(text: &str, out: &mut String) {
    // Serialising a `&str` has no failing path: JSON has an escape for every character.
    let _ = serde_json::to_writer(Sink(out), text);
}

/// Writes to the end of a string. What comes must be whole characters, as it does from a serialiser of strings.
struct Sink<'a>(&'a mut String);

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let text = str::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        self.0.push_str(text);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn from_raw(raw: &str, depth_left: usize, limit: usize) -> Result<Json, JsonError> {
    let raw = raw.trim();
    match raw.as_bytes().first() {
        Some(b'{') => {
            let deeper = depth_left.checked_sub(1).ok_or(JsonError::TooDeep { limit })?;
            let parse = |(key, value): (String, &RawValue)| Ok((key, from_raw(value.get(), deeper, limit)?));
            let members = members(raw)?.into_iter().map(parse).collect::<Result<_, _>>()?;
            Ok(Json::Object(members))
        }
        Some(b'[') => {
            let deeper = depth_left.checked_sub(1).ok_or(JsonError::TooDeep { limit })?;
            let raw_elements: Vec<&RawValue> = serde_json::from_str(raw).map_err(syntax)?;
            raw_elements.into_iter().map(|e| from_raw(e.get(), deeper, limit)).collect::<Result<_, _>>().map(Json::Array)
        }
        Some(b'"') => serde_json::from_str(raw).map(Json::String).map_err(syntax),
        Some(b'n') => Ok(Json::Null),
        Some(b't') => Ok(Json::Bool(true)),
        Some(b'f') => Ok(Json::Bool(false)),
        _ => Ok(Json::Number(raw.into())),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "passed to map_err")]
fn syntax(error: serde_json::Error) -> JsonError {
    JsonError::Syntax { detail: error.to_string() }
}

/// Keys, unescaped, and values, verbatim, in the order they were written.
pub type Members<'a> = Vec<(String, &'a RawValue)>;

/// One level of the JSON object `raw`.
///
/// # Errors
/// Not an object, or a key twice: two readers would see two different tools.
pub fn members(raw: &str) -> Result<Members<'_>, JsonError> {
    let InOrder(members) = serde_json::from_str(raw).map_err(syntax)?;
    let mut seen = HashSet::with_capacity(members.len());
    match members.iter().find(|(key, _)| !seen.insert(key.as_str())) {
        Some((key, _)) => Err(JsonError::DuplicateKey { key: key.clone() }),
        None => Ok(members),
    }
}

/// Members as they come, duplicates kept so that they can be reported.
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

/// `1`, `1.0` and `10e-1` are one number: sign, digits without outer zeros, power of ten. Exact at any size.
fn canonical_number(text: &str) -> String {
    let (sign, unsigned) = text.strip_prefix('-').map_or(("", text), |rest| ("-", rest));
    let (mantissa, exponent) = unsigned.split_once(['e', 'E']).unwrap_or((unsigned, "0"));
    // An exponent beyond i64 is no number anyone computes with; its text is as good a name for it as any.
    let Ok(exponent) = exponent.parse::<i64>() else { return text.to_owned() };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    let significant = digits.trim_start_matches('0').trim_end_matches('0');
    if significant.is_empty() {
        return "0".to_owned();
    }
    let trailing_zeros = digits.len() - digits.trim_end_matches('0').len();
    let shift = i64::try_from(trailing_zeros).unwrap_or(0) - i64::try_from(fraction.len()).unwrap_or(0);
    let power = exponent.saturating_add(shift);
    if power == 0 { format!("{sign}{significant}") } else { format!("{sign}{significant}e{power}") }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn keeps_key_order_and_number_text() {
        let text = r#"{"b":12345678901234567890.10,"a":[1e5,null,true,"é\n"]}"#;
        assert_eq!(Json::parse(text, 8).unwrap().to_string(), r#"{"b":12345678901234567890.10,"a":[1e5,null,true,"é\n"]}"#);
    }

    #[test]
    fn refuses_depth_without_overflowing_the_stack() {
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        assert_eq!(Json::parse(&deep, 64), Err(JsonError::TooDeep { limit: 64 }));
        assert!(Json::parse(&("[".repeat(64) + &"]".repeat(64)), 64).is_ok());
    }

    #[test]
    fn refuses_what_two_readers_would_read_differently() {
        assert_eq!(Json::parse(r#"{"a":1,"\u0061":2}"#, 8), Err(JsonError::DuplicateKey { key: "a".into() }));
        assert!(matches!(Json::parse(r#"{"a":1"#, 8), Err(JsonError::Syntax { .. })));
        assert!(matches!(Json::parse("{} {}", 8), Err(JsonError::Syntax { .. })));
        assert!(matches!(Json::parse(r#""\ud800""#, 8), Err(JsonError::Syntax { .. })));
        assert_eq!(Json::parse_object("[1]", 8), Err(JsonError::NotAnObject { found: "an array" }));
    }

    #[test]
    fn canonical_text_joins_spellings_and_keeps_big_numbers_apart() {
        let canonical = |text| Json::parse(text, 8).unwrap().canonical();
        assert_eq!(canonical(r#"{"b":1.0,"a":"\u0041"}"#), canonical(r#"{ "a":"A", "b":10e-1 }"#));
        assert_ne!(canonical("9007199254740993"), canonical("9007199254740992"));
        assert_eq!(canonical("-0.0"), "0");
        assert_eq!(canonical("1200"), "12e2");
    }

    fn any_json() -> impl Strategy<Value = Json> {
        let leaf = prop_oneof![
            Just(Json::Null),
            any::<bool>().prop_map(Json::Bool),
            any::<i64>().prop_map(|n| Json::Number(n.to_string().into())),
            "\\PC{0,8}".prop_map(Json::String),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Json::Array),
                prop::collection::btree_map("\\PC{0,4}", inner, 0..4).prop_map(|m| Json::Object(m.into_iter().collect())),
            ]
        })
    }

    fn reversed(json: &Json) -> Json {
        match json {
            Json::Object(members) => Json::Object(members.iter().rev().map(|(k, v)| (k.clone(), reversed(v))).collect()),
            Json::Array(elements) => Json::Array(elements.iter().map(reversed).collect()),
            other => other.clone(),
        }
    }

    proptest! {
        #[test]
        fn writing_and_parsing_agree(json in any_json()) {
            prop_assert_eq!(Json::parse(&json.to_string(), 16).unwrap(), json);
        }

        #[test]
        fn canonical_text_does_not_depend_on_key_order(json in any_json()) {
            prop_assert_eq!(reversed(&json).canonical(), json.canonical());
        }
    }
}
