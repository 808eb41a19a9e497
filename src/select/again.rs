//! A selection that is run again: what its answer owed to its moment happens again, and nothing else does.
//!
//! An answer depends on request and catalogue, and now and then on how busy the machine was: words instead of a vector that came late, an
//! order that no reranker looked over, a conversation without the vectors of its earlier turns. What a graph proposed is of that kind too:
//! a graph that is built anew may propose others. All of it is written down, and here it is believed instead of tried.

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{Answer, Request, SelectError, Selector, Trace};
use crate::catalog::TenantCatalog;

/// How long a selection that is run again may take: it must not be answered by words because the machine is busy now.
const PATIENCE: Duration = Duration::from_secs(60);

/// What an answer owes to its moment; nothing by default.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Moment {
    /// Why words decided alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by_words: Option<String>,
    /// Why no reranker looked over the order, though one should have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub not_reranked: Option<String>,
    /// What of a conversation was there in time, where something was not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub late: Option<Late>,
}

impl Moment {
    /// Whether the same request would get the same answer at any other moment.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::default()
    }
}

/// Which vectors of a conversation were there in time.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Late {
    /// So many of the earlier turns.
    pub earlier: usize,
    /// That of the last turn with earlier words; true as well where it was not needed.
    pub expanded: bool,
}

/// What is to happen again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Again {
    /// What was momentary.
    pub moment: Moment,
    /// What a graph proposed, as slots of the catalogue that is searched now; none where everything was compared.
    pub proposed: Option<Vec<u32>>,
}

/// What a selection depends on beside request and catalogue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances<'a> {
    /// When the caller stops waiting.
    pub(super) deadline: Instant,
    again: Option<&'a Again>,
}

impl<'a> Circumstances<'a> {
    /// Those of a selection that is made for the first time.
    pub(super) fn before(deadline: Instant) -> Self {
        Self { deadline, again: None }
    }

    fn moment(&self) -> Option<&'a Moment> {
        self.again.map(|again| &again.moment)
    }

    /// Why words are to decide alone.
    pub(super) fn by_words(&self) -> Option<&'a str> {
        self.moment()?.by_words.as_deref()
    }

    /// Why the order is to stay as it is.
    pub(super) fn not_reranked(&self) -> Option<&'a str> {
        self.moment()?.not_reranked.as_deref()
    }

    fn late(&self) -> Option<Late> {
        self.moment()?.late
    }

    /// At most so many earlier turns are to be read.
    pub(super) fn earlier(&self) -> usize {
        self.late().map_or(usize::MAX, |late| late.earlier)
    }

    /// Whether the last turn with earlier words is to be read.
    pub(super) fn expands(&self) -> bool {
        self.late().is_none_or(|late| late.expanded)
    }

    /// What is to be compared instead of what a graph would propose now.
    pub(super) fn proposed(&self) -> Option<&'a [u32]> {
        self.again?.proposed.as_deref()
    }
}

impl Selector {
    /// Runs a selection again: nothing is remembered of it, and nobody waits.
    ///
    /// # Errors
    /// A task of ours died.
    pub async fn select_again(
        &self,
        catalog: &Arc<TenantCatalog>,
        request: &Request,
        again: &Again,
    ) -> Result<(Answer, Trace), SelectError> {
        let under = Circumstances { deadline: Instant::now() + PATIENCE, again: Some(again) };
        self.work_out(catalog, request, under).await
    }
}
