//! What became of the tools that are not in the list, and why there is none.

use super::written::{Texts, shrunk};
use super::{Chosen, LinedUp, Selection};
use crate::rank::Scored;
use crate::select::answer::{DropCause, Dropped, Explanation, NoMatch};
use crate::select::belief::Unlikely;
use crate::tool::ToolId;

impl Selection<'_> {
    /// Of what packing left out, the part a caller would miss: pinned tools, and those among the first `max_tools`.
    pub(in crate::select) fn dropped(&self, lined_up: &[LinedUp<'_>], left_out: &[(usize, DropCause)]) -> Vec<Dropped> {
        let missed = |i: usize| lined_up.get(i).filter(|l| l.pinned || i < self.request.budget.max_tools);
        let missed = left_out.iter().filter_map(|(i, cause)| Some((&missed(*i)?.entry.record.tool.id, *cause)));
        missed.map(|(id, cause)| Dropped { id: id.clone(), detail: cause.detail(id), cause }).collect()
    }

    pub(in crate::select) fn no_match(&self, lined_up: &[LinedUp<'_>]) -> NoMatch {
        if self.catalog.enabled().is_empty() {
            return NoMatch::EmptyCatalog { registered: self.catalog.len() };
        }
        if self.eligible.is_empty() {
            return NoMatch::EmptyScope { enabled: self.catalog.enabled().len() };
        }
        if let Some(Unlikely { confidence, least }) = self.belief.nothing_fits(self.request).filter(|_| lined_up.is_empty()) {
            return NoMatch::LowConfidence { confidence, least };
        }
        match lined_up.iter().map(|l| l.costs.least()).min() {
            Some(smallest) => {
                let smallest = smallest + self.request.budget.tokenizer.frame();
                NoMatch::OverBudget { smallest, max_tokens: self.request.budget.max_tokens }
            }
            None => match self.ranked.first().and_then(|first| self.belief.too_unlikely(self.request, first)) {
                Some(Unlikely { confidence, least }) => NoMatch::LowConfidence { confidence, least },
                None => NoMatch::NothingRelevant,
            },
        }
    }

    /// What of its confidence, or of all tools', keeps a tool out that is not reported as dropped.
    fn why_not(&self, scored: Option<&Scored>, id: &ToolId) -> Option<String> {
        if let Some(Unlikely { confidence, least }) = self.belief.nothing_fits(self.request) {
            return Some(NoMatch::LowConfidence { confidence, least }.detail());
        }
        let Unlikely { confidence, least } = self.belief.too_unlikely(self.request, scored?)?;
        Some(DropCause::LowConfidence { confidence, least }.detail(id))
    }

    /// The fate of each tool the caller asked about: returned whole or shrunk, listed, dropped, or far behind.
    pub(in crate::select) fn explain(
        &self,
        lined_up: &[LinedUp<'_>],
        chosen: &Chosen,
        texts: &Texts,
        dropped: &[Dropped],
    ) -> Vec<Explanation> {
        let explain = |id: &ToolId| {
            let rank = self.catalog.slot(id).and_then(|slot| self.ranked.iter().position(|scored| scored.slot == slot));
            let scored = rank.and_then(|rank| self.ranked.get(rank));
            Explanation {
                id: id.clone(),
                fate: self.fate(id, scored, lined_up, chosen, texts, dropped),
                rank: rank.map(|rank| rank + 1),
                score: scored.map(|scored| scored.score),
                reasons: scored.map_or_else(Vec::new, |scored| self.reasons(Some(scored), false)),
            }
        };
        self.request.explain_tools.iter().map(explain).collect()
    }

    fn fate(
        &self,
        id: &ToolId,
        scored: Option<&Scored>,
        lined_up: &[LinedUp<'_>],
        chosen: &Chosen,
        texts: &Texts,
        dropped: &[Dropped],
    ) -> String {
        let own = lined_up.iter().find(|l| l.entry.record.tool.id == *id);
        if let Some(place) = texts.tools.iter().position(|tool| tool.id == *id) {
            let (tool, all) = (&texts.tools[place], texts.tools.len());
            let shrunk =
                own.and_then(|own| shrunk(own, tool.fidelity, place, chosen)).map_or(String::new(), |why| format!("; {why}"));
            return format!("returned, place {} of {all}, {}{shrunk}", place + 1, tool.fidelity.name());
        }
        if let Some(listed) = texts.listed.iter().find(|listed| listed.id == *id) {
            return own.map_or_else(String::new, |own| self.not_callable(own, listed.line, chosen));
        }
        if let Some(dropped) = dropped.iter().find(|dropped| dropped.id == *id) {
            return format!("not returned: {}", dropped.detail);
        }
        let why = match self.available(id) {
            Err(cause) => cause.detail(id),
            Ok(_) => self.why_not(scored, id).unwrap_or_else(|| match scored {
                None => "nothing in common with the query".to_owned(),
                Some(_) => format!("others ranked higher, and {} came into the list", texts.tools.len()),
            }),
        };
        format!("not returned: {why}")
    }
}
