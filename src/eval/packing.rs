//! What a token cap is used for: how much of the tools that a query needs a model gets to see, by the router and by greedy packers.
//!
//! All of them pack one ranking, the router's own, so that what differs is packing alone. A greedy packer goes down the ranking, adds each
//! tool in one form and skips what does not fit: that is what peers do, when they pack at all. The measure is coverage: the mean over the
//! tools a query needs of what the form they are shown in is worth (whole or LEAN 1, SKELETON .9, SIGNATURE .6, NAME .2, nothing 0), and
//! the share of them that can be called.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::dataset::Query;
use super::prepared::Prepared;
use super::router::{select_once, slot, text};
use super::{EvalError, Model};
use crate::compact::{self, Fidelity, Format, Shown, Tokenizer, Values};
use crate::select::{Answer, Input, Selector, SelectorOptions};
use crate::tool::TokenCount;

/// What to pack for.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The cap.
    pub max_tokens: TokenCount,
    /// Most callable tools.
    pub max_tools: u32,
    /// Whose definitions.
    pub format: Format,
    /// Whose tokens.
    pub tokenizer: Tokenizer,
}

/// Who packs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Packer {
    /// Whole definitions, in rank order, as they fit.
    GreedyFull,
    /// The same with LEAN ones.
    GreedyLean,
    /// The router without a directory.
    Callable,
    /// The router.
    Router,
}

impl Packer {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::GreedyFull, Self::GreedyLean, Self::Callable, Self::Router];

    /// In tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::GreedyFull => "greedy full",
            Self::GreedyLean => "greedy lean",
            Self::Callable => "router, no directory",
            Self::Router => "router",
        }
    }
}

/// How much of what a query needs is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Covered {
    /// Mean worth of the forms of the needed tools, in `[0, 1]`.
    pub worth: f64,
    /// Share of the needed tools that can be called, in `[0, 1]`.
    pub callable: f64,
    /// Tokens of all that is shown.
    pub tokens: u32,
    /// Tools that can be called.
    pub tools: usize,
    /// Tools that are listed.
    pub listed: usize,
}

/// The queries of a set, by packer in the order of [`Packer::ALL`].
#[derive(Clone, Debug)]
pub struct PackingRun {
    /// The set.
    pub set: String,
    /// Its tools.
    pub tools: usize,
    /// Each query's id, with what each packer made of it.
    pub queries: Vec<(String, [Covered; Packer::ALL.len()])>,
    /// Answers over the cap, counted anew from their texts.
    pub overruns: usize,
}

/// Packs every query of `set`; `tick` is told of each.
///
/// # Errors
/// The model or a selection failed.
pub async fn measure(set: &Prepared, options: Options, model: &Model, tick: &(dyn Fn() + Sync)) -> Result<PackingRun, EvalError> {
    let selector_options = SelectorOptions { vector_bytes: 64 << 20, ..SelectorOptions::BARE };
    let selector = Selector::new(model.pool().clone(), model.policy().clone(), &selector_options);
    let mut run = PackingRun { set: set.data.name.clone(), tools: set.data.tools.len(), queries: Vec::new(), overruns: 0 };
    for query in &set.data.queries {
        let ask = async |input: Input| {
            let failed = |detail: String| EvalError::Select { query: query.id.clone(), detail };
            select_once(&set.catalog, &selector, input).await.map(|(answer, _)| answer).map_err(failed)
        };
        let ranking = ask(Input { max_tokens: Some(u32::MAX), max_tools: Some(200), ..input(query, options) }).await?;
        let ranking: Vec<usize> = ranking.tools.iter().filter_map(|tool| slot(&tool.id)).collect();
        let callable = ask(input(query, options)).await?;
        let router = ask(Input { directory: true, ..input(query, options) }).await?;
        let over = |answer: &Arc<Answer>| {
            let count = |text: &str| options.tokenizer.count(text);
            options.max_tokens < count(&answer.prompt) + count(&answer.directory)
        };
        run.overruns += usize::from(over(&callable)) + usize::from(over(&router));
        let covered = [
            greedy(set, &ranking, query, Fidelity::Full, options),
            greedy(set, &ranking, query, Fidelity::Lean, options),
            of_answer(&callable, query),
            of_answer(&router, query),
        ];
        run.queries.push((query.id.clone(), covered));
        tick();
    }
    Ok(run)
}

fn input(query: &Query, options: Options) -> Input {
    Input {
        query: text(query),
        max_tokens: Some(options.max_tokens.0),
        max_tools: Some(options.max_tools),
        format: Some(options.format),
        tokenizer: Some(options.tokenizer.name().to_owned()),
        // All packers show something for every query.
        min_confidence: Some(0.0),
        ..Input::default()
    }
}

/// Goes down the ranking and adds what fits.
fn greedy(set: &Prepared, ranking: &[usize], query: &Query, fidelity: Fidelity, options: Options) -> Covered {
    let mut tokens = compact::frame(options.tokenizer);
    let mut shown = HashMap::new();
    for place in ranking {
        let Some(entry) = u32::try_from(*place).ok().and_then(|slot| set.catalog.at(slot)) else { continue };
        let cost = entry.record.costs.get(options.format, fidelity, options.tokenizer);
        if tokens + cost <= options.max_tokens && shown.len() < options.max_tools as usize {
            tokens = tokens + cost;
            shown.insert(*place, Shown::Callable(fidelity));
        }
    }
    covered(&shown, query, if shown.is_empty() { TokenCount(0) } else { tokens })
}

/// What an answer shows of the tools with these names, each counted by what its form is worth: the mean, in `[0, 1]`.
#[must_use]
pub fn worth(answer: &Answer, needed: &HashSet<&str>) -> f64 {
    let values = Values::default();
    let callable = answer.tools.iter().map(|tool| (&tool.model_name, Shown::Callable(tool.fidelity)));
    let listed = answer.listed.iter().map(|tool| (&tool.model_name, Shown::Listed(tool.line)));
    let shown = callable.chain(listed).filter(|(name, _)| needed.contains(name.as_str()));
    shown.map(|(_, shown)| f64::from(values.of(shown))).sum::<f64>() / needed.len().max(1) as f64
}

/// What an answer shows of what `query` needs.
#[must_use]
pub fn of_answer(answer: &Answer, query: &Query) -> Covered {
    let callable = answer.tools.iter().map(|tool| (slot(&tool.id), Shown::Callable(tool.fidelity)));
    let listed = answer.listed.iter().map(|tool| (slot(&tool.id), Shown::Listed(tool.line)));
    let shown = callable.chain(listed).filter_map(|(place, shown)| Some((place?, shown))).collect();
    covered(&shown, query, answer.usage.returned)
}

fn covered(shown: &HashMap<usize, Shown>, query: &Query, tokens: TokenCount) -> Covered {
    let values = Values::default();
    let needed = query.relevant.len().max(1) as f64;
    let of_needed = || query.relevant.iter().filter_map(|place| shown.get(place));
    let is_callable = |shown: &&Shown| matches!(shown, Shown::Callable(_));
    let tools = shown.values().filter(is_callable).count();
    Covered {
        worth: of_needed().map(|shown| f64::from(values.of(*shown))).sum::<f64>() / needed,
        callable: of_needed().filter(is_callable).count() as f64 / needed,
        tokens: tokens.0,
        tools,
        listed: shown.len() - tools,
    }
}
