//! Tools that were called earlier in a conversation are evidence for a turn that leans on it: for themselves ("the same for Oslo") and for
//! the other tools of their source ("now close it").
//!
//! What is added is a share of the whole score, decayed with every user turn since the call. It is no pin: a tool that fits the words
//! clearly better stays before it. For a turn that corrects the assistant, the tool that was called is the wrong one, so only its source
//! speaks for its neighbours.

use std::collections::HashMap;

use super::weights::Conversation;
use crate::index::Hit;

/// A tool that was called.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Called<'a> {
    /// The tool's slot.
    pub slot: u32,
    /// Its source.
    pub source: &'a str,
    /// What the call counts, in `[0, 1]`: less the more user turns have come since.
    pub weight: f32,
}

/// What earlier calls add to scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Favour<'a> {
    tools: HashMap<u32, f32>,
    sources: HashMap<&'a str, f32>,
}

impl<'a> Favour<'a> {
    /// Of `called`. A tool or source that was called often counts as its best call does: an agent that pages through a list has not said
    /// more than one that called once. `corrects`: the last turn says that the latest call was wrong.
    #[must_use]
    pub fn of(called: &[Called<'a>], numbers: &Conversation, corrects: bool) -> Self {
        let mut favour = Self::default();
        let raise = |held: &mut f32, by: f32| *held = held.max(by);
        for call in called {
            raise(favour.sources.entry(call.source).or_default(), numbers.source * call.weight);
            raise(favour.tools.entry(call.slot).or_default(), numbers.called * call.weight);
        }
        for call in called {
            // A tool is also one of its source.
            let of_source = favour.sources.get(call.source).copied().unwrap_or_default();
            raise(favour.tools.entry(call.slot).or_default(), of_source);
        }
        let latest = called.iter().map(|call| call.weight).fold(0.0, f32::max);
        let rejected = called.iter().filter(|call| corrects && call.weight == latest);
        favour.tools.extend(rejected.map(|call| (call.slot, 0.0)));
        favour
    }

    /// True when nothing is added to anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tools.is_empty()
    }

    /// Tools that were called, for a search that must not miss them.
    pub fn slots(&self) -> impl Iterator<Item = u32> {
        let mut slots: Vec<u32> = self.tools.keys().copied().collect();
        slots.sort_unstable();
        slots.into_iter()
    }

    /// Marks `hits`. `source` tells whose a slot is.
    pub fn mark<'b>(&self, hits: &mut [Hit], source: impl Fn(u32) -> Option<&'b str>) {
        if self.is_empty() {
            return;
        }
        for hit in hits {
            let of_source = || source(hit.slot).and_then(|source| self.sources.get(source));
            hit.favour = self.tools.get(&hit.slot).or_else(of_source).copied().unwrap_or(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn marked(called: &[Called<'_>], corrects: bool) -> Vec<f32> {
        let numbers = Conversation { called: 0.4, source: 0.2, ..Conversation::default() };
        let mut hits: Vec<Hit> = (0..4).map(Hit::unseen).collect();
        let source = |slot: u32| Some(["files", "files", "mail", "travel"][slot as usize]);
        Favour::of(called, &numbers, corrects).mark(&mut hits, source);
        hits.iter().map(|hit| hit.favour).collect()
    }

    #[test]
    fn a_called_tool_and_its_source_are_favoured_by_how_long_ago_it_was() {
        let files = Called { slot: 0, source: "files", weight: 1.0 };
        let mail = Called { slot: 2, source: "mail", weight: 0.5 };
        assert_eq!(marked(&[files, mail, Called { weight: 0.25, ..files }], false), [0.4, 0.2, 0.2, 0.0]);
        assert_eq!(marked(&[], false), [0.0; 4]);
    }

    #[test]
    fn what_a_correction_rejects_is_not_favoured_but_its_neighbours_are() {
        assert_eq!(marked(&[Called { slot: 0, source: "files", weight: 1.0 }], true), [0.0, 0.2, 0.0, 0.0]);
    }
}
