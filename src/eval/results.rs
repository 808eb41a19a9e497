//! What an evaluation found, query by query: the file that runs are compared by and reports are made from.
//!
//! Places instead of means: every measure at every depth, and every interval, follows from where the needed tools stood.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::measures::{DEPTH, Scores};

/// The layout this build reads and writes.
pub const FORMAT: u32 = 1;
/// Queries of a run that are kept with what was returned: enough to look at, few enough for one page.
pub const WORST: usize = 12;

/// Everything one command found.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Results {
    /// [`FORMAT`].
    pub format: u32,
    /// The model's id.
    pub model: String,
    /// One for each set and ranker.
    pub runs: Vec<Run>,
    /// How well "nothing fits" is said, one for each set of requests that need no tool.
    #[serde(default)]
    pub abstentions: Vec<Abstention>,
}

/// One ranker on one set.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The set.
    pub set: String,
    /// Its split; empty when it has one file of queries.
    pub split: String,
    /// Who ranked: `router`, `bm25`, `cosine`.
    pub ranker: String,
    /// The step that was left out; empty: none was.
    pub without: String,
    /// Tools searched, distractors included.
    pub tools: usize,
    /// How many of them were distractors.
    pub distractors: usize,
    /// Mean tokens of a list at the default cap; the router only.
    pub tokens_mean: Option<f64>,
    /// Median microseconds to embed a query; without it where nothing is embedded.
    pub embed_us_p50: Option<f64>,
    /// Median microseconds for everything else.
    pub rest_us_p50: f64,
    /// Who compared vectors: `exact`, `hnsw`; empty where nobody did.
    pub engine: String,
    /// Every query, in file order.
    pub queries: Vec<Asked>,
    /// The queries with the lowest nDCG@10, worst first, at most [`WORST`]; the router only.
    #[serde(default)]
    pub worst: Vec<Case>,
}

/// One query and where its tools stood.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    /// Its id.
    pub id: String,
    /// How many tools it needs.
    pub needed: usize,
    /// Places, from 1 and ascending, of those that were returned.
    pub places: Vec<usize>,
    /// How sure the router was that a tool fits, in `[0, 1]`; absent where nothing is calibrated.
    pub confidence: Option<f32>,
}

/// A query to look at.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// The query's id.
    pub id: String,
    /// The user's words, cut at some length.
    pub text: String,
    /// The tools it needs, as `source/name`.
    pub needed: Vec<String>,
    /// The first that were returned.
    pub returned: Vec<Returned>,
}

/// A tool that was returned.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Returned {
    /// `source/name`.
    pub tool: String,
    /// Whether it was needed.
    pub needed: bool,
    /// The parts of its score, in words.
    pub why: String,
}

/// Requests that need no tool beside requests that do.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Abstention {
    /// The set.
    pub set: String,
    /// The split of requests that need none.
    pub none_split: String,
    /// The split of requests that need one.
    pub some_split: String,
    /// How sure the router was that a tool fits, for each request that needs none.
    pub none: Vec<f32>,
    /// The same for each that needs one, with its recall@5 when nothing is held back.
    pub some: Vec<(f32, f64)>,
    /// Below this the router says that nothing fits.
    pub abstain_below: f32,
    /// The same where `ranking.no_match` is `strict`.
    #[serde(default)]
    pub abstain_strictly_below: Option<f32>,
}

/// A results file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ResultsError {
    /// It cannot be read or written.
    #[error("results file {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// It is not what `eval --out` writes.
    #[error("{} is no results file of `eval --out`: {detail}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        detail: String,
    },
}

impl Results {
    /// Reads a file that [`Results::write`] wrote.
    ///
    /// # Errors
    /// It cannot be read, is something else, or is of another format.
    pub fn read(path: &Path) -> Result<Self, ResultsError> {
        let text = std::fs::read(path).map_err(|source| ResultsError::File { path: path.to_owned(), source })?;
        let wrong = |detail: String| ResultsError::Content { path: path.to_owned(), detail };
        let format = serde_json::from_slice::<serde_json::Value>(&text)
            .map_err(|e| wrong(e.to_string()))?
            .get("format")
            .and_then(serde_json::Value::as_u64);
        if format != Some(u64::from(FORMAT)) {
            let found = format.map_or_else(|| "missing".to_owned(), |format| format.to_string());
            return Err(wrong(format!("format is {found}, this build reads {FORMAT}")));
        }
        let results: Self = serde_json::from_slice(&text).map_err(|e| wrong(e.to_string()))?;
        results.check().map_err(wrong)?;
        Ok(results)
    }

    /// What no evaluation finds would come out as figures that nobody doubts.
    fn check(&self) -> Result<(), String> {
        let sure = |confidence: f32| (0.0..=1.0).contains(&confidence);
        for (run, asked) in self.runs.iter().flat_map(|run| run.queries.iter().map(move |asked| (run, asked))) {
            let wrong =
                |detail: String| Err(format!("{} of {}, query {:?}: {detail}", run.ranker_name(), run.set_name(), asked.id));
            if !std::iter::once(&0).chain(&asked.places).is_sorted_by(|a, b| a < b) {
                return wrong(format!("places {:?} do not ascend from 1", asked.places));
            }
            if asked.needed < asked.places.len() {
                return wrong(format!("{} places for {} needed tools", asked.places.len(), asked.needed));
            }
            if let Some(confidence) = asked.confidence.filter(|confidence| !sure(*confidence)) {
                return wrong(format!("confidence is {confidence}, it lies between 0 and 1"));
            }
        }
        for abstention in &self.abstentions {
            let mut all = abstention.none.iter().chain(abstention.some.iter().map(|(confidence, _)| confidence));
            if let Some(confidence) = all.find(|confidence| !sure(**confidence)) {
                return Err(format!("abstention of {}: confidence is {confidence}, it lies between 0 and 1", abstention.set));
            }
        }
        Ok(())
    }

    /// Writes the file whole or not at all.
    ///
    /// # Errors
    /// The disk refuses.
    pub fn write(&self, path: &Path) -> Result<(), ResultsError> {
        let text = serde_json::to_vec(self).map_err(std::io::Error::other);
        let failed = |source| ResultsError::File { path: path.to_owned(), source };
        super::whole_file(path, &text.map_err(failed)?).map_err(failed)
    }
}

impl Run {
    /// `set` or `set:split`.
    #[must_use]
    pub fn set_name(&self) -> String {
        if self.split.is_empty() { self.set.clone() } else { format!("{}:{}", self.set, self.split) }
    }

    /// `router`, or `router without clauses`.
    #[must_use]
    pub fn ranker_name(&self) -> String {
        if self.without.is_empty() { self.ranker.clone() } else { format!("{} without {}", self.ranker, self.without) }
    }

    /// The measures of each query.
    pub fn scores(&self) -> impl Iterator<Item = Scores> {
        self.queries.iter().map(Asked::scores)
    }
}

impl Asked {
    /// Its measures.
    #[must_use]
    pub fn scores(&self) -> Scores {
        Scores::at(&self.places, self.needed)
    }

    /// Share of the needed tools in the first `k`.
    #[must_use]
    pub fn recall(&self, k: usize) -> f64 {
        self.places.iter().filter(|place| **place <= k).count() as f64 / self.needed.max(1) as f64
    }

    /// Where the `needed` slots stand in `list`.
    #[must_use]
    pub fn of(id: &str, list: &[usize], needed: &[usize], confidence: Option<f32>) -> Self {
        let places = list.iter().zip(1..).filter(|(slot, _)| needed.contains(slot)).map(|(_, place)| place);
        Self { id: id.to_owned(), needed: needed.len(), places: places.collect(), confidence }
    }
}

/// Lists are kept this deep, for curves of recall; measures look at [`DEPTH`].
pub const KEPT: usize = 5 * DEPTH;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_results_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("results.json");
        let check = |text: &str, expected: &str| {
            std::fs::write(&path, text).unwrap();
            let error = Results::read(&path).unwrap_err().to_string();
            assert!(error.contains("results.json is no results file of `eval --out`: ") && error.contains(expected), "{error}");
        };
        let run = |queries: &str| {
            format!(
                r#"{{"format":1,"model":"m","runs":[{{"set":"s","split":"","ranker":"router","without":"","tools":3,"distractors":0,
                "tokens_mean":null,"embed_us_p50":null,"rest_us_p50":1.0,"engine":"","queries":[{queries}]}}]}}"#
            )
        };
        check("{\"format\": 1,", "EOF while parsing");
        check("[]", "format is missing, this build reads 1");
        check(r#"{"format": 2}"#, "format is 2, this build reads 1");
        check(r#"{"format": 1, "model": "m"}"#, "missing field `runs`");
        let query = |rest: &str| run(&format!(r#"{{"id":"q","needed":2,{rest}}}"#));
        check(&query(r#""places":[0],"confidence":null"#), r#"router of s, query "q": places [0] do not ascend from 1"#);
        check(&query(r#""places":[3,3],"confidence":null"#), "places [3, 3] do not ascend from 1");
        check(&query(r#""places":[1,2,3],"confidence":null"#), "3 places for 2 needed tools");
        check(&query(r#""places":[1],"confidence":1.5"#), "confidence is 1.5, it lies between 0 and 1");
        std::fs::write(&path, query(r#""places":[1,4],"confidence":0.5"#)).unwrap();
        let read = Results::read(&path).unwrap();
        read.write(&path).unwrap();
        assert_eq!(Results::read(&path).unwrap(), read);
    }
}
