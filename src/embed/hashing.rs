//! An embedder without a model: words and character trigrams hashed to signed dimensions.
//!
//! It makes the quick loop quick and every test deterministic on any machine. It knows spelling, not meaning, so it is offered in the
//! configuration for trials and tests and never chosen by itself.

use std::ops::Range;

use super::{EmbedError, Embedder, Embedding, Loaded, ModelInfo};
use crate::index::vector::UnitVector;

/// Enough that two unrelated words seldom share a dimension, small enough that a scan stays cheap.
const DIMENSION: usize = 256;
/// Letters per piece: catches shared stems ("refund", "refunds") without a stemmer.
const PIECE: usize = 3;

/// The hashing embedder.
#[derive(Clone, Copy, Debug, Default)]
pub struct HashingEmbedder;

impl HashingEmbedder {
    /// `workers` of them, ready for a pool.
    #[must_use]
    pub fn load(workers: usize) -> Loaded {
        let info = ModelInfo {
            id: format!("hashing-{DIMENSION}@1"),
            dimension: DIMENSION,
            numerics: "exact".to_owned(),
            query_prefix: String::new(),
            passage_prefix: String::new(),
            scripts: Vec::new(),
        };
        let embedder = || Box::new(Self) as Box<dyn Embedder>;
        Loaded { info, embedders: (0..workers).map(|_| embedder()).collect(), background: embedder() }
    }
}

impl Embedder for HashingEmbedder {
    fn embed(&mut self, text: &str) -> Result<UnitVector, EmbedError> {
        let mut sums = vec![0.0_f32; DIMENSION];
        let lower = text.to_lowercase();
        for word in lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()) {
            add(&mut sums, word, 1.0);
            let letters: Vec<char> = format!("^{word}$").chars().collect();
            for piece in letters.windows(PIECE) {
                add(&mut sums, &piece.iter().collect::<String>(), 0.5);
            }
        }
        // Text without a word (or words that cancel out) still needs a direction: one that no word prefers.
        UnitVector::new(sums)
            .or_else(|| UnitVector::new((0..DIMENSION).map(|i| if i == 0 { 1.0 } else { 0.0 }).collect()))
            .ok_or(EmbedError::NotAVector)
    }

    fn embed_parts(&mut self, text: &str, parts: &[Range<usize>]) -> Result<Embedding, EmbedError> {
        let mut embedder = *self;
        let part = |range: &Range<usize>| text.get(range.clone()).map(|part| embedder.embed(part)).transpose();
        let parts = parts.iter().map(part).collect::<Result<_, _>>()?;
        Ok(Embedding { whole: self.embed(text)?, parts })
    }
}

fn add(sums: &mut [f32], piece: &str, weight: f32) {
    let hash = fnv1a(piece.as_bytes());
    let at = usize::try_from(hash % DIMENSION as u64).unwrap_or(0);
    sums[at] += if hash >> 63 == 0 { weight } else { -weight };
}

/// FNV-1a: fixed for ever, unlike the standard library's hasher, whose algorithm may change and vectors are stored.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn embed(text: &str) -> UnitVector {
        HashingEmbedder.embed(text).unwrap()
    }

    #[test]
    fn likeness_follows_shared_words() {
        let query = embed("refund a payment");
        assert!(query.cosine(&embed("weather forecast for a city")) < query.cosine(&embed("refunds a payment to the customer")));
        assert_eq!(embed("A b"), embed("a B"));
        assert_eq!(embed("").as_slice().len(), DIMENSION);
    }
}
