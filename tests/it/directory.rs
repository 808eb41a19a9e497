//! The directory: lines of text under the same cap, for tools that did not fit as objects.

use tool_router::compact::Tokenizer;
use tool_router::rpc::proto::*;

use crate::support::{TestRouter, assert_violation, bundled, query_request, tool};

const QUERY: &str = "send the invoice to the customer by mail";

fn with_directory(request: &mut SelectToolsRequest, max_tokens: u32) {
    request.budget = Some(Budget { max_tokens: Some(max_tokens), ..Default::default() });
    let include = [Include::Prompt, Include::Definitions, Include::Directory].map(Into::into).to_vec();
    request.output = Some(Output { include, ..Default::default() });
}

#[tokio::test]
async fn prompt_and_directory_share_the_cap() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    for max_tokens in [1, 12, 60, 100, 200, 400, 800, 1_500, 4_000] {
        for query in bundled::queries().iter().take(8) {
            let answer = router.select_with(&query.text, |request| with_directory(request, max_tokens)).await;
            let usage = answer.usage.unwrap();
            let count = |text: &str| Tokenizer::O200kBase.count(text).0;
            let (prompt, directory) = (count(&answer.prompt), count(&answer.directory));
            assert!(prompt + directory <= max_tokens, "{prompt} + {directory} tokens for a cap of {max_tokens}");
            assert_eq!((usage.returned_tokens, usage.directory_tokens), (prompt + directory, directory));
            assert_eq!(answer.directory.is_empty(), answer.listed.is_empty());
            for listed in &answer.listed {
                let is_own = |line: &str| line.starts_with(&listed.model_name);
                assert!(answer.directory.lines().any(is_own), "{} is missing in {}", listed.model_name, answer.directory);
                assert!(!answer.tools.iter().any(|tool| tool.model_name == listed.model_name), "{} twice", listed.model_name);
                assert!(!answer.dropped.iter().any(|d| (&d.source, &d.tool) == (&listed.source, &listed.tool)));
            }
            assert_eq!(answer.directory.lines().count().saturating_sub(1), answer.listed.len(), "a header and a line for each");
        }
    }
}

#[tokio::test]
async fn it_is_made_only_where_asked_for_and_costs_no_callable_tool_its_place() {
    let mut router = TestRouter::start().await;
    bundled::register(&mut router).await;
    let plain = router.select(QUERY).await;
    assert!(plain.directory.is_empty() && plain.listed.is_empty());
    let smallest = plain.tools.iter().map(|tool| tool.tokens).min().unwrap();
    for max_tokens in 1..smallest * 2 {
        let without = router
            .select_with(QUERY, |request| {
                request.budget = Some(Budget { max_tokens: Some(max_tokens), ..Default::default() });
            })
            .await;
        let with = router.select_with(QUERY, |request| with_directory(request, max_tokens)).await;
        assert_eq!(without.tools.is_empty(), with.tools.is_empty(), "at {max_tokens}");
    }
}

#[tokio::test]
async fn explain_says_why_a_tool_is_kept_shrunk_listed_or_dropped() {
    let mut router = TestRouter::start().await;
    let long = format!("Sends a letter. {}", "It says a great deal about how letters are sent, in many words. ".repeat(20));
    let tools = (0..9).map(|i| tool(&format!("send_letter_{i}"), &long)).collect();
    router.register("post", tools).await;
    let why = |i: usize| ToolRef { source: "post".into(), tool: format!("send_letter_{i}") };
    let answer = router
        .select_with("send a letter", |request| {
            with_directory(request, 330);
            request.explain = true;
            request.explain_tools = (0..9).map(why).collect();
        })
        .await;
    assert!(!answer.tools.is_empty() && !answer.listed.is_empty(), "{} and {}", answer.prompt, answer.directory);
    for tool in &answer.tools {
        let is_whole = tool.fidelity() == Fidelity::Full;
        assert_eq!(is_whole, !tool.reasons.iter().any(|reason| reason.contains("more tokens")), "{:?}", tool.reasons);
    }
    for listed in &answer.listed {
        assert!(listed.reasons.iter().any(|reason| reason.starts_with("listed by ")), "{:?}", listed.reasons);
    }
    for explanation in &answer.explanations {
        let is = |source: &str, name: &str| (source, name) == (explanation.source.as_str(), explanation.tool.as_str());
        let returned = answer.tools.iter().find(|tool| is(&tool.source, &tool.tool));
        let fate = &explanation.fate;
        match returned {
            Some(tool) if tool.fidelity() != Fidelity::Full => assert!(fate.contains("; shown as "), "{fate}"),
            Some(_) => assert!(fate.starts_with("returned, place ") && fate.ends_with("full"), "{fate}"),
            None if answer.listed.iter().any(|tool| is(&tool.source, &tool.tool)) => {
                assert!(fate.starts_with("listed by "), "{fate}");
            }
            None => assert!(fate.starts_with("not returned: "), "{fate}"),
        }
    }
}

#[tokio::test]
async fn an_unknown_part_of_the_answer_is_refused() {
    let mut router = TestRouter::start().await;
    let mut request = query_request(QUERY);
    request.output = Some(Output { include: vec![Include::Directory.into(), 9], ..Default::default() });
    assert_violation(router.router.select_tools(request).await, "output.include[1]", "9 is not a value this service knows");
}
