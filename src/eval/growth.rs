//! What happens as tools are added: the same queries among 2, 6, … 10,000 tools, with all of them in the prompt and with the router's list.
//!
//! Reports of agents in production show prompts that grow with every tool while the model's choice gets worse. Here the growth is
//! measured over labelled sets: tokens either way, whether the router's list still holds everything a query needs, the time it adds, and,
//! where a model is given, which tools that calls. A catalogue is made for every query and size ([`Pool`] says from what) and searched as the
//! service would search it, at the defaults of a request.

mod choices;
mod pool;

use std::collections::{HashMap, HashSet};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::choices::Asking;
pub use self::choices::{Choices, Chooser, DEFAULT_MAX_TOOLS, MAX_FAILURES};
use self::pool::Plan;
pub use self::pool::Pool;
use super::{EvalError, Model, llm, median, packing, router};
use crate::catalog::views::ViewTexts;
use crate::catalog::{Entry, Record, TenantCatalog, TextHash, Version};
use crate::compact::{self, Fidelity, Format};
use crate::index::EngineChoice;
use crate::index::vector::Codes;
use crate::select::{Input, Selector, SelectorOptions};
use crate::tool::{ModelName, TenantId, Tool};

/// Four sizes as production reports give them, then on to where no prompt holds all.
pub const DEFAULT_SIZES: [usize; 8] = [2, 6, 15, 30, 100, 500, 2_000, 10_000];
/// Queries of a size: a share is known to within some percent.
pub const DEFAULT_QUERIES: NonZeroUsize = NonZeroUsize::new(100).expect("100 is not 0");

/// What to measure.
#[derive(Clone, Debug)]
pub struct Options {
    /// Tools in a catalogue; without them [`DEFAULT_SIZES`], as far as the pool goes.
    pub sizes: Option<Vec<NonZeroUsize>>,
    /// At most so many queries of each size, evenly spaced over all sets.
    pub queries: NonZeroUsize,
    /// Draws the same catalogues again.
    pub seed: u64,
}

/// The growth table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Growth {
    /// By size.
    pub rows: Vec<GrowthRow>,
    /// The embedding model.
    pub embedder: String,
    /// The language model that chose, where one did.
    pub model: Option<String>,
    /// Different tools in the pool.
    pub pool_tools: usize,
    /// The seed.
    pub seed: u64,
    /// Sizes that were left out, each with its reason.
    pub skipped: Vec<String>,
}

/// One size: means over its queries.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GrowthRow {
    /// Tools in each catalogue.
    pub tools: usize,
    /// Queries asked.
    pub queries: usize,
    /// Tools that a query needs, mean.
    pub needed_mean: f64,
    /// Tokens of all tools as their publishers wrote them, mean.
    pub tokens_all: f64,
    /// Tokens of the router's list, mean.
    pub tokens_returned: f64,
    /// Tools in the router's list, mean.
    pub tools_returned: f64,
    /// Share of queries that have all their tools in the list, in `[0, 1]`.
    pub complete: f64,
    /// Share of the needed tools that is in the list, mean over queries, in `[0, 1]`.
    pub recall: f64,
    /// The same with each tool counted by what its form is worth ([`packing`]).
    #[serde(default)]
    pub covered: f64,
    /// The same where the answer has a directory too.
    #[serde(default)]
    pub covered_with_directory: f64,
    /// What the router adds to a turn, median, ms.
    pub added_ms_p50: f64,
    /// Of it embedding the query, median, ms.
    pub embed_ms_p50: f64,
    /// Of it everything else, median, ms.
    pub rest_ms_p50: f64,
    /// Who compared vectors.
    pub engine: String,
    /// What the language model chose with all tools before it; nothing where the list is too long to send.
    pub chosen_of_all: Option<Choices>,
    /// What it chose with the router's list.
    pub chosen_of_list: Option<Choices>,
}

/// There is no table.
#[derive(Debug, thiserror::Error)]
pub enum GrowthError {
    /// The embedding model or a selection failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// A size beyond the pool.
    #[error("a catalogue of {size} tools cannot be made: the pool has {pool} different ones; give more sets or distractors")]
    PoolTooSmall {
        /// The size.
        size: usize,
        /// Different tools in the pool.
        pool: usize,
    },
    /// A size that only lookalikes would fill.
    #[error(
        "a catalogue of {size} tools cannot be made for query {query}: {left} of the pool's {pool} tools are left when those that could \
         pass for a needed one are not drawn; give more sets or distractors"
    )]
    TooManyTwins {
        /// The size.
        size: usize,
        /// The query.
        query: String,
        /// Tools that may stand in its catalogue.
        left: usize,
        /// Different tools in the pool.
        pool: usize,
    },
    /// Every query needs more tools.
    #[error("no query needs at most {size} tools, the least is {fewest}")]
    NoQueries {
        /// The size.
        size: usize,
        /// Tools needed by the most modest query.
        fewest: usize,
    },
    /// No size is left.
    #[error("there is no size to measure at: {reasons}")]
    NoSize {
        /// Why each was left out.
        reasons: String,
    },
    /// The language model is away.
    #[error("the last {failures} requests to {name} failed, so there is no table; the model {source}")]
    Model {
        /// Who was asked.
        name: String,
        /// How many in a row.
        failures: usize,
        /// The last failure.
        source: llm::LlmError,
    },
    /// The language model answered nothing at all at one size.
    #[error("{name} answered none of {queries} queries at {size} tools, so there is no table")]
    NoAnswers {
        /// Who was asked.
        name: String,
        /// How many.
        queries: usize,
        /// At which size.
        size: usize,
    },
}

/// Measures the growth over `pool`; `tick` is told of every embedded text, every selection and every answer of the language model.
///
/// # Errors
/// A size cannot be had, or a model failed.
pub async fn measure(
    pool: &Pool,
    options: &Options,
    engine: EngineChoice,
    model: &mut Model,
    chooser: Option<Chooser<'_>>,
    tick: &(dyn Fn() + Sync),
) -> Result<Growth, GrowthError> {
    let defaults = || DEFAULT_SIZES.into_iter().filter_map(NonZeroUsize::new).collect();
    let mut sizes: Vec<NonZeroUsize> = options.sizes.clone().unwrap_or_else(defaults);
    sizes.sort_unstable();
    sizes.dedup();
    let plan = pool.plan(&sizes, options.queries, options.seed, options.sizes.is_none())?;
    let entries = Entries::embed(pool, &plan, model, tick)?;
    let selector = Selector::new(model.pool().clone(), model.policy().clone(), &SelectorOptions::BARE);
    let knowing = SelectorOptions { vector_bytes: 64 << 20, ..SelectorOptions::BARE };
    let mut measuring = Measuring {
        pool,
        plan: &plan,
        entries,
        selector,
        with_directory: Selector::new(model.pool().clone(), model.policy().clone(), &knowing),
        engine,
        chooser,
        asking: chooser.map(|c| Asking::new(c.client)),
        tick,
    };
    let mut rows = Vec::with_capacity(plan.sizes.len());
    for (size, queries) in &plan.sizes {
        rows.push(measuring.row(*size, queries).await?);
    }
    Ok(Growth {
        rows,
        embedder: model.id().to_owned(),
        model: chooser.map(|chooser| chooser.client.model().to_owned()),
        pool_tools: pool.len(),
        seed: options.seed,
        skipped: plan.skipped,
    })
}

/// The tools of all catalogues, ready to be searched: deriving one takes longer than all else, and each stands in many.
struct Entries<'a> {
    tools: &'a [Tool],
    places: &'a [u64],
    codes: HashMap<TextHash, Codes>,
    dimension: usize,
    /// By tool and name: within a catalogue a name is one tool's, and beside another of its own name a tool is called `source__name`.
    made: HashMap<(usize, ModelName), Arc<Entry>>,
}

impl<'a> Entries<'a> {
    fn embed(pool: &'a Pool, plan: &'a Plan, model: &mut Model, tick: &(dyn Fn() + Sync)) -> Result<Self, EvalError> {
        let needed: HashSet<usize> = plan.orders.values().flatten().copied().collect();
        let texts = needed.iter().flat_map(|slot| ViewTexts::of(&pool.tools[*slot]).base).collect();
        let vectors = model.embed_all(texts, tick)?;
        let codes = vectors.iter().map(|(text, vector)| (TextHash::of(text), Codes::quantise(vector))).collect();
        let dimension = model.pool().info().dimension;
        Ok(Self { tools: &pool.tools, places: &plan.places, codes, dimension, made: HashMap::new() })
    }

    /// The tools in `slots` as registering them in the order of their places would make them.
    fn of(&mut self, slots: &[usize]) -> Vec<(usize, Arc<Entry>)> {
        let mut slots = slots.to_vec();
        slots.sort_unstable_by_key(|slot| self.places[*slot]);
        let mut taken = HashSet::new();
        let named = slots.into_iter().map(|slot| {
            let name = ModelName::choose(&self.tools[slot].id, |name| taken.contains(name));
            taken.insert(name.as_str().to_owned());
            (slot, name)
        });
        let named: Vec<_> = named.collect();
        named.into_iter().map(|(slot, name)| (slot, self.entry(slot, name))).collect()
    }

    fn entry(&mut self, slot: usize, name: ModelName) -> Arc<Entry> {
        let (tool, codes, place) = (&self.tools[slot], &self.codes, self.places[slot]);
        let made = self.made.entry((slot, name)).or_insert_with_key(|(_, name)| {
            let id = router::evaluation_id(&tool.id, slot).unwrap_or_else(|| tool.id.clone());
            let tool = Tool { id, ..tool.clone() };
            Arc::new(Entry::new(Record::fresh(tool, name.clone(), place), |hash| codes.get(hash).cloned()))
        });
        Arc::clone(made)
    }
}

/// Everything a row is measured with.
struct Measuring<'a> {
    pool: &'a Pool,
    plan: &'a Plan,
    entries: Entries<'a>,
    selector: Selector,
    /// Not timed, so it knows vectors.
    with_directory: Selector,
    engine: EngineChoice,
    chooser: Option<Chooser<'a>>,
    asking: Option<Asking<'a>>,
    tick: &'a (dyn Fn() + Sync),
}

/// Sums over the queries of a size.
#[derive(Default)]
struct Sums {
    needed: usize,
    tokens_all: u64,
    tokens_returned: u64,
    tools_returned: usize,
    complete: usize,
    recall: f64,
    covered: f64,
    covered_with_directory: f64,
    embed: Vec<Duration>,
    rest: Vec<Duration>,
    added: Vec<Duration>,
    engine: Option<&'static str>,
    of_all: Choices,
    of_list: Choices,
}

impl Measuring<'_> {
    async fn row(&mut self, size: usize, queries: &[usize]) -> Result<GrowthRow, GrowthError> {
        let mut sums = Sums::default();
        let put = self.chooser.and_then(|c| c.max_queries).map_or(queries.len(), |most| most.get().min(queries.len()));
        let put: HashSet<usize> = (0..put).filter_map(|i| queries.get(i * queries.len() / put).copied()).collect();
        for query in queries {
            self.query(*query, size, put.contains(query), &mut sums).await?;
        }
        if let (Some(chooser), Some(choices)) =
            (self.chooser, [&sums.of_all, &sums.of_list].into_iter().find(|c| 0 < c.queries && c.answered() == 0))
        {
            return Err(GrowthError::NoAnswers { name: chooser.client.name(), queries: choices.queries, size });
        }
        let count = queries.len().max(1) as f64;
        let ms = |times: Vec<Duration>| median(times).unwrap_or_default().as_secs_f64() * 1e3;
        Ok(GrowthRow {
            tools: size,
            queries: queries.len(),
            needed_mean: sums.needed as f64 / count,
            tokens_all: sums.tokens_all as f64 / count,
            tokens_returned: sums.tokens_returned as f64 / count,
            tools_returned: sums.tools_returned as f64 / count,
            complete: sums.complete as f64 / count,
            recall: sums.recall / count,
            covered: sums.covered / count,
            covered_with_directory: sums.covered_with_directory / count,
            added_ms_p50: ms(sums.added),
            embed_ms_p50: ms(sums.embed),
            rest_ms_p50: ms(sums.rest),
            engine: sums.engine.unwrap_or_default().to_owned(),
            chosen_of_all: (0 < sums.of_all.queries).then_some(sums.of_all),
            chosen_of_list: (0 < sums.of_list.queries).then_some(sums.of_list),
        })
    }

    /// One query among `size` tools; `put` to the language model too, where there is one.
    async fn query(&mut self, query: usize, size: usize, put: bool, sums: &mut Sums) -> Result<(), GrowthError> {
        let asked = &self.pool.queries[query];
        let slots = self.plan.orders.get(&query).and_then(|order| order.get(..size)).unwrap_or_default();
        let tools = self.entries.of(slots);
        let needed: HashSet<&str> = tools
            .iter()
            .filter(|(slot, _)| asked.relevant.contains(slot))
            .map(|(_, entry)| entry.record.model_name.as_str())
            .collect();
        let members = tools.iter().map(|(_, entry)| Arc::clone(entry)).collect();
        let catalog = TenantCatalog::build(TenantId::default(), Version::default(), members, self.entries.dimension);
        let catalog = Arc::new(router::served(catalog, self.engine));
        let text = router::asked(&asked.text);
        let input = Input { query: Some(text.to_owned()), ..Input::default() };
        let failed = |detail: String| EvalError::Select { query: asked.id.clone(), detail };
        let (answer, trace) = router::select_once(&catalog, &self.selector, input.clone()).await.map_err(&failed)?;
        (self.tick)();

        let listed: HashSet<&str> = answer.tools.iter().map(|tool| tool.model_name.as_str()).collect();
        let found = needed.intersection(&listed).count();
        sums.needed += needed.len();
        sums.tokens_all += answer.usage.eligible_tokens;
        sums.tokens_returned += u64::from(answer.usage.returned.0);
        sums.tools_returned += answer.tools.len();
        sums.complete += usize::from(found == needed.len());
        sums.recall += found as f64 / needed.len().max(1) as f64;
        sums.covered += packing::worth(&answer, &needed);
        let input = Input { directory: true, ..input };
        let (with_directory, _) = router::select_once(&catalog, &self.with_directory, input).await.map_err(failed)?;
        sums.covered_with_directory += packing::worth(&with_directory, &needed);
        let (embed, rest) = (router::stages(&trace, true), router::stages(&trace, false));
        sums.embed.push(embed);
        sums.rest.push(rest);
        sums.added.push(embed + rest);
        sums.engine = trace.engine.map(crate::index::Engine::name);

        if let (Some(chooser), Some(asking), true) = (self.chooser, &mut self.asking, put) {
            if size <= chooser.max_tools {
                let full: Vec<String> =
                    tools.iter().map(|(_, entry)| entry.rendering(Format::OpenAiChat, Fidelity::Full)).collect();
                let all = compact::prompt(full.iter().map(String::as_str));
                let offered = tools.iter().map(|(_, entry)| entry.record.model_name.as_str()).collect();
                asking.ask(&mut sums.of_all, text, &all, &offered, &needed).await?;
                (self.tick)();
            }
            asking.ask(&mut sums.of_list, text, &answer.prompt, &listed, &needed).await?;
            (self.tick)();
        }
        Ok(())
    }
}
