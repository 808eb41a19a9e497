//! One tool as selections see it: the record, and what was derived from it once.

use std::sync::{Arc, OnceLock};

use super::change::{Record, State, TextHash};
use super::views::{ViewTexts, described_terms, label_terms, name_key, name_terms};
use crate::compact::profile::{Style, Written};
use crate::compact::{Fidelity, Format, Forms, Line, Tokenizer};
use crate::index::vector::Codes;
use crate::rank::Look;
use crate::tool::TokenCount;

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
    /// Where in `terms` the words of its names end.
    described_at: usize,
    name_terms: Box<str>,
    name_key: Box<str>,
    base: Vec<(TextHash, Option<Codes>)>,
    examples: Vec<(TextHash, Option<Codes>)>,
    forms: Forms,
    /// By [`Line`].
    lines: [Box<str>; Line::ALL.len()],
    /// Only those that are asked for: most tools never are.
    text_hash: OnceLock<TextHash>,
}

impl Entry {
    /// Derives everything from `record`; `vector` gives the vector of a text, where there is one.
    pub fn new(record: Record, mut vector: impl FnMut(&TextHash) -> Option<Codes>) -> Self {
        let texts = ViewTexts::of(&record.tool);
        let mut with_vectors = |texts: &[String]| -> Vec<_> {
            texts.iter().map(|text| TextHash::of(text)).map(|hash| (hash, vector(&hash))).collect()
        };
        let label = label_terms(&record.tool).join(" ");
        let derived = Derived {
            described_at: label.len(),
            terms: format!("{label} {}", described_terms(&record.tool).join(" ")).into_boxed_str(),
            name_terms: name_terms(&record.tool).join(" ").into_boxed_str(),
            name_key: name_key(&record.tool).into_boxed_str(),
            base: with_vectors(&texts.base),
            examples: with_vectors(&texts.examples),
            forms: Forms::of(&record.tool),
            lines: Line::ALL.map(|line| line.text(&record.tool, &record.model_name).into_boxed_str()),
            text_hash: OnceLock::new(),
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

    /// The words of its description and parameter names, with blanks between.
    #[must_use]
    pub fn described_terms(&self) -> &str {
        self.derived.terms.get(self.derived.described_at..).unwrap_or_default()
    }

    /// The different words of its name in alphabetical order, with blanks between: equal names have equal keys.
    #[must_use]
    pub fn name_key(&self) -> &str {
        &self.derived.name_key
    }

    /// What may make it a rival of another tool in a ranking.
    #[must_use]
    pub fn look(&self) -> Look<'_> {
        let tool = &self.record.tool;
        let (source, name, name_key) = (tool.id.source(), tool.id.name(), &self.derived.name_key);
        Look { source, name, name_key, description: tool.description.trim() }
    }

    /// The vector of its names with its whole description, where there is one.
    #[must_use]
    pub fn described_vector(&self) -> Option<&Codes> {
        self.derived.base.last().and_then(|(_, codes)| codes.as_ref())
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

    /// The tool as one line of a directory, without its line end.
    #[must_use]
    pub fn line(&self, line: Line) -> &str {
        &self.derived.lines[line as usize]
    }

    /// What that line costs within a directory.
    #[must_use]
    pub fn line_tokens(&self, line: Line, tokenizer: Tokenizer) -> TokenCount {
        self.record.costs.directory(line, tokenizer)
    }

    /// The tool in a style of its own at every fidelity, rendered and counted now.
    #[must_use]
    pub fn written(&self, style: Style, tokenizer: Tokenizer) -> Written {
        Written::of(&self.record.tool, &self.derived.forms, &self.record.model_name, style, tokenizer)
    }

    /// The hash of every text that a definition may show. An MCP definition shows them all.
    #[must_use]
    pub fn text_hash(&self) -> TextHash {
        *self.derived.text_hash.get_or_init(|| TextHash::of(&self.rendering(Format::Mcp, Fidelity::Full)))
    }
}
