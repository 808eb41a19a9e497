//! Lines of the directory: tools that are worth knowing of and did not fit as objects, as text, not to be called.
//!
//! A line is read by a model that may then ask for the tool, so it says what is needed to choose it: SIGNATURE what it does and takes,
//! NAME what it does. What a publisher wrote stands in it with every line end and control character taken out, so that no tool can
//! write another one's line; what is left out is marked.

mod types;

use std::sync::OnceLock;

use self::types::parameters;
use super::describe::first_sentence;
use super::tokens::Tokenizer;
use crate::tool::{ModelName, TokenCount, Tool};

/// Stands above the lines.
pub const DIRECTORY_HEADER: &str =
    "More tools exist. They cannot be called from these lines; to use one, ask for its definition by its name:";
/// Longest sentence, in words; two characters of a script without blanks count as one.
const SENTENCE_WORDS: usize = 18;
/// Longest sentence in bytes, for texts that are one endless word.
const SENTENCE_BYTES: usize = 240;

/// What a line says of its tool; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Line {
    /// Name and first sentence.
    Name,
    /// Signature and first sentence.
    Signature,
}

impl Line {
    /// All of them, smallest first.
    pub const ALL: [Self; 2] = [Self::Name, Self::Signature];

    /// `name` or `signature`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Signature => "signature",
        }
    }

    /// The line of `tool`, without a line end.
    #[must_use]
    pub fn text(self, tool: &Tool, model_name: &ModelName) -> String {
        match self {
            Self::Name => name_line(tool, model_name),
            Self::Signature => signature(tool, model_name),
        }
    }
}

/// `find_files(path: string, depth?: integer, sort: "name"|"date"): Finds files.` Parameters without `?` are required, and all of them are
/// there; `{…}` stands for a shape that is not shown, `…(37)` for the rest of 37 values, `…+7 optional` for optional parameters.
#[must_use]
pub fn signature(tool: &Tool, model_name: &ModelName) -> String {
    with_sentence(format!("{}({})", model_name.as_str(), parameters(&tool.input_schema.json())), tool)
}

/// `find_files: Finds files.`
#[must_use]
pub fn name_line(tool: &Tool, model_name: &ModelName) -> String {
    with_sentence(model_name.as_str().to_owned(), tool)
}

/// The header and one line each, or nothing at all when there are no lines.
///
/// Why does it count exactly as the sum of its lines? Every line ends in a line end and begins with a letter, a digit, `_` or `-`, and in
/// both vocabularies no piece goes on from a line end to one of these.
pub fn directory<'a>(lines: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::new();
    for line in lines {
        if out.is_empty() {
            out.push_str(DIRECTORY_HEADER);
            out.push('\n');
        }
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// Tokens of a [`directory`] apart from its lines.
#[must_use]
pub fn directory_frame(tokenizer: Tokenizer) -> TokenCount {
    // Every request with a directory asks.
    static FRAMES: [OnceLock<TokenCount>; Tokenizer::ALL.len()] = [const { OnceLock::new() }; Tokenizer::ALL.len()];
    *FRAMES[tokenizer as usize].get_or_init(|| directory_line_tokens(DIRECTORY_HEADER, tokenizer))
}

/// Tokens of one line within a [`directory`], exactly, wherever it stands.
#[must_use]
pub fn directory_line_tokens(line: &str, tokenizer: Tokenizer) -> TokenCount {
    tokenizer.count(&format!("{line}\n"))
}

fn with_sentence(mut line: String, tool: &Tool) -> String {
    let sentence = shortened(&one_line(&first_sentence(&tool.description)));
    if !sentence.is_empty() {
        line.push_str(": ");
        line.push_str(&sentence);
    }
    line
}

/// `text` on one line: every run of white space and control characters, line and paragraph separators among them, is one blank.
fn one_line(text: &str) -> String {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    text.split(is_gap).filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

/// At most so many words, with a mark where there were more.
fn shortened(sentence: &str) -> String {
    // Han, Kana, Hangul and their punctuation: no blanks between words, about two characters each.
    let is_wide = |c: char| matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}' | '\u{f900}'..='\u{faff}' | '\u{ff00}'..='\u{ffef}' | '\u{20000}'..='\u{3ffff}');
    let mut halves = 0;
    let mut last_gap = 0;
    for (at, c) in sentence.char_indices() {
        if c == ' ' {
            halves += 2;
            last_gap = at;
        } else if is_wide(c) {
            halves += 1;
            last_gap = at;
        }
        if 2 * SENTENCE_WORDS <= halves || SENTENCE_BYTES < at + c.len_utf8() {
            let end = if last_gap == 0 { at } else { last_gap };
            return format!("{}…", sentence.get(..end).unwrap_or_default().trim_end_matches([' ', ',', ';', ':', '，', '、']));
        }
    }
    sentence.to_owned()
}

#[cfg(test)]
mod tests;
