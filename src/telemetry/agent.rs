//! Which agent calls: W3C baggage's `gen_ai.agent.name`, else the header `x-agent-name`.
//!
//! The name becomes a key, an attribute and a label, so only a short plain one counts; anything else is as good as none.

use std::borrow::Cow;

/// The baggage entry, after OpenTelemetry's conventions for generative AI.
const ENTRY: &str = "gen_ai.agent.name";
/// The header for callers without baggage.
pub const AGENT_HEADER: &str = "x-agent-name";
/// Longest name.
const MAX_NAME_BYTES: usize = 64;
/// Longest baggage that is looked at: the W3C's own limit for all of it.
const MAX_BAGGAGE_BYTES: usize = 8_192;

/// The agent's name, from the values of the baggage headers and of the header of our own. Entries that are no usable name are passed over.
pub fn agent_name<'a>(baggage: impl IntoIterator<Item = &'a str>, header: Option<&'a str>) -> Option<Cow<'a, str>> {
    let mut room = MAX_BAGGAGE_BYTES;
    for value in baggage {
        let Some(left) = room.checked_sub(value.len()) else { break };
        room = left;
        let entries = value.split(',').filter_map(|entry| entry.split_once('='));
        // What stands behind a semicolon are properties of the entry.
        let mut named = entries
            .filter(|(key, _)| key.trim() == ENTRY)
            .filter_map(|(_, value)| usable(decoded(value.split(';').next().unwrap_or_default())));
        if let Some(name) = named.next() {
            return Some(name);
        }
    }
    usable(Cow::Borrowed(header?))
}

fn usable(name: Cow<'_, str>) -> Option<Cow<'_, str>> {
    let name = match name {
        Cow::Borrowed(name) => Cow::Borrowed(name.trim()),
        Cow::Owned(name) => Cow::Owned(name.trim().to_owned()),
    };
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-' | b' ');
    ((1..=MAX_NAME_BYTES).contains(&name.len()) && name.bytes().all(plain)).then_some(name)
}

/// Without percent-encoding. What is no plain name once decoded is refused anyway, so a stray sign may stay.
fn decoded(value: &str) -> Cow<'_, str> {
    if !value.contains('%') || 3 * MAX_NAME_BYTES + 2 < value.len() {
        return Cow::Borrowed(value);
    }
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let code = tail.get(..2).filter(|_| *first == b'%').and_then(|digits| hex::decode(digits).ok());
        bytes.extend(code.as_deref().unwrap_or(&[*first]));
        rest = if code.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(value), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(baggage: &[&str], header: Option<&str>, expected: Option<&str>) {
        assert_eq!(agent_name(baggage.iter().copied(), header).as_deref(), expected, "{baggage:?} {header:?}");
    }

    #[test]
    fn a_short_plain_name_counts() {
        check(&["gen_ai.agent.name=planner"], None, Some("planner"));
        check(&["user=7, gen_ai.agent.name = Trip%20planner;weight=2 ,x=y"], Some("other"), Some("Trip planner"));
        check(&["a=b", "gen_ai.agent.name=second"], None, Some("second"));
        check(&[], Some(" planner-2.1 "), Some("planner-2.1"));
        check(&[], None, None);
    }

    #[test]
    fn anything_else_is_none() {
        check(&["gen_ai.agent.name="], Some("header"), Some("header"));
        check(&["gen_ai.agent.name=%3Cscript%3E"], None, None);
        check(&["gen_ai.agent.name=%zz"], None, None);
        check(&["gen_ai.agent.name=%ff%fe"], None, None);
        check(&["gen_ai.agent.name=%"], None, None);
        check(&["gen_ai.agent.name"], None, None);
        check(&[], Some(""), None);
        check(&[], Some("a\"b"), None);
        check(&[], Some(&"x".repeat(65)), None);
        check(&[], Some(&"x".repeat(64)), Some(&"x".repeat(64)));
        check(&[&format!("{}gen_ai.agent.name=late", "k=v,".repeat(3_000))], None, None);
    }
}
