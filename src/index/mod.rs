//! What one tenant's catalogue searches: vectors of views, words, sets of allowed documents.
//!
//! A document is a number, its slot; what it stands for is none of this module's business. Each document has base views and extra views. The
//! exact scan here is the default engine, and the engine for every scoped search at any size. A graph engine belongs beside it as
//! `hnsw.rs`: one row per document, its best candidates scored again on all views by [`Index::dense`] with those slots allowed.

pub mod allow;
pub mod exact;
pub mod lexical;
pub mod terms;
pub mod vector;

use self::allow::Allowed;
use self::exact::Rows;
pub use self::exact::ViewScores;
use self::lexical::Bm25;
use self::vector::{Codes, UnitVector};

/// A document to index.
#[derive(Debug)]
pub struct Document<'a> {
    /// Vectors that describe it; none while they are missing, then words alone find it.
    pub views: Vec<&'a Codes>,
    /// Vectors that can only lift its best score.
    pub extra_views: Vec<&'a Codes>,
    /// Its words.
    pub terms: &'a [Box<str>],
}

/// The searchable form. Immutable.
#[derive(Debug)]
pub struct Index {
    rows: Rows,
    words: Bm25,
}

impl Index {
    /// Indexes `documents`, slots in their order. Vectors of another length than `dimension` are left out.
    pub fn build<'a>(dimension: usize, documents: impl IntoIterator<Item = Document<'a>>) -> Self {
        let mut rows = Rows::new(dimension);
        let mut words = lexical::Builder::default();
        for document in documents {
            rows.push(&document.views, &document.extra_views);
            words.push(document.terms);
        }
        Self { rows, words: words.finish() }
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

    /// Cosines of `query` with every allowed document's views, by slot; `None` where a document is not allowed or has no vectors.
    #[must_use]
    pub fn dense(&self, query: &UnitVector, allowed: &Allowed) -> Vec<Option<ViewScores>> {
        self.rows.scan(&Codes::quantise(query), allowed)
    }

    /// BM25 of `terms` for every document, by slot; 0 where a document is not allowed or shares no word.
    #[must_use]
    pub fn lexical(&self, terms: &[String], allowed: &Allowed) -> Vec<f32> {
        let mut scores = self.words.score(terms);
        for (score, slot) in scores.iter_mut().zip(0_u32..) {
            if !allowed.contains(slot) {
                *score = 0.0;
            }
        }
        scores
    }
}
