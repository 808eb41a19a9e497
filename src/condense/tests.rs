use proptest::prelude::*;

use super::*;

fn user(text: &str) -> Turn {
    Turn { role: Role::User, text: text.into(), calls: Vec::new() }
}

fn called(name: &str) -> Turn {
    Turn { role: Role::Assistant, text: "done".into(), calls: vec![Called::ModelName(name.into())] }
}

/// Everything of more than three letters is known, the longer the rarer.
fn rarity(term: &str) -> f32 {
    let length = term.chars().count();
    if length < 4 { 0.0 } else { (length as f32 / 10.0).min(1.0) }
}

#[test]
fn a_turn_that_leans_brings_the_rare_words_before_it() {
    let turns = [user("open the ticket for gateway"), called("open_ticket"), user("assign it to Ann"), user("now close it")];
    let condensed = condense(&turns, rarity, &Conversation::default()).unwrap();
    assert_eq!((condensed.last, condensed.lean), ("now close it", Lean::Refers));
    assert_eq!(condensed.expanded, "now close it assign open ticket gateway");
    assert_eq!(condensed.earlier, [("assign it to Ann", 0.5), ("open the ticket for gateway", 0.25)]);
    assert_eq!(condensed.calls, [(&Called::ModelName("open_ticket".into()), 0.5)]);
    let few = Conversation { max_tokens: 3, ..Conversation::default() };
    assert_eq!(condense(&turns, rarity, &few).unwrap().expanded, "now close it assign open", "what is too long makes room");
}

#[test]
fn a_turn_that_stands_alone_stays_as_it_is() {
    let turns = [user("open the ticket for gateway"), user("convert the temperature measurements to Fahrenheit")];
    let condensed = condense(&turns, rarity, &Conversation::default()).unwrap();
    assert_eq!((condensed.expanded.as_str(), condensed.lean), (condensed.last, Lean::No));
    let first = [user("do it again")];
    assert_eq!(condense(&first, rarity, &Conversation::default()).unwrap().lean, Lean::No, "there is nothing to lean on");
}

#[test]
fn without_a_user_turn_there_is_no_request() {
    assert_eq!(condense(&[called("x"), user(" \n")], rarity, &Conversation::default()), None);
    assert_eq!(condense(&[], rarity, &Conversation::default()), None);
}

fn turn() -> impl Strategy<Value = Turn> {
    let word = prop_oneof![
        "\\PC{0,8}",
        "[a-zA-Z_]{1,12}",
        prop::sample::select(vec![
            "it",
            "that",
            "same",
            "not",
            "그거",
            "다시",
            "它",
            "同样",
            "それ",
            "同じ",
            "날씨를",
            "天気予報",
            ",",
            "?"
        ])
        .prop_map(str::to_owned),
    ];
    let text = prop::collection::vec(word, 0..12).prop_map(|words| words.join(" "));
    let long = (text.clone(), 1_usize..400).prop_map(|(text, times)| text.repeat(times));
    let role = prop::sample::select(vec![Role::User, Role::User, Role::Assistant, Role::Tool]);
    let calls = prop::collection::vec("[a-c]{1,2}".prop_map(Called::ModelName), 0..3);
    (role, prop_oneof![4 => text, 1 => long], calls).prop_map(|(role, text, calls)| Turn { role, text, calls })
}

proptest! {
    #[test]
    fn any_conversation_is_condensed_within_bounds_and_always_alike(turns in prop::collection::vec(turn(), 0..12), known in 0_u8..4) {
        let numbers = Conversation::default();
        let rarity = |term: &str| f32::from(term.bytes().fold(known, u8::wrapping_add) % 4) / 3.0;
        let condensed = condense(&turns, rarity, &numbers);
        prop_assert_eq!(condensed.is_some(), turns.iter().any(|turn| turn.role == Role::User && !turn.text.trim().is_empty()));
        prop_assert_eq!(&condensed, &condense(&turns, rarity, &numbers));
        let Some(condensed) = condensed else { return Ok(()) };
        // A term has at most five letters a token, four bytes a letter, and a blank.
        prop_assert!(condensed.expanded.starts_with(condensed.last));
        prop_assert!(condensed.expanded.len() <= condensed.last.len() + numbers.max_tokens * 24);
        prop_assert!(condensed.earlier.len() < MAX_USER_TURNS);
        prop_assert!(condensed.earlier.iter().all(|(text, _)| text.len() <= MAX_EARLIER_BYTES));
        prop_assert!(condensed.lean != Lean::No || condensed.expanded == condensed.last);
    }

    #[test]
    fn what_is_not_read_makes_no_difference(turns in prop::collection::vec(turn(), 0..20)) {
        let numbers = Conversation::default();
        let kept = recent(turns.clone());
        prop_assert!(kept.iter().filter(|turn| turn.role == Role::User && !turn.text.is_empty()).count() <= MAX_USER_TURNS);
        prop_assert_eq!(condense(&kept, rarity, &numbers), condense(&turns, rarity, &numbers));
        prop_assert_eq!(recent(kept.clone()), kept);
    }
}
