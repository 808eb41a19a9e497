//! Any text as a conversation: it becomes a request that begins with the last user turn, is bounded, and is the same a second time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tool_router::condense::{Called, MAX_EARLIER_BYTES, MAX_USER_TURNS, Role, Turn, condense};
use tool_router::rank::Conversation;

/// Words that a turn can be given: about 32, none longer than what it was taken from.
const MAX_ADDED_BYTES: usize = 33 * MAX_EARLIER_BYTES;

/// A turn a line, its role by the first character: `>` is the model, `<` a tool, and `@` calls tools.
fn turns(text: &str) -> Vec<Turn> {
    let turn = |line: &str| match line.chars().next() {
        Some('>') => Turn { role: Role::Assistant, text: line[1..].to_owned(), calls: Vec::new() },
        Some('<') => Turn { role: Role::Tool, text: line[1..].to_owned(), calls: Vec::new() },
        Some('@') => {
            let calls = line[1..].split(' ').map(|name| Called::ModelName(name.to_owned())).collect();
            Turn { role: Role::Assistant, text: String::new(), calls }
        }
        _ => Turn { role: Role::User, text: line.to_owned(), calls: Vec::new() },
    };
    text.split('\n').map(turn).collect()
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let turns = turns(text);
    let rarity = |term: &str| (term.bytes().map(u32::from).sum::<u32>() % 11) as f32 / 10.0;
    let numbers = Conversation::default();
    let condensed = condense(&turns, rarity, &numbers);
    assert_eq!(condense(&turns, rarity, &numbers), condensed, "is another the second time");
    let last = turns.iter().rev().find(|turn| turn.role == Role::User && !turn.text.trim().is_empty());
    let Some(condensed) = condensed else {
        assert!(last.is_none(), "{last:?} became nothing");
        return;
    };
    let last = last.expect("there is one").text.as_str();
    assert_eq!(condensed.last.trim(), last.trim());
    assert!(condensed.expanded.starts_with(condensed.last), "{:?}", condensed.expanded);
    assert!(condensed.expanded.len() <= condensed.last.len() + MAX_ADDED_BYTES, "{} bytes", condensed.expanded.len());
    assert!(condensed.earlier.len() < MAX_USER_TURNS);
    for weight in condensed.earlier.iter().map(|(_, weight)| weight).chain(condensed.calls.iter().map(|(_, weight)| weight)) {
        assert!((0.0..=1.0).contains(weight), "{weight}");
    }
});
