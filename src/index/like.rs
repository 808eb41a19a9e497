//! Documents that may be another one over again: candidates for a closer look, found without reading the whole index.
//!
//! A copy shares nearly all words, hence nearly all of the rare ones (the prefix filter of similarity joins, Chaudhuri et al., ICDE 2006),
//! and the lists of rare words are short. So a look costs what its limits say, however many documents there are; a scan of vectors or BM25
//! over all words would make the registration of a large catalogue quadratic.

use super::Index;

/// Rare words that are looked up: with these all words of a usual tool are.
const WORDS: usize = 16;
/// Entries read in lists of words, rarest first, and of names: when all words are common, the first few thousand documents have to do.
const READ: usize = 4_096;
/// Candidates by words, and as many by name: a document with more copies than this has been told enough.
const MOST: usize = 32;

impl Index {
    /// Slots of documents that share the most of the rarest `words`, and of those whose name has just the words `name`, up to 32 each;
    /// ascending, those of documents that are gone among them. Neither list says a word twice.
    #[must_use]
    pub fn like(&self, words: &[&str], name: &[&str]) -> Vec<u32> {
        let by_words = self.sharing(words);
        let base = self.base();
        let delta = self.delta.names.equal(name, READ).into_iter().map(|place| base.saturating_add(place));
        let count = |slot: u32| by_words.binary_search_by_key(&slot, |(slot, _)| *slot).map_or(0, |at| by_words[at].1);
        let by_name: Vec<(u32, u16)> =
            self.sealed.names.equal(name, READ).into_iter().chain(delta).map(|slot| (slot, count(slot))).collect();
        let mut slots = most_shared(by_name);
        slots.extend(most_shared(by_words));
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// The slot of the delta's first document.
    fn base(&self) -> u32 {
        u32::try_from(self.sealed.len()).unwrap_or(u32::MAX)
    }

    /// Slots with how many of the rarest `words` they have, by slot.
    fn sharing(&self, words: &[&str]) -> Vec<(u32, u16)> {
        let base = self.base();
        let lists = |word: &str| (self.sealed.words.of(word), self.delta.words.of(word));
        let mut rarest: Vec<(usize, &str)> =
            words.iter().map(|word| (lists(word).0.len() + lists(word).1.len(), *word)).filter(|(n, _)| 0 < *n).collect();
        rarest.sort_unstable();
        rarest.truncate(WORDS);
        let mut slots: Vec<u32> = Vec::new();
        for (_, word) in rarest {
            let (sealed, delta) = lists(word);
            let sealed = sealed.iter().map(|(place, _)| *place);
            let delta = delta.iter().map(|(place, _)| base.saturating_add(*place));
            // The newest first: where not all can be read, a copy is likelier beside what came with it.
            slots.extend(delta.rev().chain(sealed.rev()).take(READ - slots.len()));
        }
        slots.sort_unstable();
        let shared = |same: &[u32]| (same[0], u16::try_from(same.len()).unwrap_or(u16::MAX));
        slots.chunk_by(|a, b| a == b).map(shared).collect()
    }
}

/// The slots with the highest counts, ties by slot.
fn most_shared(mut counted: Vec<(u32, u16)>) -> Vec<u32> {
    counted.sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    counted.truncate(MOST);
    counted.into_iter().map(|(slot, _)| slot).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use proptest::prelude::*;

    use super::*;
    use crate::index::{Document, Segment};

    fn index(documents: &[(String, String)], cut: usize) -> Index {
        let segment = |documents: &[(String, String)]| {
            let document = |(name, terms): &(String, String)| (name.clone(), terms.clone());
            let owned: Vec<(String, String)> = documents.iter().map(document).collect();
            let documents = owned.iter().map(|(name, terms)| Document { views: vec![], extra_views: vec![], terms, name });
            Arc::new(Segment::build(1, documents))
        };
        let (sealed, delta) = documents.split_at(cut.min(documents.len()));
        Index::new(segment(sealed), None, segment(delta), [])
    }

    fn set(text: &str) -> BTreeSet<&str> {
        text.split(' ').filter(|word| !word.is_empty()).collect()
    }

    proptest! {
        /// The slow twin: every document against every other.
        #[test]
        fn finds_every_document_that_shares_half_of_its_words_or_its_name(
            documents in prop::collection::vec(("([a-c] ){0,3}", "([a-t] ){0,12}"), 1..MOST),
            cut in 0_usize..MOST,
        ) {
            let index = index(&documents, cut);
            for (name, terms) in &documents {
                let (own_name, own) = (set(name), set(terms));
                let (words, name): (Vec<&str>, Vec<&str>) = (own.iter().copied().collect(), own_name.iter().copied().collect());
                let found = index.like(&words, &name);
                prop_assert!(found.is_sorted());
                for ((other_name, other), slot) in documents.iter().zip(0_u32..) {
                    let (other_name, other) = (set(other_name), set(other));
                    let shared = own.intersection(&other).count();
                    let alike = 0 < shared && own.union(&other).count() <= 2 * shared;
                    let same_name = !own_name.is_empty() && own_name == other_name;
                    prop_assert!(!(alike || same_name) || found.contains(&slot), "{own:?} {other:?}");
                    prop_assert!(0 < shared || same_name || !found.contains(&slot), "shares nothing: {own:?} {other:?}");
                }
            }
        }
    }

    #[test]
    fn rare_words_find_a_copy_among_thousands_of_common_ones() {
        let mut documents: Vec<(String, String)> =
            (0..20_000).map(|i| (format!("t{i}"), "the same common words".to_owned())).collect();
        documents[17].1.push_str(" zebra");
        let found = index(&documents, 19_000).like(&["the", "same", "common", "words", "zebra"], &["t3"]);
        assert!(found.contains(&17) && found.contains(&3), "{found:?}");
        assert!(found.len() <= 2 * MOST);
    }

    #[test]
    fn copies_without_number_are_cut_off() {
        let documents = vec![("search".to_owned(), "finds things".to_owned()); 5_000];
        let found = index(&documents, 4_990).like(&["finds", "things"], &["search"]);
        assert!((MOST..=2 * MOST).contains(&found.len()), "{}", found.len());
    }
}
