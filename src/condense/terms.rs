//! Which words of earlier turns a turn that leans on them may mean: those that are rare in the catalogue, the later the likelier.
//!
//! A word that no tool has says nothing to a search by words and pulls a vector away from all tools, so names of people and places stay out
//! by themselves. Words of the last turn are there already.

use std::collections::HashSet;

use super::words;

/// One more token than its characters and this make: words that are rare in a catalogue are common in no tokenizer.
const CHARS_A_TOKEN: usize = 5;

/// Words of `earlier` turns, the latest first, for the turn `last`, with blanks between; at most about `max_tokens`. Each turn's stand in
/// its order, the latest turn's first.
pub(super) fn salient(last: &str, earlier: &[(&str, f32)], rarity: impl Fn(&str) -> f32, max_tokens: usize) -> String {
    let knows = |term: &str| 0.0 < rarity(term);
    let mut seen: HashSet<String> = words::words(last, knows).into_iter().flat_map(|word| word.terms).collect();
    let mut found: Vec<(f32, usize, &str)> = Vec::new();
    for (text, weight) in earlier {
        for word in words::words(text, knows) {
            let rarest = word.terms.iter().map(|term| rarity(term)).fold(0.0_f32, f32::max);
            let is_new = word.terms.iter().any(|term| !seen.contains(term));
            if 0.0 < rarest && is_new {
                found.push((rarest * weight, found.len(), word.surface));
                seen.extend(word.terms);
            }
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut left = max_tokens;
    found.retain(|(_, _, surface)| {
        let cost = tokens(surface);
        let fits = cost <= left;
        left -= if fits { cost } else { 0 };
        fits
    });
    found.sort_by_key(|(_, place, _)| *place);
    found.into_iter().map(|(_, _, surface)| surface).collect::<Vec<_>>().join(" ")
}

/// About how many.
fn tokens(word: &str) -> usize {
    let chars = word.chars().count();
    if word.is_ascii() { 1 + chars / CHARS_A_TOKEN } else { chars }
}
