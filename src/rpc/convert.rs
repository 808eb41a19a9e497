//! Between messages and the core's words, field by field. No defaults with a meaning, no decisions.

use super::proto;
use crate::arguments::{Checked, Verdict};
use crate::browse::{Call, Wanted};
use crate::catalog::alike::LookAlikes;
use crate::catalog::{Entry, State};
use crate::compact::profile::Profile;
use crate::compact::{Fidelity, Format, Line, Tokenizer};
use crate::condense::{Called, Role, Turn};
use crate::error::Violation;
use crate::index::Engine;
use crate::register::{Candidate, Diff};
use crate::select::{Answer, Change, DropCause, Input, Mode, NoMatch, Previous, Scope, Trace};
use crate::tool::{Document, ToolId};

/// Which parts of an answer to send.
#[derive(Clone, Copy, Debug)]
pub(super) struct Include {
    prompt: bool,
    definitions: bool,
    directory: bool,
}

/// Longest name of a conversation, in bytes.
const MAX_SESSION_BYTES: usize = 200;

pub(super) fn input(request: proto::SelectToolsRequest) -> Result<(Input, Include), Vec<Violation>> {
    let mut violations = Vec::new();
    let scope = request.scope.unwrap_or_default();
    let budget = request.budget.unwrap_or_default();
    let output = request.output.unwrap_or_default();
    let mut ids = |field: &str, refs: Vec<proto::ToolRef>| tool_ids(field, refs, &mut violations);
    let scope = Scope {
        sources: scope.sources,
        domains: scope.domains,
        tags: scope.tags,
        allow: ids("scope.allow", scope.allow),
        deny: ids("scope.deny", scope.deny),
    };
    let (pinned, explain_tools) = (ids("pinned", request.pinned), ids("explain_tools", request.explain_tools));
    let format = match proto::Format::try_from(output.format) {
        Ok(proto::Format::Unspecified) => None,
        Ok(proto::Format::OpenaiChat) => Some(Format::OpenAiChat),
        Ok(proto::Format::Anthropic) => Some(Format::Anthropic),
        Ok(proto::Format::Mcp) => Some(Format::Mcp),
        Ok(proto::Format::OpenaiResponses) => Some(Format::OpenAiResponses),
        Ok(proto::Format::Gemini) => Some(Format::Gemini),
        Err(_) => {
            violations.push(unknown("output.format", output.format));
            None
        }
    };
    let profile = profile("output.schema_profile", output.schema_profile).unwrap_or_else(|violation| {
        violations.push(violation);
        None
    });
    let previous = request.continuity.map(|continuity| previous(continuity, &mut violations));
    let mut include = Include { prompt: output.include.is_empty(), definitions: output.include.is_empty(), directory: false };
    for (i, number) in output.include.iter().enumerate() {
        match proto::Include::try_from(*number) {
            Ok(proto::Include::Prompt) => include.prompt = true,
            Ok(proto::Include::Definitions) => include.definitions = true,
            Ok(proto::Include::Directory) => include.directory = true,
            Ok(proto::Include::Unspecified) | Err(_) => violations.push(unknown(&format!("output.include[{i}]"), *number)),
        }
    }
    let (query, conversation) = match request.input {
        Some(proto::select_tools_request::Input::Query(query)) => (Some(query), None),
        Some(proto::select_tools_request::Input::Conversation(conversation)) => {
            (None, Some(turns(conversation.turns, &mut violations)))
        }
        None => (None, None),
    };
    let input = Input {
        query,
        conversation,
        scope,
        max_tokens: budget.max_tokens,
        tokenizer: budget.tokenizer,
        max_tools: budget.max_tools,
        min_tools: budget.min_tools,
        min_confidence: request.min_confidence,
        margin: request.relative_margin,
        format,
        profile,
        defer_loading: output.defer_loading,
        tool_references: output.tool_references,
        directory: include.directory,
        previous,
        pinned,
        explain: request.explain,
        explain_tools,
    };
    if violations.is_empty() { Ok((input, include)) } else { Err(violations) }
}

/// The caller's name for the conversation; empty where there is none.
pub(super) fn session(continuity: Option<&proto::Continuity>) -> String {
    continuity.map_or_else(String::new, |continuity| continuity.session_id.clone())
}

/// The list before, as the caller had it.
fn previous(continuity: proto::Continuity, violations: &mut Vec<Violation>) -> Vec<Previous> {
    if MAX_SESSION_BYTES < continuity.session_id.len() {
        let words = format!("has {} bytes, the limit is {MAX_SESSION_BYTES}", continuity.session_id.len());
        violations.push(Violation::new("continuity.session_id", words));
    }
    let mut tools = Vec::with_capacity(continuity.previous_tools.len());
    for (i, tool) in continuity.previous_tools.into_iter().enumerate() {
        let field = format!("continuity.previous_tools[{i}]");
        let fidelity = match proto::Fidelity::try_from(tool.fidelity) {
            Ok(proto::Fidelity::Skeleton) => Ok(Fidelity::Skeleton),
            Ok(proto::Fidelity::Lean) => Ok(Fidelity::Lean),
            Ok(proto::Fidelity::Full) => Ok(Fidelity::Full),
            Ok(proto::Fidelity::Unspecified) => Err(Violation::new(format!("{field}.fidelity"), "is missing")),
            Err(_) => Err(unknown(&format!("{field}.fidelity"), tool.fidelity)),
        };
        match (tool_id(&field, &proto::ToolRef { source: tool.source, tool: tool.tool }), fidelity) {
            (Ok(id), Ok(fidelity)) => tools.push(Previous { id, fidelity, hash: tool.definition_hash }),
            (id, fidelity) => violations.extend(id.err().into_iter().chain(fidelity.err())),
        }
    }
    tools
}

/// The tools that a caller brings, each with its source.
pub(super) type Offer = Vec<(String, Candidate)>;

/// A request with the tools that the caller brings.
pub(super) fn offer(request: proto::RankToolsRequest) -> Result<(Input, Include, Offer), Vec<Violation>> {
    let proto::RankToolsRequest {
        query,
        tools,
        budget,
        output,
        pinned,
        explain,
        explain_tools,
        min_confidence,
        relative_margin,
        continuity,
        conversation,
    } = request;
    let asked = match conversation {
        Some(_) if !query.is_empty() => {
            return Err(vec![Violation::new("conversation", "stands beside query: give one of them")]);
        }
        Some(conversation) => proto::select_tools_request::Input::Conversation(conversation),
        None => proto::select_tools_request::Input::Query(query),
    };
    let as_selection = proto::SelectToolsRequest {
        input: Some(asked),
        scope: None,
        budget,
        output,
        pinned,
        explain,
        explain_tools,
        min_confidence,
        relative_margin,
        continuity,
        min_catalog_version: None,
        keep_replay: false,
    };
    let (input, include) = input(as_selection)?;
    let missing = |i: usize| Violation::new(format!("tools[{i}].definition"), "is missing");
    let lacking: Vec<Violation> =
        tools.iter().enumerate().filter(|(_, tool)| tool.definition.is_none()).map(|(i, _)| missing(i)).collect();
    if !lacking.is_empty() {
        return Err(lacking);
    }
    let offered = tools.into_iter().filter_map(|tool| Some((tool.source, candidate(tool.definition?))));
    Ok((input, include, offered.collect()))
}

/// `None` for "not said".
pub(super) fn profile(field: &str, number: i32) -> Result<Option<Profile>, Violation> {
    match proto::SchemaProfile::try_from(number) {
        Ok(proto::SchemaProfile::Unspecified) => Ok(None),
        Ok(proto::SchemaProfile::Raw) => Ok(Some(Profile::Raw)),
        Ok(proto::SchemaProfile::Lean) => Ok(Some(Profile::Lean)),
        Ok(proto::SchemaProfile::OpenaiStrict) => Ok(Some(Profile::OpenAiStrict)),
        Ok(proto::SchemaProfile::Gemini) => Ok(Some(Profile::Gemini)),
        Err(_) => Err(unknown(field, number)),
    }
}

pub(super) fn unknown(field: &str, number: i32) -> Violation {
    Violation::new(field, format!("{number} is not a value this service knows"))
}

fn turns(turns: Vec<proto::Turn>, violations: &mut Vec<Violation>) -> Vec<Turn> {
    let mut known = Vec::with_capacity(turns.len());
    for (i, turn) in turns.into_iter().enumerate() {
        let field = format!("conversation.turns[{i}]");
        let role = match proto::turn::Role::try_from(turn.role) {
            Ok(proto::turn::Role::User) => Role::User,
            Ok(proto::turn::Role::Assistant) => Role::Assistant,
            Ok(proto::turn::Role::Tool) => Role::Tool,
            Ok(proto::turn::Role::Unspecified) => {
                violations.push(Violation::new(format!("{field}.role"), "is not said: it must be user, assistant or tool"));
                continue;
            }
            Err(_) => {
                violations.push(unknown(&format!("{field}.role"), turn.role));
                continue;
            }
        };
        let mut calls = Vec::with_capacity(turn.tool_calls.len());
        for (at, call) in turn.tool_calls.into_iter().enumerate() {
            let field = format!("{field}.tool_calls[{at}]");
            match (call.source.is_empty(), call.tool.is_empty()) {
                (true, true) => violations.push(Violation::new(format!("{field}.tool"), "is empty")),
                (true, false) => calls.push(Called::ModelName(call.tool)),
                (false, _) => match tool_id(&field, &call) {
                    Ok(id) => calls.push(Called::Id(id)),
                    Err(violation) => violations.push(violation),
                },
            }
        }
        known.push(Turn { role, text: turn.text, calls });
    }
    known
}

pub(super) fn tool_id(field: &str, reference: &proto::ToolRef) -> Result<ToolId, Violation> {
    // The message calls the tool's name `tool`.
    ToolId::new(&reference.source, &reference.tool).map_err(|v| {
        let field_name = if v.field == "name" { "tool" } else { &v.field };
        Violation::new(format!("{field}.{field_name}"), v.description)
    })
}

pub(super) fn tool_ids(field: &str, refs: Vec<proto::ToolRef>, violations: &mut Vec<Violation>) -> Vec<ToolId> {
    let mut ids = Vec::with_capacity(refs.len());
    for (i, reference) in refs.into_iter().enumerate() {
        match tool_id(&format!("{field}[{i}]"), &reference) {
            Ok(id) => ids.push(id),
            Err(violation) => violations.push(violation),
        }
    }
    ids
}

pub(super) fn answer(
    answer: &Answer,
    include: Include,
    explain: bool,
    trace: &Trace,
    ids: (String, String, String),
) -> proto::SelectToolsResponse {
    let saved_tokens = answer.usage.saved();
    let tools = answer.tools.iter().map(|tool| proto::SelectedTool {
        source: tool.id.source().to_owned(),
        tool: tool.id.name().to_owned(),
        model_name: tool.model_name.as_str().to_owned(),
        score: tool.score,
        confidence: tool.confidence,
        fidelity: fidelity(tool.fidelity).into(),
        tokens: tool.tokens.0,
        definition_json: if include.definitions { tool.definition.clone() } else { String::new() },
        reasons: if explain { tool.reasons.clone() } else { Vec::new() },
        schema_profile: match tool.profile {
            Profile::Raw => proto::SchemaProfile::Raw,
            Profile::Lean => proto::SchemaProfile::Lean,
            Profile::OpenAiStrict => proto::SchemaProfile::OpenaiStrict,
            Profile::Gemini => proto::SchemaProfile::Gemini,
        }
        .into(),
        profile_lossy: tool.is_lossy,
        profile_detail: tool.profile_detail.clone(),
        definition_hash: tool.hash.clone(),
    });
    let listed = answer.listed.iter().map(|tool| proto::ListedTool {
        source: tool.id.source().to_owned(),
        tool: tool.id.name().to_owned(),
        model_name: tool.model_name.as_str().to_owned(),
        score: tool.score,
        confidence: tool.confidence,
        line: match tool.line {
            Line::Name => proto::listed_tool::Line::Name,
            Line::Signature => proto::listed_tool::Line::Signature,
        }
        .into(),
        tokens: tool.tokens.0,
        reasons: if explain { tool.reasons.clone() } else { Vec::new() },
    });
    let continuity = answer.stay.as_ref().map(|stay| proto::ListContinuity {
        change: match stay.change {
            Change::First => proto::list_continuity::Change::First,
            Change::Appended => proto::list_continuity::Change::Appended,
            Change::Rebuilt => proto::list_continuity::Change::Rebuilt,
        }
        .into(),
        kept_tools: number(stay.kept_tools),
        detail: stay.detail.clone(),
    });
    let dropped = answer.dropped.iter().map(|dropped| {
        use proto::dropped_tool::Reason;
        let reason = match dropped.cause {
            DropCause::OverBudget { .. } => Reason::OverBudget,
            DropCause::MaxTools { .. } => Reason::MaxTools,
            DropCause::LowConfidence { .. } => Reason::LowConfidence,
            DropCause::NotMissed => Reason::NotMissed,
            DropCause::NotFound => Reason::NotFound,
            DropCause::Disabled => Reason::Disabled,
            DropCause::OutOfScope => Reason::OutOfScope,
        };
        proto::DroppedTool {
            source: dropped.id.source().to_owned(),
            tool: dropped.id.name().to_owned(),
            reason: reason.into(),
            detail: dropped.detail.clone(),
        }
    });
    let explanations = answer.explanations.iter().map(|explanation| proto::ToolExplanation {
        source: explanation.id.source().to_owned(),
        tool: explanation.id.name().to_owned(),
        fate: explanation.fate.clone(),
        rank: explanation.rank.map(number),
        score: explanation.score,
        reasons: explanation.reasons.clone(),
    });
    let stages = trace.stages.iter().map(|timed| proto::StageTiming {
        stage: timed.stage.name().to_owned(),
        micros: u64::try_from(timed.took.as_micros()).unwrap_or(u64::MAX),
    });
    proto::SelectToolsResponse {
        tools: tools.collect(),
        prompt: if include.prompt { answer.prompt.clone() } else { String::new() },
        usage: Some(proto::Usage {
            eligible_tokens: answer.usage.eligible_tokens,
            returned_tokens: answer.usage.returned.0,
            saved_tokens,
            max_tokens: answer.usage.max_tokens.0,
            eligible_tools: number(answer.usage.eligible_tools),
            overhead_tokens: answer.usage.overhead.0,
            directory_tokens: answer.usage.directory.0,
        }),
        no_match: answer.no_match.map(no_match),
        confidence: answer.confidence,
        dropped: dropped.collect(),
        mode: match answer.mode {
            Mode::Semantic => proto::Mode::Semantic,
            Mode::Lexical => proto::Mode::Lexical,
        }
        .into(),
        degraded_reason: answer.degraded_reason.clone(),
        catalog_version: answer.version.to_string(),
        explanations: explanations.collect(),
        tool_references_json: answer.tool_references.clone(),
        condensed: answer.condensed.clone(),
        directory: answer.directory.clone(),
        listed: listed.collect(),
        continuity,
        meta: Some(proto::ResponseMeta {
            selection_id: ids.0,
            trace_id: ids.1,
            traceparent: ids.2,
            stages: stages.collect(),
            engine: trace.engine.map_or("", Engine::name).to_owned(),
            cache: trace.answered.name().to_owned(),
        }),
    }
}

fn no_match(why: NoMatch) -> proto::NoMatch {
    use proto::no_match::Reason;
    let reason = match why {
        NoMatch::EmptyCatalog { .. } => Reason::EmptyCatalog,
        NoMatch::EmptyScope { .. } => Reason::EmptyScope,
        NoMatch::NothingRelevant => Reason::NothingRelevant,
        NoMatch::LowConfidence { .. } => Reason::LowConfidence,
        NoMatch::OverBudget { .. } => Reason::OverBudget,
    };
    proto::NoMatch { reason: reason.into(), detail: why.detail() }
}

fn fidelity(fidelity: Fidelity) -> proto::Fidelity {
    match fidelity {
        Fidelity::Skeleton => proto::Fidelity::Skeleton,
        Fidelity::Lean => proto::Fidelity::Lean,
        Fidelity::Full => proto::Fidelity::Full,
    }
}

/// Counts on the wire are 32 bits; a catalogue of four billion tools fits no memory.
pub(super) fn number(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

pub(super) fn candidate(definition: proto::ToolDefinition) -> Candidate {
    Candidate {
        name: definition.name,
        title: definition.title,
        description: definition.description,
        input_schema_json: definition.input_schema_json,
        output_schema_json: definition.output_schema_json,
        annotations_json: definition.annotations_json,
        extra_json: definition.extra_json,
        domain: definition.domain,
        tags: definition.tags,
        examples: definition.examples,
    }
}

pub(super) fn calls(calls: Vec<proto::ToolCall>, violations: &mut Vec<Violation>) -> Vec<Call> {
    let mut known = Vec::with_capacity(calls.len());
    for (i, call) in calls.into_iter().enumerate() {
        let wanted = match (call.tool, call.model_name.is_empty()) {
            (Some(tool), true) => {
                let ids = tool_ids(&format!("calls[{i}].tool"), vec![tool], violations);
                ids.into_iter().next().map(Wanted::Id)
            }
            (None, false) => Some(Wanted::ModelName(call.model_name)),
            (Some(_), false) | (None, true) => {
                let words = "names its tool by `tool` or by `model_name`: give one of them";
                violations.push(Violation::new(format!("calls[{i}]"), words));
                None
            }
        };
        match (wanted, profile(&format!("calls[{i}].made_for"), call.made_for)) {
            (Some(wanted), Ok(made_for)) => {
                known.push(Call { wanted, arguments: call.arguments_json, made_for: made_for.unwrap_or_default() });
            }
            (None, Ok(_)) => {}
            (_, Err(violation)) => violations.push(violation),
        }
    }
    known
}

pub(super) fn checked(checked: Result<Checked, String>) -> proto::CheckedCall {
    use proto::checked_call::Verdict as Wire;
    let (verdict, errors, detail, arguments_json) = match checked {
        Err(detail) => (Wire::NotFound, Vec::new(), detail, String::new()),
        Ok(Checked { verdict: Verdict::Valid, arguments }) => (Wire::Valid, Vec::new(), String::new(), arguments),
        Ok(Checked { verdict: Verdict::Unchecked(why), arguments }) => (Wire::Unchecked, Vec::new(), why, arguments),
        Ok(Checked { verdict: Verdict::Invalid(errors), arguments }) => {
            let errors = errors.into_iter();
            let errors = errors.map(|e| proto::ArgumentError { path: e.path, description: e.description }).collect();
            (Wire::Invalid, errors, String::new(), arguments)
        }
    };
    proto::CheckedCall { verdict: verdict.into(), errors, arguments_json, detail }
}

pub(super) fn registered(entry: &Entry) -> proto::RegisteredTool {
    let record = &entry.record;
    proto::RegisteredTool {
        source: record.tool.id.source().to_owned(),
        definition: Some(definition(&record.tool)),
        model_name: record.model_name.as_str().to_owned(),
        state: state(record.state).into(),
        fingerprint: record.fingerprint.to_string(),
        registered_at_ms: record.registered_at_ms,
        updated_at_ms: record.updated_at_ms,
        tokens: record.costs.get(Format::OpenAiChat, Fidelity::Full, Tokenizer::O200kBase).0,
    }
}

/// A tool as its publisher wrote it.
pub(super) fn definition(tool: &crate::tool::Tool) -> proto::ToolDefinition {
    let document = |d: &Option<Document>| d.as_ref().map(|d| d.text().to_owned());
    proto::ToolDefinition {
        name: tool.id.name().to_owned(),
        title: tool.title.clone(),
        description: tool.description.clone(),
        input_schema_json: tool.input_schema.text().to_owned(),
        output_schema_json: document(&tool.output_schema),
        annotations_json: document(&tool.annotations),
        extra_json: document(&tool.extra),
        domain: tool.domain.clone(),
        tags: tool.tags.clone(),
        examples: tool.examples.clone(),
    }
}

fn state(state: State) -> proto::ToolState {
    match state {
        State::Enabled => proto::ToolState::Enabled,
        State::Disabled => proto::ToolState::Disabled,
    }
}

/// `None` for "not said".
pub(super) fn to_state(field: &str, number: i32) -> Result<Option<State>, Violation> {
    match proto::ToolState::try_from(number) {
        Ok(proto::ToolState::Unspecified) => Ok(None),
        Ok(proto::ToolState::Enabled) => Ok(Some(State::Enabled)),
        Ok(proto::ToolState::Disabled) => Ok(Some(State::Disabled)),
        Err(_) => Err(unknown(field, number)),
    }
}

pub(super) fn diff(diff: Diff) -> proto::CatalogDiff {
    proto::CatalogDiff { added: diff.added, changed: diff.changed, removed: diff.removed, unchanged: number(diff.unchanged) }
}

/// What was found, and how many there are in all.
pub(super) fn look_alikes(found: LookAlikes) -> (Vec<proto::LookAlike>, u32) {
    let told = found.told.into_iter().map(|l| proto::LookAlike {
        tool: l.tool.name().to_owned(),
        other: Some(proto::ToolRef { source: l.other.source().to_owned(), tool: l.other.name().to_owned() }),
        similarity: l.similarity,
        shared_words: l.shared_words,
        same_name: l.same_name,
    });
    (told.collect(), number(found.all))
}
