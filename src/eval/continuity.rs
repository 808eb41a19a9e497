//! Lists over the turns of a conversation: how often one begins with the one before, and what that costs.
//!
//! Sessions are drawn from a labelled set: each turn is one of its requests, and three in four share a source of needed tools with the turn
//! before, as far as the set has another such request. Each turn is asked twice, for a list of its own and for one that keeps the list
//! before. A prompt cache holds what two lists that follow each other have in common from their first byte on; the rest is paid in full.

use std::sync::Arc;

use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};

use super::dataset::{Dataset, Query};
use super::packing::{Covered, of_answer};
use super::prepared::Prepared;
use super::router::{select_once, text};
use super::{EvalError, Model};
use crate::compact::Tokenizer;
use crate::select::{Answer, Change, Input, Previous, Selector, SelectorOptions};
use crate::tool::TokenCount;

/// Of how many turns, how many stay with a source of the turn before.
const STAY: f64 = 0.75;

/// What to draw.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Most sessions of a set.
    pub sessions: usize,
    /// Turns of a session.
    pub turns: usize,
    /// The same seed draws the same sessions.
    pub seed: u64,
    /// The cap.
    pub max_tokens: TokenCount,
}

/// One kind of list: sums over turns behind the first of their sessions.
#[derive(Clone, Copy, Debug, Default)]
pub struct Kept {
    /// Turns.
    pub turns: usize,
    /// Turns whose list begins with the whole list before.
    pub appended: usize,
    /// Tokens of the lists.
    pub tokens: u64,
    /// Of them those that no cache can hold.
    pub uncached: u64,
    /// Sum of [`Covered::worth`].
    pub worth: f64,
    /// Sum of [`Covered::callable`].
    pub callable: f64,
}

/// A set, both ways.
#[derive(Clone, Debug)]
pub struct ContinuityRun {
    /// The set.
    pub set: String,
    /// Sessions.
    pub sessions: usize,
    /// Each turn's list made for it alone.
    pub alone: Kept,
    /// Each list keeping the one before.
    pub kept: Kept,
}

/// Asks the sessions of `set`; `tick` is told of each turn.
///
/// # Errors
/// The model or a selection failed.
pub async fn measure(
    set: &Prepared,
    options: Options,
    model: &Model,
    tick: &(dyn Fn() + Sync),
) -> Result<ContinuityRun, EvalError> {
    let selector_options = SelectorOptions { vector_bytes: 64 << 20, ..SelectorOptions::BARE };
    let selector = Selector::new(model.pool().clone(), model.policy().clone(), &selector_options);
    let sessions = sessions(&set.data, options);
    let mut run =
        ContinuityRun { set: set.data.name.clone(), sessions: sessions.len(), alone: Kept::default(), kept: Kept::default() };
    for session in &sessions {
        let (mut alone, mut kept): (Option<Arc<Answer>>, Option<Arc<Answer>>) = (None, None);
        for query in session.iter().filter_map(|place| set.data.queries.get(*place)) {
            let ask = async |previous: Option<Vec<Previous>>| {
                let failed = |detail: String| EvalError::Select { query: query.id.clone(), detail };
                // All lists hold something: the question is what they keep.
                let (max_tokens, min_confidence) = (Some(options.max_tokens.0), Some(0.0));
                let input = Input { query: text(query), max_tokens, min_confidence, previous, ..Input::default() };
                select_once(&set.catalog, &selector, input).await.map(|(answer, _)| answer).map_err(failed)
            };
            let now = ask(None).await?;
            run.alone.add(alone.as_deref(), &now, query);
            alone = Some(now);
            let now = ask(Some(kept.as_deref().map(previous).unwrap_or_default())).await?;
            run.kept.add(kept.as_deref(), &now, query);
            kept = Some(now);
            tick();
        }
    }
    Ok(run)
}

/// The tools of an answer as the next turn names them.
fn previous(answer: &Answer) -> Vec<Previous> {
    let one = |tool: &crate::select::Selected| Previous { id: tool.id.clone(), fidelity: tool.fidelity, hash: tool.hash.clone() };
    answer.tools.iter().map(one).collect()
}

impl Kept {
    fn add(&mut self, before: Option<&Answer>, now: &Answer, query: &Query) {
        let Some(before) = before else { return };
        let Covered { worth, callable, tokens, .. } = of_answer(now, query);
        let pairs = before.tools.iter().zip(&now.tools);
        let same = pairs.take_while(|(a, b)| a.definition == b.definition).count();
        let cached: String = now.tools.iter().take(same).map(|tool| format!("{},\n", tool.definition)).collect();
        let is_appended = same == before.tools.len();
        debug_assert!(
            now.stay.as_ref().is_none_or(|stay| (stay.change == Change::Appended) == is_appended || before.tools.is_empty())
        );
        self.turns += 1;
        self.appended += usize::from(is_appended);
        self.tokens += u64::from(tokens);
        self.uncached += u64::from(tokens.saturating_sub(Tokenizer::O200kBase.count(&cached).0));
        self.worth += worth;
        self.callable += callable;
    }

    /// A sum as the mean of a turn.
    #[must_use]
    pub fn mean(&self, sum: f64) -> f64 {
        sum / self.turns.max(1) as f64
    }
}

/// Places of queries, by session.
fn sessions(data: &Dataset, options: Options) -> Vec<Vec<usize>> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let mut firsts: Vec<usize> = (0..data.queries.len()).collect();
    firsts.shuffle(&mut rng);
    firsts.truncate(options.sessions);
    let source = |place: usize| data.tools[place].id.source();
    let shares = |a: usize, b: usize| {
        let (a, b) = (&data.queries[a].relevant, &data.queries[b].relevant);
        a.iter().any(|a| b.iter().any(|b| source(*a) == source(*b)))
    };
    let session = |first: usize| {
        let mut session = vec![first];
        while session.len() < options.turns {
            let last = session[session.len() - 1];
            let stays = rng.random_bool(STAY);
            let mut others: Vec<usize> = (0..data.queries.len()).filter(|place| !session.contains(place)).collect();
            others.shuffle(&mut rng);
            let wanted = others.iter().find(|place| shares(last, **place) == stays).or_else(|| others.first());
            match wanted {
                Some(place) => session.push(*place),
                None => break,
            }
        }
        session
    };
    firsts.into_iter().map(session).collect()
}
