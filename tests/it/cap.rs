//! The cap, in process: random requests of every kind over the bundled catalogue, their texts counted anew.
//!
//! `CAP_REQUESTS` says how many; `make accept` asks for a hundred thousand.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use tool_router::catalog::views::ViewTexts;
use tool_router::catalog::{TenantCatalog, TextHash};
use tool_router::compact::profile::Profile;
use tool_router::compact::{Format, Tokenizer};
use tool_router::embed::hashing::HashingEmbedder;
use tool_router::embed::{Embedder, Pool, PoolOptions};
use tool_router::index::vector::Codes;
use tool_router::select::{Answer, Input, Policy, Previous, Request, Scope, Selector, SelectorOptions};
use tool_router::tool::{Tool, ToolId};

use crate::support::{bundled, repository};

/// Enough to meet every kind of request many times in a debug build.
const USUAL_REQUESTS: usize = 1_000;

fn tools() -> Vec<Tool> {
    let read = |(source, _): &(String, Vec<_>)| {
        let path = repository().join(format!("examples/catalogue/{source}.json"));
        tool_router::import::file::read(&path, None).unwrap().tools
    };
    bundled::sources().iter().flat_map(read).collect()
}

fn catalogue(tools: &[Tool]) -> (Selector, Arc<TenantCatalog>) {
    let loaded = HashingEmbedder::load(1);
    let pool = Pool::start(loaded, PoolOptions::default()).unwrap();
    let dimension = pool.info().dimension;
    let texts = tools.iter().flat_map(|tool| ViewTexts::of(tool).base);
    let vectors: HashMap<TextHash, Codes> =
        texts.map(|text| (TextHash::of(&text), Codes::quantise(&HashingEmbedder.embed(&text).unwrap()))).collect();
    let catalog = tool_router::eval::catalogue(tools.iter().cloned(), |hash| vectors.get(hash).cloned(), dimension);
    let options = SelectorOptions { vector_bytes: 1 << 20, ..SelectorOptions::BARE };
    (Selector::new(pool, Policy::default(), &options), Arc::new(catalog))
}

fn input(rng: &mut StdRng, queries: &[String], ids: &[ToolId], last: Option<&Answer>) -> Input {
    let format = *Format::ALL.choose(rng).unwrap();
    let profiles = [Profile::Raw, Profile::Lean, Profile::OpenAiStrict, Profile::Gemini];
    // Small caps are where packing has to be careful.
    let max_tokens = (2.0_f64).powf(rng.random_range(0.0..13.0)) as u32;
    let max_tools = rng.random_range(1..=60);
    let some = |rng: &mut StdRng, most: usize| -> Vec<ToolId> {
        (0..rng.random_range(0..=most)).filter_map(|_| ids.choose(rng).cloned()).collect()
    };
    let previous = |answer: &Answer| -> Vec<Previous> {
        answer
            .tools
            .iter()
            .map(|tool| Previous { id: tool.id.clone(), fidelity: tool.fidelity, hash: tool.hash.clone() })
            .collect()
    };
    Input {
        query: queries.choose(rng).cloned(),
        max_tokens: Some(max_tokens.max(1)),
        max_tools: Some(max_tools),
        min_tools: rng.random_bool(0.2).then(|| rng.random_range(0..=max_tools)),
        tokenizer: Tokenizer::ALL.choose(rng).map(|tokenizer| tokenizer.name().to_owned()),
        format: Some(format),
        profile: profiles.choose(rng).copied(),
        defer_loading: format.can_defer() && rng.random_bool(0.2),
        tool_references: format == Format::Anthropic && rng.random_bool(0.2),
        directory: rng.random_bool(0.5),
        previous: rng.random_bool(0.5).then(|| last.map(previous).unwrap_or_default()),
        pinned: if rng.random_bool(0.2) { some(rng, 5) } else { Vec::new() },
        scope: Scope { deny: if rng.random_bool(0.2) { some(rng, 5) } else { Vec::new() }, ..Scope::default() },
        explain: rng.random_bool(0.1),
        ..Input::default()
    }
}

#[tokio::test]
async fn no_random_request_gets_more_than_its_cap() {
    #[expect(clippy::disallowed_methods, reason = "the tests' own switch")]
    let requests = std::env::var("CAP_REQUESTS").map_or(USUAL_REQUESTS, |n| n.parse().unwrap());
    let tools = tools();
    let (selector, catalog) = catalogue(&tools);
    let queries: Vec<String> = bundled::queries().into_iter().map(|query| query.text).collect();
    let ids: Vec<ToolId> = tools.iter().map(|tool| tool.id.clone()).collect();
    let mut rng = StdRng::seed_from_u64(17);
    let mut last: Option<Arc<Answer>> = None;
    let (mut with_tools, mut with_directory) = (0, 0);
    for _ in 0..requests {
        let request = Request::check(input(&mut rng, &queries, &ids, last.as_deref())).unwrap();
        let (answer, _) = selector.select(&catalog, &request, Instant::now() + Duration::from_secs(60)).await.unwrap();
        let tokenizer = &request.budget.tokenizer;
        let (prompt, directory) = (tokenizer.count(&answer.prompt), tokenizer.count(&answer.directory));
        assert!(prompt + directory <= request.budget.max_tokens, "{prompt} + {directory} tokens for {request:?}");
        assert_eq!((answer.usage.returned, answer.usage.directory), (prompt + directory, directory), "{request:?}");
        assert!(answer.tools.len() <= request.budget.max_tools, "{request:?}");
        assert_eq!(answer.tools.is_empty(), answer.no_match.is_some(), "{request:?}");
        with_tools += usize::from(!answer.tools.is_empty());
        with_directory += usize::from(!answer.listed.is_empty());
        last = Some(answer);
    }
    assert!(
        requests / 3 < with_tools && requests / 10 < with_directory,
        "{with_tools} with tools, {with_directory} with a directory"
    );
}
