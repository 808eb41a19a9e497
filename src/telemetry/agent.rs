//! Who calls, by a name that the caller gives itself: the W3C baggage entry `gen_ai.agent.name`, which frameworks pass on by themselves, else
//! the header `x-agent-name`.
//!
//! It is a label of figures and no credential: nothing is allowed or denied by it. So what does not fit into a label is changed, not refused.

use std::collections::HashMap;

use opentelemetry::Context;
use opentelemetry::baggage::BaggageExt;
use opentelemetry::propagation::TextMapPropagator;
use opentelemetry_sdk::propagation::BaggagePropagator;

/// The header.
pub const AGENT_HEADER: &str = "x-agent-name";
/// The entry of the baggage.
const AGENT_KEY: &str = "gen_ai.agent.name";
/// Longest baggage, in bytes.
const MAX_BAGGAGE: usize = 8_192;
/// Longest name, in characters.
const MAX_NAME: usize = 64;

/// The name of a caller that sent this `baggage` and this [`AGENT_HEADER`]; empty without one. At most 64 of `A-Za-z0-9_.-` and space; other
/// characters become `_`.
#[must_use]
pub fn agent_name(baggage: Option<&str>, header: Option<&str>) -> String {
    // Longer baggage is none, as W3C has it; the library would say so in the log, as often as somebody sends it.
    let carried = baggage.filter(|baggage| baggage.len() <= MAX_BAGGAGE).and_then(|baggage| {
        let carrier = HashMap::from([("baggage".to_owned(), baggage.to_owned())]);
        let context = BaggagePropagator::new().extract_with_context(&Context::new(), &carrier);
        context.baggage().get(AGENT_KEY).map(|name| clean(name.as_str()))
    });
    carried.filter(|name| !name.is_empty()).or_else(|| header.map(clean)).unwrap_or_default()
}

fn clean(name: &str) -> String {
    let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | ' ');
    let name: String = name.trim().chars().take(MAX_NAME).map(|c| if allowed(c) { c } else { '_' }).collect();
    name.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_baggage_or_the_header_and_fit_a_label() {
        #[track_caller]
        fn check(baggage: Option<&str>, header: Option<&str>, expected: &str) {
            assert_eq!(agent_name(baggage, header), expected, "{baggage:?} {header:?}");
        }
        check(None, None, "");
        check(None, Some("planner-2"), "planner-2");
        check(Some("user=7,gen_ai.agent.name=trip%20planner;x=y"), Some("other"), "trip planner");
        check(Some("user=7"), Some(" a "), "a");
        check(Some("gen_ai.agent.name="), Some("a"), "a");
        check(Some("gen_ai.agent.name=%FF%FE"), None, "");
        check(Some(",,;=%%%"), None, "");
        check(None, Some("{\"<b>\n"), "{\"<b>".replace(['{', '"', '<', '>'], "_").as_str());
        check(None, Some("日本"), "__");
        assert_eq!(
            agent_name(Some(&format!("gen_ai.agent.name={}", "a".repeat(9_000))), None),
            "",
            "longer than any baggage may be"
        );
        assert_eq!(agent_name(None, Some(&"a".repeat(9_000))).len(), 64);
    }
}
