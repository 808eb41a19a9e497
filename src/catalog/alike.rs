//! Look-alikes: tools that a model could take for one another, told to the publisher while the words can still be changed.
//!
//! Two tools look alike when they have the same name and say much the same, or when they say the same under different names. Words decide
//! first: the cosine of two descriptions is that of their names and sources too, so tools of one server come near each other whatever they
//! do, and copies on two servers stay apart (of pairs with the same name, copies began at .6). It adds what is the same in other words, under
//! the same name. The limits were set by reading pairs of 4,400 tools of 466 servers; 230 pairs come out, mostly copies and forks.

use std::collections::HashMap;

use super::entry::Entry;
use super::tenant::TenantCatalog;
use crate::tool::ToolId;

/// Same name, another source: this share of words in common. Below it they do another thing to another kind of object.
const WORDS_SAME_NAME: f32 = 0.5;
/// Or this cosine. Below it pairs begin that share the verb only.
const COSINE_SAME_NAME: f32 = 0.75;
/// Another name, another source: `get_labels` and `label_list`. At .7 `get trending developers` meets `get trending repositories`.
const WORDS_OTHER_NAME: f32 = 0.8;
/// The same source, whatever the name: its tools are worded alike on purpose, and only a text that fits both is a mistake.
const WORDS_SAME_SOURCE: f32 = 0.95;
/// Words that a text needs to look like another by words alone: two tools that `list all` have little in common.
const MIN_WORDS: usize = 4;
/// Look-alikes told of one tool.
const PER_TOOL: usize = 3;
/// Look-alikes told in all, the closest ones.
pub const MOST_TOLD: usize = 100;

/// A tool that looks like another.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlike {
    /// The tool that was asked about.
    pub tool: ToolId,
    /// What it looks like.
    pub other: ToolId,
    /// Cosine of their names with descriptions, in `[0, 1]`; `None` where one has no vector.
    pub similarity: Option<f32>,
    /// The share of the words of their descriptions and parameter names that both have, in `[0, 1]`; 1 when neither has any.
    pub shared_words: f32,
    /// Their names have the same words.
    pub same_name: bool,
}

/// What looks alike.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LookAlikes {
    /// Same names first, then the closest, up to [`MOST_TOLD`].
    pub told: Vec<LookAlike>,
    /// How many were found, up to three for each tool.
    pub all: usize,
}

/// What tools of `catalog`, enabled or not, the tools `ids` look like. A pair of them is told once, of the one that comes first.
/// `stop` is asked before each tool.
#[must_use]
pub fn find(catalog: &TenantCatalog, ids: &[ToolId], stop: impl Fn() -> bool) -> LookAlikes {
    let places: HashMap<&ToolId, usize> = ids.iter().zip(0..).collect();
    let mut told: Vec<LookAlike> = Vec::new();
    for (place, id) in ids.iter().enumerate() {
        if stop() {
            break;
        }
        let Some(entry) = catalog.get(id) else { continue };
        let (words, name) = (Words::of(entry.described_terms()), Words::of(entry.name_key()));
        let others = catalog.index().like(&words.0, &name.0).into_iter().filter_map(|slot| catalog.at(slot));
        let new = others.filter(|other| places.get(&other.record.tool.id).is_none_or(|other_place| place < *other_place));
        let mut found: Vec<LookAlike> = new.filter_map(|other| look(entry, &words, other)).collect();
        found.sort_by(closest_first);
        found.truncate(PER_TOOL);
        told.extend(found);
    }
    let all = told.len();
    told.sort_by(closest_first);
    told.truncate(MOST_TOLD);
    LookAlikes { told, all }
}

/// How `a` looks like `b`; `None` when it does not.
fn look(a: &Entry, words: &Words<'_>, b: &Entry) -> Option<LookAlike> {
    let (tool, other) = (&a.record.tool.id, &b.record.tool.id);
    if tool == other {
        return None;
    }
    let other_words = Words::of(b.described_terms());
    let shared_words = words.shared(&other_words);
    let enough = MIN_WORDS <= words.0.len().min(other_words.0.len());
    let same_name = !a.name_key().is_empty() && a.name_key() == b.name_key();
    let vectors = a.described_vector().zip(b.described_vector());
    let similarity = vectors.map(|(a, b)| a.cosine(b).clamp(0.0, 1.0));
    let alike = if tool.source() == other.source() {
        enough && WORDS_SAME_SOURCE <= shared_words
    } else if same_name {
        WORDS_SAME_NAME <= shared_words || similarity.is_some_and(|cosine| COSINE_SAME_NAME <= cosine)
    } else {
        enough && WORDS_OTHER_NAME <= shared_words
    };
    alike.then(|| LookAlike { tool: tool.clone(), other: other.clone(), similarity, shared_words, same_name })
}

fn closest_first(a: &LookAlike, b: &LookAlike) -> std::cmp::Ordering {
    let closeness = |l: &LookAlike| l.similarity.unwrap_or(l.shared_words);
    let by_likeness = b.same_name.cmp(&a.same_name).then(closeness(b).total_cmp(&closeness(a)));
    by_likeness.then_with(|| (&a.tool, &a.other).cmp(&(&b.tool, &b.other)))
}

/// Different words, in alphabetical order.
struct Words<'a>(Vec<&'a str>);

impl<'a> Words<'a> {
    fn of(text: &'a str) -> Self {
        let mut words: Vec<&str> = text.split_ascii_whitespace().collect();
        words.sort_unstable();
        words.dedup();
        Self(words)
    }

    /// The share of all words that stand in both, in `[0, 1]`; 1 for two without words.
    fn shared(&self, other: &Self) -> f32 {
        let (mut a, mut b) = (self.0.iter().peekable(), other.0.iter().peekable());
        let (mut both, mut either) = (0_u16, 0_u16);
        while let (Some(x), Some(y)) = (a.peek(), b.peek()) {
            let order = x.cmp(y);
            if order.is_le() {
                a.next();
            }
            if order.is_ge() {
                b.next();
            }
            both = both.saturating_add(u16::from(order.is_eq()));
            either = either.saturating_add(1);
        }
        let rest = u16::try_from(a.count() + b.count()).unwrap_or(u16::MAX);
        let either = either.saturating_add(rest);
        if either == 0 { 1.0 } else { f32::from(both) / f32::from(either) }
    }
}

#[cfg(test)]
mod tests;
