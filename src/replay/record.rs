//! One selection, written down.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::catalog::TenantCatalog;
use crate::embed::ModelInfo;
use crate::rank::{Abstain, LeftOut, Scored, Step, Weights};
use crate::select::{Moment, Policy, Reranking};
use crate::store::ring::hash;

/// The layout this build writes and reads.
pub const FORMAT: u32 = 1;

/// Why a selection was kept.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// It failed.
    Error,
    /// It was turned away: too much was under way.
    Shed,
    /// It took longer than `replay.slow_ms`.
    Slow,
    /// Its answer is worse than it would be at a quieter moment.
    Degraded,
    /// The caller asked for it.
    Asked,
}

impl Reason {
    /// In words.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Shed => "shed",
            Self::Slow => "slow",
            Self::Degraded => "degraded",
            Self::Asked => "asked",
        }
    }
}

/// What of a request is kept.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Redact {
    /// All of it.
    #[default]
    None,
    /// Its hash: no query, no turn. Such a selection can be looked at, not run again.
    Text,
}

/// A selection.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The layout.
    pub format: u32,
    /// The trace that it was part of, 32 hex digits; as `selection_id` where there was none.
    pub trace_id: String,
    /// Its own id.
    pub selection_id: String,
    /// When it ended, ms since the Unix epoch.
    pub at_ms: u64,
    /// How long it took, µs.
    pub took_us: u64,
    /// Why it was kept.
    pub reason: Reason,
    /// What was left out of this record.
    pub redact: Redact,
    /// Whose.
    pub tenant: String,
    /// The request as proto JSON; absent where that was left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Box<RawValue>>,
    /// SHA-256 of the request's bytes, in hex.
    pub request_sha256: String,
    /// The tokenizer that counted, by name; absent where the selection did not come that far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokenizer: Option<String>,
    /// The catalogue that was selected from.
    pub catalogue: CatalogueRef,
    /// What it was worked out with.
    pub made_with: MadeWith,
    /// Who searched: `exact`, `hnsw`, or empty where nobody did.
    pub engine: String,
    /// Where the answer came from: `miss`, `vector` or `answer`.
    pub cache: String,
    /// What the answer owes to its moment.
    #[serde(default)]
    pub moment: Moment,
    /// What a graph proposed: places in the catalogue by registration, from 0. Absent where all was compared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposed: Option<Vec<u32>>,
    /// The head of the ranking, best first; empty where the answer was known from before.
    pub candidates: Vec<Candidate>,
    /// What came of it.
    pub outcome: Outcome,
}

/// Which catalogue.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct CatalogueRef {
    /// Its version, as answers have it.
    pub version: String,
    /// How many tools it had.
    pub tools: usize,
    /// What it is kept under, in hex; absent where it was too large to be kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sha256: Option<String>,
}

/// What selections are worked out with, beside catalogue and request.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct MadeWith {
    /// The build.
    pub version: String,
    /// The model that embeds.
    pub model: String,
    /// Hash of its numbers on that processor.
    pub numerics: String,
    /// SHA-256 of the weights file, in hex.
    pub weights_sha256: String,
    /// Steps of the ranking that were left out.
    pub left_out: Vec<String>,
    /// How readily nothing is said to fit: `never`, `mild` or `strict`.
    pub no_match: String,
    /// What looked over the head of the ranking.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reranker: Option<RerankedBy>,
}

/// A reranker and its share.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct RerankedBy {
    /// Which.
    pub model: String,
    /// How far it looks.
    pub depth: usize,
    /// How much its word counts.
    pub weight: f32,
}

/// The settings' words for how readily nothing is said to fit.
const NO_MATCH: [(&str, Abstain); 3] = [("never", Abstain::Never), ("mild", Abstain::Mildly), ("strict", Abstain::Strictly)];

impl MadeWith {
    /// What this router works with, and the weights file that goes with it.
    #[must_use]
    pub fn of(model: &ModelInfo, policy: &Policy, reranking: Option<&Reranking>) -> (Self, String) {
        // Plain values always serialise.
        let weights = policy.weights.to_text().unwrap_or_default();
        let left_out = Step::ALL.into_iter().filter(|step| !policy.keeps(*step)).map(|step| step.name().to_owned());
        let no_match = NO_MATCH.iter().find(|(_, abstain)| *abstain == policy.abstain).map_or("", |(name, _)| name);
        let made_with = Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            model: model.id.clone(),
            numerics: model.numerics.clone(),
            weights_sha256: hex::encode(hash(&weights)),
            left_out: left_out.collect(),
            no_match: no_match.to_owned(),
            reranker: reranking.map(|reranking| RerankedBy {
                model: reranking.pool.id().to_owned(),
                depth: reranking.blend.depth,
                weight: reranking.blend.weight,
            }),
        };
        (made_with, weights)
    }

    /// The policy that ranked, from the weights file that was kept.
    ///
    /// # Errors
    /// It is of another build or model.
    pub fn policy(&self, weights: &str, dimension: usize) -> Result<Policy, String> {
        // The built-in numbers go with any model and name none.
        let parsed = Weights::parse(weights, &self.model, dimension).or_else(|_| Weights::parse(weights, "", dimension));
        let weights = parsed.map_err(|e| format!("the weights that were kept: the file {e}"))?;
        let step = |name: &String| Step::parse(name).ok_or_else(|| format!("this build has no step {name:?} to leave out"));
        let left_out = LeftOut::of(self.left_out.iter().map(step).collect::<Result<Vec<_>, _>>()?);
        let abstain = NO_MATCH.iter().find(|(name, _)| *name == self.no_match).map(|(_, abstain)| *abstain);
        let abstain = abstain.ok_or_else(|| format!("this build knows no no_match = {:?}", self.no_match))?;
        Ok(Policy { weights: std::sync::Arc::new(weights), left_out, abstain })
    }

    /// What differs from `other` so that answers may, on one build; nothing where all is the same.
    #[must_use]
    pub fn differences(&self, other: &Self) -> Vec<String> {
        let reranker = |made_with: &Self| {
            let words = |r: &RerankedBy| format!("{} over {} places with a share of {}", r.model, r.depth, r.weight);
            made_with.reranker.as_ref().map_or_else(|| "none".to_owned(), words)
        };
        let (then, now) = (reranker(self), reranker(other));
        let all = [
            ("the model is another", &self.model, &other.model),
            ("this processor computes other numbers", &self.numerics, &other.numerics),
            ("the reranker is another", &then, &now),
        ];
        all.into_iter().filter(|(_, a, b)| a != b).map(|(what, a, b)| format!("{what}: {a} then, {b} now")).collect()
    }
}

/// A tool of the ranking with the parts of its score.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Candidate {
    /// Its source.
    pub source: String,
    /// Its name.
    pub tool: String,
    /// Its score.
    pub score: f32,
    /// The cosine of its best view, where it has vectors and the request has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub best: Option<f32>,
    /// The mean of its views' cosines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mean: Option<f32>,
    /// BM25 relative to the best tool's.
    pub words: f32,
    /// How much of its name the request says.
    pub named: f32,
}

impl Candidate {
    /// A tool of `catalog`, in this build's words.
    #[must_use]
    pub fn of(catalog: &TenantCatalog, scored: &Scored) -> Option<Self> {
        let id = &catalog.at(scored.slot)?.record.tool.id;
        let (best, mean) = (scored.dense.map(|dense| dense.best), scored.dense.map(|dense| dense.mean));
        let (source, tool) = (id.source().to_owned(), id.name().to_owned());
        Some(Self { source, tool, score: scored.score, best, mean, words: scored.lexical, named: scored.named })
    }
}

/// What came of a selection.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Outcome {
    /// An answer.
    Answer {
        /// SHA-256 of its bytes without `meta`, in hex.
        sha256: String,
        /// The same as proto JSON, without what quotes the request where that was left out.
        answer: Box<RawValue>,
    },
    /// None.
    Error {
        /// gRPC's name of the status.
        code: String,
        /// Its message; empty where that may quote the request, which was left out.
        message: String,
    },
}

impl Record {
    /// Reads what was kept.
    ///
    /// # Errors
    /// Another layout, or none of it.
    pub fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Layout {
            format: u32,
        }
        let Layout { format } = serde_json::from_str(text).map_err(|e| format!("is no replay record: {e}"))?;
        if format != FORMAT {
            return Err(format!("has format {format}, this build reads {FORMAT}: use the build that wrote it"));
        }
        serde_json::from_str(text).map_err(|e| format!("is no replay record: {e}"))
    }

    /// As it is kept.
    ///
    /// # Errors
    /// A number that JSON does not have.
    pub fn to_text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|e| e.to_string())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::replay) fn record() -> Record {
        let model = crate::embed::hashing::HashingEmbedder::load(1).info;
        let raw = |text: &str| RawValue::from_string(text.to_owned()).unwrap();
        Record {
            format: FORMAT,
            trace_id: "11".repeat(16),
            selection_id: "22".repeat(16),
            at_ms: 5,
            took_us: 7,
            reason: Reason::Asked,
            redact: Redact::None,
            tenant: "default".into(),
            request: Some(raw(r#"{"query":"read a \"file\""}"#)),
            request_sha256: "33".repeat(32),
            tokenizer: Some("o200k_base".into()),
            catalogue: CatalogueRef { version: "00000001.2".into(), tools: 3, sha256: Some("44".repeat(32)) },
            made_with: MadeWith::of(&model, &Policy::default(), None).0,
            engine: "hnsw".into(),
            cache: "miss".into(),
            moment: Moment { by_words: Some("late".into()), ..Moment::default() },
            proposed: Some(vec![0, 2]),
            candidates: vec![Candidate {
                source: "s".into(),
                tool: "t".into(),
                score: 0.1,
                best: Some(f32::MIN_POSITIVE),
                mean: None,
                words: 0.3,
                named: 1.0,
            }],
            outcome: Outcome::Answer { sha256: "55".repeat(32), answer: raw(r#"{"tools":[]}"#) },
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let text = record().to_text().unwrap();
        let read = Record::parse(&text).unwrap();
        assert_eq!(read.to_text().unwrap(), text);
        assert_eq!((read.candidates, read.moment, read.made_with), (record().candidates, record().moment, record().made_with));
        let bare = Record { request: None, proposed: None, tokenizer: None, moment: Moment::default(), ..record() };
        assert!(Record::parse(&bare.to_text().unwrap()).unwrap().request.is_none());
        let later = text.replace("\"format\":1", "\"format\":2");
        assert_eq!(Record::parse(&later).unwrap_err(), "has format 2, this build reads 1: use the build that wrote it");
        assert!(Record::parse(&text.replace("\"cache\"", "\"cash\"")).unwrap_err().contains("unknown field `cash`"));
        assert!(Record::parse("[]").unwrap_err().starts_with("is no replay record"));
    }

    #[test]
    fn the_policy_comes_back_as_it_was() {
        let model = crate::embed::hashing::HashingEmbedder::load(1).info;
        let left_out = LeftOut::of([Step::Views, Step::Rivals]);
        let policy = Policy { left_out, abstain: Abstain::Strictly, ..Policy::default() };
        let (made_with, weights) = MadeWith::of(&model, &policy, None);
        let back = made_with.policy(&weights, model.dimension).unwrap();
        assert_eq!((&back.weights, back.left_out, back.abstain), (&policy.weights, left_out, Abstain::Strictly));
        let other = MadeWith { numerics: "elsewhere".into(), ..made_with.clone() };
        assert!(made_with.differences(&made_with).is_empty());
        assert!(made_with.differences(&other)[0].starts_with("this processor computes other numbers"));
        assert!(MadeWith { no_match: "perhaps".into(), ..made_with }.policy(&weights, model.dimension).is_err());
    }
}
