//! Documents that were indexed together: their rows and their postings. A document's place in it never changes.

use std::sync::atomic::AtomicBool;

use super::exact::Rows;
use super::hnsw::Graph;
use super::lexical::Postings;
use super::names::Names;
use super::vector::Codes;

/// A document to index.
#[derive(Debug)]
pub struct Document<'a> {
    /// Vectors that describe it; none while they are missing, then words alone find it.
    pub views: Vec<&'a Codes>,
    /// Vectors that can only lift its best score.
    pub extra_views: Vec<&'a Codes>,
    /// Its words, with blanks between.
    pub terms: &'a str,
    /// The words of its name, with blanks between.
    pub name: &'a str,
}

/// Some documents, searchable. Immutable.
#[derive(Debug)]
pub struct Segment {
    pub(super) rows: Rows,
    pub(super) words: Postings,
    pub(super) names: Names,
}

impl Segment {
    /// Indexes `documents`, places in their order. Vectors of another length than `dimension` are left out.
    pub fn build<'a>(dimension: usize, documents: impl IntoIterator<Item = Document<'a>>) -> Self {
        let mut segment = Self { rows: Rows::new(dimension), words: Postings::default(), names: Names::default() };
        for document in documents {
            segment.rows.push(&document.views, &document.extra_views);
            segment.words.push(document.terms);
            segment.names.push(document.name);
        }
        segment.rows.seal();
        segment.words.seal();
        segment.names.seal();
        segment
    }

    /// The one row that stands for all of a document's views in a graph; none without views.
    #[must_use]
    pub fn centre(&self, place: u32) -> Option<Codes> {
        self.rows.centre(place).map(|centre| Codes::quantise(&centre))
    }

    /// A graph over the centres of all documents that have vectors. Takes long for many; `None` when `stop` was set meanwhile.
    #[must_use]
    pub fn graph(&self, stop: &AtomicBool) -> Option<Graph> {
        let centre = |place: u32| Some((place, self.centre(place)?));
        let centres: Vec<(u32, Codes)> = (0..).take(self.len()).filter_map(centre).collect();
        Graph::build(centres.into_iter(), stop)
    }

    /// Documents.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.documents()
    }

    /// True without documents.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
