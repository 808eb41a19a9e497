//! How much of a document's own name stands in a query: `read_file` in "read the file" does whole, in "read my mail" half.
//!
//! BM25 sees a name among all other words and cannot tell that it was said completely. The share is squared, so that half a name, which
//! may be any common verb, says little. It weighs no word by its rarity: a name is short, and what its words are worth is BM25's to say.

use std::collections::HashMap;

/// The names of a segment's documents, word by word.
#[derive(Debug, Default)]
pub(super) struct Names {
    words: HashMap<Box<str>, Vec<u32>>,
    /// Different words of each name.
    lengths: Vec<u16>,
}

impl Names {
    /// Adds the next document: the words of its name with blanks between.
    pub(super) fn push(&mut self, name: &str) {
        let document = u32::try_from(self.lengths.len()).unwrap_or(u32::MAX);
        let mut length = 0_u16;
        for word in name.split_ascii_whitespace() {
            let documents = self.words.entry(word.into()).or_default();
            if documents.last() != Some(&document) {
                documents.push(document);
                length = length.saturating_add(1);
            }
        }
        self.lengths.push(length);
    }

    /// Documents whose name has just these words, each of which is given once, ascending. Looks at no more than `most` of those that
    /// share the rarest.
    pub(super) fn equal(&self, words: &[&str], most: usize) -> Vec<u32> {
        let mut lists: Vec<&[u32]> = words.iter().map(|word| self.words.get(*word).map_or(&[][..], Vec::as_slice)).collect();
        lists.sort_by_key(|list| list.len());
        let Some((rarest, others)) = lists.split_first() else { return Vec::new() };
        let as_long = |document: &u32| self.lengths.get(*document as usize).is_some_and(|n| usize::from(*n) == words.len());
        let in_all = |document: &u32| others.iter().all(|list| list.binary_search(document).is_ok());
        rarest.iter().take(most).copied().filter(|document| as_long(document) && in_all(document)).collect()
    }

    /// No more documents come: gives back what growing left over.
    pub(super) fn seal(&mut self) {
        self.words.shrink_to_fit();
        self.words.values_mut().for_each(Vec::shrink_to_fit);
        self.lengths.shrink_to_fit();
    }
}

/// How many words of each name a query has, over both segments, the second's behind the first's.
pub(super) struct Said<'a> {
    segments: [&'a Names; 2],
    counts: Vec<u16>,
}

impl<'a> Said<'a> {
    pub(super) fn of(segments: [&'a Names; 2], terms: &[String]) -> Self {
        let [first, second] = segments;
        let mut counts = vec![0_u16; first.lengths.len() + second.lengths.len()];
        let mut asked: Vec<&str> = terms.iter().map(String::as_str).collect();
        asked.sort_unstable();
        asked.dedup();
        for word in asked {
            let mut count = |names: &Names, base: usize| {
                for document in names.words.get(word).into_iter().flatten() {
                    if let Some(count) = counts.get_mut(base + *document as usize) {
                        *count = count.saturating_add(1);
                    }
                }
            };
            count(first, 0);
            count(second, first.lengths.len());
        }
        Self { segments, counts }
    }

    /// The squared share of the slot's name, in `[0, 1]`; 0 for a name without words.
    pub(super) fn share(&self, slot: u32) -> f32 {
        let slot = slot as usize;
        let [first, second] = self.segments;
        let length = first.lengths.get(slot).or_else(|| second.lengths.get(slot.checked_sub(first.lengths.len())?));
        match (self.counts.get(slot), length) {
            (Some(count), Some(length)) if 0 < *length => (f32::from(*count) / f32::from(*length)).powi(2),
            _ => 0.0,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names(all: &[String]) -> Names {
        let mut names = Names::default();
        all.iter().for_each(|name| names.push(name));
        names.seal();
        names
    }

    #[test]
    fn a_whole_name_says_more_than_its_parts() {
        let (sealed, delta) = (names(&["read file".into(), "read read mail box".into()]), names(&[String::new(), "file".into()]));
        let terms: Vec<String> = ["read", "file", "file", "now"].map(str::to_owned).to_vec();
        let said = Said::of([&sealed, &delta], &terms);
        let shares: Vec<f32> = (0..5).map(|slot| said.share(slot)).collect();
        assert_eq!(shares, [1.0, (1.0_f32 / 3.0).powi(2), 0.0, 1.0, 0.0]);
    }

    proptest! {
        #[test]
        fn shares_do_not_depend_on_the_division(
            all in prop::collection::vec(prop::collection::vec("[a-d]", 0..4), 0..12),
            terms in prop::collection::vec("[a-e]", 0..8),
            cut in 0_usize..12,
        ) {
            let all: Vec<String> = all.iter().map(|words| words.join(" ")).collect();
            let cut = cut.min(all.len());
            let (sealed, delta) = (names(&all[..cut]), names(&all[cut..]));
            let said = Said::of([&sealed, &delta], &terms);
            for (slot, name) in all.iter().enumerate() {
                let words: std::collections::BTreeSet<&str> = name.split(' ').filter(|word| !word.is_empty()).collect();
                let have = words.iter().filter(|word| terms.iter().any(|term| term == *word)).count();
                let expected = if words.is_empty() { 0.0 } else { (have as f32 / words.len() as f32).powi(2) };
                prop_assert_eq!(said.share(slot as u32), expected);
            }
        }
    }
}
