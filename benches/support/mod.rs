//! What benches measure on: real tools of the public sets (where `TOOL_ROUTER_DATA` names their folder, else the bundled catalogue with its
//! words mixed), their vectors, and how figures are summed up.
#![allow(dead_code, reason = "each bench takes what it needs")]

pub(crate) mod program;

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};
use rand::rngs::StdRng;
use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use tool_router::app::load_embedder;
use tool_router::catalog::views::ViewTexts;
use tool_router::catalog::{TenantCatalog, TextHash};
use tool_router::config::{Config, Overrides};
use tool_router::embed::Loaded;
use tool_router::eval::{self, Model, dataset};
use tool_router::index::vector::{Codes, UnitVector};
use tool_router::store::Store;
use tool_router::store::embedded::{EmbeddedOptions, EmbeddedStore};
use tool_router::tool::{TenantId, Tool, ToolId};

/// Everything random here starts from this.
pub(crate) const SEED: u64 = 7;

/// A folder that is kept between runs: vectors of ten thousand tools take minutes.
pub(crate) fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bench");
    std::fs::create_dir_all(&folder).expect("the target folder can be written");
    folder
}

/// The configuration of this machine: defaults and environment.
pub(crate) fn config() -> Config {
    tool_router::config::load(None, &Overrides::default()).expect("the defaults are sound")
}

/// The configured embedder with so many workers.
pub(crate) fn embedder(workers: Option<usize>) -> Loaded {
    let embedder = tool_router::config::Embedder { workers, ..config().embedder };
    load_embedder(&embedder).expect("the model is there: run `make setup`")
}

fn data() -> Option<PathBuf> {
    #[expect(clippy::disallowed_methods, reason = "the benches' own switch, as the tests'")]
    std::env::var_os("TOOL_ROUTER_DATA").map(PathBuf::from)
}

/// Whether the long measurements are wanted, as `make accept` does.
pub(crate) fn long() -> bool {
    #[expect(clippy::disallowed_methods, reason = "the benches' own switch")]
    std::env::var_os("BENCH_LONG").is_some()
}

/// Up to `most` real tools with distinct ids, in an order that mixes the sets; where they are from in words.
pub(crate) fn tools(most: usize) -> (Vec<Tool>, &'static str) {
    let mut rng = StdRng::seed_from_u64(SEED);
    let (mut tools, origin) = match data() {
        Some(folder) => (public(&folder), "real tools of the public sets"),
        None => (mixed(most, &mut rng), "the bundled catalogue with its words mixed: set TOOL_ROUTER_DATA for real tools"),
    };
    let mut seen = HashSet::new();
    tools.retain(|tool| seen.insert(tool.id.clone()));
    tools.shuffle(&mut rng);
    tools.truncate(most);
    (tools, origin)
}

fn public(folder: &Path) -> Vec<Tool> {
    let mut sets: Vec<PathBuf> =
        std::fs::read_dir(folder).expect("TOOL_ROUTER_DATA is a folder").map(|e| e.expect("readable").path()).collect();
    sets.sort();
    let mut tools = Vec::new();
    for set in sets.iter().filter(|set| set.join("tools.jsonl").exists()) {
        let name = set.file_name().and_then(|name| name.to_str()).unwrap_or("set");
        for tool in dataset::tools(&set.join("tools.jsonl")).expect("a sound set") {
            // Tools without a server take the set's name for one.
            let source = if tool.id.source() == "-" { name } else { tool.id.source() };
            let id = ToolId::new(source, tool.id.name()).expect("was an id before");
            tools.push(Tool { id, ..tool });
        }
    }
    tools
}

fn bundled() -> Vec<Tool> {
    let catalogue = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalogue");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(catalogue).expect("it is there").map(|e| e.expect("readable").path()).collect();
    files.sort();
    let read = |path: &PathBuf| tool_router::import::file::read(path, None).expect("a sound file").tools;
    files.iter().filter(|path| path.extension().is_some_and(|e| e == "json")).flat_map(read).collect()
}

/// Names of one tool with the description of another and a number: as many as it takes.
fn mixed(most: usize, rng: &mut StdRng) -> Vec<Tool> {
    let base = bundled();
    (0..most)
        .map(|i| {
            let (own, other) = (&base[i % base.len()], &base[rng.random_range(0..base.len())]);
            let id = ToolId::new(&format!("{}-{}", own.id.source(), i / base.len()), own.id.name()).expect("a short name");
            Tool { id, description: format!("{} {}", own.description, other.description), ..own.clone() }
        })
        .collect()
}

/// Requests for tools, all distinct, of the public sets or the bundled catalogue.
pub(crate) fn queries() -> Vec<String> {
    let bundled = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/catalogue/queries.jsonl");
    let files = match data() {
        None => vec![bundled],
        Some(folder) => [
            "metatool/queries.train.jsonl",
            "metatool/queries.test.jsonl",
            "bfcl-nonlive/queries.jsonl",
            "toolret-apigen/queries.jsonl",
            "mcp-bench/queries.jsonl",
        ]
        .map(|path| folder.join(path))
        .into(),
    };
    let mut texts: Vec<String> = Vec::new();
    for file in files {
        for line in std::fs::read_to_string(&file).expect("a sound set").lines() {
            let line: serde_json::Value = serde_json::from_str(line).expect("a sound set");
            texts.extend(line["text"].as_str().map(str::to_owned));
        }
    }
    let mut seen = HashSet::new();
    texts.retain(|text| seen.insert(text.clone()));
    texts.shuffle(&mut StdRng::seed_from_u64(SEED));
    texts
}

/// Vectors of all views of `tools`: those kept from an earlier run, the others embedded now on all cores.
pub(crate) async fn vectors(tools: &[Tool]) -> HashMap<TextHash, Codes> {
    const STEP: usize = 2_000;
    let mut model = Model::new(embedder(Some(1)), embedder(None)).expect("threads");
    let info = model.pool().info().clone();
    let options = EmbeddedOptions { path: folder().join("vectors.db"), max_mib: None };
    let store = EmbeddedStore::open(&options).await.expect("the target folder can be written");
    let tenant = TenantId::default();
    let mut known = store.vectors(&tenant, &info.id, info.dimension).await.expect("a sound store");
    let texts: HashMap<TextHash, String> =
        tools.iter().flat_map(|tool| ViewTexts::of(tool).base).map(|text| (TextHash::of(&text), text)).collect();
    let mut missing: Vec<&String> = texts.iter().filter(|(hash, _)| !known.contains_key(*hash)).map(|(_, text)| text).collect();
    missing.sort();
    let bar = bar(missing.len(), "embedding");
    for step in missing.chunks(STEP) {
        let made = model.embed_all(step.iter().map(|text| (*text).clone()).collect(), &|| bar.inc(1)).expect("the model runs");
        let made: Vec<(TextHash, Codes)> = made.iter().map(|(text, v)| (TextHash::of(text), Codes::quantise(v))).collect();
        store.put_vectors(&tenant, &info.id, &made).await.expect("the target folder can be written");
        known.extend(made);
    }
    bar.finish_and_clear();
    store.close().await;
    known.retain(|hash, _| texts.contains_key(hash));
    known
}

/// A catalogue of `tools`; past those there are, copies of them, each in a source of its own and with its vectors turned a little, so that
/// neighbours are as close as real ones.
pub(crate) fn catalogue(tools: &[Tool], vectors: &HashMap<TextHash, Codes>, size: usize) -> TenantCatalog {
    let dimension = vectors.values().next().map_or(1, |codes| codes.codes().len());
    let mut all: Vec<Tool> = tools.iter().take(size).cloned().collect();
    let mut turned = HashMap::new();
    let mut rng = StdRng::seed_from_u64(SEED);
    for copy in tools.len()..size {
        let own = &tools[copy % tools.len()];
        let id = ToolId::new(&format!("{} {}", own.id.source().chars().take(60).collect::<String>(), copy), own.id.name())
            .expect("short");
        let tool = Tool { id, ..own.clone() };
        for (text, of) in ViewTexts::of(&tool).base.iter().zip(ViewTexts::of(own).base) {
            if let Some(codes) = vectors.get(&TextHash::of(&of)) {
                turned.insert(TextHash::of(text), turn(codes, &mut rng));
            }
        }
        all.push(tool);
    }
    eval::catalogue(all, |hash| vectors.get(hash).or_else(|| turned.get(hash)).cloned(), dimension)
}

/// A vector near `codes`: cosine about .9, as between tools that do the same job.
pub(crate) fn turn(codes: &Codes, rng: &mut StdRng) -> Codes {
    let length = (codes.codes().len() as f32).sqrt();
    let numbers = codes.codes().iter().map(|code| {
        let noise: f32 = (0..4).map(|_| rng.random_range(-1.0_f32..1.0)).sum();
        f32::from(*code) * codes.scale() + 0.42 * noise / length
    });
    Codes::quantise(&UnitVector::new(numbers.collect()).expect("has a direction"))
}

/// A bar on standard error.
pub(crate) fn bar(total: usize, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(total as u64).with_message(what);
    bar.set_style(ProgressStyle::with_template("{msg} [{wide_bar}] {pos}/{len}, {eta} left").expect("a sound template"));
    bar
}

/// The `share` quantile, 0.5 the median.
pub(crate) fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    let place = ((sorted.len() as f64 * share) as usize).min(sorted.len().saturating_sub(1));
    sorted.get(place).copied().unwrap_or_default()
}

/// Milliseconds with three places.
pub(crate) fn ms(time: Duration) -> String {
    format!("{:.3}", time.as_secs_f64() * 1e3)
}

/// `a` over `b`, two places.
pub(crate) fn ratio(a: Duration, b: Duration) -> String {
    format!("{:.2}", a.as_secs_f64() / b.as_secs_f64().max(1e-12))
}

/// Resident memory of a process, in bytes.
pub(crate) fn resident(process: u32) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{process}/statm")).unwrap_or_default();
    status.split_whitespace().nth(1).and_then(|pages| pages.parse::<usize>().ok()).unwrap_or(0) * 4096
}
