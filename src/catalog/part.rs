//! Tools that were put together in one go: their names, their index, their totals. A tool's place in a part never changes.
//!
//! A tenant's catalogue is two parts: a sealed one, shared by all snapshots until the next merge, and a small delta of what came since.

use std::collections::HashMap;
use std::ops::{AddAssign, SubAssign};
use std::sync::Arc;

use super::change::{State, TextHash};
use super::entry::Entry;
use crate::compact::{Fidelity, Format, Tokenizer};
use crate::index::allow::Allowed;
use crate::index::{Document, Segment};
use crate::rank::mention::MentionIndex;
use crate::tool::ToolId;

/// Sums over tools, in whole numbers: what is added when a tool comes is taken away exactly when it goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Totals {
    pub(super) tools: usize,
    pub(super) without_vectors: usize,
    /// Tokens of enabled tools at FULL, by format and tokenizer.
    pub(super) full_tokens: [[u64; Tokenizer::ALL.len()]; Format::ALL.len()],
}

impl Totals {
    pub(super) fn of(entry: &Entry) -> Self {
        let mut totals = Self { tools: 1, without_vectors: usize::from(!entry.has_vectors()), ..Self::default() };
        if entry.record.state == State::Enabled {
            for format in Format::ALL {
                for tokenizer in Tokenizer::ALL {
                    totals.full_tokens[format as usize][tokenizer as usize] =
                        u64::from(entry.record.costs.get(format, Fidelity::Full, tokenizer).0);
                }
            }
        }
        totals
    }

    fn each(&mut self, other: &Self, change: impl Fn(u64, u64) -> u64) {
        let sums = self.full_tokens.iter_mut().flatten();
        sums.zip(other.full_tokens.iter().flatten()).for_each(|(sum, other)| *sum = change(*sum, *other));
    }
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.tools += other.tools;
        self.without_vectors += other.without_vectors;
        self.each(&other, |sum, other| sum + other);
    }
}

impl SubAssign for Totals {
    fn sub_assign(&mut self, other: Self) {
        self.tools -= other.tools;
        self.without_vectors -= other.without_vectors;
        self.each(&other, |sum, other| sum - other);
    }
}

/// The tools with everything that finds them.
#[derive(Debug)]
pub(super) struct Part {
    pub(super) entries: Vec<Arc<Entry>>,
    pub(super) by_id: HashMap<ToolId, u32>,
    pub(super) by_model_name: HashMap<Box<str>, u32>,
    pub(super) mentions: MentionIndex,
    /// Which tools have an example request, by the hash of its text.
    pub(super) by_example: HashMap<TextHash, Vec<u32>>,
    pub(super) segment: Arc<Segment>,
    pub(super) enabled: Allowed,
    pub(super) totals: Totals,
    /// One past the greatest position.
    pub(super) next_position: u64,
}

impl Part {
    /// Puts `entries` together, places in order of registration. Linear in their number.
    pub(super) fn build(mut entries: Vec<Arc<Entry>>, dimension: usize) -> Self {
        entries.sort_by(|a, b| (a.record.position, &a.record.tool.id).cmp(&(b.record.position, &b.record.tool.id)));
        let places = || entries.iter().zip(0_u32..);
        let mut enabled = Allowed::none(entries.len());
        let mut totals = Totals::default();
        let mut by_example: HashMap<TextHash, Vec<u32>> = HashMap::new();
        for (entry, place) in places() {
            totals += Totals::of(entry);
            for example in entry.examples() {
                by_example.entry(*example).or_default().push(place);
            }
            if entry.record.state == State::Enabled {
                enabled.insert(place);
            }
        }
        let documents = entries.iter().map(|entry| Document {
            views: entry.base_vectors().unwrap_or_default(),
            extra_views: entry.example_vectors(),
            terms: entry.terms(),
            name: entry.name_terms(),
        });
        Self {
            by_id: places().map(|(entry, place)| (entry.record.tool.id.clone(), place)).collect(),
            by_model_name: places().map(|(entry, place)| (entry.record.model_name.as_str().into(), place)).collect(),
            mentions: MentionIndex::build(places().map(|(entry, place)| {
                let id = &entry.record.tool.id;
                (place, id.source(), id.name(), entry.record.model_name.as_str())
            })),
            by_example,
            segment: Arc::new(Segment::build(dimension, documents)),
            enabled,
            totals,
            next_position: entries.last().map_or(0, |entry| entry.record.position + 1),
            entries,
        }
    }

    /// How many tools.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
