//! What is taken, what is not, and in which words.

use super::*;
use crate::catalog::{Entry, Record, State, Version};
use crate::clock::ManualClock;
use crate::compact::Costs;
use crate::outcomes::Cited;
use crate::tool::{Document, ModelName, TenantId, Tool};

fn catalog() -> TenantCatalog {
    let entry = |name: &str, state| {
        let tool = Tool::new(ToolId::new("files", name).unwrap(), "Does it.".into(), Document::empty());
        let model_name = ModelName::choose(&tool.id, |_| false);
        let record = Record {
            fingerprint: tool.fingerprint(),
            costs: Costs::of(&tool, &model_name),
            state,
            position: 0,
            registered_at_ms: 0,
            updated_at_ms: 0,
            model_name,
            tool,
        };
        Arc::new(Entry::new(record, |_| None))
    };
    let entries = vec![entry("read", State::Enabled), entry("old", State::Disabled)];
    TenantCatalog::build(TenantId::default(), Version { epoch: 1, number: 1 }, entries, 1)
}

fn reporter() -> Reporter {
    let clock = ManualClock::default();
    clock.set_ms(1_740_000_000_000);
    Reporter::new(Arc::new(Outcomes::new(true)), Arc::new(clock))
}

fn input(tool: &str) -> Input {
    Input {
        tool: Wanted::Id(ToolId::new("files", tool).unwrap()),
        outcome: Outcome::Ok,
        error_class: String::new(),
        latency_ms: None,
        input_tokens: None,
        output_tokens: None,
        selection_id: String::new(),
        call_id: String::new(),
        traceparent: String::new(),
        place: None,
    }
}

#[track_caller]
fn check(input: Input, field: &str, words: &str) {
    let report = reporter().report(&catalog(), "", vec![Ok(input)]).unwrap();
    let violation = &report.refused[0].violation;
    assert_eq!((violation.field.as_str(), violation.description.as_str()), (field, words));
    assert!(report.accepted.is_empty() && report.duplicates == 0);
}

#[test]
fn what_is_wrong_is_told_with_field_limit_and_value() {
    let of = |change: fn(&mut Input)| {
        let mut input = input("read");
        change(&mut input);
        input
    };
    let range = "it must be 0 to 86400000";
    check(of(|i| i.latency_ms = Some(-1.0)), "latency_ms", &format!("is -1.0, {range}"));
    check(of(|i| i.latency_ms = Some(f64::NAN)), "latency_ms", &format!("is NaN, {range}"));
    check(of(|i| i.latency_ms = Some(f64::INFINITY)), "latency_ms", &format!("is inf, {range}"));
    check(of(|i| i.latency_ms = Some(1e308)), "latency_ms", &format!("is 1e308, {range}"));
    check(of(|i| i.latency_ms = Some(86_400_001.0)), "latency_ms", &format!("is 86400001.0, {range}"));
    check(of(|i| i.input_tokens = Some(u64::MAX)), "input_tokens", "is 18446744073709551615, the limit is 100000000");
    check(of(|i| i.output_tokens = Some(100_000_001)), "output_tokens", "is 100000001, the limit is 100000000");
    check(of(|i| i.place = Some(0)), "place", "is 0, it must be 1 to 1000");
    check(of(|i| i.place = Some(u32::MAX)), "place", "is 4294967295, it must be 1 to 1000");
    check(of(|i| i.error_class = "a".repeat(65)), "error_class", "has 65 bytes, the limit is 64");
    let words = "is \"no such file\\n\", it may hold A-Z, a-z, 0-9, `_`, `.` and `-`";
    check(of(|i| i.error_class = "no such file\n".into()), "error_class", words);
    check(of(|i| i.call_id = "é".repeat(100)), "call_id", "has 200 bytes, the limit is 128");
    check(of(|i| i.selection_id = "a".repeat(1_000)), "selection_id", "has 1000 bytes, the limit is 64");
    check(input("write"), "tool", "tool files/write is not registered");
    check(of(|i| i.tool = Wanted::ModelName("write".into())), "model_name", "no tool has the model name \"write\"");
    let long = of(|i| i.tool = Wanted::ModelName("é".repeat(1 << 20)));
    let report = reporter().report(&catalog(), "", vec![Ok(long)]).unwrap();
    let refused = &report.refused[0];
    assert!(refused.violation.description.len() <= MAX_DETAIL_BYTES + 3 && refused.refusal == Refusal::UnknownTool);
}

#[test]
fn a_report_of_none_or_too_many_is_refused_whole() {
    let (reporter, catalog) = (reporter(), catalog());
    let refused = |n: usize| reporter.report(&catalog, "", vec![Ok(input("read")); n]).unwrap_err().to_string();
    assert_eq!(refused(0), "outcomes: is empty: report at least one");
    assert_eq!(refused(501), "outcomes: has 501 entries, the limit is 500");
    assert_eq!(reporter.report(&catalog, "", vec![Ok(input("read")); 500]).unwrap().accepted.len(), 500);
}

#[test]
fn the_edges_of_the_limits_are_taken_and_garbage_of_a_trace_is_left_out() {
    let most = Input {
        latency_ms: Some(MAX_LATENCY_MS),
        input_tokens: Some(MAX_TOKENS),
        output_tokens: Some(0),
        place: Some(MAX_PLACE),
        error_class: "http_503.a-B".into(),
        traceparent: "00-garbage".into(),
        ..input("old")
    };
    let least = Input { latency_ms: Some(-0.0), place: Some(1), tool: Wanted::ModelName("read".into()), ..input("read") };
    let traced = Input { traceparent: format!("00-{}-{}-01", "4b".repeat(16), "0a".repeat(8)), ..input("read") };
    let inputs = vec![Ok(most), Err(Violation::new("outcome", "is not said")), Ok(least), Ok(traced.clone())];
    let report = reporter().report(&catalog(), "planner", inputs).unwrap();
    assert_eq!((report.accepted.len(), report.refused.len(), report.refused[0].index), (3, 1, 1));
    assert_eq!(report.accepted[0].tool.name(), "old", "a disabled tool counts");
    assert_eq!(report.accepted[0].latency, Some(Duration::from_secs(86_400)));
    assert_eq!(report.accepted[1].latency, Some(Duration::ZERO));
    assert_eq!((&*report.accepted[1].agent, report.accepted[1].selection), ("planner", Cited::Nothing));
    assert_eq!((report.accepted[0].traceparent.as_str(), &report.accepted[2].traceparent), ("", &traced.traceparent));
}

#[test]
fn memory_fills_in_what_a_report_leaves_out() {
    let (reporter, catalog) = (reporter(), catalog());
    let tool = ToolId::new("files", "read").unwrap();
    let shown = |tenant: TenantId| Shown {
        tenant,
        tools: [(tool.clone(), 3)].into(),
        traceparent: "00-a".into(),
        agent: "planner".into(),
    };
    reporter.outcomes.shown(SelectionId(5), shown(TenantId::default()), 0);
    reporter.outcomes.shown(SelectionId(6), shown(TenantId::new("other")), 0);
    let of = |id: &str, call: &str| Input { selection_id: id.into(), call_id: call.into(), place: Some(9), ..input("read") };
    let known = SelectionId(5).to_string();
    let not_in_it = Input { tool: Wanted::ModelName("old".into()), ..of(&known, "") };
    let inputs = [of(&known, "c"), of(&known, "c"), of(&SelectionId(6).to_string(), "c"), of("nonsense", ""), not_in_it];
    let report = reporter.report(&catalog, "", inputs.into_iter().map(Ok).collect()).unwrap();
    assert_eq!((report.accepted.len(), report.duplicates), (4, 1));
    let told = |counted: &Counted| (counted.selection, counted.place, counted.agent.to_string(), counted.traceparent.clone());
    assert_eq!(told(&report.accepted[0]), (Cited::Known, Some(3), "planner".into(), "00-a".into()));
    assert_eq!(told(&report.accepted[1]), (Cited::Unknown, Some(9), String::new(), String::new()), "another tenant's is unknown");
    assert_eq!(told(&report.accepted[2]), (Cited::Unknown, Some(9), String::new(), String::new()));
    assert_eq!(told(&report.accepted[3]), (Cited::Known, Some(9), "planner".into(), "00-a".into()));
    let again = reporter.report(&catalog, "critic", vec![Ok(of(&known, "d"))]).unwrap();
    assert_eq!(&*again.accepted[0].agent, "critic", "who reports knows best");
}
