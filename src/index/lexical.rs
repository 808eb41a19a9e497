//! BM25 over one tenant's documents: how rare a word is counts within that tenant alone.
//!
//! Postings hold raw counts and statistics are kept apart, so that a score is the same however documents are divided between segments and
//! whatever was merged when: equal catalogues answer equally, also after a restart. What a word adds to a document is worked out per
//! query, one division for each posting.

use std::collections::HashMap;

/// How fast repeating a word stops to help; the usual value.
const K1: f32 = 1.2;
/// How much long documents are held back; the usual value.
const B: f32 = 0.75;

/// Which documents of a segment have which word, and how often.
#[derive(Debug, Default)]
pub struct Postings {
    words: HashMap<Box<str>, Vec<(u32, u32)>>,
    /// Words of each document.
    lengths: Vec<u32>,
}

impl Postings {
    /// Adds the next document: its words with blanks between.
    pub fn push(&mut self, terms: &str) {
        let document = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        let mut length = 0;
        for term in terms.split_ascii_whitespace() {
            length += 1;
            let Some(postings) = self.words.get_mut(term) else {
                self.words.insert(term.into(), vec![(document, 1)]);
                continue;
            };
            match postings.last_mut() {
                Some((last, count)) if *last == document => *count += 1,
                _ => postings.push((document, 1)),
            }
        }
        self.lengths.push(length);
    }

    /// No more documents come: gives back what growing left over.
    pub fn seal(&mut self) {
        self.words.shrink_to_fit();
        self.words.values_mut().for_each(Vec::shrink_to_fit);
        self.lengths.shrink_to_fit();
    }

    pub(super) fn of(&self, word: &str) -> &[(u32, u32)] {
        self.words.get(word).map(Vec::as_slice).unwrap_or_default()
    }

    fn total_length(&self) -> u64 {
        self.lengths.iter().map(|length| u64::from(*length)).sum()
    }
}

/// What is true of the whole collection: whole numbers, so that the order of changes leaves no trace.
#[derive(Debug, Default)]
pub struct Statistics {
    documents: u64,
    total_length: u64,
    /// In how many documents of the segments that are gone a word stands.
    gone: HashMap<Box<str>, u32>,
}

impl Statistics {
    /// Of `segments`, without the documents that are `gone` from them.
    pub fn of<'a>(segments: [&Postings; 2], gone: impl IntoIterator<Item = &'a str>) -> Self {
        let mut statistics = Self {
            documents: segments.iter().map(|s| s.lengths.len() as u64).sum(),
            total_length: segments.iter().map(|s| s.total_length()).sum(),
            gone: HashMap::new(),
        };
        for terms in gone {
            let mut words: Vec<&str> = terms.split_ascii_whitespace().collect();
            statistics.documents = statistics.documents.saturating_sub(1);
            statistics.total_length = statistics.total_length.saturating_sub(words.len() as u64);
            words.sort_unstable();
            words.dedup();
            for word in words {
                *statistics.gone.entry(word.into()).or_default() += 1;
            }
        }
        statistics
    }

    fn rarity(&self, word: &str, frequency: usize) -> f32 {
        self.inverse(self.alive(word, frequency))
    }

    /// In how many documents that are not gone `word` stands, where it stands in `frequency`.
    fn alive(&self, word: &str, frequency: usize) -> usize {
        frequency.saturating_sub(self.gone.get(word).map_or(0, |n| *n as usize))
    }

    fn inverse(&self, frequency: usize) -> f32 {
        let (documents, frequency) = (self.documents as f32, frequency as f32);
        (1.0 + (documents - frequency + 0.5) / (frequency + 0.5)).ln()
    }
}

/// How rare `word` is: its inverse document frequency relative to that of a word in one document only, in `[0, 1]`; 0 for a word that
/// stands in none, of which documents say nothing.
#[must_use]
pub fn rarity(segments: [&Postings; 2], statistics: &Statistics, word: &str) -> f32 {
    let frequency: usize = segments.iter().map(|segment| segment.of(word).len()).sum();
    match statistics.alive(word, frequency) {
        0 => 0.0,
        alive => (statistics.inverse(alive) / statistics.inverse(1).max(f32::MIN_POSITIVE)).clamp(0.0, 1.0),
    }
}

/// The score of every document of both segments, the second's behind the first's; a word that stands twice in the query counts twice.
/// Documents that are gone have scores too: whoever reads them knows which slots are alive.
#[must_use]
pub fn score(segments: [&Postings; 2], statistics: &Statistics, terms: &[String]) -> Vec<f32> {
    let [first, second] = segments;
    let mut scores = vec![0.0; first.lengths.len() + second.lengths.len()];
    let (first_scores, second_scores) = scores.split_at_mut(first.lengths.len());
    let mean = statistics.total_length as f32 / (statistics.documents as f32).max(1.0);
    let (flat, steep) = (K1 * (1.0 - B), K1 * B / mean.max(f32::MIN_POSITIVE));
    // Each word once, times how often it was asked for: a request of one common word 5,000 times costs one list, not 21 ms.
    let mut asked: Vec<&str> = terms.iter().map(String::as_str).collect();
    asked.sort_unstable();
    for same in asked.chunk_by(|a, b| a == b) {
        let word = same[0];
        let rarity = statistics.rarity(word, first.of(word).len() + second.of(word).len());
        let gain = rarity * (K1 + 1.0) * same.len() as f32;
        for (segment, scores) in [(first, &mut *first_scores), (second, &mut *second_scores)] {
            for (document, count) in segment.of(word) {
                let (document, count) = (*document as usize, *count as f32);
                scores[document] += gain * count / (count + flat + steep * segment.lengths[document] as f32);
            }
        }
    }
    scores
}

/// The best `k` allowed documents that have a word of the query, best first.
#[must_use]
pub fn best(scores: &[f32], k: usize, allowed: impl Fn(u32) -> bool) -> Vec<(f32, u32)> {
    let order = |a: &(f32, u32), b: &(f32, u32)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    // What is kept grows to twice `k` and is then cut back, which raises the bar: after a few thousand documents nearly all fail at one
    // comparison.
    let (mut kept, mut bar): (Vec<(f32, u32)>, f32) = (Vec::with_capacity(2 * k), 0.0);
    for (score, slot) in scores.iter().zip(0_u32..) {
        if bar < *score && allowed(slot) {
            kept.push((*score, slot));
            if 0 < k && kept.len() == 2 * k {
                kept.select_nth_unstable_by(k - 1, order);
                kept.truncate(k);
                // The last of the `k`: an equal one later would lose the tie.
                bar = kept.last().map_or(0.0, |(score, _)| *score);
            }
        }
    }
    kept.sort_unstable_by(order);
    kept.truncate(k);
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rarity_is_1_for_a_word_of_one_document_and_0_for_a_stranger() {
        let (sealed, delta) = (postings(&["file read".into(), "file write".into()]), postings(&["file mail".into()]));
        let statistics = Statistics::of([&sealed, &delta], []);
        let of = |statistics: &Statistics, word: &str| rarity([&sealed, &delta], statistics, word);
        assert_eq!((of(&statistics, "mail"), of(&statistics, "boat")), (1.0, 0.0));
        assert!(of(&statistics, "file") < 0.2);
        let without = Statistics::of([&sealed, &delta], ["file write"]);
        assert_eq!(of(&without, "write"), 0.0, "it is gone");
    }

    fn postings(documents: &[String]) -> Postings {
        let mut postings = Postings::default();
        documents.iter().for_each(|document| postings.push(document));
        postings
    }

    /// The slow twin: the formula, word by word.
    fn plain(documents: &[&String], query: &[String], document: &str) -> f64 {
        let n = documents.len() as f64;
        let words = |document: &str| document.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let mean = documents.iter().map(|d| words(d).len()).sum::<usize>() as f64 / n;
        let one = |word: &String| {
            let has = documents.iter().filter(|d| words(d).contains(word)).count() as f64;
            let count = words(document).iter().filter(|w| *w == word).count() as f64;
            let norm = 1.2 * (0.25 + 0.75 * words(document).len() as f64 / mean);
            if count == 0.0 { 0.0 } else { (1.0 + (n - has + 0.5) / (has + 0.5)).ln() * count * 2.2 / (count + norm) }
        };
        query.iter().map(one).sum()
    }

    proptest! {
        #[test]
        fn equals_the_formula_however_documents_are_divided(
            documents in prop::collection::vec("([a-e]{1,2} ){0,11}", 1..10),
            cut in 0_usize..10,
            gone in prop::collection::vec(any::<bool>(), 10),
            query in prop::collection::vec("[a-f]{1,2}", 0..8),
        ) {
            let (before, after) = documents.split_at(cut.min(documents.len()));
            let (first, second) = (postings(before), postings(after));
            let dead = documents.iter().zip(&gone).filter(|(_, gone)| **gone).map(|(document, _)| document.as_str());
            let alive: Vec<&String> = documents.iter().zip(&gone).filter(|(_, gone)| !**gone).map(|(d, _)| d).collect();
            let scores = score([&first, &second], &Statistics::of([&first, &second], dead), &query);
            let whole = postings(&alive.iter().map(ToString::to_string).collect::<Vec<_>>());
            let none = Postings::default();
            let undivided = score([&whole, &none], &Statistics::of([&whole, &none], []), &query);
            let living = scores.iter().zip(&gone).filter(|(_, gone)| !**gone).map(|(score, _)| *score);
            prop_assert_eq!(living.collect::<Vec<_>>(), undivided.clone(), "to the last bit");
            for (document, score) in alive.iter().zip(undivided) {
                prop_assert!((f64::from(score) - plain(&alive, &query, document)).abs() < 1e-4);
            }
        }
    }

    proptest! {
        #[test]
        fn the_best_equal_sorting_everything(
            scores in prop::collection::vec(prop::sample::select(vec![0.0_f32, 0.5, 1.0, 1.5, 2.0]), 0..80),
            k in 0_usize..12,
        ) {
            let allowed = |slot: u32| slot % 3 != 1;
            let mut all: Vec<(f32, u32)> = scores.iter().copied().zip(0_u32..).filter(|(s, slot)| 0.0 < *s && allowed(*slot)).collect();
            all.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
            all.truncate(k);
            prop_assert_eq!(best(&scores, k, allowed), all);
        }
    }

    #[test]
    fn nothing_scores_nothing() {
        let none = Postings::default();
        assert!(score([&none, &none], &Statistics::default(), &["a".into()]).is_empty());
        let empty = postings(&[String::new()]);
        assert_eq!(score([&empty, &none], &Statistics::of([&empty, &none], []), &["a".into()]), [0.0]);
    }
}
