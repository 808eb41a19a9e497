//! The numbers that ranking rests on: one file, with a version, tied to the model whose cosines they weigh.
//!
//! `tool-router fit` writes it from labelled requests and `tool-router calibrate` adapts its confidence to a catalogue. A file of another
//! layout or another model is refused: cosines of two models are different quantities, and a threshold for one is noise for the other.

use serde::{Deserialize, Serialize};

use super::confidence::Confidence;
use super::order::Fusion;
use crate::compact::Values;

/// The layout this build reads and writes.
pub(super) const FORMAT: u32 = 1;

/// What the file holds.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Weights {
    /// The layout: 1.
    pub format: u32,
    /// The model whose cosines these numbers are for; empty in the built-in ones, which go with any.
    pub model: String,
    /// How the scores of a tool become one.
    pub fusion: Fusion,
    /// How parts of a request count beside the whole.
    pub clauses: Clauses,
    /// How a conversation becomes a request.
    #[serde(default)]
    pub conversation: Conversation,
    /// What each form of a tool is worth to packing.
    #[serde(default)]
    pub values: Values,
    /// How sure one may be. Absent: nothing is calibrated, no answer has a confidence, and nothing is held back for lack of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<Confidence>,
}

/// How parts of a request count beside the whole.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Clauses {
    /// Of a tool's best score with a part, on top of its score with the whole; 0 leaves the parts out.
    pub weight: f32,
    /// How far parts are levelled, in `[0, 1]`: this share of the part's best score is taken off, so that a part which fits its tools less
    /// well still brings its own to the front.
    pub cover: f32,
    /// Requests of fewer words are not taken apart.
    pub min_words: usize,
    /// Most parts: 1 to 8.
    pub max_parts: usize,
}

impl Default for Clauses {
    fn default() -> Self {
        Self { weight: 1.0, cover: 0.7, min_words: 12, max_parts: 3 }
    }
}

/// How a conversation becomes a request, where its last turn leans on earlier ones. A turn that does not is the request, whatever came
/// before.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Conversation {
    /// Of the vector of the last turn with earlier terms, where that of the last turn alone counts 1.
    pub expanded: f32,
    /// Of the mean of the user turns' vectors.
    pub history: f32,
    /// What a turn counts beside the one after it, in `(0, 1]`: in that mean, for its terms and for the tools that were called in it.
    pub decay: f32,
    /// Most tokens of earlier terms.
    pub max_tokens: usize,
    /// A turn of so few words with a meaning of their own may lean without saying so.
    pub thin_words: usize,
    /// And does, where the rarest of them is no rarer in the catalogue than this, in `[0, 1]`.
    pub thin_rarity: f32,
    /// A turn with a word like "it" stands alone all the same, where its cosine with the earlier ones is below this.
    pub shift_referring: f32,
    /// The same for a turn that leans only by saying little.
    pub shift_thin: f32,
    /// Added to the score of a tool that was called before.
    pub called: f32,
    /// Added to the scores of the other tools of its source.
    pub source: f32,
}

impl Default for Conversation {
    /// As `eval dialogues --fit` found them with the shipped model, on splits that nothing is reported of; `decay` and `max_tokens` are given.
    fn default() -> Self {
        Self {
            expanded: 2.0,
            history: 0.5,
            decay: 0.5,
            max_tokens: 32,
            thin_words: 5,
            thin_rarity: 0.5,
            shift_referring: 0.0,
            shift_thin: 0.35,
            called: 0.3,
            source: 0.06,
        }
    }
}

impl Conversation {
    fn check(&self) -> Result<(), WeightsError> {
        let sizes = [
            ("conversation.expanded", self.expanded),
            ("conversation.history", self.history),
            ("conversation.called", self.called),
            ("conversation.source", self.source),
        ];
        for (field, value) in sizes {
            in_range(field, value, 0.0..=100.0, "0 to 100")?;
        }
        let shares = [("conversation.decay", self.decay), ("conversation.thin_rarity", self.thin_rarity)];
        for (field, value) in shares {
            in_range(field, value, 0.0..=1.0, "0 to 1")?;
        }
        let cosines = [("conversation.shift_referring", self.shift_referring), ("conversation.shift_thin", self.shift_thin)];
        for (field, value) in cosines {
            in_range(field, value, -1.0..=1.0, "-1 to 1")?;
        }
        for (field, value) in [("conversation.max_tokens", self.max_tokens), ("conversation.thin_words", self.thin_words)] {
            if 1_000 < value {
                return Err(WeightsError::Range { field, value: value.to_string(), range: "0 to 1000" });
            }
        }
        Ok(())
    }
}

impl Default for Weights {
    fn default() -> Self {
        let (fusion, clauses, values) = (Fusion::default(), Clauses::default(), Values::default());
        let conversation = Conversation::default();
        Self { format: FORMAT, model: String::new(), fusion, clauses, conversation, values, confidence: None }
    }
}

/// A weights file cannot be used. The words follow the file's name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WeightsError {
    /// It is no such file.
    #[error("is no weights file: {detail}")]
    Content {
        /// What is wrong.
        detail: String,
    },
    /// Another layout.
    #[error("has format {found}, this build reads {FORMAT}: make it anew with `tool-router fit`")]
    Format {
        /// Its format.
        found: String,
    },
    /// Made for another model.
    #[error("is for model {found}, the embedder is {expected}: make it anew with `tool-router fit`, or leave it out")]
    Model {
        /// The file's.
        found: String,
        /// The embedder's.
        expected: String,
    },
    /// A number that makes no sense.
    #[error("{field} is {value}, it must be {range}")]
    Range {
        /// Where in the file.
        field: &'static str,
        /// The number.
        value: String,
        /// What it may be.
        range: &'static str,
    },
}

impl Weights {
    /// Reads the file's text, for the embedder `model` with vectors of `dimension` numbers.
    ///
    /// # Errors
    /// Another layout, another model, or a number out of its range.
    pub fn parse(text: &str, model: &str, dimension: usize) -> Result<Self, WeightsError> {
        let content = |e: serde_json::Error| WeightsError::Content { detail: e.to_string() };
        let value: serde_json::Value = serde_json::from_str(text).map_err(content)?;
        let format = value.get("format");
        if format.and_then(serde_json::Value::as_u64) != Some(u64::from(FORMAT)) {
            return Err(WeightsError::Format { found: format.map_or_else(|| "missing".into(), ToString::to_string) });
        }
        let weights: Self = serde_json::from_value(value).map_err(content)?;
        if weights.model != model {
            return Err(WeightsError::Model { found: weights.model, expected: model.to_owned() });
        }
        weights.check(dimension)?;
        Ok(weights)
    }

    /// As the file's text.
    ///
    /// # Errors
    /// Never, but for memory.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string_pretty(self).map(|text| text + "\n")
    }

    fn check(&self, dimension: usize) -> Result<(), WeightsError> {
        let fusion = &self.fusion;
        let weights = [
            ("fusion.best", fusion.best),
            ("fusion.mean", fusion.mean),
            ("fusion.full", fusion.full),
            ("fusion.lexical", fusion.lexical),
            ("fusion.named", fusion.named),
            ("fusion.named_by_words", fusion.named_by_words),
            ("fusion.centring", fusion.centring),
            ("clauses.weight", self.clauses.weight),
        ];
        for (field, value) in weights {
            in_range(field, value, 0.0..=100.0, "0 to 100")?;
        }
        in_range("fusion.centring_half", fusion.centring_half, 0.0..=1e9, "0 to 1000000000")?;
        let values = &self.values;
        let values = [
            ("values.name", values.name),
            ("values.signature", values.signature),
            ("values.skeleton", values.skeleton),
            ("values.lean", values.lean),
            ("values.full", values.full),
        ];
        for (field, value) in values {
            in_range(field, value, 0.0..=1.0, "0 to 1")?;
        }
        in_range("clauses.cover", self.clauses.cover, 0.0..=1.0, "0 to 1")?;
        self.conversation.check()?;
        if !(1..=8).contains(&self.clauses.max_parts) {
            let value = self.clauses.max_parts.to_string();
            return Err(WeightsError::Range { field: "clauses.max_parts", value, range: "1 to 8" });
        }
        self.confidence.as_ref().map_or(Ok(()), |confidence| confidence.check(dimension))
    }
}

/// NaN is in no range.
pub(super) fn in_range(
    field: &'static str,
    value: f32,
    allowed: std::ops::RangeInclusive<f32>,
    range: &'static str,
) -> Result<(), WeightsError> {
    if allowed.contains(&value) { Ok(()) } else { Err(WeightsError::Range { field, value: value.to_string(), range }) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_comes_back_as_it_was_written() {
        let weights = Weights { model: "m@1".into(), confidence: Some(Confidence::example(3)), ..Weights::default() };
        assert_eq!(Weights::parse(&weights.to_text().unwrap(), "m@1", 3), Ok(weights));
    }

    #[test]
    fn a_file_from_before_conversations_is_read() {
        let weights = Weights { model: "m@1".into(), ..Weights::default() };
        let mut value = serde_json::to_value(&weights).unwrap();
        value.as_object_mut().unwrap().remove("conversation");
        assert_eq!(Weights::parse(&value.to_string(), "m@1", 3), Ok(weights));
    }

    #[test]
    fn what_is_not_for_this_build_and_model_is_refused() {
        let weights = Weights { model: "m@1".into(), confidence: Some(Confidence::example(3)), ..Weights::default() };
        let check = |change: &dyn Fn(&mut serde_json::Value), model: &str, words: &str| {
            let mut value = serde_json::to_value(&weights).unwrap();
            change(&mut value);
            let error = Weights::parse(&value.to_string(), model, 3).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        check(&|v| v["format"] = 7.into(), "m@1", "has format 7, this build reads 1");
        check(&|v| drop(v.as_object_mut().unwrap().remove("format")), "m@1", "has format missing");
        check(&|_| (), "m@2", "is for model m@1, the embedder is m@2");
        check(&|v| v["fusion"]["best"] = (-1).into(), "m@1", "fusion.best is -1, it must be 0 to 100");
        check(&|v| v["clauses"]["max_parts"] = 99.into(), "m@1", "clauses.max_parts is 99, it must be 1 to 8");
        check(&|v| v["conversation"]["decay"] = 2.into(), "m@1", "conversation.decay is 2, it must be 0 to 1");
        check(
            &|v| v["conversation"]["max_tokens"] = 9_999.into(),
            "m@1",
            "conversation.max_tokens is 9999, it must be 0 to 1000",
        );
        check(&|v| v["fusion"]["more"] = 1.into(), "m@1", "unknown field `more`");
        check(&|v| v["confidence"]["abstain_below"] = 2.into(), "m@1", "confidence.abstain_below is 2, it must be 0 to 1");
        let words = "confidence.abstain_strictly_below is -1, it must be 0 to 1";
        check(&|v| v["confidence"]["abstain_strictly_below"] = (-1).into(), "m@1", words);
        check(&|v| v["confidence"]["talk"] = serde_json::json!([1.0]), "m@1", "confidence.talk has 1 numbers, it must be");
        assert!(Weights::parse("{", "m", 3).unwrap_err().to_string().starts_with("is no weights file"));
    }
}
