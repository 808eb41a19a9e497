use proptest::prelude::*;

use super::*;
use crate::compact::{line_tokens, prompt};

/// One token for every word and every run of punctuation, cut off after four, with a special token of its own around them.
const WORDS: &str = r#"{
    "version": "1.0", "padding": null, "normalizer": null, "decoder": null,
    "truncation": {"direction": "Right", "max_length": 4, "strategy": "LongestFirst", "stride": 0},
    "added_tokens": [{"id": 1, "content": "<end>", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false, "special": true}],
    "pre_tokenizer": {"type": "Whitespace"},
    "post_processor": {"type": "BertProcessing", "sep": ["<end>", 1], "cls": ["<end>", 1]},
    "model": {"type": "WordLevel", "vocab": {"[UNK]": 0, "<end>": 1, "type": 2}, "unk_token": "[UNK]"}
}"#;

fn words() -> Counter {
    Counter::new("words", Kind::File(Box::new(TokenizerFile::parse(WORDS.as_bytes()).unwrap())), Overhead::default())
}

fn estimated(factor: f64, margin: f64) -> Counter {
    let estimate = Estimate::new(Tokenizer::Cl100kBase, factor, margin, Day::parse("2026-02-28").unwrap()).unwrap();
    Counter::new("guess", Kind::Estimated(estimate), Overhead { tools: TokenCount(300), per_tool: TokenCount(7) })
}

/// A tokenizer like [`WORDS`] with another part.
fn with(part: &str, value: &str) -> String {
    let mut json: serde_json::Value = serde_json::from_str(WORDS).unwrap();
    json[part] = serde_json::from_str(value).unwrap();
    json.to_string()
}

#[track_caller]
fn check(bytes: &[u8], words: &str) {
    let error = TokenizerFile::parse(bytes).unwrap_err().to_string();
    assert!(error.contains(words) && !error.contains('\n') && error.len() < 300, "{error}");
}

#[test]
fn a_file_counts_all_of_a_text_and_nothing_around_it() {
    let words = words();
    assert_eq!(words.count(""), TokenCount(0));
    assert_eq!(words.count("one two three, four five six"), TokenCount(7));
    // A publisher's special token is text: two marks and a word.
    assert_eq!(words.count("a <end> b"), TokenCount(5));
    assert_eq!(words.frame(), TokenCount(2));
}

#[test]
fn what_is_no_tokenizer_is_refused_with_its_reason() {
    check(b"", "is not JSON: EOF");
    check(b"\xff\xfe", "is not JSON");
    check(b"spiece.model", "is not JSON: expected value at line 1");
    check(b"[]", "is not a tokenizer.json");
    check(b"{}", "is not a tokenizer.json");
    check(br#"{"model": {"type": "WordLevel"}}"#, "is not a tokenizer.json");
    check(with("model", r#"{"type":"BPE","vocab":{"a":0},"merges":["a b"]}"#).as_bytes(), "is not a tokenizer.json");
    check(
        with("pre_tokenizer", r#"{"type":"Split","pattern":{"Regex":"("},"behavior":"Isolated","invert":false}"#).as_bytes(),
        "not a",
    );
    // No token for what it does not know.
    check(
        with("model", r#"{"type":"BPE","vocab":{},"merges":[]}"#).as_bytes(),
        "cannot count a tool definition: it has no token",
    );
    check(
        with("model", r#"{"type":"WordLevel","vocab":{"a":0},"unk_token":"[UNK]"}"#).as_bytes(),
        "cannot count a tool definition",
    );
    check(("[".repeat(100_000) + &"]".repeat(100_000)).as_bytes(), "is not");
}

#[test]
fn a_text_that_a_file_gives_up_on_is_as_many_tokens_as_bytes() {
    let endless = r#"{"type":"Split","pattern":{"Regex":"(?:x+x+)+(?!x|$)"},"behavior":"Isolated","invert":false}"#;
    let file = TokenizerFile::parse(with("pre_tokenizer", endless).as_bytes()).unwrap();
    assert_eq!(file.count("read"), TokenCount(1));
    let hostile = "x".repeat(60);
    assert_eq!(file.count(&hostile), TokenCount(60));
}

#[test]
fn counters_are_equal_when_all_they_count_by_is() {
    assert_eq!(estimated(1.2, 0.1), estimated(1.2, 0.1));
    assert_ne!(estimated(1.2, 0.1), estimated(1.2, 0.2));
    assert_eq!(words(), words());
    let other = TokenizerFile::parse(format!("{WORDS} ").as_bytes()).unwrap();
    assert_ne!(words(), Counter::new("words", Kind::File(Box::new(other)), Overhead::default()));
    let file = || Kind::File(Box::new(TokenizerFile::parse(WORDS.as_bytes()).unwrap()));
    assert_ne!(words(), Counter::new("words", file(), Overhead { tools: TokenCount(1), per_tool: TokenCount(0) }));
    assert_ne!(words(), Counter::new("other", file(), Overhead::default()));
    assert_ne!(Counter::exact(Tokenizer::O200kBase), Counter::exact(Tokenizer::Cl100kBase));
}

#[test]
fn what_a_vendor_adds_is_for_tools_only() {
    let overhead = estimated(1.0, 0.0).overhead();
    assert_eq!([0, 1, 3].map(|tools| overhead.around(tools).0), [0, 307, 321]);
    let most = Overhead { tools: TokenCount(u32::MAX), per_tool: TokenCount(u32::MAX) };
    assert_eq!(most.around(usize::MAX), TokenCount(u32::MAX));
    // The brackets, and what comes once.
    let frame = Counter::exact(Tokenizer::Cl100kBase).frame();
    assert_eq!(estimated(1.0, 0.0).frame(), frame + TokenCount(300));
}

#[test]
fn names_are_found_and_told() {
    let counters = Counters::new(vec![Counter::exact(Tokenizer::O200kBase), words()], "words").unwrap();
    assert_eq!(counters.default_counter().name(), "words");
    assert_eq!(counters.get("o200k_base"), Some(&Counter::exact(Tokenizer::O200kBase)));
    assert_eq!(counters.get("Words"), None);
    assert_eq!(counters.names(), "o200k_base, words");
    assert!(Counters::new(vec![words()], "o200k_base").is_none());
    assert_eq!(Counters::default().names(), "o200k_base, cl100k_base");
}

proptest! {
    #[test]
    fn a_list_is_counted_as_its_text_and_is_within_the_sum_of_its_parts(
        items in prop::collection::vec("[a-z ]{1,30}", 1..6), factor in 0.1f64..4.0, margin in 0.0f64..1.0
    ) {
        let items: Vec<String> = items.iter().map(|item| format!(r#"{{"name":"{item}"}}"#)).collect();
        let text = prompt(items.iter().map(String::as_str));
        for counter in [Counter::exact(Tokenizer::O200kBase), estimated(factor, margin), words()] {
            let lines: Vec<_> = items.iter().map(|item| line_tokens(item, counter.base())).collect();
            let counted = counter.list_tokens(&lines, &text);
            prop_assert_eq!(counted, counter.count(&text));
            let item = |item: &String, line: &[TokenCount; 2]| counter.cost(line[0].max(line[1]), || format!("{item},\n"));
            let parts: TokenCount = items.iter().zip(&lines).map(|(text, line)| item(text, line)).sum();
            prop_assert!(counted <= counter.frame() + parts, "{} of {text}", counter.name());
        }
    }

    #[test]
    fn no_json_panics(part in "model|pre_tokenizer|normalizer|truncation|added_tokens|post_processor|padding", value in "\\[\\]|\\{\\}|null|-1|\"BPE\"|\\{\"type\":\"(Unigram|WordPiece|BPE|Precompiled|ByteLevel|Sequence|Replace)\"(,\"vocab\":(\\[\\]|\\{\\}|\\[\\[\"a\",1\\]\\]))?(,\"precompiled_charsmap\":\"[A-Z]{0,8}\")?(,\"merges\":\\[\\])?\\}") {
        let _ = TokenizerFile::parse(with(&part, &value).as_bytes()).map(|file| file.count("a b"));
    }
}
