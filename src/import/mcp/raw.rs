//! The text of answers to `tools/list`, kept while rmcp parses the same message for itself.
//!
//! Schemas travel verbatim and are hashed: what rmcp gives has lost key order, long numbers and fields that it does not know.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;

/// Answers that may wait to be fetched. One request is under way at a time; a late answer to one that was given up is pushed out.
const KEPT: usize = 4;

/// One page of a list.
#[derive(Debug)]
pub(super) struct Page {
    pub(super) tools: Vec<Box<RawValue>>,
    pub(super) next_cursor: Option<String>,
    /// Bytes of the message.
    pub(super) bytes: usize,
}

/// What has been kept, by the id of the request it answers.
#[derive(Clone, Debug, Default)]
pub(super) struct RawPages(Arc<Mutex<VecDeque<(String, Page)>>>);

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    result: Option<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    tools: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

impl RawPages {
    fn lock(&self) -> std::sync::MutexGuard<'_, VecDeque<(String, Page)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `message` if it is a page of tools.
    pub(super) fn keep(&self, message: &str) {
        let Ok(Envelope { id: Some(id), result: Some(result) }) = serde_json::from_str(message) else { return };
        let Ok(Answer { tools, next_cursor }) = serde_json::from_str(result.get()) else { return };
        let next_cursor = next_cursor.filter(|cursor| !cursor.is_empty());
        let mut kept = self.lock();
        kept.push_back((id.get().to_owned(), Page { tools, next_cursor, bytes: message.len() }));
        if KEPT < kept.len() {
            kept.pop_front();
        }
    }

    /// Takes the page that answers the request `id` out.
    pub(super) fn take(&self, id: &str) -> Option<Page> {
        let mut kept = self.lock();
        let at = kept.iter().position(|(other, _)| other == id)?;
        kept.remove(at).map(|(_, page)| page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_kept_as_it_was_written() {
        let raw = RawPages::default();
        raw.keep(r#"{"jsonrpc":"2.0","id":7,"result":{"tools":[{"z":1.0, "a":12345678901234567890}],"nextCursor":"c","x":{}}}"#);
        assert!(raw.take("8").is_none());
        let page = raw.take("7").unwrap();
        assert_eq!(page.tools[0].get(), r#"{"z":1.0, "a":12345678901234567890}"#);
        assert_eq!(page.next_cursor.as_deref(), Some("c"));
        assert!(raw.take("7").is_none());
    }

    #[test]
    fn what_is_no_page_is_not_kept() {
        let raw = RawPages::default();
        for message in ["", "{}", r#"{"id":1,"result":{}}"#, r#"{"id":1,"result":{"tools":{}}}"#, r#"{"result":{"tools":[]}}"#] {
            raw.keep(message);
        }
        assert!(raw.lock().is_empty());
        for id in 0..10 {
            raw.keep(&format!(r#"{{"id":{id},"result":{{"tools":[],"nextCursor":""}}}}"#));
        }
        assert_eq!(raw.lock().len(), KEPT);
        assert_eq!(raw.take("9").unwrap().next_cursor, None);
    }
}
