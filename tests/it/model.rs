//! The shipped model over ONNX Runtime.
#![cfg(feature = "onnx")]

use std::path::PathBuf;

use tool_router::app::load_embedder;
use tool_router::config::{Config, Embedder, EmbedderKind};
use tool_router::embed::Loaded;

use crate::support::{TestRouter, bundled, left_out, names, repository, shipped_model};

fn config() -> Embedder {
    Embedder { workers: Some(1), model_dir: shipped_model(), ..Config::default().embedder }
}

/// The model, or a named left-out test where `make setup` has not run.
fn load(test: &str) -> Option<Loaded> {
    match load_embedder(&config()) {
        Ok(loaded) => Some(loaded),
        Err(error) if error.to_string().contains("ONNX Runtime was not found") => {
            left_out(test, "needs ONNX Runtime: run `make setup`");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn a_vector_does_not_depend_on_its_neighbours() {
    let Some(mut loaded) = load("model::a_vector_does_not_depend_on_its_neighbours") else { return };
    let Some(mut other) = load("") else { return };
    let embedder = &mut loaded.embedders[0];
    let texts = [
        "read a file",
        "Refunds a payment to the customer, wholly or in part.",
        "x",
        &"long text goes on ".repeat(200),
        "読む 파일",
    ];
    let alone: Vec<_> = texts.iter().map(|text| other.embedders[0].embed(text).unwrap()).collect();
    for order in [[0, 1, 2, 3, 4], [4, 3, 2, 1, 0], [3, 0, 3, 1, 3]] {
        for i in order {
            assert_eq!(embedder.embed(texts[i]).unwrap(), alone[i], "{}", texts[i]);
        }
    }
}

#[test]
fn meaning_beats_spelling_and_odd_texts_are_fine() {
    let Some(mut loaded) = load("model::meaning_beats_spelling_and_odd_texts_are_fine") else { return };
    let mut embed = |text: &str| loaded.embedders[0].embed(text).unwrap();
    let query = embed("how much is the yen worth in euros");
    // A tenth apart: processors with other int8 instructions differ in the third decimal.
    let (spelled, meant) = (query.cosine(&embed("how much")), query.cosine(&embed("convert an amount between currencies")));
    assert!(spelled < meant, "{spelled} by spelling, {meant} by meaning");
    for odd in ["", " ", "\0", "💥", &"a".repeat(40_000), &"\u{200b}".repeat(300), &" ".repeat(1_000)] {
        assert_eq!(embed(odd).dimension(), 384);
    }
}

#[test]
fn a_wrong_model_directory_is_refused_in_one_line() {
    if load("model::a_wrong_model_directory_is_refused_in_one_line").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let shipped = shipped_model();
    let copy = |name: &str| std::fs::copy(shipped.join(name), folder.path().join(name)).unwrap();
    for entry in std::fs::read_dir(&shipped).unwrap() {
        copy(entry.unwrap().file_name().to_str().unwrap());
    }
    let refusal = || {
        let line = load_embedder(&Embedder { model_dir: folder.path().to_owned(), ..config() }).unwrap_err().to_string();
        assert!(!line.contains('\n'), "{line}");
        line
    };
    let edit_manifest = |from: &str, to: &str| {
        let manifest = std::fs::read_to_string(shipped.join("manifest.json")).unwrap();
        assert!(manifest.contains(from), "{from}");
        std::fs::write(folder.path().join("manifest.json"), manifest.replace(from, to)).unwrap();
    };
    // The vectors of another model: the first probe's first text with the second one's meaning.
    let manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(shipped.join("manifest.json")).unwrap()).unwrap();
    edit_manifest(manifest["probes"][0]["text"].as_str().unwrap(), "something else entirely");
    assert!(refusal().contains("computes wrong vectors on this processor (probe 0"), "{}", refusal());
    edit_manifest("\"pooling\": \"mean\"", "\"pooling\": \"max\"");
    assert!(refusal().contains("manifest.json is not usable"), "{}", refusal());
    copy("manifest.json");
    std::fs::write(folder.path().join("tokenizer.json"), "{}").unwrap();
    assert!(refusal().contains("tokenizer.json has sha256"), "{}", refusal());
    std::fs::remove_file(folder.path().join("tokenizer.json")).unwrap();
    assert!(refusal().contains("tokenizer.json cannot be read"), "{}", refusal());
    let missing = Embedder { model_dir: "/nowhere/model".into(), ..config() };
    assert!(load_embedder(&missing).unwrap_err().to_string().contains("/nowhere/model/manifest.json"));
}

#[test]
fn a_missing_runtime_names_the_command_that_fetches_it() {
    let gone = Embedder { runtime_library: Some("/nowhere/libonnxruntime.so".into()), ..config() };
    // A process that has loaded the library keeps it, so this asks a fresh one.
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_tool-router"))
        .args(["serve", "--grpc-address", "127.0.0.1:0", "--http-address", "127.0.0.1:0", "--store"])
        .arg(tempfile::tempdir().unwrap().path().join("r.db"))
        .env("TOOL_ROUTER__EMBEDDER__RUNTIME_LIBRARY", gone.runtime_library.unwrap())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    let line = String::from_utf8(output.stderr).unwrap();
    assert!(line.contains("/nowhere/libonnxruntime.so") && line.contains("run `make setup`"), "{line}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_bundled_queries_find_their_tools() {
    if load("model::the_bundled_queries_find_their_tools").is_none() {
        return;
    }
    let mut router = start().await;
    bundled::register(&mut router).await;
    let queries = bundled::queries();
    let mut found = 0;
    for query in &queries {
        // The order is what is asked for: processors round differently, and some requests lie near the threshold of "nothing fits".
        let answer = router.select_with(&query.text, |request| request.min_confidence = Some(0.0)).await;
        assert_eq!(answer.mode(), tool_router::rpc::proto::Mode::Semantic);
        let first_five: Vec<_> = names(&answer).into_iter().take(5).collect();
        found += usize::from(query.relevant.iter().any(|id| first_five.contains(id)));
    }
    // The requests share few words with their tools on purpose; a plain mix of BM25 and cosine over the same model finds 25.
    assert!(24 <= found, "{found} of {} queries found a tool in the first five", queries.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_model_embeds_anew_and_the_same_one_does_not() {
    if load("model::another_model_embeds_anew_and_the_same_one_does_not").is_none() {
        return;
    }
    let mut router = start().await;
    let (source, tools) = bundled::sources().swap_remove(0);
    router.register(&source, tools).await;
    let before = crate::support::cleared(router.select("what is on my calendar").await);
    let mut router = router.restart().await;
    let after = crate::support::cleared(router.select("what is on my calendar").await);
    assert_eq!(after, before, "the stored vectors serve");

    let mut router = router.restart_with(|config| config.embedder.kind = EmbedderKind::Hashing).await;
    for _ in 0..500 {
        let answer = router.select("what is on my calendar").await;
        if answer.mode() == tool_router::rpc::proto::Mode::Semantic {
            return;
        }
        assert!(answer.degraded_reason.contains("not embedded with model hashing"), "{}", answer.degraded_reason);
        assert!(!answer.tools.is_empty(), "words serve meanwhile");
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("the tools never got vectors of the new model");
}

async fn start() -> TestRouter {
    let model_dir: PathBuf = shipped_model();
    TestRouter::start_with(|config| {
        config.embedder.kind = EmbedderKind::Onnx;
        config.embedder.model_dir = model_dir;
    })
    .await
}

#[test]
fn the_runtime_reports_to_nobody() {
    use crate::support::program::{free_port, run};
    use std::process::{Command, Stdio};
    if load("model::the_runtime_reports_to_nobody").is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let (home, trace) = (folder.path().join("home"), folder.path().join("trace"));
    std::fs::create_dir(&home).unwrap();
    if Command::new("strace").arg("-V").stdout(Stdio::null()).status().is_err() {
        return left_out("model::the_runtime_reports_to_nobody", "needs strace");
    }
    let port = free_port();
    let mut child = Command::new("strace")
        .args(["-f", "-e", "trace=connect", "-o", trace.to_str().unwrap(), env!("CARGO_BIN_EXE_tool-router"), "serve"])
        .args(["--http-address", "127.0.0.1:0", "--grpc-address", &format!("127.0.0.1:{port}")])
        .args(["--store", folder.path().join("router.db").to_str().unwrap()])
        .current_dir(repository())
        .env("HOME", &home)
        // As for whoever installs it: nothing is set.
        .env_remove("ORT_DISABLE_TELEMETRY")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let address = format!("http://127.0.0.1:{port}");
    let started = std::time::Instant::now();
    while !run(&["health", "--address", &address]).status.success() {
        assert!(started.elapsed() < std::time::Duration::from_secs(60), "the router does not get ready");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    // Before this was mended, its first look-up of a name was a second after the start.
    std::thread::sleep(std::time::Duration::from_secs(5));
    // The child of strace outlives a kill of strace; strace ends with it.
    for pid in crate::support::mcp::processes_with(folder.path().join("router.db").to_str().unwrap()) {
        Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    }
    child.wait().unwrap();
    let strangers: Vec<_> = std::fs::read_dir(&home).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(strangers.is_empty(), "{strangers:?}");
    let trace = std::fs::read_to_string(trace).unwrap();
    assert!(!trace.contains("AF_INET"), "{trace}");
}
