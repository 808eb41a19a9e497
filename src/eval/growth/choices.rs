//! What a language model makes of a list of tools: does it call a needed one?

use std::collections::HashSet;
use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

use super::GrowthError;
use crate::eval::llm;

/// Requests that may fail one after another: an API that is away does not come back for the rest of the table.
pub const MAX_FAILURES: usize = 3;
/// APIs refuse longer lists.
pub const DEFAULT_MAX_TOOLS: usize = 128;

/// A model that chooses among tools.
#[derive(Clone, Copy, Debug)]
pub struct Chooser<'a> {
    /// The model.
    pub client: &'a llm::Client,
    /// Lists of all tools longer than this are not sent.
    pub max_tools: usize,
    /// Of the queries of a size at most this many, evenly spaced.
    pub max_queries: Option<NonZeroUsize>,
}

/// What a model chose, in queries.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choices {
    /// How many there were.
    pub queries: usize,
    /// Those whose request failed: they count for nothing else.
    pub failed: usize,
    /// At least one call of a needed tool.
    pub right: usize,
    /// Every needed tool was called.
    pub all_needed: usize,
    /// Calls, but none of a needed tool.
    pub wrong: usize,
    /// No call. Where the list is empty nobody is asked.
    pub none: usize,
    /// At least one call of a tool that is not in the list, beside the above.
    pub invented: usize,
}

impl Choices {
    /// Queries that the model answered.
    #[must_use]
    pub fn answered(&self) -> usize {
        self.queries.saturating_sub(self.failed)
    }

    /// `count` of these choices as a share of the answered queries, in `[0, 1]`; nothing when none was.
    #[must_use]
    pub fn share(&self, count: usize) -> Option<f64> {
        (0 < self.answered()).then(|| count as f64 / self.answered() as f64)
    }

    /// Counts one answer: `calls` in a list of the tools `offered`, of which those in `needed` are needed, be they in the list or not.
    fn count(&mut self, calls: &[String], offered: &HashSet<&str>, needed: &HashSet<&str>) {
        let known: HashSet<&str> = calls.iter().map(String::as_str).filter(|name| offered.contains(name)).collect();
        self.queries += 1;
        self.invented += usize::from(calls.iter().any(|name| !offered.contains(name.as_str())));
        self.all_needed += usize::from(needed.iter().all(|name| known.contains(name)));
        if calls.is_empty() {
            self.none += 1;
        } else if known.iter().any(|name| needed.contains(name)) {
            self.right += 1;
        } else {
            self.wrong += 1;
        }
    }
}

/// Asks, and gives up when the model is away.
pub(super) struct Asking<'a> {
    client: &'a llm::Client,
    /// One after another, up to now.
    failures: usize,
}

impl<'a> Asking<'a> {
    pub(super) fn new(client: &'a llm::Client) -> Self {
        Self { client, failures: 0 }
    }

    /// Asks for one list and counts the answer in `choices`.
    pub(super) async fn ask(
        &mut self,
        choices: &mut Choices,
        query: &str,
        tools: &str,
        offered: &HashSet<&str>,
        needed: &HashSet<&str>,
    ) -> Result<(), GrowthError> {
        if offered.is_empty() {
            choices.count(&[], offered, needed);
            return Ok(());
        }
        match self.client.choose(query, tools).await {
            Ok(calls) => {
                self.failures = 0;
                choices.count(&calls, offered, needed);
                Ok(())
            }
            Err(source) => {
                self.failures += 1;
                choices.queries += 1;
                choices.failed += 1;
                if self.failures < MAX_FAILURES {
                    return Ok(());
                }
                Err(GrowthError::Model { name: self.client.name(), failures: self.failures, source })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The list has a, b, c; a and b are needed.
    #[track_caller]
    fn check(calls: &[&str], right: usize, all_needed: usize, wrong: usize, none: usize, invented: usize) {
        let mut choices = Choices::default();
        let calls: Vec<String> = calls.iter().map(ToString::to_string).collect();
        choices.count(&calls, &HashSet::from(["a", "b", "c"]), &HashSet::from(["a", "b"]));
        assert_eq!(choices, Choices { queries: 1, failed: 0, right, all_needed, wrong, none, invented }, "{calls:?}");
    }

    #[test]
    fn one_needed_call_is_right_and_all_of_them_are_told_apart() {
        check(&["a"], 1, 0, 0, 0, 0);
        check(&["b", "a", "a"], 1, 1, 0, 0, 0);
        check(&["c", "a"], 1, 0, 0, 0, 0);
        check(&["c"], 0, 0, 1, 0, 0);
        check(&[], 0, 0, 0, 1, 0);
        check(&["x"], 0, 0, 1, 0, 1);
        check(&["x", "a"], 1, 0, 0, 0, 1);
    }

    #[test]
    fn a_needed_tool_that_was_not_offered_is_invented() {
        let mut choices = Choices::default();
        choices.count(&["a".to_owned()], &HashSet::from(["c"]), &HashSet::from(["a"]));
        assert_eq!((choices.right, choices.all_needed, choices.wrong, choices.invented), (0, 0, 1, 1));
    }

    #[test]
    fn shares_are_of_what_was_answered() {
        let choices = Choices { queries: 5, failed: 1, right: 3, ..Choices::default() };
        assert_eq!((choices.answered(), choices.share(choices.right)), (4, Some(0.75)));
        assert_eq!(Choices { queries: 1, failed: 1, ..Choices::default() }.share(0), None);
    }
}
