//! How well a conversation is searched: dialogues assembled from labelled requests (`recipe`), each asked in four ways.
//!
//! The last turn alone is what a router without conversations gets. All that the user said, in one text, is what callers do today. The
//! conversation, without the assistant's calls and with them, is what is measured. Recall at 5, since a turn is answered from the first few.
//! Numbers are fitted ([`fit`]) on sets that are never among the reported ones, and worded otherwise.

pub mod fit;
mod recipe;
mod wording;

use std::collections::HashMap;
use std::sync::Arc;

use serde::Serialize;

pub use self::recipe::{Dialogue, Kind, Line, assemble};
pub use self::wording::Wording;
use super::bootstrap::{Draws, Interval, Sample, Spread};
use super::measures::Scores;
use super::prepared::Prepared;
use super::results::KEPT;
use super::router::{asked, catalogue, evaluation_id, select_once, served};
use super::{EvalError, Model};
use crate::catalog::TextHash;
use crate::condense::{Called, Role, Turn};
use crate::index::EngineChoice;
use crate::index::vector::Codes;
use crate::rank::{Conversation, Weights};
use crate::select::{Input, Policy, Selector, SelectorOptions};
use crate::tool::{Tool, ToolId};

/// Dialogues of a kind from one set: an interval of some points.
pub const DEFAULT_MOST: usize = 150;
/// Vectors of what is said, kept while numbers are tried.
const VECTOR_BYTES: u64 = 1 << 30;
/// Recall is at this many.
const AT: usize = 5;

/// In how many ways a dialogue is asked.
pub const WAYS: usize = 4;
/// Their names: the last turn alone, all user turns as one text, the conversation without calls, and the conversation.
pub const WAY_NAMES: [&str; WAYS] = ["last turn", "all turns", "no calls", "conversation"];

/// A set with its dialogues, ready to be asked.
#[derive(Debug)]
pub struct Ready {
    /// The set's name and split.
    pub set: String,
    /// How it is worded.
    pub wording: Wording,
    dialogues: Vec<Dialogue>,
    catalog: Arc<crate::catalog::TenantCatalog>,
    ids: Vec<ToolId>,
    places: HashMap<ToolId, usize>,
    selector: Selector,
    policy: Policy,
}

impl Ready {
    /// Assembles the dialogues of `set`, whose sources stay what they are: a source is evidence here.
    #[must_use]
    pub fn of(set: &Prepared, wording: Wording, most: usize, seed: u64, choice: EngineChoice, model: &Model) -> Self {
        let data = &set.data;
        let name = if data.split.is_empty() { data.name.clone() } else { format!("{}:{}", data.name, data.split) };
        let mut places: HashMap<ToolId, usize> = HashMap::new();
        let mut ids = Vec::with_capacity(data.tools.len());
        for (place, tool) in data.tools.iter().enumerate() {
            // Only where two tools share source and name one gets a source of its own.
            let id = if places.contains_key(&tool.id) { evaluation_id(&tool.id, place) } else { None };
            let id = id.unwrap_or_else(|| tool.id.clone());
            places.insert(id.clone(), place);
            ids.push(id);
        }
        let codes: HashMap<TextHash, Codes> =
            set.vectors.iter().map(|(text, vector)| (TextHash::of(text), Codes::quantise(vector))).collect();
        let tools = data.tools.iter().zip(&ids).map(|(tool, id)| Tool { id: id.clone(), ..tool.clone() });
        let catalog = catalogue(tools, |hash| codes.get(hash).cloned(), model.pool.info().dimension);
        let options = SelectorOptions { vector_bytes: VECTOR_BYTES, ..SelectorOptions::BARE };
        Self {
            set: name,
            wording,
            dialogues: assemble(data, wording, most, seed),
            catalog: Arc::new(served(catalog, choice)),
            ids,
            places,
            selector: Selector::new(model.pool.clone(), model.policy.clone(), &options),
            policy: model.policy.clone(),
        }
    }

    /// How many dialogues.
    #[must_use]
    pub fn len(&self) -> usize {
        self.dialogues.len()
    }

    /// True without dialogues.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.dialogues.is_empty()
    }

    /// The dialogues.
    #[must_use]
    pub fn dialogues(&self) -> &[Dialogue] {
        &self.dialogues
    }

    /// The same with other numbers for conversations.
    #[must_use]
    pub fn ranking_by(self, numbers: Conversation) -> Self {
        let policy = self.policy_with(numbers);
        Self { selector: self.selector.ranking_by(policy.clone()), policy, ..self }
    }

    fn policy_with(&self, conversation: Conversation) -> Policy {
        let weights = Weights { conversation, ..(*self.policy.weights).clone() };
        Policy { weights: Arc::new(weights), ..self.policy.clone() }
    }

    /// Asks every dialogue in every way; `tick` is told of each.
    ///
    /// # Errors
    /// A selection failed.
    pub async fn ask(&self, tick: &(dyn Fn() + Sync)) -> Result<Vec<Asked>, EvalError> {
        let mut asked = Vec::with_capacity(self.dialogues.len());
        for dialogue in &self.dialogues {
            let last = dialogue.user().last().unwrap_or_default();
            let all = dialogue.user().collect::<Vec<_>>().join("\n");
            let inputs = [query(last), query(&all), self.conversation(dialogue, false), self.conversation(dialogue, true)];
            let mut recall = [0.0; WAYS];
            for (recall, input) in recall.iter_mut().zip(inputs) {
                *recall = self.recall(&self.selector, dialogue, input).await?;
            }
            asked.push(Asked { id: dialogue.id.clone(), kind: dialogue.kind, recall });
            tick();
        }
        Ok(asked)
    }

    /// The recall of every conversation, ranked by other numbers.
    async fn with(&self, numbers: Conversation) -> Result<Vec<f64>, EvalError> {
        let selector = self.selector.ranking_by(self.policy_with(numbers));
        let mut recalls = Vec::with_capacity(self.dialogues.len());
        for dialogue in &self.dialogues {
            recalls.push(self.recall(&selector, dialogue, self.conversation(dialogue, true)).await?);
        }
        Ok(recalls)
    }

    async fn recall(&self, selector: &Selector, dialogue: &Dialogue, input: Input) -> Result<f64, EvalError> {
        let failed = |detail: String| EvalError::Select { query: dialogue.id.clone(), detail };
        let (answer, _) = select_once(&self.catalog, selector, input).await.map_err(failed)?;
        let list: Vec<usize> = answer.tools.iter().filter_map(|tool| self.places.get(&tool.id).copied()).collect();
        Ok(Scores::of(list.get(..AT).unwrap_or(&list), &dialogue.relevant).recall[1])
    }

    fn conversation(&self, dialogue: &Dialogue, with_calls: bool) -> Input {
        let call = |place: &usize| self.ids.get(*place).map(|id| Called::Id(id.clone()));
        let turn = |line: &Line| match line {
            Line::User(text) => Turn { role: Role::User, text: text.clone(), calls: Vec::new() },
            Line::Assistant(text, places) => Turn {
                role: Role::Assistant,
                text: text.clone(),
                calls: if with_calls { places.iter().filter_map(call).collect() } else { Vec::new() },
            },
        };
        Input { conversation: Some(dialogue.lines.iter().map(turn).collect()), ..whole() }
    }
}

/// Without a cap and holding nothing back.
fn whole() -> Input {
    Input { max_tokens: Some(u32::MAX), max_tools: u32::try_from(KEPT).ok(), min_confidence: Some(0.0), ..Input::default() }
}

fn query(text: &str) -> Input {
    Input { query: Some(asked(text).to_owned()), ..whole() }
}

/// A dialogue with its recall in every way.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// The dialogue's.
    pub id: String,
    /// The dialogue's.
    pub kind: Kind,
    /// In [`WAY_NAMES`]' order, in `[0, 1]`.
    pub recall: [f64; WAYS],
}

/// Dialogues of one kind, from one set or the mean over several.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Row {
    /// The set; "macro mean" over several, each of equal weight.
    pub set: String,
    /// Of fitted sets or of reported ones.
    pub fitted: bool,
    /// The kind; empty for all that lean, or all that do not, see `leans`.
    pub kind: &'static str,
    /// Whether the last turns lean on earlier ones.
    pub leans: bool,
    /// How many.
    pub dialogues: usize,
    /// Mean recall at 5 in [`WAY_NAMES`]' order.
    pub recall: [f64; WAYS],
    /// What the conversation gains over the last turn alone.
    pub gain: f64,
    /// The ends of its interval.
    pub interval: [f64; 2],
}

/// The table of sets that were asked: for each its kinds, then the means over sets.
#[must_use]
pub fn table(sets: &[(String, Wording, Vec<Asked>)], draws: Draws) -> Vec<Row> {
    let mut rows = Vec::new();
    for wording in [Wording::Fitted, Wording::Reported] {
        let of_wording = || sets.iter().filter(|(_, of, _)| *of == wording);
        let groups = Kind::ALL.map(|kind| (kind.name(), kind.leans())).into_iter().chain([("", true), ("", false)]);
        let mut means = Vec::new();
        for (kind, leans) in groups {
            let is_of = |asked: &&Asked| asked.kind.leans() == leans && (kind.is_empty() || asked.kind.name() == kind);
            let mut spreads = Vec::new();
            for (set, _, asked) in of_wording() {
                let of_kind: Vec<&Asked> = asked.iter().filter(is_of).collect();
                // With every way a column, and the gain another, a difference is of the same dialogues by itself.
                let values = |asked: &Asked| {
                    let [last, all, without, with] = asked.recall;
                    [last, all, without, with, with - last]
                };
                let drawn = of_kind.iter().map(|asked| (asked.id.as_str(), values(asked))).collect();
                let Ok(sample) = Sample::new(set, drawn, draws) else { continue };
                let spread = sample.spread().clone();
                if !kind.is_empty() {
                    rows.push(row(set, wording, kind, leans, &spread));
                }
                spreads.push(spread);
            }
            if let Some(mean) = Spread::macro_mean(&spreads.iter().collect::<Vec<_>>()) {
                means.push(row("macro mean", wording, kind, leans, &mean));
            }
        }
        rows.extend(means);
    }
    rows
}

fn row(set: &str, wording: Wording, kind: &'static str, leans: bool, spread: &Spread<{ WAYS + 1 }>) -> Row {
    let intervals = spread.intervals();
    let gain: Interval = intervals[WAYS];
    Row {
        set: set.to_owned(),
        fitted: wording == Wording::Fitted,
        kind,
        leans,
        dialogues: gain.queries,
        recall: std::array::from_fn(|way| intervals[way].mean),
        gain: gain.mean,
        interval: [gain.low, gain.high],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_count_equally_and_kinds_stay_apart() {
        let asked = |id: &str, kind, last: f64, with: f64| Asked { id: id.into(), kind, recall: [last, 0.0, with, with] };
        let sets = vec![
            ("a".to_owned(), Wording::Reported, vec![asked("1", Kind::Again, 0.0, 1.0), asked("2", Kind::Switch, 1.0, 1.0)]),
            ("b".to_owned(), Wording::Reported, vec![asked("1", Kind::Again, 0.0, 0.0), asked("2", Kind::Again, 1.0, 1.0)]),
        ];
        let rows = table(&sets, Draws { resamples: 10, seed: 1 });
        let told: Vec<(&str, &str, usize, f64)> =
            rows.iter().map(|row| (row.set.as_str(), row.kind, row.dialogues, row.gain)).collect();
        let expected = [
            ("a", "again", 1, 1.0),
            ("b", "again", 2, 0.0),
            ("a", "switch", 1, 0.0),
            ("macro mean", "again", 3, 0.5),
            ("macro mean", "switch", 1, 0.0),
            ("macro mean", "", 3, 0.5),
            ("macro mean", "", 1, 0.0),
        ];
        assert_eq!(told, expected);
    }
}
