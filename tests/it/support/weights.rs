//! Weights files for the hashing embedder. Its cosines are of spelling, so the numbers are made up for it: a request that shares words with a
//! tool is near it, one that shares none is not.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tool_router::config::Config;
use tool_router::embed::Embedder;
use tool_router::embed::hashing::HashingEmbedder;

/// The numbers that go with any model, and a confidence: even odds at a best cosine of 0.4, five to one against a tool for each 0.1 of score
/// that it is behind the best.
pub(crate) fn weights() -> Value {
    json!({
        "format": 1,
        "model": "hashing-256@1",
        "fusion": { "best": 0.5, "mean": 0.5, "full": 0.0, "lexical": 0.2, "named": 0.2, "named_by_words": 0.3 },
        "clauses": { "weight": 1.0, "cover": 0.7, "min_words": 12, "max_parts": 3 },
        "confidence": {
            "nearest": 20.0,
            "talk_weight": -20.0,
            "bias": -8.0,
            "slope": 1.0,
            "abstain_below": 0.2,
            "tool": { "behind": 16.0, "any": 1.0, "bias": 0.0 },
            "own_log_odds": 2.0,
            "talk": vec![0.0; 256],
        },
    })
}

/// The vector of a text, for `confidence.talk`.
pub(crate) fn vector(text: &str) -> Vec<f32> {
    HashingEmbedder.embed(text).unwrap().as_slice().to_vec()
}

/// Writes `text` into `folder`.
pub(crate) fn write(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("ranking.json");
    std::fs::write(&path, text).unwrap();
    path
}

/// Puts `weights` beside the store and into the configuration.
pub(crate) fn configure(config: &mut Config, weights: &Value) {
    let folder = config.store.path.parent().unwrap().to_owned();
    config.ranking.weights_file = Some(write(&folder, &weights.to_string()));
}
