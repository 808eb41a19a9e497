//! What a tool must not carry into a catalogue: text that a person cannot see, and schemas that cannot be read alone.
//!
//! A tool's text goes straight into a model's prompt, so whoever publishes it writes there. Every check is structural and on
//! the text as it was sent: the same tool gets the same verdict on every machine, offline, in well under a millisecond, and a
//! reviewer can see why. Judging what a text *means* is left to rules that only ask for review
//! (text classifiers trained on public attack sets find a tenth of unseen attacks and flag honest tools).
//!
//! [`scan`] cannot fail: findings are its answer, not an error.

mod findings;
mod normalise;
mod path;
mod schema;
mod unicode;
mod verdict;

pub use normalise::normalise;
pub use verdict::{Finding, Rule, Verdict};

use crate::json::Json;
use crate::tool::{Document, Tool};

use findings::Findings;
use path::Path;
use unicode::Place;

/// Looks at everything the publisher wrote. At most 16 findings and one that counts the rest, in the order of the tool's
/// fields; none exactly when the verdict is [`Verdict::Allow`].
#[must_use]
pub fn scan(tool: &Tool) -> (Verdict, Vec<Finding>) {
    let mut findings = Findings::default();
    scan_text(&Path::new("source"), tool.id.source(), Place::Name, &mut findings);
    scan_text(&Path::new("name"), tool.id.name(), Place::Name, &mut findings);
    if let Some(title) = &tool.title {
        scan_text(&Path::new("title"), title, Place::Text, &mut findings);
    }
    scan_text(&Path::new("description"), &tool.description, Place::Text, &mut findings);
    if let Some(domain) = &tool.domain {
        scan_text(&Path::new("domain"), domain, Place::Name, &mut findings);
    }
    scan_list("tags", &tool.tags, Place::Name, &mut findings);
    scan_list("examples", &tool.examples, Place::Text, &mut findings);

    let input_schema = tool.input_schema.json();
    scan_json(&mut Path::new("input_schema"), &input_schema, &mut findings);
    schema::check_root_type("input_schema", &input_schema, &mut findings);
    schema::check("input_schema", &input_schema, &mut findings);
    if let Some(output_schema) = tool.output_schema.as_ref().map(Document::json) {
        scan_json(&mut Path::new("output_schema"), &output_schema, &mut findings);
        schema::check("output_schema", &output_schema, &mut findings);
    }
    for (field, document) in [("annotations", &tool.annotations), ("extra", &tool.extra)] {
        if let Some(json) = document.as_ref().map(Document::json) {
            scan_json(&mut Path::new(field), &json, &mut findings);
        }
    }
    findings.finish()
}

fn scan_text(path: &Path<'_>, text: &str, place: Place, findings: &mut Findings) {
    unicode::find(text, place, |hidden| findings.add(Rule::HiddenCharacter, || path.to_string(), || hidden.to_string()));
}

fn scan_list(field: &'static str, texts: &[String], place: Place, findings: &mut Findings) {
    let mut path = Path::new(field);
    for (i, text) in texts.iter().enumerate() {
        path.inside_element(i, |path| scan_text(path, text, place, findings));
    }
}

/// Every string and every key. Recursion is as deep as the document, which [`Document::parse`] bounded.
fn scan_json<'a>(path: &mut Path<'a>, json: &'a Json, findings: &mut Findings) {
    match json {
        Json::String(text) => scan_text(path, text, Place::Text, findings),
        Json::Array(elements) => {
            for (i, element) in elements.iter().enumerate() {
                path.inside_element(i, |path| scan_json(path, element, findings));
            }
        }
        Json::Object(members) => {
            for (key, value) in members {
                unicode::find(key, Place::Name, |hidden| {
                    findings.add(
                        Rule::HiddenCharacter,
                        || format!("{path}: key \"{}\"", unicode::shown(key)),
                        || hidden.to_string(),
                    );
                });
                path.inside_member(key, |path| scan_json(path, value, findings));
            }
        }
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

#[cfg(test)]
mod tests;
