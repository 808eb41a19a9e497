//! Conversations over the bundled catalogue: written ones as a smoke test, and what is none.

use tonic::Code;
use tool_router::rpc::proto::select_tools_request::Input;
use tool_router::rpc::proto::turn::Role;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, assert_violation, bundled, cleared, names, query_request, repository, tool};

struct Written {
    id: String,
    kind: String,
    lang: String,
    turns: Vec<Turn>,
    relevant: String,
}

fn written() -> Vec<Written> {
    let text = std::fs::read_to_string(repository().join("tests/data/dialogues.jsonl")).unwrap();
    let parse = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let word = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
        let turns = value["turns"].as_array().unwrap().iter().map(|turn| Turn {
            role: if turn["role"] == "user" { Role::User } else { Role::Assistant }.into(),
            text: word(&turn["text"]),
            tool_calls: turn["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
                .map(|call| ToolRef { source: word(&call["source"]), tool: word(&call["tool"]) })
                .collect(),
        });
        let [id, kind, lang, relevant] = [&value["id"], &value["kind"], &value["lang"], &value["relevant"][0]].map(word);
        Written { id, kind, lang, turns: turns.collect(), relevant }
    };
    text.lines().map(parse).collect()
}

fn user(text: &str) -> Turn {
    Turn { role: Role::User.into(), text: text.into(), tool_calls: Vec::new() }
}

fn called(source: &str, tool: &str) -> Turn {
    let call = ToolRef { source: source.into(), tool: tool.into() };
    Turn { role: Role::Assistant.into(), text: "Done.".into(), tool_calls: vec![call] }
}

fn request(turns: Vec<Turn>) -> SelectToolsRequest {
    SelectToolsRequest { input: Some(Input::Conversation(Conversation { turns })), ..Default::default() }
}

async fn converse(router: &mut TestRouter, turns: Vec<Turn>) -> SelectToolsResponse {
    router.router.select_tools(request(turns)).await.unwrap().into_inner()
}

/// How many of the dialogues have their tool in the first five, by the conversation and by the last turn alone.
async fn found(router: &mut TestRouter, dialogues: &[&Written]) -> (usize, usize) {
    let (mut with, mut without) = (0, 0);
    for dialogue in dialogues {
        let mut answer = converse(router, dialogue.turns.clone()).await;
        let last = &dialogue.turns.last().unwrap().text;
        assert!(answer.condensed.starts_with(last.as_str()), "{}: {:?}", dialogue.id, answer.condensed);
        answer.tools.truncate(5);
        let mut alone = router.select(last).await;
        alone.tools.truncate(5);
        with += usize::from(names(&answer).contains(&dialogue.relevant));
        without += usize::from(names(&alone).contains(&dialogue.relevant));
    }
    (with, without)
}

async fn check(router: &mut TestRouter, floors: [usize; 2]) {
    bundled::register(router).await;
    let written = written();
    assert!(60 <= written.len());
    assert!(10 <= written.iter().filter(|dialogue| dialogue.lang != "en").count());
    let of = |leans: bool| {
        let kind = move |dialogue: &&Written| dialogue.lang == "en" && (dialogue.kind != "switch") == leans;
        written.iter().filter(kind).collect::<Vec<_>>()
    };
    let (leaning, alone) = (of(true), of(false));
    let (with, without) = found(router, &leaning).await;
    let told = format!("{with} of {} by the conversation, {without} by the last turn alone", leaning.len());
    let [least, gain] = floors;
    assert!(least <= with && without + gain <= with, "{told}");
    let (with, without) = found(router, &alone).await;
    assert!(without <= with, "who changes the subject loses: {with} instead of {without} of {}", alone.len());
    // Texts in other scripts must not break anything; what they find depends on the model.
    found(router, &written.iter().filter(|dialogue| dialogue.lang != "en").collect::<Vec<_>>()).await;
}

#[tokio::test]
async fn written_dialogues_find_their_tool_by_words() {
    check(&mut TestRouter::start().await, [37, 8]).await;
}

#[cfg(feature = "onnx")]
#[tokio::test]
async fn written_dialogues_find_their_tool_by_meaning() {
    let embedder = tool_router::config::Embedder {
        workers: Some(1),
        model_dir: crate::support::shipped_model(),
        ..tool_router::config::Config::default().embedder
    };
    if tool_router::app::load_embedder(&embedder).is_err_and(|e| e.to_string().contains("ONNX Runtime was not found")) {
        return crate::support::left_out(
            "dialogues::written_dialogues_find_their_tool_by_meaning",
            "needs ONNX Runtime: run `make setup`",
        );
    }
    let mut router = TestRouter::start_with(|config| {
        config.embedder = embedder;
        config.embedder.kind = tool_router::config::EmbedderKind::Onnx;
    })
    .await;
    check(&mut router, [39, 8]).await;
}

#[tokio::test]
async fn a_turn_that_stands_alone_is_searched_as_a_query() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let text = "Cancel the subscription of the customer cus_77 at the end of the billing period";
    let before = vec![user("Find flights from Lisbon to Vienna"), called("travel", "searchFlights"), user(text)];
    let answer = cleared(converse(&mut router, before).await);
    assert_eq!(answer.condensed, text);
    assert_eq!(SelectToolsResponse { condensed: String::new(), ..answer }, cleared(router.select(text).await));
    let first = cleared(converse(&mut router, vec![user("do it again")]).await);
    assert_eq!(first.condensed, "do it again", "there is nothing to lean on");
}

#[tokio::test]
async fn calls_by_name_and_by_source_are_the_same_evidence_and_are_explained() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let turns =
        |source: &str| vec![user("Is the air clean in Krakow?"), called(source, "get-air-quality"), user("same for Warsaw")];
    let by_source = converse(&mut router, turns("weather")).await;
    assert_eq!(cleared(by_source.clone()), cleared(converse(&mut router, turns("")).await));
    assert_eq!(names(&by_source).first().map(String::as_str), Some("weather/get-air-quality"));
    assert_eq!(by_source.condensed, "same for Warsaw air");
    let mut explained = request(turns("weather"));
    explained.explain = true;
    let explained = router.router.select_tools(explained).await.unwrap().into_inner();
    assert!(
        explained.tools[0].reasons.iter().any(|reason| reason.starts_with("conversation: ")),
        "{:?}",
        explained.tools[0].reasons
    );
    let unknown = vec![user("Is the air clean?"), called("nowhere", "nothing"), user("same for Warsaw")];
    assert_eq!(converse(&mut router, unknown).await.mode(), Mode::Semantic);
}

#[tokio::test]
async fn two_conversations_are_two_answers() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let about = |first: &str| vec![user(first), user("cancel it again")];
    let flight = converse(&mut router, about("book the flight to Vienna")).await;
    let subscription = converse(&mut router, about("start a subscription for the customer")).await;
    assert_ne!(flight.condensed, subscription.condensed);
    let again = converse(&mut router, about("book the flight to Vienna")).await;
    assert_eq!(again.meta.as_ref().unwrap().cache, "answer");
    assert_eq!(cleared(again), cleared(flight));
}

#[tokio::test]
async fn brought_tools_are_searched_by_conversations_too() {
    let mut router = TestRouter::start().await;
    let offered =
        |name: &str, description: &str| OfferedTool { source: "lamps".into(), definition: Some(tool(name, description)) };
    let turns = vec![user("switch the lamp on"), called("lamps", "switch_on"), user("dim it instead")];
    let request = RankToolsRequest {
        tools: vec![offered("switch_on", "Switches a lamp on."), offered("dim", "Makes a lamp darker.")],
        conversation: Some(Conversation { turns }),
        ..Default::default()
    };
    let answer = router.router.rank_tools(request.clone()).await.unwrap().into_inner().selection.unwrap();
    assert_eq!((names(&answer).len(), answer.condensed.as_str()), (2, "dim it instead switch lamp"));
    let both = RankToolsRequest { query: "dim".into(), ..request.clone() };
    assert_violation(router.router.rank_tools(both).await, "conversation", "stands beside query");
    let neither = RankToolsRequest { conversation: None, ..request };
    assert_violation(router.router.rank_tools(neither).await, "query", "is empty");
}

#[tokio::test]
async fn what_is_no_conversation_is_refused_by_field() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let mut refused = async |turns: Vec<Turn>, field: &str, words: &str| {
        assert_violation(router.router.select_tools(request(turns)).await, field, words);
    };
    refused(vec![], "conversation.turns", "is empty").await;
    refused(vec![called("mail", "search")], "conversation.turns", "has no user turn that says anything").await;
    refused(vec![user("   ")], "conversation.turns", "has no user turn that says anything").await;
    refused(vec![user("x"); 10_000], "conversation.turns", "has 10000 entries, the limit is 1000").await;
    let odd = |role: i32| vec![user("a"), user("b"), user("c"), Turn { role, ..user("d") }];
    refused(odd(9), "conversation.turns[3].role", "9 is not a value this service knows").await;
    refused(odd(0), "conversation.turns[3].role", "is not said").await;
    refused(vec![user(&"x".repeat(1 << 20))], "conversation.turns[0].text", "has 1048576 bytes, the limit").await;
    refused(vec![called("", ""), user("x")], "conversation.turns[0].tool_calls[0].tool", "is empty").await;
    refused(vec![called("mail", ""), user("x")], "conversation.turns[0].tool_calls[0].tool", "").await;
}

#[tokio::test]
async fn long_conversations_and_odd_texts_are_answered() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let mut turns = vec![user(&"날씨 天気 weather ".repeat(60_000)), called("weather", "get-forecast")];
    turns.extend((0..990).map(|i| if i % 2 == 0 { user("") } else { called("mail", "search") }));
    turns.push(Turn { role: Role::Tool.into(), text: "y".repeat(2 << 20), tool_calls: Vec::new() });
    turns.push(user("그거 다시 해줘"));
    let answer = converse(&mut router, turns).await;
    assert!(answer.condensed.starts_with("그거 다시 해줘"));
    for text in ["it", "\0 it", "💥 again", "그", "呢", "は？", "that\u{200b}", "İ it", "e\u{301} same"] {
        let status = router.router.select_tools(request(vec![user("weather in Rome"), user(text)])).await;
        assert!(status.is_ok() || status.is_err_and(|status| status.code() == Code::InvalidArgument), "{text:?}");
    }
    let plain = router.router.select_tools(query_request("weather in Rome")).await.unwrap().into_inner();
    assert_eq!(plain.condensed, "");
}
