//! Following a `$ref` inside its own document: JSON pointers (RFC 6901) and anchors.

use std::collections::HashMap;

use crate::json::Json;

/// A schema by where it is in memory: two equal schemas are still two places to come by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Node(*const Json);

impl Node {
    pub(super) fn of(json: &Json) -> Self {
        Self(std::ptr::from_ref(json))
    }
}

/// Where a reference leads.
pub(super) enum Target<'a> {
    /// To this schema.
    Found(&'a Json),
    /// To nothing that is a schema.
    Missing,
    /// Out of the document.
    Remote,
}

/// Follows `reference` from `base`, the schema whose `$id` is nearest, or else from the root: most writers of bundled schemas
/// mean the one, some the other, and only a pointer that fits neither is broken for everyone.
pub(super) fn resolve<'a>(reference: &str, root: &'a Json, base: &'a Json, anchors: &HashMap<&str, &'a Json>) -> Target<'a> {
    let fragment = match reference.strip_prefix('#') {
        Some(fragment) => fragment,
        None if reference.is_empty() => "",
        None => return Target::Remote,
    };
    let decoded = percent_decoded(fragment);
    let target = if decoded.is_empty() {
        Some(base)
    } else if decoded.starts_with('/') {
        follow(&decoded, base)
            .or_else(|| if std::ptr::eq(base, root) { None } else { follow(&decoded, root) })
            // A key may hold a bare `%`, which some writers leave as it is.
            .or_else(|| if decoded == fragment { None } else { follow(fragment, root) })
    } else {
        anchors.get(decoded.as_str()).copied()
    };
    match target {
        Some(schema @ (Json::Object(_) | Json::Bool(_))) => Target::Found(schema),
        _ => Target::Missing,
    }
}

fn follow<'a>(pointer: &str, from: &'a Json) -> Option<&'a Json> {
    pointer.split('/').skip(1).try_fold(from, |json, token| {
        let token = token.replace("~1", "/").replace("~0", "~");
        match json {
            Json::Array(elements) => elements.get(token.parse::<usize>().ok()?),
            other => other.get(&token),
        }
    })
}

fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let code = digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match code {
            Some(code) if first == b'%' => {
                bytes.push(code);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}
