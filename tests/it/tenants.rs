//! Two tenants in one process give the same answers as each alone. No request can name a tenant yet, so this is checked on the parts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tool_router::catalog::Catalog;
use tool_router::clock::ManualClock;
use tool_router::embed::hashing::HashingEmbedder;
use tool_router::embed::{Pool, PoolOptions};
use tool_router::index::EngineChoice;
use tool_router::register::{Candidate, Meaning, Options, Registrar, validate_batch};
use tool_router::select::{Answer, Input, Policy, Request, Selector, SelectorOptions};
use tool_router::store::Store;
use tool_router::store::embedded::{EmbeddedOptions, EmbeddedStore};
use tool_router::tool::TenantId;

use crate::support::bundled;

struct Parts {
    catalog: Arc<Catalog>,
    selector: Selector,
    registrar: Registrar,
    _folder: tempfile::TempDir,
}

impl Parts {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let options = EmbeddedOptions { path: folder.path().join("r.db"), max_mib: None };
        let store: Arc<dyn Store> = Arc::new(EmbeddedStore::open(&options).await.unwrap());
        let pool = Pool::start(HashingEmbedder::load(1), PoolOptions::default()).unwrap();
        let catalog = Arc::new(Catalog::default());
        let clock = Arc::new(ManualClock::default());
        let registrar = Registrar::new(Arc::clone(&catalog), store, pool.clone(), clock, EngineChoice::default());
        let options = SelectorOptions { answer_bytes: 1 << 20, vector_bytes: 1 << 20, shadow_every: 0 };
        Self { catalog, selector: Selector::new(pool, Policy::default(), &options), registrar, _folder: folder }
    }

    async fn register(&self, tenant: &str, sources: &[(String, Vec<tool_router::rpc::proto::ToolDefinition>)]) {
        for (source, tools) in sources {
            let candidates = tools.iter().map(|tool| Candidate {
                name: tool.name.clone(),
                description: tool.description.clone(),
                input_schema_json: tool.input_schema_json.clone(),
                ..Candidate::default()
            });
            let tools = validate_batch(source, candidates.collect()).unwrap();
            self.registrar.register(&TenantId::new(tenant), source, tools, Meaning::Upsert, Options::default()).await.unwrap();
        }
    }

    async fn select(&self, tenant: &str, query: &str) -> Answer {
        let request = Request::check(Input { query: Some(query.into()), explain: true, ..Input::default() }).unwrap();
        let catalog = self.catalog.load().tenant(&TenantId::new(tenant));
        let deadline = Instant::now() + Duration::from_secs(30);
        let (answer, _) = self.selector.select(&catalog, &request, deadline).await.unwrap();
        let mut answer = Arc::unwrap_or_clone(answer);
        // Drawn at random, on purpose.
        answer.version = Default::default();
        answer
    }
}

#[tokio::test]
async fn two_tenants_together_answer_as_each_alone() {
    let sources = bundled::sources();
    let (ours, theirs) = sources.split_at(sources.len() / 2);
    // Overlap: both have these, so sharing anything by name or content would show.
    let theirs: Vec<_> = theirs.iter().chain(&ours[..2]).cloned().collect();
    let (alone_ours, alone_theirs, together) = (Parts::new().await, Parts::new().await, Parts::new().await);
    alone_ours.register("ours", ours).await;
    alone_theirs.register("theirs", &theirs).await;
    together.register("ours", ours).await;
    together.register("theirs", &theirs).await;
    for query in bundled::queries() {
        assert_eq!(together.select("ours", &query.text).await, alone_ours.select("ours", &query.text).await);
        assert_eq!(together.select("theirs", &query.text).await, alone_theirs.select("theirs", &query.text).await);
    }
    assert!(together.select("nobody", "anything").await.tools.is_empty());
}
