//! Which texts of a tool are embedded, and which words it is found by.
//!
//! Three views: its name, its name with the first sentence, its name with the description. On the shared sets the source's name helps,
//! the first sentence is strong, whole JSON schemas hurt; the three together beat any one (the data README's "mix"). Examples given by
//! the publisher are views of their own.

use crate::index::terms;
use crate::tool::Tool;

/// Longest view, in characters: past this a description is prose about prose, and the model reads 128 tokens at a time.
const VIEW_CHARS: usize = 1_500;
/// Longest first sentence, in characters: a "sentence" without an end is a paragraph.
const SENTENCE_CHARS: usize = 300;
/// Names count twice: a word of the name says more than a word of the description.
const NAME_WEIGHT: usize = 2;

/// The texts to embed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewTexts {
    /// Views that describe the tool; a tool's mean is taken over these.
    pub base: Vec<String>,
    /// Example requests; they can only lift a tool's best view.
    pub examples: Vec<String>,
}

impl ViewTexts {
    /// The texts of `tool`.
    #[must_use]
    pub fn of(tool: &Tool) -> Self {
        let label = label(tool);
        let sentence: String = first_sentence(tool.description.trim()).chars().take(SENTENCE_CHARS).collect();
        let sentence = with(&label, &sentence);
        Self { base: vec![label, sentence, Self::whole(tool)], examples: tool.examples.clone() }
    }

    /// The view that says most: the name with the whole description.
    #[must_use]
    pub fn whole(tool: &Tool) -> String {
        with(&label(tool), tool.description.trim())
    }
}

fn label(tool: &Tool) -> String {
    format!("{} {}", terms::split(tool.id.source()), terms::split(tool.id.name())).trim().to_owned()
}

fn with(label: &str, text: &str) -> String {
    format!("{label}: {text}").chars().take(VIEW_CHARS).collect()
}

/// Up to the first full stop, exclamation or question mark before a blank, or the first line end.
fn first_sentence(text: &str) -> &str {
    let mut previous = None;
    for (at, c) in text.char_indices() {
        if c == '\n' || (c.is_whitespace() && matches!(previous, Some('.' | '!' | '?'))) {
            return &text[..at];
        }
        previous = Some(c);
    }
    text
}

/// The words a tool is found by: names twice, description, parameter names.
#[must_use]
pub fn lexical_terms(tool: &Tool) -> Vec<String> {
    let mut all = label_terms(tool);
    all.extend(described_terms(tool));
    all
}

/// The words of its names, twice: the first of [`lexical_terms`].
#[must_use]
pub fn label_terms(tool: &Tool) -> Vec<String> {
    let names = terms::terms(&format!("{} {}", tool.id.source(), tool.id.name()));
    let mut all: Vec<String> = Vec::new();
    for _ in 0..NAME_WEIGHT {
        all.extend(names.iter().map(ToString::to_string));
    }
    all
}

/// The words it describes itself with, description and parameter names: the rest of [`lexical_terms`].
#[must_use]
pub fn described_terms(tool: &Tool) -> Vec<String> {
    let mut all = terms::terms(&tool.description);
    let schema = tool.input_schema.json();
    if let Some(properties) = schema.get("properties").and_then(|p| p.as_object()) {
        let parameters = properties.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(" ");
        all.extend(terms::terms(&parameters).iter().map(ToString::to_string));
    }
    all
}

/// The different words of its name within its source, in alphabetical order: equal for `search_contacts` and `contactsSearch`.
#[must_use]
pub fn name_key(tool: &Tool) -> String {
    let mut words = name_terms(tool);
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

/// The words of its name within its source.
#[must_use]
pub fn name_terms(tool: &Tool) -> Vec<String> {
    terms::terms(tool.id.name()).iter().map(ToString::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_sentence_ends_where_a_reader_would_end_it() {
        let check = |text, expected| assert_eq!(first_sentence(text), expected);
        check("Reads a file. Use it for text.", "Reads a file.");
        check("Reads v1.2 files", "Reads v1.2 files");
        check("Really? Yes!", "Really?");
        check("Line one\nline two", "Line one");
        check("", "");
    }
}
