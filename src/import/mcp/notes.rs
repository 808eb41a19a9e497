//! What was seen of a server besides its answers: why a transport gave up, what the program complained of, what it printed that was no
//! message. rmcp reports such endings as "closed"; these are the words for it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use super::error::McpError;

/// Lines of standard error that are kept.
const KEPT_LINES: usize = 5;
/// Bytes of a kept line.
const LINE_BYTES: usize = 300;
/// Lines on standard output that are no message before the server is given up: some print a greeting, none prints a thousand.
const MAX_NOISE: usize = 1_000;

/// Shared by transport, session and the reader of standard error.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    failure: Option<McpError>,
    complaints: VecDeque<String>,
    noise: usize,
    first_noise: String,
}

impl Notes {
    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes why the transport ends; the first reason counts.
    pub(super) fn fail(&self, error: McpError) {
        self.lock().failure.get_or_insert(error);
    }

    pub(super) fn failure(&self) -> Option<McpError> {
        self.lock().failure.clone()
    }

    /// A line of standard error.
    pub(super) fn complaint(&self, line: &str) {
        let line = clean(line);
        if line.is_empty() {
            return;
        }
        let complaints = &mut self.lock().complaints;
        complaints.push_back(line);
        if KEPT_LINES < complaints.len() {
            complaints.pop_front();
        }
    }

    /// A line of standard output that is no message. `false` when there were too many.
    pub(super) fn noise(&self, line: &str) -> bool {
        let mut inner = self.lock();
        if inner.noise == 0 {
            inner.first_noise = clean(line);
        }
        inner.noise += 1;
        if inner.noise <= MAX_NOISE {
            return true;
        }
        let detail = format!("over {MAX_NOISE} lines on standard output are no messages; the first: {}", inner.first_noise);
        inner.failure.get_or_insert(McpError::Protocol { detail });
        false
    }

    /// Everything it wrote that was no answer, in one line.
    pub(super) fn last_words(&self) -> String {
        let inner = self.lock();
        let mut words: Vec<String> = inner.complaints.iter().cloned().collect();
        if 0 < inner.noise {
            words.push(format!("{} ({} lines on standard output are no messages)", inner.first_noise, inner.noise));
        }
        words.join(" | ")
    }
}

/// Short, and nothing in it that a terminal obeys.
pub(super) fn clean(line: &str) -> String {
    let line = line.trim();
    let end = line.floor_char_boundary(LINE_BYTES);
    let dots = if end < line.len() { "…" } else { "" };
    line[..end].chars().map(|c| if c.is_control() { ' ' } else { c }).collect::<String>() + dots
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_few_and_harmless() {
        let notes = Notes::default();
        for i in 0..9 {
            notes.complaint(&format!("line {i}\u{1b}[31m"));
        }
        assert!(notes.noise("hello"));
        assert_eq!(
            notes.last_words(),
            "line 4 [31m | line 5 [31m | line 6 [31m | line 7 [31m | line 8 [31m | hello (1 lines on standard output are no messages)"
        );
        notes.complaint(&"é".repeat(1_000));
        assert!(notes.last_words().len() < 2_000);
    }

    #[test]
    fn noise_has_an_end_and_the_first_failure_counts() {
        let notes = Notes::default();
        assert!((0..MAX_NOISE).all(|_| notes.noise("garbage")));
        assert!(!notes.noise("garbage"));
        notes.fail(McpError::NoTools);
        assert!(notes.failure().unwrap().to_string().contains("are no messages; the first: garbage"));
    }
}
