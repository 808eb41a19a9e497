//! One tool as selections see it: the record, and what was derived from it once.

use std::sync::Arc;

use super::change::{Record, State, TextHash};
use super::views::{ViewTexts, lexical_terms, name_terms};
use crate::compact::{Fidelity, Format, Forms};
use crate::index::vector::Codes;

/// A registered tool, ready to be searched and rendered. Shared by all snapshots that hold it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// What is stored.
    pub record: Record,
    derived: Arc<Derived>,
}

#[derive(Debug)]
struct Derived {
    terms: Box<str>,
    name_terms: Box<str>,
    base: Vec<(TextHash, Option<Codes>)>,
    examples: Vec<(TextHash, Option<Codes>)>,
    forms: Forms,
}

impl Entry {
    /// Derives everything from `record`; `vector` gives the vector of a text, where there is one.
    pub fn new(record: Record, mut vector: impl FnMut(&TextHash) -> Option<Codes>) -> Self {
        let texts = ViewTexts::of(&record.tool);
        let mut with_vectors = |texts: &[String]| -> Vec<_> {
            texts.iter().map(|text| TextHash::of(text)).map(|hash| (hash, vector(&hash))).collect()
        };
        let derived = Derived {
            terms: lexical_terms(&record.tool).join(" ").into_boxed_str(),
            name_terms: name_terms(&record.tool).join(" ").into_boxed_str(),
            base: with_vectors(&texts.base),
            examples: with_vectors(&texts.examples),
            forms: Forms::of(&record.tool),
        };
        Self { record, derived: Arc::new(derived) }
    }

    /// The same tool in another state.
    #[must_use]
    pub fn in_state(&self, state: State) -> Self {
        Self { record: Record { state, ..self.record.clone() }, derived: Arc::clone(&self.derived) }
    }

    /// The words it is found by, with blanks between.
    #[must_use]
    pub fn terms(&self) -> &str {
        &self.derived.terms
    }

    /// The words of its name, with blanks between.
    #[must_use]
    pub fn name_terms(&self) -> &str {
        &self.derived.name_terms
    }

    /// Vectors of the views that describe it; `None` while one is missing.
    #[must_use]
    pub fn base_vectors(&self) -> Option<Vec<&Codes>> {
        self.derived.base.iter().map(|(_, codes)| codes.as_ref()).collect()
    }

    /// Whether every view that describes it has a vector.
    #[must_use]
    pub fn has_vectors(&self) -> bool {
        self.derived.base.iter().all(|(_, codes)| codes.is_some())
    }

    /// Vectors of its example requests, as far as they are there.
    #[must_use]
    pub fn example_vectors(&self) -> Vec<&Codes> {
        self.derived.examples.iter().filter_map(|(_, codes)| codes.as_ref()).collect()
    }

    /// Its example requests, as hashes of their texts.
    pub fn examples(&self) -> impl Iterator<Item = &TextHash> {
        self.derived.examples.iter().map(|(hash, _)| hash)
    }

    /// Every text's hash with its vector, where there is one.
    pub fn vectors(&self) -> impl Iterator<Item = (&TextHash, Option<&Codes>)> {
        self.derived.base.iter().chain(&self.derived.examples).map(|(hash, codes)| (hash, codes.as_ref()))
    }

    /// The tool as one entry of a prompt.
    #[must_use]
    pub fn rendering(&self, format: Format, fidelity: Fidelity) -> String {
        self.derived.forms.render(&self.record.tool, &self.record.model_name, format, fidelity)
    }
}
