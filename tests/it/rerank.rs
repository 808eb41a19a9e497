//! The optional reranker: it looks over the head of a ranking, in time or not at all, and no selection fails because of it.

use std::collections::HashMap;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use tool_router::catalog::views::ViewTexts;
use tool_router::catalog::{TenantCatalog, TextHash};
use tool_router::embed::hashing::HashingEmbedder;
use tool_router::embed::{Embedder, Pool, PoolOptions};
use tool_router::eval::dataset::{Choice, Dataset};
use tool_router::eval::prepared::Prepared;
use tool_router::eval::{self, Model, Plan, Ranker, catalogue};
use tool_router::index::EngineChoice;
use tool_router::index::vector::Codes;
use tool_router::rank::rerank::{Blend, LoadedReranker, RerankError, RerankPool, RerankPoolOptions, Reranker};
use tool_router::select::{
    Again, Answer, Input, Mode, Policy, Request, Reranked, Reranking, Selector, SelectorOptions, Stage, Trace,
};
use tool_router::tool::{Document, Tool, ToolId};

use crate::support::{bundled, repository};

const QUERY: &str = "what is on my calendar tomorrow";
const LONG: Duration = Duration::from_secs(60);

/// A reranker that is a function.
struct Judge<F>(F);

impl<F: FnMut(&str) -> Result<f32, RerankError> + Send> Reranker for Judge<F> {
    fn score(&mut self, _: &str, passages: &[&str]) -> Result<Vec<f32>, RerankError> {
        passages.iter().map(|passage| (self.0)(passage)).collect()
    }
}

fn judges(judge: impl FnMut(&str) -> Result<f32, RerankError> + Send + 'static) -> RerankPool {
    let loaded = LoadedReranker { id: "judge@1".into(), rerankers: vec![Box::new(Judge(judge))] };
    RerankPool::start(loaded, RerankPoolOptions::default()).unwrap()
}

/// Some opinion that has nothing to do with the request.
fn opinion(passage: &str) -> f32 {
    passage.bytes().map(u32::from).sum::<u32>() as f32 % 97.0 / 10.0 - 5.0
}

/// The bundled catalogue, searched without and with a reranker.
struct Parts {
    catalog: Arc<TenantCatalog>,
    plain: Selector,
    reranking: Selector,
}

impl Parts {
    fn new(blend: Blend, judge: impl FnMut(&str) -> Result<f32, RerankError> + Send + 'static) -> Self {
        let tools: Vec<Tool> = bundled::sources()
            .into_iter()
            .flat_map(|(source, definitions)| definitions.into_iter().map(move |definition| (source.clone(), definition)))
            .map(|(source, definition)| {
                let schema = Document::parse(&definition.input_schema_json).unwrap();
                Tool::new(ToolId::new(&source, &definition.name).unwrap(), definition.description, schema)
            })
            .collect();
        let mut embedder = HashingEmbedder;
        let texts = tools.iter().flat_map(|tool| ViewTexts::of(tool).base);
        let codes: HashMap<TextHash, Codes> =
            texts.map(|text| (TextHash::of(&text), Codes::quantise(&embedder.embed(&text).unwrap()))).collect();
        let pool = Pool::start(HashingEmbedder::load(1), PoolOptions::default()).unwrap();
        let catalog = Arc::new(catalogue(tools, |hash| codes.get(hash).cloned(), pool.info().dimension));
        let options = SelectorOptions { answer_bytes: 1 << 20, ..SelectorOptions::BARE };
        let reranking = Selector::new(pool.clone(), Policy::default(), &options)
            .with_reranking(Some(Reranking { pool: judges(judge), blend }));
        Self { catalog, plain: Selector::new(pool, Policy::default(), &options), reranking }
    }

    async fn select(&self, selector: &Selector, query: &str, patience: Duration) -> (Arc<Answer>, Trace) {
        selector.select(&self.catalog, &request(query), Instant::now() + patience).await.unwrap()
    }

    async fn plain(&self, query: &str) -> Vec<ToolId> {
        ids(&self.select(&self.plain, query, LONG).await.0)
    }

    fn passage(&self, id: &ToolId) -> String {
        ViewTexts::whole(&self.catalog.get(id).unwrap().record.tool)
    }
}

fn request(query: &str) -> Request {
    let input =
        Input { query: Some(query.into()), max_tokens: Some(u32::MAX), max_tools: Some(50), explain: true, ..Input::default() };
    Request::check(input).unwrap()
}

fn ids(answer: &Answer) -> Vec<ToolId> {
    answer.tools.iter().map(|tool| tool.id.clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_places_are_in_its_order_and_the_others_stay() {
    let parts = Parts::new(Blend { depth: 20, weight: 1.0 }, |passage| Ok(opinion(passage)));
    let (answer, trace) = parts.select(&parts.reranking, QUERY, LONG).await;
    let plain = parts.plain(QUERY).await;
    // The twin: sorting, which is stable.
    let mut expected = plain.clone();
    expected[..20].sort_by(|a, b| opinion(&parts.passage(b)).total_cmp(&opinion(&parts.passage(a))));
    assert_eq!(ids(&answer), expected);
    assert_ne!(expected, plain);
    assert!(answer.tools.windows(2).all(|pair| pair[1].score <= pair[0].score));
    let judged =
        |reasons: &[String]| reasons.iter().any(|reason| reason.starts_with("reranker: 0.") || reason == "reranker: 1.00");
    assert!(answer.tools.iter().zip(0..).all(|(tool, place)| judged(&tool.reasons) == (place < 20)));
    assert_eq!((answer.mode, answer.degraded_reason.as_str(), trace.reranked), (Mode::Semantic, "", Reranked::Done));
    let stages: Vec<Stage> = trace.stages.iter().map(|timed| timed.stage).collect();
    assert_eq!(stages, [Stage::Embed, Stage::Retrieve, Stage::Rank, Stage::Rerank, Stage::Pack, Stage::Render]);

    let again = Parts::new(Blend { depth: 20, weight: 1.0 }, |passage| Ok(opinion(passage)));
    let (again, _) = again.select(&again.reranking, QUERY, LONG).await;
    assert_eq!(Answer { version: answer.version, ..Arc::unwrap_or_clone(again) }, *answer, "the same in every process");
    let mute = Parts::new(Blend { depth: 20, weight: 0.0 }, |passage| Ok(opinion(passage)));
    assert_eq!(ids(&mute.select(&mute.reranking, QUERY, LONG).await.0), plain);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tool_that_the_request_names_stays_first() {
    let parts = Parts::new(Blend { depth: 50, weight: 1.0 }, |passage| Ok(opinion(passage)));
    let last = parts.plain(QUERY).await.pop().unwrap();
    let query = format!("{QUERY}, or use `{}`", last.name());
    let named = parts.catalog.mentioned(&query).len();
    let (answer, _) = parts.select(&parts.reranking, &query, LONG).await;
    assert!(ids(&answer)[..named].contains(&last) && answer.tools[0].reasons.contains(&"the query names it".to_owned()));
    assert!(answer.tools[named..].iter().all(|tool| !tool.reasons.contains(&"the query names it".to_owned())));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reranker_that_fails_costs_its_word_and_is_asked_again() {
    let calls = AtomicUsize::new(0);
    // Each request fails in another way on its first passage, but the last.
    let parts = Parts::new(Blend::default(), move |passage| match calls.fetch_add(1, Ordering::Relaxed) {
        0 => Err(RerankError::Run { detail: "out of memory".into() }),
        1 => panic!("as asked"),
        2 => Ok(f32::NAN),
        _ => Ok(opinion(passage)),
    });
    let plain = parts.plain(QUERY).await;
    for reason in [
        "not reranked: the reranker failed: out of memory",
        "not reranked: the rerank worker panicked",
        "not reranked: the reranker gave no usable score",
    ] {
        let (answer, trace) = parts.select(&parts.reranking, QUERY, LONG).await;
        assert_eq!((answer.degraded_reason.as_str(), answer.mode, trace.reranked), (reason, Mode::Semantic, Reranked::Left));
        assert_eq!(ids(&answer), plain);
        assert!(answer.tools.iter().flat_map(|tool| &tool.reasons).all(|reason| !reason.starts_with("reranker")));
    }
    let (answer, trace) = parts.select(&parts.reranking, QUERY, LONG).await;
    assert_eq!((answer.degraded_reason.as_str(), trace.reranked), ("", Reranked::Done), "a degraded answer is not remembered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_selection_that_was_not_reranked_is_not_when_it_runs_again() {
    let fails = AtomicUsize::new(1);
    let parts = Parts::new(Blend { depth: 20, weight: 1.0 }, move |passage| match fails.swap(0, Ordering::Relaxed) {
        0 => Ok(opinion(passage)),
        _ => Err(RerankError::Run { detail: "out of memory".into() }),
    });
    for expected in [Reranked::Left, Reranked::Done] {
        let (answer, trace) = parts.select(&parts.reranking, QUERY, LONG).await;
        assert_eq!(trace.reranked, expected);
        let again = Again { moment: trace.moment, proposed: None };
        let (second, _) = parts.reranking.select_again(&parts.catalog, &request(QUERY), &again).await.unwrap();
        assert_eq!(second, *answer);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reranker_that_hangs_makes_no_selection_late() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let parts = Parts::new(Blend::default(), move |passage| {
        // Until the test ends.
        wait.lock().unwrap().recv().ok();
        Ok(opinion(passage))
    });
    let plain = parts.plain(QUERY).await;
    // The second is behind a worker that is stuck on the first.
    for _ in 0..2 {
        let (answer, trace) = parts.select(&parts.reranking, QUERY, Duration::from_millis(500)).await;
        let reason = &answer.degraded_reason;
        assert!(reason.starts_with("not reranked: the reranker would need"), "{reason}");
        assert_eq!((ids(&answer), trace.reranked), (plain.clone(), Reranked::Left));
    }
    drop(go);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_evaluation_is_of_the_ranking_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let tool = |name: &str| {
        format!(r#"{{"id":"{name}","name":"{name}","description":"Does it.","input_schema":{{"type":"object"}},"server":"s"}}"#)
    };
    std::fs::write(folder.path().join("tools.jsonl"), [tool("first"), tool("second")].join("\n")).unwrap();
    let query = r#"{"id":"1","text":"do the first thing","relevant":["second"]}"#;
    std::fs::write(folder.path().join("queries.jsonl"), query).unwrap();
    let (data, set) = (folder.path().parent().unwrap(), folder.path().file_name().unwrap().to_str().unwrap());
    let measure = async |reranking| {
        let data = Dataset::read(&Choice { data, set, distractors: &[], max_queries: None }).unwrap();
        let mut model = Model::new(HashingEmbedder::load(1), HashingEmbedder::load(1)).unwrap().with_reranking(reranking);
        let set = Prepared::of(data, EngineChoice::Exact, &mut model, &|| ()).unwrap();
        let plan = Plan { rankers: vec![Ranker::Router], ..Plan::default() };
        let found = eval::evaluate(&set, &plan, &mut model, &|| ()).await.map_err(|e| e.to_string())?;
        Ok::<f64, String>(found.0[0].queries[0].scores().recall[0])
    };
    let blend = Blend { depth: 2, weight: 1.0 };
    let prefers_second = judges(|passage| Ok(if passage.contains("second") { 1.0 } else { -1.0 }));
    let fails = judges(|_| Err(RerankError::Run { detail: "out of memory".into() }));
    assert_eq!(measure(None).await, Ok(0.0));
    assert_eq!(measure(Some(Reranking { pool: prefers_second, blend })).await, Ok(1.0));
    let line = measure(Some(Reranking { pool: fails, blend })).await.unwrap_err();
    assert_eq!(line, "query 1: not reranked: the reranker failed: out of memory", "no figure of another ranking");
}

/// Starts the program with `config` and gives its exit code and its one line.
fn refused(config: &str) -> (Option<i32>, String) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("router.toml");
    let config = format!("embedder.kind = \"hashing\"\nstore.path = {:?}\n{config}", folder.path().join("r.db"));
    std::fs::write(&path, config).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .args(["serve", "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--config", path.to_str().unwrap()])
        .env("TOOL_ROUTER__LOG__FILTER", "off")
        .output()
        .unwrap();
    let line = String::from_utf8(output.stderr).unwrap();
    assert_eq!(line.trim_end().lines().count(), 1, "{line}");
    (output.status.code(), line)
}

#[test]
fn a_wrong_directory_or_setting_ends_the_start_in_one_line() {
    let (code, line) = refused("[reranker]\nmodel_dir = \"/nowhere/model\"");
    assert!(code == Some(64) && line.contains("reranker.model_dir /nowhere/model has no manifest.json"), "{code:?} {line}");
    let fixture = repository().join("tests/data/cross-encoder");
    let (code, line) = refused(&format!("[reranker]\nmodel_dir = {fixture:?}\nweight = 2"));
    assert!(code == Some(64) && line.contains("reranker.weight is 2, it must be 0 to 1"), "{code:?} {line}");
    #[cfg(not(feature = "onnx"))]
    {
        let (code, line) = refused(&format!("[reranker]\nmodel_dir = {fixture:?}"));
        assert!(code == Some(1) && line.contains("[reranker] is set, but this build has no ONNX Runtime"), "{code:?} {line}");
    }
}

/// A cross-encoder of a few kilobytes, made by `tests/data/cross-encoder/build.py`, over ONNX Runtime.
#[cfg(feature = "onnx")]
mod real {
    use std::path::Path;

    use sha2::Digest;
    use tool_router::app::load_reranker;
    use tool_router::config::Config;
    use tool_router::config::Reranker as Settings;
    use tool_router::rpc::proto;

    use super::*;
    use crate::support::{TestRouter, cleared, left_out, names, tool};

    const REQUEST: &str = "give the client their cash back";

    fn settings(model_dir: &Path) -> Settings {
        Settings { model_dir: model_dir.to_owned(), depth: 20, weight: 1.0, workers: Some(2), queue_limit: 8 }
    }

    fn fixture() -> std::path::PathBuf {
        repository().join("tests/data/cross-encoder")
    }

    fn load(model_dir: &Path) -> Result<LoadedReranker, String> {
        let config = Config { reranker: Some(settings(model_dir)), ..Config::default() };
        load_reranker(&config).map(Option::unwrap).map_err(|e| e.to_string())
    }

    /// The model, or a named left-out test where `make setup` has not run.
    fn loaded(test: &str) -> Option<LoadedReranker> {
        match load(&fixture()) {
            Ok(loaded) => Some(loaded),
            Err(line) if line.contains("ONNX Runtime was not found") => {
                left_out(test, "needs ONNX Runtime: run `make setup`");
                None
            }
            Err(line) => panic!("{line}"),
        }
    }

    #[test]
    fn a_score_is_that_of_the_pair_alone() {
        let Some(mut loaded) = loaded("rerank::real::a_score_is_that_of_the_pair_alone") else { return };
        assert!(loaded.id.starts_with("words-in-common@") && loaded.rerankers.len() == 2, "{loaded:?}");
        let long = format!("{} payment {}", "letter ".repeat(300), "database ".repeat(300));
        // By the formula in build.py: 8 · share - 4. What stands past the model's 64 tokens is not read.
        let passages = ["Payments refund: pays", "payment", "", long.as_str(), "\0 끝 💥", "copies of a database for the client"];
        let expected = [-0.8_f32, -0.8, -4.0, -4.0, -4.0, -2.4];
        let second = loaded.rerankers.pop().unwrap();
        for mut model in [second, loaded.rerankers.pop().unwrap()] {
            let together = model.score(REQUEST, &passages).unwrap();
            let reversed: Vec<f32> = passages.iter().rev().map(|passage| model.score(REQUEST, &[passage]).unwrap()[0]).collect();
            assert_eq!(together, reversed.into_iter().rev().collect::<Vec<_>>());
            for ((score, expected), passage) in together.iter().zip(expected).zip(passages) {
                assert!((score - expected).abs() < 1e-4, "{passage}: {score}, the formula gives {expected}");
            }
            // Both ends of a long request are read, and a request alone does not push the passage out.
            let pasted = format!("send money {} to the client", "database ".repeat(2_000));
            assert!(-4.0 < model.score(&pasted, &["client"]).unwrap()[0]);
            assert!(-4.0 < model.score(&pasted, &["money"]).unwrap()[0]);
            assert_eq!(model.score("", &["", "x"]).unwrap(), [-4.0, -4.0]);
        }
    }

    #[test]
    fn a_wrong_model_directory_is_refused_in_one_line() {
        if loaded("rerank::real::a_wrong_model_directory_is_refused_in_one_line").is_none() {
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, change: &dyn Fn(String) -> String| {
            let text = std::fs::read_to_string(fixture().join(name)).unwrap();
            std::fs::write(folder.path().join(name), change(text)).unwrap();
        };
        for name in ["manifest.json", "tokenizer.json", "config.json", "special_tokens_map.json", "tokenizer_config.json"] {
            write(name, &|text| text);
        }
        std::fs::copy(fixture().join("model.onnx"), folder.path().join("model.onnx")).unwrap();
        let check = |words: &str| {
            let line = load(folder.path()).unwrap_err();
            assert!(line.contains(words) && !line.contains('\n'), "{line}");
        };
        assert!(load(folder.path()).is_ok());
        // The score of another model: what the first probe asks is no longer what it was scored for.
        write("manifest.json", &|text| text.replacen("give the client", "give the weather", 1));
        check("reranker words-in-common computes wrong scores on this processor (probe 0: ");
        write("manifest.json", &|text| text.replace("\"score\": 4.0", "\"score\": 3.6"));
        assert!(load(folder.path()).is_ok(), "as far off as int8 may be");
        write("manifest.json", &|text| text);
        write("tokenizer.json", &|text| text.replace("\"lowercase\":true", "\"lowercase\":false"));
        check("tokenizer.json has sha256 ");
        write("tokenizer.json", &|text| text);
        let graph = std::fs::read(fixture().join("model.onnx")).unwrap();
        let hash = |bytes: &[u8]| hex::encode(sha2::Sha256::digest(bytes));
        let other_graph = |bytes: &[u8]| {
            std::fs::write(folder.path().join("model.onnx"), bytes).unwrap();
            write("manifest.json", &|text| text.replace(&hash(&graph), &hash(bytes)));
        };
        other_graph(b"no graph");
        check("model words-in-common does not load: ");
        let places = graph.windows(6).enumerate().filter(|(_, bytes)| *bytes == b"logits").map(|(at, _)| at);
        let mut renamed = graph.clone();
        places.for_each(|at| renamed[at..at + 6].copy_from_slice(b"output"));
        other_graph(&renamed);
        check("model words-in-common does not load: it has no output `logits`, a tensor of [batch, 1]");
        write("manifest.json", &|text| text);
        check("model.onnx has sha256 ");
        // The embedder's directory is no reranker's.
        let line = load(&crate::support::shipped_model()).unwrap_err();
        assert!(line.contains("manifest.json is not usable: missing field `kind`"), "{line}");
    }

    async fn start(weight: Option<f32>) -> TestRouter {
        let mut router = TestRouter::start_with(|config| {
            config.reranker = weight.map(|weight| Settings { weight, ..settings(&fixture()) });
        })
        .await;
        router.register("archive", vec![tool("back", "Copies the client database, and takes the client copies back.")]).await;
        router.register("mail", vec![tool("send", "Sends a letter to the client.")]).await;
        router.register("shop", vec![tool("refund", "Returns a payment to the customer.")]).await;
        router
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_router_puts_first_what_the_model_prefers() {
        if loaded("rerank::real::a_router_puts_first_what_the_model_prefers").is_none() {
            return;
        }
        let mut plain = start(None).await;
        let without = plain.select(REQUEST).await;
        assert_eq!(names(&without)[0], "archive/back", "by its words");
        let mut router = start(Some(1.0)).await;
        let explained = |request: &mut proto::SelectToolsRequest| request.explain = true;
        let answer = router.select_with(REQUEST, explained).await;
        assert_eq!(names(&answer), ["shop/refund", "archive/back", "mail/send"]);
        let reasons: Vec<_> = answer.tools.iter().map(|tool| tool.reasons.last().unwrap().as_str()).collect();
        // sigmoid(4), sigmoid(0.8), sigmoid(-2.4)
        assert_eq!(reasons, ["reranker: 0.98", "reranker: 0.69", "reranker: 0.08"]);
        assert!(answer.degraded_reason.is_empty() && answer.mode() == proto::Mode::Semantic);
        assert!(answer.meta.as_ref().unwrap().stages.iter().any(|timing| timing.stage == "rerank"));
        let again = router.select_with(REQUEST, explained).await;
        assert_eq!(cleared(again), cleared(answer), "equal requests, equal answers");
        let named = router.select("use `send` to give the client their cash back").await;
        assert_eq!(names(&named)[0], "mail/send", "the request names it");
        let metrics = crate::support::http_get(router.http, "/metrics").await.1;
        assert!(metrics.contains("toolrouter_reranks_total{outcome=\"done\"}"), "{metrics}");
        assert!(!crate::support::http_get(plain.http, "/metrics").await.1.contains("reranks_total{"));
        let mut mute = start(Some(0.0)).await;
        assert_eq!(names(&mute.select(REQUEST).await), names(&without));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_kept_selection_is_run_again_with_the_model_or_not_at_all() {
        if loaded("rerank::real::a_kept_selection_is_run_again_with_the_model_or_not_at_all").is_none() {
            return;
        }
        let mut router = start(Some(1.0)).await;
        let answer = router.select_with(REQUEST, |request| (request.keep_replay, request.explain) = (true, true)).await;
        assert_eq!(names(&answer)[0], "shop/refund");
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("router.toml");
        let replay = async |text: String| {
            std::fs::write(&config, text).unwrap();
            let (id, address) = (answer.meta.as_ref().unwrap().selection_id.clone(), format!("http://{}", router.grpc));
            let config = config.clone();
            let command = move || {
                let config = config.to_str().unwrap();
                crate::support::program::run(&["replay", &id, "--embedder", "hashing", "--address", &address, "--config", config])
            };
            let output = tokio::task::spawn_blocking(command).await.unwrap();
            (output.status.success(), String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap())
        };
        let (is_equal, said) = replay(format!("[reranker]\nmodel_dir = {:?}\nweight = 1.0", fixture())).await;
        assert!(is_equal && said.contains("equal: 3 tools, sha256 "), "{said}");
        let (is_equal, said) = replay(String::new()).await;
        assert!(!is_equal && said.contains("the reranker is another"), "{said}");
    }
}
