//! Foreign text becomes a [`Tool`], or a list of everything that is wrong with it.
//!
//! Every importer and the wire come through here, so a limit is checked in one place and an error names the field as its sender wrote it.

use std::collections::HashMap;

use crate::error::Violation;
use crate::gate::{self, Verdict};
use crate::tool::{Document, MAX_SCHEMA_DEPTH, Tool, ToolId};

/// Most tools of one batch or chunk.
pub const MAX_BATCH_TOOLS: usize = 1_000;
/// Most tools that a caller may bring for one request.
pub const MAX_OFFERED_TOOLS: usize = 200;
/// Most bytes of one batch or chunk.
pub const MAX_BATCH_BYTES: usize = 8 * 1024 * 1024;
/// Most tools of one source's whole list.
pub const MAX_LIST_TOOLS: usize = 100_000;
/// Most bytes of one source's whole list: it is held in memory until it is complete.
pub const MAX_LIST_BYTES: usize = 256 * 1024 * 1024;
/// Most bytes of one tool.
pub const MAX_TOOL_BYTES: usize = 256 * 1024;
/// Most tags of one tool.
pub const MAX_TAGS: usize = 64;
/// Most example requests of one tool: each is embedded.
pub const MAX_EXAMPLES: usize = 32;
/// Longest domain, tag or example, in bytes.
pub const MAX_LABEL_BYTES: usize = 1_024;
/// Most violations that are reported: a batch of a thousand bad tools has one cause.
const MAX_VIOLATIONS: usize = 50;
/// What a tool without arguments accepts.
const NO_ARGUMENTS: &str = r#"{"type":"object","properties":{}}"#;

/// A tool as it came in, nothing checked. Fields as in `ToolDefinition` of the wire contract.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "the same fields as `Tool`, unchecked")]
pub struct Candidate {
    pub name: String,
    pub title: Option<String>,
    pub description: String,
    pub input_schema_json: String,
    pub output_schema_json: Option<String>,
    pub annotations_json: Option<String>,
    pub extra_json: Option<String>,
    pub domain: Option<String>,
    pub tags: Vec<String>,
    pub examples: Vec<String>,
}

impl Candidate {
    /// Bytes of all its texts.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let optional = |t: &Option<String>| t.as_ref().map_or(0, String::len);
        self.name.len()
            + optional(&self.title)
            + self.description.len()
            + self.input_schema_json.len()
            + optional(&self.output_schema_json)
            + optional(&self.annotations_json)
            + optional(&self.extra_json)
            + optional(&self.domain)
            + self.tags.iter().chain(&self.examples).map(String::len).sum::<usize>()
    }
}

/// Checks a batch: limits, every tool, no name twice.
///
/// # Errors
/// Everything that is wrong, fields as `tools[3].input_schema_json`; fifty at most.
pub fn validate_batch(source: &str, candidates: Vec<Candidate>) -> Result<Vec<Tool>, Vec<Violation>> {
    if candidates.is_empty() {
        return Err(vec![Violation::new("tools", "is empty: send at least one tool")]);
    }
    if MAX_BATCH_TOOLS < candidates.len() {
        return Err(vec![Violation::new(
            "tools",
            format!("has {} tools, the limit is {MAX_BATCH_TOOLS} per batch", candidates.len()),
        )]);
    }
    validate_list(source, candidates, 0)
}

/// Checks tools of which the first stands at `offset` in its list.
///
/// # Errors
/// As [`validate_batch`], without its limit on the number.
pub fn validate_list(source: &str, candidates: Vec<Candidate>, offset: usize) -> Result<Vec<Tool>, Vec<Violation>> {
    validate_all(candidates.into_iter().map(|candidate| (source.to_owned(), candidate)).collect(), offset)
}

/// Checks tools that a caller brings for one request, each with its source.
///
/// # Errors
/// As [`validate_batch`], with another limit on the number.
pub fn validate_offered(candidates: Vec<(String, Candidate)>) -> Result<Vec<Tool>, Vec<Violation>> {
    match candidates.len() {
        0 => Err(vec![Violation::new("tools", "is empty: send at least one tool")]),
        1..=MAX_OFFERED_TOOLS => validate_all(candidates, 0),
        n => {
            Err(vec![Violation::new("tools", format!("has {n} tools, the limit is {MAX_OFFERED_TOOLS}; register them instead"))])
        }
    }
}

fn validate_all(candidates: Vec<(String, Candidate)>, offset: usize) -> Result<Vec<Tool>, Vec<Violation>> {
    let bytes: usize = candidates.iter().map(|(_, candidate)| candidate.bytes()).sum();
    if MAX_BATCH_BYTES < bytes {
        let largest = candidates.iter().map(|(_, candidate)| candidate).enumerate().max_by_key(|(_, c)| c.bytes());
        let hint =
            largest.map_or_else(String::new, |(i, c)| format!("; the largest is tools[{}] with {}", offset + i, c.bytes()));
        return Err(vec![Violation::new("tools", format!("has {bytes} bytes, the limit is {MAX_BATCH_BYTES} per batch{hint}"))]);
    }
    let mut violations = Vec::new();
    let mut tools = Vec::with_capacity(candidates.len());
    let mut places: HashMap<(String, String), usize> = HashMap::new();
    for (i, (source, candidate)) in candidates.into_iter().enumerate() {
        let place = format!("tools[{}]", offset + i);
        if let Some(first) = places.insert((source.clone(), candidate.name.clone()), offset + i) {
            violations.push(Violation::new(
                format!("{place}.name"),
                format!("{:?} is also the name of tools[{first}]", candidate.name),
            ));
        }
        match validate(&source, candidate) {
            Ok(tool) => tools.push(tool),
            Err(found) => violations.extend(found.into_iter().map(|v| v.within(&place))),
        }
    }
    if violations.is_empty() {
        return Ok(tools);
    }
    let more = violations.len().saturating_sub(MAX_VIOLATIONS);
    if 0 < more {
        violations.truncate(MAX_VIOLATIONS);
        violations.push(Violation::new("tools", format!("{more} more violations are not listed")));
    }
    Err(violations)
}

fn validate(source: &str, candidate: Candidate) -> Result<Tool, Vec<Violation>> {
    let bytes = candidate.bytes();
    if MAX_TOOL_BYTES < bytes {
        let field = largest_field(&candidate);
        return Err(vec![Violation::new(
            field.0,
            format!("has {} bytes, a tool of {bytes} bytes is over the limit of {MAX_TOOL_BYTES}", field.1),
        )]);
    }
    let mut violations = Vec::new();
    let id = ToolId::new(source, &candidate.name).map_err(|v| violations.push(v)).ok();
    let mut document = |field: &str, text: &str| {
        let parsed =
            Document::parse(text).map_err(|e| format!("{e} (schemas are JSON objects, at most {MAX_SCHEMA_DEPTH} levels deep)"));
        parsed.map_err(|description| violations.push(Violation::new(field, description))).ok()
    };
    let input_text = if candidate.input_schema_json.trim().is_empty() { NO_ARGUMENTS } else { &candidate.input_schema_json };
    let input_schema = document("input_schema_json", input_text);
    let output_schema = candidate.output_schema_json.map(|text| document("output_schema_json", &text));
    let annotations = candidate.annotations_json.map(|text| document("annotations_json", &text));
    let extra = candidate.extra_json.map(|text| document("extra_json", &text));
    check_labels(&candidate.domain, &candidate.tags, &candidate.examples, &mut violations);
    let (Some(id), Some(input_schema), true) = (id, input_schema, violations.is_empty()) else { return Err(violations) };
    let tool = Tool {
        id,
        title: candidate.title,
        description: candidate.description,
        input_schema,
        output_schema: output_schema.flatten(),
        annotations: annotations.flatten(),
        extra: extra.flatten(),
        domain: candidate.domain,
        tags: candidate.tags,
        examples: candidate.examples,
    };
    match gate::scan(&tool) {
        (Verdict::Allow, _) => Ok(tool),
        (Verdict::Refuse, findings) => Err(findings.into_iter().map(Violation::from).collect()),
    }
}

/// Checks a tool that an importer read: the same limits and the same gate as for one that came over the wire.
///
/// # Errors
/// Everything that is wrong with it.
pub fn validate_tool(tool: Tool) -> Result<Tool, Vec<Violation>> {
    let text = |document: &Option<Document>| document.as_ref().map(|document| document.text().to_owned());
    let candidate = Candidate {
        name: tool.id.name().to_owned(),
        input_schema_json: tool.input_schema.text().to_owned(),
        output_schema_json: text(&tool.output_schema),
        annotations_json: text(&tool.annotations),
        extra_json: text(&tool.extra),
        title: tool.title,
        description: tool.description,
        domain: tool.domain,
        tags: tool.tags,
        examples: tool.examples,
    };
    validate(tool.id.source(), candidate)
}

fn check_labels(domain: &Option<String>, tags: &[String], examples: &[String], violations: &mut Vec<Violation>) {
    for (field, list, limit) in [("tags", tags, MAX_TAGS), ("examples", examples, MAX_EXAMPLES)] {
        if limit < list.len() {
            violations.push(Violation::new(field, format!("has {} entries, the limit is {limit}", list.len())));
        }
    }
    let labelled = domain.iter().map(|d| ("domain".to_owned(), d));
    let tags = tags.iter().enumerate().map(|(i, tag)| (format!("tags[{i}]"), tag));
    let examples = examples.iter().enumerate().map(|(i, example)| (format!("examples[{i}]"), example));
    for (field, text) in labelled.chain(tags).chain(examples) {
        if text.trim().is_empty() {
            violations.push(Violation::new(field, "is blank"));
        } else if MAX_LABEL_BYTES < text.len() {
            violations.push(Violation::new(field, format!("has {} bytes, the limit is {MAX_LABEL_BYTES}", text.len())));
        }
    }
}

/// Where most of an over-long tool's bytes are.
fn largest_field(candidate: &Candidate) -> (&'static str, usize) {
    let optional = |t: &Option<String>| t.as_ref().map_or(0, String::len);
    let list = |l: &[String]| l.iter().map(String::len).sum();
    let fields = [
        ("name", candidate.name.len()),
        ("title", optional(&candidate.title)),
        ("description", candidate.description.len()),
        ("input_schema_json", candidate.input_schema_json.len()),
        ("output_schema_json", optional(&candidate.output_schema_json)),
        ("annotations_json", optional(&candidate.annotations_json)),
        ("extra_json", optional(&candidate.extra_json)),
        ("tags", list(&candidate.tags)),
        ("examples", list(&candidate.examples)),
    ];
    fields.into_iter().max_by_key(|(_, bytes)| *bytes).unwrap_or(("name", 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(name: &str) -> Candidate {
        Candidate { name: name.into(), description: "Reads.".into(), ..Candidate::default() }
    }

    #[track_caller]
    fn check(candidate: Candidate, field: &str, words: &str) {
        let violations = validate_batch("s", vec![candidate]).unwrap_err();
        assert!(violations.iter().any(|v| v.field == field && v.description.contains(words)), "{violations:?}");
    }

    #[test]
    fn every_bad_field_is_named_with_its_limit_and_value() {
        check(candidate(""), "tools[0].name", "is empty");
        check(candidate(&"n".repeat(300)), "tools[0].name", "has 300 bytes, the limit is 256");
        let schema = |text: &str| Candidate { input_schema_json: text.into(), ..candidate("a") };
        check(schema("[1]"), "tools[0].input_schema_json", "is an array, not an object");
        check(schema("{"), "tools[0].input_schema_json", "not valid JSON");
        check(
            schema(&("{\"a\":".repeat(1_000) + "1" + &"}".repeat(1_000))),
            "tools[0].input_schema_json",
            "nested deeper than 64 levels",
        );
        check(schema(&format!("{{\"a\":\"{}\"}}", "x".repeat(10 << 20))), "tools", "the limit is 8388608 per batch");
        check(
            schema(&format!("{{\"a\":\"{}\"}}", "x".repeat(300_000))),
            "tools[0].input_schema_json",
            "over the limit of 262144",
        );
        check(Candidate { tags: vec!["t".into(); 65], ..candidate("a") }, "tools[0].tags", "has 65 entries, the limit is 64");
        check(Candidate { examples: vec![" ".into()], ..candidate("a") }, "tools[0].examples[0]", "is blank");
        check(Candidate { extra_json: Some("3".into()), ..candidate("a") }, "tools[0].extra_json", "is a number, not an object");
    }

    #[test]
    fn a_name_stands_once() {
        let violations = validate_batch("s", vec![candidate("a"), candidate("b"), candidate("a")]).unwrap_err();
        assert_eq!(violations, [Violation::new("tools[2].name", "\"a\" is also the name of tools[0]")]);
    }

    #[test]
    fn a_batch_is_bounded_and_a_tool_without_schema_takes_no_arguments() {
        assert_eq!(validate_batch("s", Vec::new()).unwrap_err()[0].description, "is empty: send at least one tool");
        let many = (0..1_001).map(|i| candidate(&format!("t{i}"))).collect();
        assert_eq!(validate_batch("s", many).unwrap_err()[0].description, "has 1001 tools, the limit is 1000 per batch");
        let tools = validate_batch("s", vec![candidate("a")]).unwrap();
        assert_eq!(tools[0].input_schema.text(), NO_ARGUMENTS);
    }

    #[test]
    fn violations_are_bounded() {
        let violations = validate_batch("s", (0..200).map(|_| candidate("")).collect()).unwrap_err();
        assert_eq!(violations.len(), MAX_VIOLATIONS + 1);
    }
}
