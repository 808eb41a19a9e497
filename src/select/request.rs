//! What is asked for, checked: limits and defaults of the contract in one place.

use std::collections::HashSet;

use crate::catalog::TenantCatalog;
use crate::compact::profile::{Profile, Style};
use crate::compact::{Counter, Counters, Fidelity, Format};
use crate::condense::{self, Called, MAX_USER_TURNS, Role, Turn};
use crate::error::Violation;
use crate::index::allow::Allowed;
use crate::tool::{TokenCount, ToolId};

/// Longest query, in bytes. A turn is a few sentences; what is longer is a document that was pasted.
pub const MAX_QUERY_BYTES: usize = 32 * 1024;
/// Most turns of a conversation: an agent's day. What is longer is a log, and nobody reads it here.
pub const MAX_TURNS: usize = 1_000;
/// Most `max_tools`: what packing looks at.
pub const MAX_TOOLS_LIMIT: u32 = 200;
/// Most pinned or explained tools.
pub const MAX_PINNED: usize = 50;
/// Most entries of a scope.
const MAX_SCOPE_ENTRIES: usize = 1_000;
/// A cap that leaves a model's context for the conversation and still holds about ten tools.
const DEFAULT_MAX_TOKENS: u32 = 1_500;
/// Past about twenty tools models choose worse, whatever the cap.
const DEFAULT_MAX_TOOLS: u32 = 20;

/// A request as it came in: absent and 0 differ, names are text.
#[derive(Clone, Debug, Default)]
pub struct Input {
    /// The user's request; `None` when the field is missing.
    pub query: Option<String>,
    /// A conversation instead, oldest turn first.
    pub conversation: Option<Vec<Turn>>,
    /// Which tools may be returned.
    pub scope: Scope,
    /// The cap in tokens.
    pub max_tokens: Option<u32>,
    /// The tokenizer's name.
    pub tokenizer: Option<String>,
    /// Most tools.
    pub max_tools: Option<u32>,
    /// Tools to return however unlikely they are.
    pub min_tools: Option<u32>,
    /// How likely a tool has to be.
    pub min_confidence: Option<f32>,
    /// How much less likely than the best it may be.
    pub margin: Option<f32>,
    /// The format.
    pub format: Option<Format>,
    /// The dialect of the schemas.
    pub profile: Option<Profile>,
    /// Mark what is not pinned as deferred.
    pub defer_loading: bool,
    /// Give the tools as references too.
    pub tool_references: bool,
    /// Give the others as lines of text.
    pub directory: bool,
    /// The list before, to be kept; `None` where lists are made for their turn alone.
    pub previous: Option<Vec<Previous>>,
    /// Tools that come first.
    pub pinned: Vec<ToolId>,
    /// Give reasons.
    pub explain: bool,
    /// Tools to explain.
    pub explain_tools: Vec<ToolId>,
}

/// A tool as the list before had it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Previous {
    /// Who it is.
    pub id: ToolId,
    /// How much was shown.
    pub fidelity: Fidelity,
    /// The hash of its definition; empty where the caller does not say.
    pub hash: String,
}

/// Which tools may be returned. A tool passes when every list that is not empty admits it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Scope {
    /// Only these sources.
    pub sources: Vec<String>,
    /// Only these domains.
    pub domains: Vec<String>,
    /// Only tools with one of these tags.
    pub tags: Vec<String>,
    /// Only these tools.
    pub allow: Vec<ToolId>,
    /// Never these tools.
    pub deny: Vec<ToolId>,
}

impl Scope {
    /// True when it excludes nothing.
    #[must_use]
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// The enabled tools that pass.
    #[must_use]
    pub fn narrow(&self, catalog: &TenantCatalog) -> Allowed {
        if self.is_everything() {
            return catalog.enabled().clone();
        }
        let mut allowed = Allowed::none(catalog.slots());
        for slot in catalog.enabled().iter() {
            let Some(entry) = catalog.at(slot) else { continue };
            let tool = &entry.record.tool;
            let admits = |list: &[String], text: &str| list.is_empty() || list.iter().any(|l| l == text);
            let passes = admits(&self.sources, tool.id.source())
                && (self.domains.is_empty() || tool.domain.as_deref().is_some_and(|d| admits(&self.domains, d)))
                && (self.tags.is_empty() || tool.tags.iter().any(|tag| self.tags.contains(tag)))
                && (self.allow.is_empty() || self.allow.contains(&tool.id))
                && !self.deny.contains(&tool.id);
            if passes {
                allowed.insert(slot);
            }
        }
        allowed
    }

    fn entries(&self) -> usize {
        self.sources.len() + self.domains.len() + self.tags.len() + self.allow.len() + self.deny.len()
    }
}

/// How much may be returned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Budget {
    /// The cap on the whole list.
    pub max_tokens: TokenCount,
    /// Whose tokens.
    pub tokenizer: Counter,
    /// Most tools.
    pub max_tools: usize,
    /// Tools to return however unlikely they are.
    pub min_tools: usize,
}

/// A number in `[0, 1]`, comparable to the last bit, so that requests can be remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Share(u32);

impl Share {
    /// `None` outside `[0, 1]`, NaN included.
    #[must_use]
    pub fn new(number: f32) -> Option<Self> {
        // Adding 0 turns -0 into 0.
        (0.0..=1.0).contains(&number).then(|| Self((number + 0.0).to_bits()))
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> f32 {
        f32::from_bits(self.0)
    }
}

/// A request that can be answered.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Request {
    /// The user's request, of a conversation the last user turn: not blank, at most [`MAX_QUERY_BYTES`].
    pub query: String,
    /// What is read of the conversation; empty where a query was asked.
    pub turns: Vec<Turn>,
    /// Which tools may be returned.
    pub scope: Scope,
    /// How much may be returned.
    pub budget: Budget,
    /// How likely a tool has to be; `None`: as calibrated for all of them together, anything for each.
    pub min_confidence: Option<Share>,
    /// How much less likely than the best a tool may be, as a share of it.
    pub margin: Option<Share>,
    /// In what shape.
    pub format: Format,
    /// In whose dialect of JSON Schema.
    pub profile: Profile,
    /// Whether what is not pinned is marked as deferred.
    pub defer_loading: bool,
    /// Whether the tools are given as references too.
    pub tool_references: bool,
    /// Give the others as lines of text.
    pub directory: bool,
    /// The list before, to be kept; `None` where lists are made for their turn alone.
    pub previous: Option<Vec<Previous>>,
    /// Tools that come first.
    pub pinned: Vec<ToolId>,
    /// Give reasons.
    pub explain: bool,
    /// Tools to explain.
    pub explain_tools: Vec<ToolId>,
}

impl Request {
    /// Checks `input` and fills in the defaults, with the two exact vocabularies as tokenizers.
    ///
    /// # Errors
    /// Every field that is wrong, with its limit and value.
    pub fn check(input: Input) -> Result<Self, Vec<Violation>> {
        Self::check_among(input, &Counters::default())
    }

    /// The same, where the tokenizers are `counters`.
    ///
    /// # Errors
    /// As those of [`check`](Self::check).
    pub fn check_among(input: Input, counters: &Counters) -> Result<Self, Vec<Violation>> {
        let mut violations = Vec::new();
        let mut wrong = |field: &str, description: String| violations.push(Violation::new(field, description));
        let (query, turns) = match (input.query, input.conversation) {
            (Some(_), Some(_)) => {
                wrong("conversation", "stands beside query: give one of them".into());
                Default::default()
            }
            (query, None) => (asked(query.unwrap_or_default(), &mut wrong), Vec::new()),
            (None, Some(turns)) => conversed(turns, &mut wrong),
        };
        if input.max_tokens == Some(0) {
            wrong("budget.max_tokens", format!("is 0, 1 is the least; leave it out for {DEFAULT_MAX_TOKENS}"));
        }
        let max_tools = input.max_tools.unwrap_or(DEFAULT_MAX_TOOLS);
        if max_tools == 0 || MAX_TOOLS_LIMIT < max_tools {
            wrong(
                "budget.max_tools",
                format!("is {max_tools}, it must be 1 to {MAX_TOOLS_LIMIT}; leave it out for {DEFAULT_MAX_TOOLS}"),
            );
        }
        let min_tools = input.min_tools.unwrap_or(0);
        if max_tools < min_tools {
            wrong("budget.min_tools", format!("is {min_tools}, more than max_tools, which is {max_tools}"));
        }
        for (field, number) in [("min_confidence", input.min_confidence), ("relative_margin", input.margin)] {
            if let Some(number) = number.filter(|number| Share::new(*number).is_none()) {
                wrong(field, format!("is {number}, it must be 0 to 1"));
            }
        }
        let tokenizer = input.tokenizer.as_deref().map_or(Some(counters.default_counter()), |name| counters.get(name)).cloned();
        if tokenizer.is_none() {
            let name = input.tokenizer.unwrap_or_default();
            wrong("budget.tokenizer", format!("{name:?} is unknown; known are {}", counters.names()));
        }
        let format = input.format.unwrap_or(Format::OpenAiChat);
        if input.defer_loading && !format.can_defer() {
            let able =
                Format::ALL.into_iter().filter(|format| format.can_defer()).map(Format::name).collect::<Vec<_>>().join(" and ");
            wrong("output.defer_loading", format!("is for {able}, and the format is {}", format.name()));
        }
        if input.tool_references && format != Format::Anthropic {
            wrong("output.tool_references", format!("is for anthropic, and the format is {}", format.name()));
        }
        for (field, list) in [("pinned", &input.pinned), ("explain_tools", &input.explain_tools)] {
            if MAX_PINNED < list.len() {
                wrong(field, format!("has {} entries, the limit is {MAX_PINNED}", list.len()));
            }
        }
        let previous = input.previous.as_ref().map_or(0, Vec::len);
        if previous > MAX_TOOLS_LIMIT as usize {
            wrong("continuity.previous_tools", format!("has {previous} entries, the limit is {MAX_TOOLS_LIMIT}"));
        }
        let mut known = HashSet::new();
        for (i, tool) in input.previous.iter().flatten().enumerate().filter(|(_, tool)| !known.insert(&tool.id)).take(1) {
            wrong(&format!("continuity.previous_tools[{i}]"), format!("names {} a second time", tool.id));
        }
        if MAX_SCOPE_ENTRIES < input.scope.entries() {
            wrong("scope", format!("has {} entries, the limit is {MAX_SCOPE_ENTRIES}", input.scope.entries()));
        }
        match (tokenizer, violations.is_empty()) {
            (Some(tokenizer), true) => Ok(Self {
                query,
                turns,
                scope: input.scope,
                budget: Budget {
                    max_tokens: TokenCount(input.max_tokens.unwrap_or(DEFAULT_MAX_TOKENS)),
                    tokenizer,
                    max_tools: max_tools as usize,
                    min_tools: min_tools as usize,
                },
                min_confidence: input.min_confidence.and_then(Share::new),
                margin: input.margin.and_then(Share::new),
                format,
                profile: input.profile.unwrap_or_default(),
                defer_loading: input.defer_loading,
                tool_references: input.tool_references,
                directory: input.directory,
                previous: input.previous,
                pinned: input.pinned,
                explain: input.explain,
                explain_tools: input.explain_tools,
            }),
            _ => Err(violations),
        }
    }

    /// How a tool is written.
    pub(super) fn style(&self, is_pinned: bool) -> Style {
        Style { format: self.format, profile: self.profile, deferred: self.defer_loading && !is_pinned }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let ids = |ids: &[ToolId]| ids.iter().map(|id| id.source().len() + id.name().len() + 64).sum::<usize>();
        let texts = |texts: &[String]| texts.iter().map(|text| text.len() + 24).sum::<usize>();
        let call = |call: &Called| match call {
            Called::Id(id) => id.source().len() + id.name().len() + 64,
            Called::ModelName(name) => name.len() + 64,
        };
        let turn = |turn: &Turn| size_of::<Turn>() + turn.text.len() + turn.calls.iter().map(call).sum::<usize>();
        let scope = &self.scope;
        size_of::<Self>()
            + self.query.len()
            + self.turns.iter().map(turn).sum::<usize>()
            + [&scope.allow, &scope.deny, &self.pinned, &self.explain_tools].into_iter().map(|list| ids(list)).sum::<usize>()
            + self
                .previous
                .iter()
                .flatten()
                .map(|p| size_of::<Previous>() + p.id.source().len() + p.id.name().len() + p.hash.len())
                .sum::<usize>()
            + [&scope.sources, &scope.domains, &scope.tags].into_iter().map(|list| texts(list)).sum::<usize>()
    }
}

/// A query, within its limits.
fn asked(query: String, wrong: &mut impl FnMut(&str, String)) -> String {
    if query.trim().is_empty() {
        wrong("query", if query.is_empty() { "is empty".into() } else { "is blank".into() });
    } else if MAX_QUERY_BYTES < query.len() {
        wrong("query", format!("has {} bytes, the limit is {MAX_QUERY_BYTES}", query.len()));
    }
    query
}

/// The last user turn of a conversation, and what is read of all.
fn conversed(turns: Vec<Turn>, wrong: &mut impl FnMut(&str, String)) -> (String, Vec<Turn>) {
    if MAX_TURNS < turns.len() {
        let words = format!(
            "has {} entries, the limit is {MAX_TURNS}: the last are enough, no more than {MAX_USER_TURNS} user turns are read",
            turns.len()
        );
        wrong("conversation.turns", words);
        return Default::default();
    }
    let says = |turn: &Turn| turn.role == Role::User && !turn.text.trim().is_empty();
    let Some((at, last)) = turns.iter().enumerate().rfind(|(_, turn)| says(turn)) else {
        let none = if turns.is_empty() { "is empty" } else { "has no user turn that says anything" };
        wrong("conversation.turns", none.into());
        return Default::default();
    };
    if MAX_QUERY_BYTES < last.text.len() {
        let words = format!("has {} bytes, the limit for the last user turn is {MAX_QUERY_BYTES}", last.text.len());
        wrong(&format!("conversation.turns[{at}].text"), words);
        return Default::default();
    }
    (last.text.clone(), condense::recent(turns))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact::Tokenizer;

    fn said(role: Role, text: &str) -> Turn {
        Turn { role, text: text.into(), calls: Vec::new() }
    }

    fn conversation(turns: Vec<Turn>) -> Input {
        Input { conversation: Some(turns), ..Input::default() }
    }

    #[test]
    fn a_conversation_needs_a_user_turn_within_its_limits() {
        let user = |text: &str| said(Role::User, text);
        check(conversation(vec![]), "conversation.turns", "is empty");
        check(
            conversation(vec![said(Role::Assistant, "hi"), user(" ")]),
            "conversation.turns",
            "has no user turn that says anything",
        );
        check(conversation(vec![user("x"); 1_001]), "conversation.turns", "has 1001 entries, the limit is 1000");
        let long = conversation(vec![user("hi"), user(&"x".repeat(1 << 20)), said(Role::Tool, "y")]);
        check(long, "conversation.turns[1].text", "has 1048576 bytes, the limit for the last user turn is 32768");
        check(Input { query: Some("x".into()), ..conversation(vec![user("x")]) }, "conversation", "stands beside query");
        // Long texts that are not read are no fault.
        let paged = vec![user(&"first ".repeat(1 << 18)), said(Role::Tool, &"y".repeat(1 << 20)), user("now read it")];
        let request = Request::check(conversation(paged)).unwrap();
        assert_eq!(request.query, "now read it");
        assert!(request.bytes() < 5_000);
    }

    fn input() -> Input {
        Input { query: Some("read a file".into()), ..Input::default() }
    }

    #[track_caller]
    fn check(input: Input, field: &str, words: &str) {
        let violations = Request::check(input).unwrap_err();
        assert!(violations.iter().any(|v| v.field == field && v.description.contains(words)), "{violations:?}");
    }

    #[test]
    fn defaults_are_those_of_the_contract() {
        let request = Request::check(input()).unwrap();
        let tokenizer = Counter::exact(Tokenizer::O200kBase);
        assert_eq!(request.budget, Budget { max_tokens: TokenCount(1_500), tokenizer, max_tools: 20, min_tools: 0 });
        assert_eq!(request.format, Format::OpenAiChat);
    }

    #[test]
    fn every_bad_field_is_named_with_its_limit_and_value() {
        check(Input { query: None, ..input() }, "query", "is empty");
        check(Input { query: Some(" \n".into()), ..input() }, "query", "is blank");
        check(Input { query: Some("x".repeat(32_769)), ..input() }, "query", "has 32769 bytes, the limit is 32768");
        check(Input { max_tokens: Some(0), ..input() }, "budget.max_tokens", "is 0");
        check(Input { max_tools: Some(0), ..input() }, "budget.max_tools", "is 0, it must be 1 to 200");
        check(Input { max_tools: Some(201), ..input() }, "budget.max_tools", "is 201");
        check(Input { min_tools: Some(21), ..input() }, "budget.min_tools", "is 21, more than max_tools, which is 20");
        check(Input { min_confidence: Some(1.5), ..input() }, "min_confidence", "is 1.5, it must be 0 to 1");
        check(Input { margin: Some(f32::NAN), ..input() }, "relative_margin", "is NaN, it must be 0 to 1");
        check(
            Input { tokenizer: Some("gpt2".into()), ..input() },
            "budget.tokenizer",
            "\"gpt2\" is unknown; known are o200k_base, cl100k_base",
        );
        let anthropic = Input { format: Some(Format::Anthropic), defer_loading: true, tool_references: true, ..input() };
        assert!(Request::check(anthropic.clone()).is_ok());
        check(
            Input { format: Some(Format::Gemini), ..anthropic.clone() },
            "output.defer_loading",
            "is for anthropic and openai_responses, and the format is gemini",
        );
        check(Input { format: None, ..anthropic }, "output.tool_references", "is for anthropic, and the format is openai_chat");
        let id = ToolId::new("s", "t").unwrap();
        check(Input { pinned: vec![id; 51], ..input() }, "pinned", "has 51 entries, the limit is 50");
    }

    #[test]
    fn all_violations_come_together() {
        let bad = Input { query: None, max_tokens: Some(0), ..Input::default() };
        assert_eq!(Request::check(bad).unwrap_err().len(), 2);
    }
}
