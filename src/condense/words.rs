//! Text as words with a meaning of their own, each as it stands in the text and with the terms that an index has of it.

use crate::index::terms;

/// A longer run without a blank is an address, a key or a document, and no word that a tool is about.
const MAX_CHARS: usize = 40;
/// Words that are in any request, beside those that no index keeps. They refer, ask or join, so they say nothing of a tool.
const EMPTY: [&str; 62] = [
    "also", "again", "same", "one", "ones", "now", "then", "ok", "okay", "so", "but", "no", "not", "yes", "thanks", "thank",
    "instead", "too", "just", "let", "want", "need", "like", "have", "has", "there", "here", "about", "any", "some", "all", "if",
    "should", "us", "they", "them", "their", "those", "these", "its", "he", "she", "him", "her", "hi", "his", "another", "other",
    "others", "more", "meant", "mean", "rather", "than", "try", "going", "go", "ahead", "thing", "sorry", "actually", "hello",
];

/// A word.
#[derive(Debug, PartialEq)]
pub(super) struct Word<'a> {
    /// As it stands in the text.
    pub(super) surface: &'a str,
    /// What an index has of it.
    pub(super) terms: Vec<String>,
}

/// The words of `text` in order, repeated as often as they occur. In scripts without blanks, or whose words carry endings, a word is a
/// stretch of pairs of characters that `knows` knows; where it knows none there is no telling, and the whole run is one.
pub(super) fn words<'a>(text: &'a str, knows: impl Fn(&str) -> bool) -> Vec<Word<'a>> {
    let mut words = Vec::new();
    for run in text.split(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-')) {
        let mut rest = run;
        while let Some(first) = rest.chars().next() {
            let unspaced = terms::is_unspaced(first);
            let end = rest.find(|c| terms::is_unspaced(c) != unspaced).unwrap_or(rest.len());
            let (part, behind) = rest.split_at(end);
            rest = behind;
            if unspaced {
                words.extend(stretches(part, &knows));
            } else {
                words.extend(word(part));
            }
        }
    }
    words.retain(|word| word.surface.chars().count() <= MAX_CHARS);
    words
}

fn word(surface: &str) -> Option<Word<'_>> {
    let mut terms = terms::terms(surface);
    terms.retain(|term| !EMPTY.contains(&term.as_str()));
    (!terms.is_empty()).then_some(Word { surface, terms })
}

fn stretches<'a>(run: &'a str, knows: impl Fn(&str) -> bool) -> Vec<Word<'a>> {
    let starts: Vec<usize> = run.char_indices().map(|(at, _)| at).chain([run.len()]).collect();
    let pair = |first: usize| run.get(*starts.get(first)?..*starts.get(first + 2)?);
    let mut found: Vec<(usize, usize)> = Vec::new();
    for first in 0..starts.len().saturating_sub(2) {
        if pair(first).is_some_and(&knows) {
            match found.last_mut() {
                Some((_, end)) if first <= *end => *end = first + 2,
                _ => found.push((first, first + 2)),
            }
        }
    }
    if found.is_empty() {
        found.push((0, starts.len() - 1));
    }
    let surface = |(from, to): (usize, usize)| run.get(*starts.get(from)?..*starts.get(to)?);
    found.into_iter().filter_map(surface).map(|surface| Word { surface, terms: terms::terms(surface) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, known: &[&str], expected: &[&str]) {
        let found = words(text, |pair| known.contains(&pair));
        assert_eq!(found.iter().map(|word| word.surface).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn words_stand_as_they_were_written() {
        check("Now close it, and create_issue for the API-Gateway!", &[], &["close", "create_issue", "API-Gateway"]);
        check("내일 서울 날씨를 알려줘", &["날씨", "서울"], &["내일", "서울", "날씨", "알려줘"]);
        check("查询今天台北的天气weather", &["天气", "台北"], &["台北", "天气", "weather"]);
        check("明日の天気予報", &["天気", "気予", "予報"], &["天気予報"]);
        check(&format!("{} ok", "x".repeat(41)), &[], &[]);
        check("", &[], &[]);
    }
}
