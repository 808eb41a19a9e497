//! How sure the router is that tools fit, and what is held back for being unlikely. The weights are made up for the hashing embedder: see
//! `support/weights.rs`.

use tool_router::config::{Config, NoMatch};
use tool_router::rpc::proto::*;

use crate::support::weights::{configure, vector, weights};
use crate::support::{TestRouter, assert_violation, cleared, names, query_request, tool};

/// What some tool is for.
const NEAR: &str = "read a file from the disk";
/// Shares no word with any tool.
const FAR: &str = "sing me your lullaby";

fn catalogue() -> Vec<(&'static str, Vec<ToolDefinition>)> {
    let files = [
        tool("read_file", "Read a file from the disk."),
        tool("write_file", "Write a file to the disk."),
        tool("list_folder", "List what is in a folder of the disk."),
    ];
    let mail = [tool("send_mail", "Send a mail to somebody."), tool("count_mails", "Count mails that nobody opened.")];
    vec![("files", files.into()), ("mail", mail.into())]
}

/// The same, as a caller brings it.
fn offered() -> Vec<OfferedTool> {
    let of = |(source, tools): (&'static str, Vec<ToolDefinition>)| {
        tools.into_iter().map(move |tool| OfferedTool { source: source.into(), definition: Some(tool) })
    };
    catalogue().into_iter().flat_map(of).collect()
}

/// A router with `weights` and the catalogue.
async fn start(weights: &serde_json::Value) -> TestRouter {
    fill(TestRouter::start_with(|config| configure(config, weights)).await).await
}

/// One that knows no confidence.
async fn uncalibrated() -> TestRouter {
    fill(TestRouter::start().await).await
}

async fn fill(mut router: TestRouter) -> TestRouter {
    for (source, tools) in catalogue() {
        router.register(source, tools).await;
    }
    router
}

fn reference(source: &str, tool: &str) -> ToolRef {
    ToolRef { source: source.into(), tool: tool.into() }
}

/// Its reason and its words.
fn no_match(answer: &SelectToolsResponse) -> (no_match::Reason, String) {
    assert_eq!((answer.tools.len(), answer.prompt.as_str()), (0, ""));
    let no_match = answer.no_match.as_ref().unwrap();
    (no_match.reason(), no_match.detail.clone())
}

/// Changes the budget.
fn budget(budget: Budget) -> impl FnOnce(&mut SelectToolsRequest) {
    move |request| request.budget = Some(budget)
}

#[tokio::test]
async fn confidence_is_high_for_what_a_tool_is_for_and_falls_down_the_list() {
    let mut router = start(&weights()).await;
    let answer = router.select(NEAR).await;
    assert!(answer.confidence.is_some_and(|confidence| (0.9..=1.0).contains(&confidence)), "{:?}", answer.confidence);
    assert_eq!(names(&answer)[0], "files/read_file");
    assert_eq!(answer.tools.len(), 5, "a list that is returned is not cut by itself");
    let of_tools: Vec<f32> = answer.tools.iter().map(|tool| tool.confidence.unwrap()).collect();
    assert!(of_tools.iter().all(|confidence| (0.0..=1.0).contains(confidence)), "{of_tools:?}");
    assert!(of_tools.is_sorted_by(|a, b| a >= b) && of_tools[4] < of_tools[0] / 2.0, "{of_tools:?}");
    assert_eq!((answer.no_match, answer.degraded_reason.as_str()), (None, ""));
}

#[tokio::test]
async fn nothing_is_returned_for_a_request_that_no_tool_is_for() {
    let mut router = start(&weights()).await;
    let explain = vec![reference("files", "read_file"), reference("files", "nowhere")];
    let answer = router.select_with(FAR, |request| request.explain_tools = explain).await;
    let confidence = answer.confidence.unwrap();
    assert!((0.0..0.2).contains(&confidence), "{confidence}");
    let detail = format!("nothing seems to fit: the confidence that any tool does is {confidence:.3}, the least is 0.200");
    assert_eq!(no_match(&answer), (no_match::Reason::LowConfidence, detail.clone()));
    assert_eq!(answer.dropped, [], "five tools that do not fit are nothing to miss");
    let fates: Vec<&str> = answer.explanations.iter().map(|explanation| explanation.fate.as_str()).collect();
    assert_eq!(fates, [format!("not returned: {detail}").as_str(), "not returned: files/nowhere is not registered"]);
    assert!(answer.explanations[0].rank.is_some(), "it was ranked, and held back");
}

#[tokio::test]
async fn how_readily_nothing_is_said_to_fit_can_be_set() {
    let mut strict_weights = weights();
    strict_weights["confidence"]["abstain_strictly_below"] = 0.999_999.into();
    let tools = async |weights: serde_json::Value, no_match: NoMatch| {
        let set = move |config: &mut Config| {
            configure(config, &weights);
            config.ranking.no_match = no_match;
        };
        let mut router = fill(TestRouter::start_with(set).await).await;
        (router.select(NEAR).await.tools.len(), router.select(FAR).await.tools.len())
    };
    assert_eq!(tools(strict_weights.clone(), NoMatch::Mild).await, (5, 0));
    assert_eq!(tools(strict_weights.clone(), NoMatch::Strict).await, (0, 0));
    assert_eq!(tools(strict_weights, NoMatch::Never).await, (5, 5));
    assert_eq!(tools(weights(), NoMatch::Strict).await, (5, 0), "a file without a strict threshold has one");
}

#[tokio::test]
async fn a_request_like_talk_is_less_likely_to_need_a_tool() {
    let talk = "read me a story";
    let mut with_talk = weights();
    with_talk["confidence"]["talk"] = vector(talk).into();
    let (mut plain, mut telling) = (start(&weights()).await, start(&with_talk).await);
    let ask = |request: &mut SelectToolsRequest| request.min_confidence = Some(0.0);
    let plainly = plain.select_with(talk, ask).await;
    let told = telling.select_with(talk, ask).await;
    assert!(told.confidence < plainly.confidence, "{:?} {:?}", told.confidence, plainly.confidence);
    assert_eq!(names(&told), names(&plainly), "talk says nothing of the order");
    assert_eq!(no_match(&telling.select(talk).await).0, no_match::Reason::LowConfidence);
    assert_eq!(names(&telling.select(NEAR).await).len(), 5, "what a tool is for is no talk");
}

#[tokio::test]
async fn a_caller_can_have_unlikely_tools() {
    let mut router = start(&weights()).await;
    let answer = router.select_with(FAR, |request| request.min_confidence = Some(0.0)).await;
    assert_eq!((answer.tools.len(), answer.no_match.as_ref()), (5, None));
    let held = router.select_with(FAR, |request| request.min_confidence = Some(0.2)).await;
    assert_eq!(no_match(&held).0, no_match::Reason::LowConfidence);

    let two = Budget { min_tools: Some(2), ..Default::default() };
    let best = names(&answer)[..2].to_vec();
    let answer = router
        .select_with(FAR, |request| {
            request.budget = Some(two.clone());
            request.explain_tools =
                catalogue().iter().flat_map(|(source, tools)| tools.iter().map(|tool| reference(source, &tool.name))).collect();
        })
        .await;
    assert_eq!((names(&answer), answer.no_match.clone()), (best, None));
    // The others were held back too: that others ranked higher is not why.
    let held = answer.explanations.iter().filter(|e| e.fate.starts_with("not returned: nothing seems to fit: ")).count();
    assert_eq!(held, 3, "{:?}", answer.explanations);
    // A wish for two is no wish for two that do not fit under the cap.
    let tiny = Budget { max_tokens: Some(5), ..two };
    assert_eq!(no_match(&router.select_with(FAR, budget(tiny)).await).0, no_match::Reason::OverBudget);
}

#[tokio::test]
async fn pinned_tools_are_never_held_back() {
    let mut router = start(&weights()).await;
    let answer = router
        .select_with(FAR, |request| {
            (request.pinned, request.min_confidence) = (vec![reference("mail", "send_mail")], Some(1.0));
            request.explain_tools = vec![reference("files", "read_file")];
        })
        .await;
    assert_eq!((names(&answer), answer.no_match.as_ref()), (vec!["mail/send_mail".to_owned()], None));
    assert!(answer.confidence.is_some_and(|confidence| confidence < 0.2), "{:?}", answer.confidence);
    assert!(answer.tools[0].confidence.is_some());
    let fate = &answer.explanations[0].fate;
    assert!(fate.starts_with("not returned: nothing seems to fit: ") && fate.ends_with("the least is 1.000"), "{fate}");
}

#[tokio::test]
async fn a_request_that_names_a_tool_is_never_held_back() {
    // Nothing is likely by these numbers.
    let mut hopeless = weights();
    hopeless["confidence"]["bias"] = (-100).into();
    let mut router = start(&hopeless).await;
    assert_eq!(no_match(&router.select(NEAR).await).0, no_match::Reason::LowConfidence);
    let named = format!("{FAR} with count_mails");
    let answer = router.select(&named).await;
    assert_eq!((names(&answer)[0].as_str(), answer.no_match), ("mail/count_mails", None));
    assert!(answer.confidence.is_some_and(|confidence| confidence < 0.001));
    // Asked for more, the named one alone stays.
    let answer = router.select_with(&named, |request| request.min_confidence = Some(0.9)).await;
    assert_eq!((names(&answer), answer.dropped.len()), (vec!["mail/count_mails".to_owned()], 4));
}

#[tokio::test]
async fn a_high_least_cuts_the_list_and_says_what_it_cut() {
    let mut sure = weights();
    sure["confidence"]["bias"] = 0.into();
    let mut router = start(&sure).await;
    let whole = router.select(NEAR).await;
    let explain = vec![reference("mail", "send_mail")];
    let cut =
        router.select_with(NEAR, |request| (request.min_confidence, request.explain_tools) = (Some(0.99), explain.clone())).await;
    let likely = |tool: &&SelectedTool| 0.99 <= tool.confidence.unwrap();
    let (stay, go): (Vec<&SelectedTool>, Vec<&SelectedTool>) = whole.tools.iter().partition(likely);
    assert!(!stay.is_empty() && !go.is_empty(), "{:?}", whole.tools);
    assert_eq!(cut.tools.iter().collect::<Vec<_>>(), stay);
    for (dropped, tool) in cut.dropped.iter().zip(&go) {
        assert_eq!(
            (&dropped.source, &dropped.tool, dropped.reason()),
            (&tool.source, &tool.tool, dropped_tool::Reason::LowConfidence)
        );
        assert_eq!(dropped.detail, format!("its confidence is {:.3}, the least is 0.990", tool.confidence.unwrap()));
    }
    assert_eq!(cut.dropped.len(), go.len());
    assert!(cut.explanations[0].fate.starts_with("not returned: its confidence is 0."), "{:?}", cut.explanations);

    // At least two stay, the first two.
    let two = router
        .select_with(NEAR, |request| {
            (request.min_confidence, request.budget) = (Some(0.9999), Some(Budget { min_tools: Some(2), ..Default::default() }));
        })
        .await;
    assert_eq!(names(&two), names(&whole)[..2]);

    // What comes after the last place is not reported, but explained all the same.
    let one = router
        .select_with(NEAR, |request| {
            (request.min_confidence, request.explain_tools) = (Some(0.99), explain);
            request.budget = Some(Budget { max_tools: Some(1), ..Default::default() });
        })
        .await;
    assert_eq!((names(&one), one.dropped.len()), (vec!["files/read_file".to_owned()], 0));
    assert!(one.explanations[0].fate.starts_with("not returned: its confidence is 0."), "{:?}", one.explanations);
}

#[tokio::test]
async fn where_some_tool_fits_but_none_is_likely_enough_the_best_ones_figure_is_given() {
    let mut split = weights();
    split["confidence"]["tool"]["bias"] = (-4).into();
    let mut router = start(&split).await;
    let best = router.select(NEAR).await;
    let (any, first) = (best.confidence.unwrap(), best.tools[0].confidence.unwrap());
    let least = f32::midpoint(any, first);
    assert!(first < least && least < any, "{first} {any}");
    let answer = router.select_with(NEAR, |request| request.min_confidence = Some(least)).await;
    let detail = format!("nothing seems to fit: the confidence that any tool does is {first:.3}, the least is {least:.3}");
    assert_eq!(no_match(&answer), (no_match::Reason::LowConfidence, detail));
}

#[tokio::test]
async fn a_margin_leaves_the_best_and_what_is_close_to_it() {
    for (mut router, calibrated) in [(start(&weights()).await, true), (uncalibrated().await, false)] {
        let whole = router.select(NEAR).await;
        let of = |tool: &SelectedTool| if calibrated { tool.confidence.unwrap() } else { tool.score };
        let best = of(&whole.tools[0]);
        let mut lengths = Vec::new();
        for margin in [0.0, 0.1, 0.5, 0.9, 1.0] {
            let answer = router.select_with(NEAR, |request| request.relative_margin = Some(margin)).await;
            let least = best * (1.0 - margin);
            let (stay, go): (Vec<&SelectedTool>, Vec<&SelectedTool>) = whole.tools.iter().partition(|tool| least <= of(tool));
            assert_eq!(answer.tools.iter().collect::<Vec<_>>(), stay, "{margin}");
            let reasons: Vec<_> = answer.dropped.iter().map(DroppedTool::reason).collect();
            assert_eq!(reasons, vec![dropped_tool::Reason::LowConfidence; go.len()]);
            assert_eq!((answer.degraded_reason.as_str(), answer.no_match), ("", None));
            lengths.push(answer.tools.len());
        }
        assert!((1..lengths[4]).contains(&lengths[1]) && lengths.is_sorted(), "{lengths:?}");
    }
}

/// A share of a negative score once lay above it, so that a margin left out the best tool too.
#[tokio::test]
async fn a_margin_keeps_the_best_where_every_score_is_negative() {
    let mut router = TestRouter::start().await;
    // Found by trying: their pieces fall on the same dimensions with opposite signs.
    router.register("z", vec![tool("q", "")]).await;
    let mut words = ('a'..='z').flat_map(|a| ('a'..='z').map(move |b| format!("{a}{b}{a}")));
    let negative = loop {
        let word = words.next().unwrap();
        let answer = router.select(&word).await;
        if answer.tools[0].score < -0.05 {
            break word;
        }
    };
    let answer = router.select_with(&negative, |request| request.relative_margin = Some(0.1)).await;
    assert_eq!((names(&answer), answer.no_match), (vec!["z/q".to_owned()], None));
}

#[tokio::test]
async fn without_calibration_there_is_no_confidence_and_the_answer_says_what_was_not_done() {
    let mut router = uncalibrated().await;
    for query in [NEAR, FAR] {
        let answer = router.select(query).await;
        assert_eq!((answer.confidence, answer.tools.len(), answer.degraded_reason.as_str()), (None, 5, ""));
        assert!(answer.tools.iter().all(|tool| tool.confidence.is_none()));
    }
    let answer = router.select_with(NEAR, |request| request.min_confidence = Some(0.9)).await;
    assert_eq!((answer.tools.len(), answer.mode()), (5, Mode::Semantic));
    let words = "min_confidence was not applied: no confidence is known for this answer";
    assert_eq!(answer.degraded_reason, words);
    // No moment would change that, so it is remembered like any other.
    let again = router.select_with(NEAR, |request| request.min_confidence = Some(0.9)).await;
    assert_eq!(again.meta.as_ref().unwrap().cache, "answer");
    assert_eq!(cleared(again), cleared(answer));
    let answer = router.select_with(NEAR, |request| request.min_confidence = Some(0.0)).await;
    assert_eq!(answer.degraded_reason, "", "0 holds nothing back, and nothing was held back");
}

#[tokio::test]
async fn an_answer_by_words_carries_no_confidence() {
    let router = TestRouter::start_with(|config| {
        configure(config, &weights());
        // Less than is kept back for ranking, so no embedder is quick enough.
        config.server.default_deadline_ms = 1;
    });
    let mut router = fill(router.await).await;
    let answer = router.select_with(NEAR, |request| request.min_confidence = Some(0.9)).await;
    assert_eq!((answer.mode(), answer.confidence), (Mode::Lexical, None));
    assert!(!answer.tools.is_empty() && answer.tools.iter().all(|tool| tool.confidence.is_none()));
    assert!(answer.degraded_reason.ends_with("; min_confidence was not applied: no confidence is known for this answer"));
    // A margin has scores to go by.
    let shorter = router.select_with(NEAR, |request| request.relative_margin = Some(0.1)).await;
    assert!((1..answer.tools.len()).contains(&shorter.tools.len()), "{:?}", names(&shorter));
}

#[tokio::test]
async fn bad_values_are_refused_with_field_value_and_range() {
    let mut router = start(&weights()).await;
    let mut check =
        async |min_confidence: Option<f32>, relative_margin: Option<f32>, budget: Budget, field: &str, words: &str| {
            let budget = Some(budget);
            let select = SelectToolsRequest { min_confidence, relative_margin, budget: budget.clone(), ..query_request(NEAR) };
            assert_violation(router.router.select_tools(select).await, field, words);
            let (query, tools) = (NEAR.into(), offered());
            let rank = RankToolsRequest { query, tools, min_confidence, relative_margin, budget, ..Default::default() };
            assert_violation(router.router.rank_tools(rank).await, field, words);
        };
    let any = Budget::default();
    for (number, words) in
        [(1.5, "is 1.5, it must be 0 to 1"), (f32::NAN, "is NaN, it must be 0 to 1"), (-0.1, "is -0.1, it must be 0 to 1")]
    {
        check(Some(number), None, any.clone(), "min_confidence", words).await;
        check(None, Some(number), any.clone(), "relative_margin", words).await;
    }
    check(Some(f32::INFINITY), None, any.clone(), "min_confidence", "is inf, it must be 0 to 1").await;
    check(None, Some(2.0), any, "relative_margin", "is 2, it must be 0 to 1").await;
    let more = Budget { min_tools: Some(4), max_tools: Some(3), ..Default::default() };
    check(None, None, more, "budget.min_tools", "is 4, more than max_tools, which is 3").await;
    let more = Budget { min_tools: Some(21), ..Default::default() };
    check(None, None, more, "budget.min_tools", "is 21, more than max_tools, which is 20").await;
    // The ends of the range are in it.
    for end in [0.0, 1.0, -0.0] {
        router.select_with(NEAR, |request| (request.min_confidence, request.relative_margin) = (Some(end), Some(end))).await;
    }
}

#[tokio::test]
async fn brought_tools_are_held_back_like_registered_ones() {
    let mut registered = start(&weights()).await;
    // Another router that has none of them.
    let mut empty = TestRouter::start_with(|config| configure(config, &weights())).await;
    let mut lengths = std::collections::BTreeSet::new();
    let wishes = [
        (None, None, None),
        (Some(0.0), None, None),
        (Some(0.9), None, None),
        (None, Some(0.1), None),
        (Some(1.0), Some(0.0), Some(2)),
    ];
    for query in [NEAR, FAR] {
        for (min_confidence, relative_margin, min_tools) in wishes {
            let budget = Some(Budget { min_tools, ..Default::default() });
            let explain_tools = vec![reference("mail", "send_mail")];
            let expected = registered
                .select_with(query, |request| {
                    (request.min_confidence, request.relative_margin) = (min_confidence, relative_margin);
                    (request.budget, request.explain_tools) = (budget.clone(), explain_tools.clone());
                })
                .await;
            let (query, tools) = (query.to_owned(), offered());
            let request =
                RankToolsRequest { query, tools, budget, explain_tools, min_confidence, relative_margin, ..Default::default() };
            let ranked = empty.router.rank_tools(request).await.unwrap().into_inner().selection.unwrap();
            lengths.insert(ranked.tools.len());
            assert_eq!(cleared(ranked), SelectToolsResponse { catalog_version: String::new(), ..cleared(expected) });
        }
    }
    assert!(lengths.contains(&0) && lengths.contains(&2) && lengths.contains(&5), "the wishes made a difference: {lengths:?}");
}
