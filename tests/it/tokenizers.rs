//! Caps in the tokens of any model: by a tokenizer file, by an estimate, with what a vendor adds.

use std::path::Path;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config as PropConfig, TestRunner};
use tool_router::compact::Tokenizer;
use tool_router::config::{Config, TokensEstimate, TokensFile, TokensOverhead};
use tool_router::rpc::proto::*;

use crate::support::program::run;
use crate::support::{TestRouter, assert_violation, bundled, query_request, tool};

/// A byte-level BPE without merges: every byte is a token, so what is right is known without it.
fn bytes_tokenizer() -> String {
    let is_itself = |byte: u32| matches!(byte, 0x21..=0x7e | 0xa1..=0xac | 0xae..=0xff);
    let mut others = 0x100_u32..;
    let letters = (0..=0xff).map(|byte| if is_itself(byte) { byte } else { others.next().unwrap() });
    let vocabulary: serde_json::Map<String, serde_json::Value> = letters
        .map(|letter| char::from_u32(letter).unwrap().to_string())
        .zip(0..)
        .map(|(letter, id)| (letter, id.into()))
        .collect();
    let byte_level =
        serde_json::json!({"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": false});
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "post_processor": null,
        "decoder": byte_level, "pre_tokenizer": byte_level,
        "model": {"type": "BPE", "vocab": vocabulary, "merges": []},
    })
    .to_string()
}

/// A token for every word and run of punctuation.
fn words_tokenizer() -> String {
    serde_json::json!({
        "version": "1.0", "truncation": null, "padding": null, "added_tokens": [], "normalizer": null, "post_processor": null,
        "decoder": null, "pre_tokenizer": {"type": "Whitespace"},
        "model": {"type": "WordLevel", "vocab": {"[UNK]": 0}, "unk_token": "[UNK]"},
    })
    .to_string()
}

/// What [`words_tokenizer`] makes of ASCII: `\w+|[^\w\s]+`.
fn words(text: &str) -> u32 {
    let kind = |c: char| if c.is_whitespace() { 0 } else { 1 + u32::from(c.is_alphanumeric() || c == '_') };
    let kinds: Vec<u32> = text.chars().map(kind).collect();
    let starts = |(i, kind): (usize, &u32)| *kind != 0 && (i == 0 || kinds[i - 1] != *kind);
    u32::try_from(kinds.iter().enumerate().filter(|(i, kind)| starts((*i, kind))).count()).unwrap()
}

const OVERHEAD: u32 = 40;
const PER_TOOL: u32 = 3;

fn configure(folder: &Path, config: &mut Config) {
    for (name, text) in [("bytes", bytes_tokenizer()), ("words", words_tokenizer())] {
        let path = folder.join(format!("{name}.json"));
        std::fs::write(&path, text).unwrap();
        config.tokens.file.push(TokensFile { name: name.into(), path });
    }
    let as_of = || "2026-02-28".to_owned();
    let guess = TokensEstimate { name: "guess".into(), base: "cl100k_base".into(), factor: 1.7, margin: 0.1, as_of: as_of() };
    config.tokens.estimate.push(guess);
    for name in ["words", "guess"] {
        let overhead = TokensOverhead { name: name.into(), tools: OVERHEAD, per_tool: PER_TOOL, as_of: as_of() };
        config.tokens.overhead.push(overhead);
    }
}

#[tokio::test]
async fn the_cap_holds_in_the_tokens_that_were_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut router = TestRouter::start_with(|config| configure(folder.path(), config)).await;
    bundled::register(&mut router).await;
    let queries = bundled::queries();
    let strategy = (0..queries.len(), 1_u32..3_000, 1_u32..40, 1..6, 0..5, 0_usize..3, any::<bool>());
    let mut runner = TestRunner::new(PropConfig { cases: 1, ..PropConfig::default() });
    let mut returned = 0;
    for _ in 0..100 {
        let (query, max_tokens, max_tools, format, schema_profile, counter, scoped) =
            strategy.new_tree(&mut runner).unwrap().current();
        let tokenizer = ["bytes", "words", "guess"][counter];
        // A byte is a small token.
        let max_tokens = if tokenizer == "bytes" { max_tokens * 4 } else { max_tokens };
        let answer = router
            .select_with(&queries[query].text, |request| {
                let (max_tokens, max_tools) = (Some(max_tokens), Some(max_tools));
                request.budget = Some(Budget { max_tokens, tokenizer: Some(tokenizer.into()), max_tools, min_tools: None });
                request.output = Some(Output { format, schema_profile, ..Default::default() });
                let sources = if scoped { vec!["files".to_owned(), "calendar".to_owned()] } else { Vec::new() };
                request.scope = Some(Scope { sources, ..Default::default() });
            })
            .await;
        let usage = answer.usage.unwrap();
        let counted = match tokenizer {
            "bytes" => u32::try_from(answer.prompt.len()).unwrap(),
            "words" => words(&answer.prompt),
            _ => (f64::from(Tokenizer::Cl100kBase.count(&answer.prompt).0) * 1.87).ceil() as u32,
        };
        let tools = u32::try_from(answer.tools.len()).unwrap();
        let added = if tools == 0 || tokenizer == "bytes" { 0 } else { OVERHEAD + PER_TOOL * tools };
        assert_eq!((usage.returned_tokens, usage.overhead_tokens), (counted, added), "{tokenizer}, cap {max_tokens}");
        assert!(counted + added <= max_tokens, "{tokenizer}: {counted} and {added} for a cap of {max_tokens}");
        assert!(0 < usage.eligible_tokens, "{tokenizer}: {usage:?}");
        assert_eq!(answer.tools.is_empty(), answer.no_match.is_some());
        returned += tools;
    }
    assert!(200 < returned, "{returned} tools in all");
}

#[tokio::test]
async fn names_come_from_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let mut router = TestRouter::start_with(|config| {
        configure(folder.path(), config);
        config.tokens.default = "bytes".into();
    })
    .await;
    router.register("s", vec![tool("read", "Reads a file."), tool("write", "Writes a file.")]).await;
    let answer = router.select("read a file").await;
    assert_eq!(answer.usage.unwrap().returned_tokens as usize, answer.prompt.len(), "the default counts bytes");
    let entry = &answer.tools[0];
    assert_eq!(entry.tokens as usize, entry.definition_json.len() + 2);
    let named = |name: &str| Some(Budget { tokenizer: Some(name.into()), ..Default::default() });
    let request = SelectToolsRequest { budget: named("byte"), ..query_request("read a file") };
    let known = "\"byte\" is unknown; known are o200k_base, cl100k_base, ";
    assert_violation(router.router.select_tools(request.clone()).await, "budget.tokenizer", known);
    assert_violation(router.router.select_tools(request).await, "budget.tokenizer", "bytes, words, guess");
    // Brought tools are counted alike.
    let brought = OfferedTool { source: "s".into(), definition: Some(tool("read", "Reads a file.")) };
    let rank =
        RankToolsRequest { query: "read a file".into(), tools: vec![brought], budget: named("words"), ..Default::default() };
    let ranked = router.router.rank_tools(rank).await.unwrap().into_inner().selection.unwrap();
    let usage = ranked.usage.unwrap();
    assert_eq!((usage.returned_tokens, usage.overhead_tokens), (words(&ranked.prompt), OVERHEAD + PER_TOOL));
    // A cap below what the vendor adds has room for nothing.
    let small = Some(Budget { max_tokens: Some(OVERHEAD), ..named("words").unwrap() });
    let answer = router.select_with("read a file", |request| request.budget = small).await;
    assert_eq!((answer.tools.len(), answer.usage.unwrap().overhead_tokens), (0, 0));
    assert_eq!(answer.no_match.unwrap().reason(), no_match::Reason::OverBudget);
}

#[test]
fn a_configuration_that_is_not_usable_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &[u8]| std::fs::write(folder.path().join(name), text).unwrap();
    write("good.json", words_tokenizer().as_bytes());
    write("model.json", br#"{"architectures":["BertModel"]}"#);
    write("spiece.model", b"\x0a\x0e\x0a\x05<unk>");
    let at = |name: &str| folder.path().join(name).display().to_string();
    let file = |name: &str, path: &str| format!("[[tokens.file]]\nname = {name:?}\npath = {path:?}\n");
    let estimate = |name: &str, more: &str| format!("[[tokens.estimate]]\nname = {name:?}\n{more}\n");
    let sound = "base = \"o200k_base\"\nfactor = 1.2\nmargin = 0.1\nas_of = \"2026-02-28\"";
    let check = |text: &str, words: &[&str]| {
        write("config.toml", text.as_bytes());
        let output = run(&["check-config", "--config", &at("config.toml")]);
        let error = String::from_utf8(output.stderr).unwrap();
        let is_line = error.trim_end().lines().count() == 1 && output.status.code() == Some(64);
        assert!(is_line && words.iter().all(|words| error.contains(words)), "{text}\n{error}");
    };
    check(&file("a", &at("none.json")), &["tokens.file[0] \"a\": path", "none.json cannot be read: No such file"]);
    check(&file("a", &at("")), &["tokens.file[0] \"a\"", "is not a file"]);
    check(&file("a", &at("model.json")), &["tokens.file[0] \"a\"", "model.json is not a tokenizer.json"]);
    check(&file("a", &at("spiece.model")), &["tokens.file[0] \"a\"", "spiece.model is not JSON"]);
    check(
        &(file("a", &at("good.json")) + &estimate("a", sound)),
        &["tokens.estimate[0].name \"a\" is also the name of tokens.file[0]"],
    );
    check(&file("o200k_base", &at("good.json")), &["tokens.file[0].name \"o200k_base\" is built in"]);
    check(&file("a b", &at("good.json")), &["tokens.file[0].name \"a b\" must be 1 to 100 letters"]);
    check(&estimate("a", &sound.replace("1.2", "0.0")), &["tokens.estimate[0] \"a\": factor is 0, it must be 0.1 to 10"]);
    check(&estimate("a", &sound.replace("1.2", "nan")), &["factor is NaN"]);
    check(&estimate("a", &sound.replace("0.1", "-0.1")), &["margin is -0.1, it must be 0 to 1"]);
    check(&estimate("a", &sound.replace("o200k_base", "gpt2")), &["base \"gpt2\" is not o200k_base or cl100k_base"]);
    check(&estimate("a", &sound.replace("02-28", "02-30")), &["as_of is \"2026-02-30\", it must be a day as YYYY-MM-DD"]);
    check(&estimate("a", "base = \"o200k_base\""), &["missing field `factor`"]);
    let overhead = "[[tokens.overhead]]\nname = \"a\"\ntools = 300\nas_of = \"2026-02-28\"\n";
    check(overhead, &["tokens.overhead[0].name \"a\" is no tokenizer; known are o200k_base"]);
    check(
        &(estimate("a", sound) + overhead + overhead),
        &["tokens.overhead[1].name \"a\" is also the name of tokens.overhead[0]"],
    );
    check(&(estimate("a", sound) + &overhead.replace("300", "300000")), &["tools is 300000, the limit is 100000"]);
    check("[tokens]\ndefault = \"a\"", &["tokens.default \"a\" is no tokenizer; known are o200k_base"]);
    check("[tokens]\nfiles = []", &["unknown field", "files"]);
    write("config.toml", (file("a", &at("good.json")) + &estimate("b", sound) + overhead).as_bytes());
    assert!(run(&["check-config", "--config", &at("config.toml")]).status.success());
}

#[test]
fn the_error_of_an_estimate_is_measured() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("words.json");
    std::fs::write(&path, words_tokenizer()).unwrap();
    let named = format!("words={}", path.display());
    let catalogues = ["files", "mail", "crm", "calendar", "payments"]
        .map(|name| format!("{}/examples/catalogue/{name}.json", env!("CARGO_MANIFEST_DIR")));
    let tools = catalogues.iter().flat_map(|catalogue| ["--tools", catalogue.as_str()]);
    let arguments: Vec<&str> = ["eval", "tokens", "--tokenizer-file", &named].into_iter().chain(tools).collect();
    let output = run(&[&arguments[..], &["--json"]].concat());
    let line: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {output:?}"));
    let (factor, margin) = (line["factor"].as_f64().unwrap(), line["margin"].as_f64().unwrap());
    assert!((0.3..1.5).contains(&factor) && (0.0..1.0).contains(&margin), "{line}");
    assert!(line["lists"]["over_share"].as_f64().unwrap() <= 0.02, "{line}");
    // The same, judged and in words: the margin is what was asked for.
    let factor = factor.to_string();
    let output = run(&[&arguments[..], &["--factor", &factor, "--margin", "0"]].concat());
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(", margin 0.000") && text.contains("of the lists have more tokens than estimated"), "{text}");
    let output = run(&["eval", "tokens", "--tools", &catalogues[0], "--tokenizer-file", "words"]);
    assert!(String::from_utf8(output.stderr).unwrap().contains("--tokenizer-file words: it must be NAME=PATH"));
}
