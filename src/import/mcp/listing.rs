//! From the texts of a list to tools: what is a tool is taken, what is not is named. One bad tool of a server's does not cost the others.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::import::entry::{self, Entry};
use crate::import::file::SourceOf;
use crate::tool::Tool;

/// A whole list.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// What can be registered, in the server's order; no two with the same name.
    pub tools: Vec<Tool>,
    /// What cannot.
    pub refused: Vec<Refusal>,
}

/// An entry that was left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Its name, or its place in the list where it has none.
    pub tool: String,
    /// Why.
    pub reason: String,
}

#[derive(Deserialize)]
struct Named {
    name: String,
}

impl Listed {
    /// Reads the entries of a list as tools of `source`.
    #[must_use]
    pub(super) fn read(source: &str, entries: &[Box<RawValue>]) -> Self {
        let mut listed = Self::default();
        let mut places: HashMap<String, usize> = HashMap::new();
        for (i, raw) in entries.iter().enumerate() {
            let named = serde_json::from_str::<Named>(raw.get()).map(|named| named.name);
            let tool = named.unwrap_or_else(|_| format!("tools[{i}]"));
            let mut refuse = |reason: String| listed.refused.push(Refusal { tool: tool.clone(), reason });
            match entry::read(raw.get(), SourceOf::Always(source), false) {
                Err(problems) => refuse(problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
                Ok(Entry::Skipped(reason)) => refuse(reason),
                Ok(Entry::Tool(read, _)) => match places.get(read.id.name()) {
                    Some(first) => refuse(format!("stands at tools[{i}] and tools[{first}]; the first counts")),
                    None => {
                        places.insert(read.id.name().to_owned(), i);
                        listed.tools.push(*read);
                    }
                },
            }
        }
        listed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_tool_does_not_cost_the_others() {
        let entries = [
            r#"{"name":"read","inputSchema":{"type":"object"},"_meta":{"b":1,"a":1.0}}"#,
            r#"{"inputSchema":{}}"#,
            r#"{"name":"write","inputSchema":3}"#,
            r#"{"name":"read","description":"again"}"#,
            r#""text""#,
        ];
        let entries: Vec<_> = entries.iter().map(|raw| RawValue::from_string((*raw).into()).unwrap()).collect();
        let listed = Listed::read("s", &entries);
        assert_eq!(listed.tools.len(), 1);
        assert_eq!(listed.tools[0].extra.as_ref().unwrap().text(), r#"{"_meta":{"b":1,"a":1.0}}"#);
        let refused: Vec<_> = listed.refused.iter().map(|r| format!("{}: {}", r.tool, r.reason)).collect();
        assert_eq!(refused[0], "tools[1]: name: is missing");
        assert!(refused[1].starts_with("write: inputSchema"), "{refused:?}");
        assert_eq!(refused[2], "read: stands at tools[3] and tools[0]; the first counts");
        assert!(refused[3].starts_with("tools[4]"), "{refused:?}");
    }
}
