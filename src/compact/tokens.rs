//! Counts tokens, exactly.
//!
//! A cap that is hard needs a count that is exact. bpe-openai gives the numbers of OpenAI's own tokenizer and stays linear on
//! any input; tiktoken-rs, the better known crate, panics on a million spaces and so is only the twin the tests compare with.
//! Nothing else names either crate. Text is counted as text: `<|endoftext|>` in a description is no special token, since it
//! comes from a publisher.

use crate::tool::TokenCount;

/// A vocabulary that we count exactly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tokenizer {
    /// OpenAI's vocabulary since GPT-4o.
    O200kBase,
    /// OpenAI's vocabulary of GPT-4 and GPT-3.5.
    Cl100kBase,
}

impl Tokenizer {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::O200kBase, Self::Cl100kBase];

    /// The name that everyone uses, `o200k_base`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::O200kBase => "o200k_base",
            Self::Cl100kBase => "cl100k_base",
        }
    }

    /// The tokenizer of that [`name`](Self::name).
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|tokenizer| tokenizer.name() == name)
    }

    /// How many tokens `text` is. The first call of a process also unpacks the vocabulary.
    #[must_use]
    pub fn count(self, text: &str) -> TokenCount {
        let tokens = match self {
            Self::O200kBase => bpe_openai::o200k_base().count(text),
            Self::Cl100kBase => bpe_openai::cl100k_base().count(text),
        };
        TokenCount(u32::try_from(tokens).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str) {
        let twin = |tokenizer| match tokenizer {
            Tokenizer::O200kBase => tiktoken_rs::o200k_base_singleton().count_ordinary(text),
            Tokenizer::Cl100kBase => tiktoken_rs::cl100k_base_singleton().count_ordinary(text),
        };
        for tokenizer in Tokenizer::ALL {
            assert_eq!(tokenizer.count(text).0 as usize, twin(tokenizer), "{} of {text:?}", tokenizer.name());
        }
    }

    #[test]
    fn counts_as_the_twin_does() {
        check("");
        check("Hello, world");
        check("{\n  \"type\": \"object\",\n\t\"properties\": {\"repo_name\": {\"type\": \"string\"}}\n}");
        check("fn main() { let x = vec![1, 22, 333, 4444]; }\r\n\r\n// it's we'll I'D");
        check("搜索网页 検索 검색 🛠️ 👩‍👩‍👧‍👦 e\u{301}é \u{a0}\u{2003} \u{202e}x");
        check("<|endoftext|> https://example.org/a//b?c=%20#d");
        check("  leading,   inner   and trailing   \n \n\n   ");
    }

    #[test]
    fn a_million_spaces_are_counted_quickly() {
        let started = Instant::now();
        for text in [" ".repeat(1_000_000), "\n ".repeat(500_000), "a".repeat(1_000_000), "{".repeat(1_000_000)] {
            for tokenizer in Tokenizer::ALL {
                assert!(1_000 < tokenizer.count(&text).0);
            }
        }
        // Quadratic time would be hours; the bound only has to be out of a slow machine's reach.
        assert!(started.elapsed() < Duration::from_secs(30), "took {:?}", started.elapsed());
    }

    #[test]
    fn names_read_back() {
        for tokenizer in Tokenizer::ALL {
            assert_eq!(Tokenizer::parse(tokenizer.name()), Some(tokenizer));
        }
        assert_eq!(Tokenizer::parse("O200K_BASE"), None);
    }

    proptest! {
        #[test]
        fn counts_any_text_as_the_twin_does(text in "\\PC{0,60}", spaced in "[ \\t\\r\\n\u{a0}a'sS/{}\",:]{0,40}", mixed in "(\\PC|[ \\n]|[a-z0-9_\"{}]){0,60}") {
            check(&text);
            check(&spaced);
            check(&mixed);
        }
    }
}
