//! What moves tools in a ranking beyond their likeness to the request: its parts, tools that are used together; and that equal requests get
//! equal bytes. `confidence.rs` is about what is left out of a ranking.

use std::sync::Arc;
use std::time::{Duration, Instant};

use prost::Message;
use tool_router::catalog::TextHash;
use tool_router::catalog::views::ViewTexts;
use tool_router::embed::hashing::HashingEmbedder;
use tool_router::embed::{Embedder, Pool, PoolOptions};
use tool_router::eval::catalogue;
use tool_router::index::vector::Codes;
use tool_router::rank::{LeftOut, Step};
use tool_router::rpc::proto::*;
use tool_router::select::{Input, Policy, Request, Selector, SelectorOptions};
use tool_router::tool::{Document, Tool, ToolId};

use crate::support::weights::{configure, weights, write};
use crate::support::{TestRouter, cleared, names, program, tool};

/// Most words of it are about invoices, so its vector lies near them.
const LONG: &str = "find the unpaid invoice of the customer by the invoice number, convert the document to PDF and then mail a colleague about it";

/// A dozen tools for invoices, of which one is what the request wants, and one tool for each other intent.
async fn three_intents(router: &mut TestRouter) {
    let kinds = ["paid", "draft", "late", "open", "old", "void", "sent", "new", "sealed", "split", "merged"];
    let near = kinds.map(|kind| tool(&format!("{kind}_invoice"), &format!("The {kind} invoice of the customer, by number.")));
    router.register("billing", near.into()).await;
    router
        .register("billing", vec![tool("find_invoice", "Find the unpaid invoice of the customer by the invoice number.")])
        .await;
    router.register("papers", vec![tool("convert_document", "Convert the document to PDF.")]).await;
    router.register("post", vec![tool("mail_colleague", "Mail a colleague.")]).await;
}

const EACH: [&str; 3] = ["billing/find_invoice", "papers/convert_document", "post/mail_colleague"];

async fn explained(router: &mut TestRouter, query: &str) -> SelectToolsResponse {
    router.select_with(query, |request| request.explain = true).await
}

fn leave_out(step: &str) -> impl FnOnce(&mut tool_router::config::Config) {
    move |config| config.ranking.leave_out = vec![step.to_owned()]
}

fn of_parts(answer: &SelectToolsResponse) -> Vec<String> {
    let lifted = answer.tools.iter().filter(|tool| tool.reasons.iter().any(|reason| reason.starts_with("parts: ")));
    lifted.map(|tool| format!("{}/{}", tool.source, tool.tool)).collect()
}

fn reasons<'a>(answer: &'a SelectToolsResponse, name: &str) -> &'a [String] {
    &answer.tools.iter().find(|tool| format!("{}/{}", tool.source, tool.tool) == name).unwrap().reasons
}

#[tokio::test]
async fn every_intent_of_a_long_request_finds_its_tool() {
    let mut router = TestRouter::start().await;
    three_intents(&mut router).await;
    let answer = explained(&mut router, LONG).await;
    let found = names(&answer);
    assert!(EACH.iter().all(|name| found[..5].contains(&(*name).to_owned())), "{found:?}");
    assert!(EACH.iter().all(|name| of_parts(&answer).contains(&(*name).to_owned())), "{:?}", of_parts(&answer));

    let mut router = router.restart_with(leave_out("clauses")).await;
    let answer = explained(&mut router, LONG).await;
    let found = names(&answer);
    assert!(!EACH.iter().all(|name| found[..5].contains(&(*name).to_owned())), "the parts made no difference: {found:?}");
    assert_eq!(of_parts(&answer), [""; 0]);
}

#[tokio::test]
async fn a_short_request_is_not_taken_apart() {
    let short = "find the unpaid invoice, convert the document and then mail it";
    let mut router = TestRouter::start().await;
    three_intents(&mut router).await;
    let whole = explained(&mut router, short).await;
    assert_eq!(of_parts(&whole), [""; 0]);
    let mut router = router.restart_with(leave_out("clauses")).await;
    assert_eq!(explained(&mut router, short).await.tools, whole.tools, "leaving the step out changes nothing");
    // One more thing to do makes it long: so it was the length.
    let mut router = router.restart_with(|config| config.ranking.leave_out.clear()).await;
    assert_ne!(of_parts(&explained(&mut router, &format!("{short} to a colleague tomorrow")).await), [""; 0]);
}

/// Two policies that share the vectors of queries once shared their parts too, so that which parts counted hung on who had asked first.
#[tokio::test]
async fn a_policy_that_takes_requests_apart_does_so_whoever_asked_before() {
    let document = || Document::parse(r#"{"type":"object"}"#).unwrap();
    let of = |(name, text): (&str, &str)| Tool::new(ToolId::new("s", name).unwrap(), text.into(), document());
    let tools =
        [("invoice", "Find the unpaid invoice."), ("convert", "Convert the document."), ("mail", "Mail a colleague.")].map(of);
    let codes = |text: &str| Codes::quantise(&HashingEmbedder.embed(text).unwrap());
    let known: std::collections::HashMap<TextHash, Codes> =
        tools.iter().flat_map(|tool| ViewTexts::of(tool).base).map(|text| (TextHash::of(&text), codes(&text))).collect();
    let pool = Pool::start(HashingEmbedder::load(1), PoolOptions::default()).unwrap();
    let catalog = Arc::new(catalogue(tools, |hash| known.get(hash).cloned(), pool.info().dimension));
    let request = Request::check(Input { query: Some(LONG.into()), explain: true, ..Input::default() }).unwrap();
    let select = async |selector: &Selector| {
        let deadline = Instant::now() + Duration::from_secs(60);
        selector.select(&catalog, &request, deadline).await.unwrap().0.tools.clone()
    };
    let options = SelectorOptions { vector_bytes: 1 << 20, ..SelectorOptions::BARE };
    let whole = Policy { left_out: LeftOut::of([Step::Clauses]), ..Policy::default() };
    let fresh = select(&Selector::new(pool.clone(), Policy::default(), &options)).await;
    let first = Selector::new(pool, whole, &options);
    let undivided = select(&first).await;
    assert_eq!(select(&first.ranking_by(Policy::default())).await, fresh);
    assert_ne!(undivided, fresh);
}

const REPORT: &str = "read quarterly report";
const LEDGER: &str = "ledger/post_entry";

/// Tools about reports, one of which shares its example with a tool that has no word in common with them.
async fn used_together(router: &mut TestRouter, reports: usize) {
    let of_month = |tool: ToolDefinition| ToolDefinition { examples: vec!["close all books this month".into()], ..tool };
    let mut tools: Vec<_> = (1..reports).map(|i| tool(&format!("report_{i}"), &format!("A report of kind {i}."))).collect();
    tools.push(of_month(tool("read_quarterly_report", "Read a quarterly report.")));
    router.register("reports", tools).await;
    router.register("ledger", vec![of_month(tool("post_entry", "Post an entry."))]).await;
}

#[tokio::test]
async fn a_companion_of_the_leader_stands_right_behind_the_leads() {
    let mut router = TestRouter::start().await;
    used_together(&mut router, 9).await;
    let answer = explained(&mut router, REPORT).await;
    let with = names(&answer);
    assert_eq!((with.len(), with[0].as_str(), with[5].as_str()), (10, "reports/read_quarterly_report", LEDGER), "{with:?}");
    let reason = "used together with reports/read_quarterly_report, by an example of both";
    assert!(reasons(&answer, LEDGER).contains(&reason.to_owned()), "{:?}", reasons(&answer, LEDGER));
    let scores: Vec<f32> = answer.tools.iter().map(|tool| tool.score).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");

    let mut router = router.restart_with(leave_out("companions")).await;
    let answer = explained(&mut router, REPORT).await;
    let without = names(&answer);
    assert_eq!(without.iter().position(|name| name == LEDGER), Some(9), "by itself it is the last: {without:?}");
    assert!(reasons(&answer, LEDGER).iter().all(|reason| !reason.starts_with("used together")));
    assert_eq!(with[..5], without[..5], "no lead makes way");
}

#[tokio::test]
async fn a_companion_that_is_a_lead_already_stays_where_it_is() {
    let mut router = TestRouter::start().await;
    used_together(&mut router, 3).await;
    let answer = explained(&mut router, REPORT).await;
    assert_eq!(names(&answer)[3], LEDGER);
    assert!(reasons(&answer, LEDGER).iter().all(|reason| !reason.starts_with("used together")));
}

#[tokio::test]
async fn a_companion_that_may_not_be_returned_is_not() {
    let mut router = TestRouter::start().await;
    used_together(&mut router, 9).await;
    let ledger = ToolRef { source: "ledger".into(), tool: "post_entry".into() };
    let deny = Scope { deny: vec![ledger], ..Default::default() };
    let outside = Scope { sources: vec!["reports".into()], ..Default::default() };
    for scope in [deny, outside] {
        let answer = router.select_with(REPORT, |request| request.scope = Some(scope)).await;
        assert_eq!((names(&answer).len(), names(&answer).contains(&LEDGER.to_owned())), (9, false));
    }
    let (source, tools, state) = ("ledger".into(), vec!["post_entry".into()], ToolState::Disabled.into());
    router.catalog.set_tool_state(SetToolStateRequest { source, tools, state, expected_version: None }).await.unwrap();
    let answer = router.select(REPORT).await;
    assert_eq!((names(&answer).len(), names(&answer).contains(&LEDGER.to_owned())), (9, false));
}

#[tokio::test]
async fn a_popular_example_does_not_fill_the_list() {
    let mut router = TestRouter::start().await;
    used_together(&mut router, 9).await;
    let popular = |i: usize| ToolDefinition {
        examples: vec!["close all books this month".into()],
        ..tool(&format!("closing_{i}"), "Something else.")
    };
    router.register("closing", (0..8).map(popular).collect()).await;
    let answer = explained(&mut router, REPORT).await;
    let fetched = |tool: &&SelectedTool| tool.reasons.iter().any(|reason| reason.starts_with("used together"));
    assert_eq!(answer.tools.iter().filter(fetched).count(), 5);
    assert_eq!(answer.tools[5..10].iter().filter(fetched).count(), 5, "{:?}", names(&answer));
}

/// A companion used to take the sixth place even where the request names more tools than that.
#[tokio::test]
async fn a_companion_comes_after_every_tool_that_the_request_names() {
    let mut router = TestRouter::start().await;
    used_together(&mut router, 9).await;
    let named: Vec<String> = (1..8).map(|i| format!("report_{i}")).chain(["read_quarterly_report".into()]).collect();
    let answer = explained(&mut router, &format!("quarterly: {}", named.join(" "))).await;
    let found = names(&answer);
    assert_eq!(found.iter().position(|name| name == LEDGER), Some(8), "{found:?}");
    let is_named = |tool: &SelectedTool| tool.reasons.contains(&"the query names it".to_owned());
    assert!(answer.tools[..8].iter().all(is_named), "{found:?}");
}

#[tokio::test]
async fn equal_requests_get_equal_bytes_across_restarts() {
    let far = "xylophone";
    let ask = async |router: &mut TestRouter| {
        let mut bytes = Vec::new();
        for query in [LONG, REPORT, far] {
            let answer = router
                .select_with(query, |request| {
                    (request.explain, request.relative_margin) = (true, Some(0.9));
                    request.explain_tools = vec![ToolRef { source: "ledger".into(), tool: "post_entry".into() }];
                })
                .await;
            assert!(answer.confidence.is_some());
            bytes.push(cleared(answer).encode_to_vec());
        }
        bytes
    };
    let mut router = TestRouter::start_with(|config| configure(config, &weights())).await;
    three_intents(&mut router).await;
    used_together(&mut router, 9).await;
    let first = ask(&mut router).await;
    assert_eq!(ask(&mut router).await, first, "from what is remembered");
    let mut router = router.restart().await;
    assert_eq!(ask(&mut router).await, first, "after a restart");
    let nothing_remembered = |config: &mut tool_router::config::Config| {
        (config.cache.answers_mib, config.cache.vectors_mib) = (0, 0);
    };
    let mut router = router.restart_with(nothing_remembered).await;
    assert_eq!(ask(&mut router).await, first, "worked out anew");
    assert_eq!(ask(&mut router).await, first);
}

#[test]
fn an_unusable_weights_file_ends_the_start_in_one_line() {
    let folder = tempfile::tempdir().unwrap();
    let (config, store) = (folder.path().join("config.toml"), folder.path().join("router.db"));
    let text = format!(
        "[server]\ngrpc_address = \"127.0.0.1:0\"\nhttp_address = \"127.0.0.1:0\"\n[store]\npath = {store:?}\n[embedder]\nkind = \"hashing\"\n\
         [ranking]\nweights_file = {:?}\n",
        folder.path().join("ranking.json")
    );
    std::fs::write(&config, text).unwrap();
    let fails = |words: &str| {
        let output = program::run(&["serve", "--config", config.to_str().unwrap()]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.trim_end().lines().count()), (Some(1), 1), "{line}");
        let begin = format!("tool-router: weights file {}", folder.path().join("ranking.json").display());
        assert!(line.starts_with(&begin) && line.contains(words), "{words}: {line}");
        assert!(!store.exists(), "it ends before the store is opened, so before a call is taken");
    };
    fails("cannot be read");
    let check = |change: &dyn Fn(&mut serde_json::Value), words: &str| {
        let mut weights = weights();
        change(&mut weights);
        write(folder.path(), &weights.to_string());
        fails(words);
    };
    check(&|v| v["format"] = 2.into(), "has format 2, this build reads 1");
    check(&|v| v["model"] = "another@1".into(), "is for model another@1, the embedder is hashing-256@1");
    check(&|v| v["fusion"]["best"] = 101.into(), "fusion.best is 101, it must be 0 to 100");
    check(&|v| v["clauses"]["cover"] = 1.1.into(), "clauses.cover is 1.1, it must be 0 to 1");
    check(&|v| v["confidence"]["slope"] = 0.into(), "confidence.slope is 0, it must be 0.01 to 100");
    check(&|v| v["confidence"]["abstain_below"] = (-1).into(), "confidence.abstain_below is -1, it must be 0 to 1");
    check(&|v| v["confidence"]["talk"] = vec![0.0; 3].into(), "confidence.talk has 3 numbers, it must be 256");
    check(&|v| v["fusoin"] = 1.into(), "unknown field `fusoin`");
    check(&|v| v["confidence"]["tool"]["behnid"] = 1.into(), "unknown field `behnid`");
    write(folder.path(), "{\"format\": 1,");
    fails("is no weights file");
}

#[test]
fn a_step_that_does_not_exist_cannot_be_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config.toml");
    std::fs::write(&path, "[ranking]\nleave_out = [\"clauses\", \"luck\"]").unwrap();
    for command in ["check-config", "serve"] {
        let output = program::run(&[command, "--config", path.to_str().unwrap()]);
        let line = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), line.trim_end().lines().count()), (Some(64), 1), "{line}");
        let words = "ranking.leave_out: \"luck\" is no step; steps are views, lexical, named, centring, mentions, scripts, clauses, rivals, companions";
        assert!(line.contains(words), "{line}");
    }
}
