//! The list and the directory as texts, and what they cost.

use super::{Chosen, LinedUp, Selection};
use crate::compact::{self, Fidelity, Line};
use crate::select::answer::{self, Listed, Selected, Usage, definition_hash};
use crate::select::counted;
use crate::tool::TokenCount;

/// What is pasted into a prompt.
#[derive(Debug, Default)]
pub(in crate::select) struct Texts {
    pub(in crate::select) tools: Vec<Selected>,
    /// The callable tools as one list.
    pub(in crate::select) prompt: String,
    pub(in crate::select) listed: Vec<Listed>,
    /// The lines of the others.
    pub(in crate::select) directory: String,
    /// The exact count of both texts.
    pub(in crate::select) tokens: TokenCount,
    /// The part of it that is the directory.
    pub(in crate::select) directory_tokens: TokenCount,
}

impl Selection<'_> {
    /// Writes the list and the directory. Packing adds upper bounds, so the exact count of what is written fits; it is made all the same,
    /// because the cap is the promise. What was counted at registration is not counted again: see [`Costs::line`](compact::Costs::line).
    pub(in crate::select) fn write(&self, lined_up: &[LinedUp<'_>], chosen: &Chosen) -> Texts {
        let (format, counter) = (self.request.format, &self.request.budget.tokenizer);
        let max_tokens = self.request.budget.max_tokens;
        let mut tools: Vec<Selected> = Vec::with_capacity(chosen.kept.len());
        let mut lines = Vec::with_capacity(chosen.kept.len());
        let kept = chosen.kept.iter().filter_map(|(i, fidelity)| Some((lined_up.get(*i)?, *fidelity)));
        for (place, (lined_up, fidelity)) in kept.enumerate() {
            let definition = self.definition(lined_up, fidelity);
            lines.push(match &lined_up.written {
                Some(written) => written.line(fidelity),
                None => lined_up.entry.record.costs.line(format, fidelity, counter.base(), &definition),
            });
            tools.push(self.selected(lined_up, fidelity, definition, shrunk(lined_up, fidelity, place, chosen)));
        }
        let (mut directory, mut listed, mut directory_tokens) = self.directory(lined_up, chosen);
        loop {
            let prompt = compact::prompt(tools.iter().map(|tool| tool.definition.as_str()));
            let tokens = counter.list_tokens(&lines, &prompt) + directory_tokens;
            if tokens + counter.overhead().around(tools.len()) <= max_tokens || (tools.is_empty() && listed.is_empty()) {
                return Texts { tools, prompt, listed, directory, tokens, directory_tokens };
            }
            if listed.is_empty() {
                lines.pop();
                tools.pop();
            } else {
                (directory, listed, directory_tokens) = (String::new(), Vec::new(), TokenCount(0));
            }
        }
    }

    /// The tool as one entry of the list.
    pub(super) fn definition(&self, lined_up: &LinedUp<'_>, fidelity: Fidelity) -> String {
        match &lined_up.written {
            Some(written) => written.text(fidelity).to_owned(),
            None => lined_up.entry.rendering(self.request.format, fidelity),
        }
    }

    fn selected(&self, lined_up: &LinedUp<'_>, fidelity: Fidelity, definition: String, shrunk: Option<String>) -> Selected {
        let record = &lined_up.entry.record;
        let is_for_next_turn = self.request.previous.is_some();
        let mut reasons = Vec::new();
        if self.request.explain {
            reasons = self.reasons(lined_up.scored.as_ref(), lined_up.pinned);
            reasons.extend(shrunk);
        }
        Selected {
            id: record.tool.id.clone(),
            model_name: record.model_name.clone(),
            score: lined_up.scored.map_or(0.0, |scored| scored.score),
            confidence: lined_up.scored.and_then(|scored| self.belief.tool(&scored)),
            fidelity,
            tokens: lined_up.tokens(fidelity, &self.request.budget.tokenizer),
            profile: lined_up.written.as_ref().map_or(self.request.profile, |written| written.profile),
            is_lossy: lined_up.written.as_ref().is_some_and(|written| written.is_lossy),
            profile_detail: lined_up.written.as_ref().map_or_else(String::new, |written| written.detail.clone()),
            hash: if is_for_next_turn { definition_hash(&definition) } else { String::new() },
            definition,
            reasons,
        }
    }

    /// The directory's text, its tools and its exact count.
    fn directory(&self, lined_up: &[LinedUp<'_>], chosen: &Chosen) -> (String, Vec<Listed>, TokenCount) {
        let counter = &self.request.budget.tokenizer;
        let listed = chosen.listed.iter().filter_map(|(i, line)| Some((lined_up.get(*i)?, *line)));
        let directory = compact::directory(listed.clone().map(|(l, line)| l.entry.line(line)));
        if directory.is_empty() {
            return (directory, Vec::new(), TokenCount(0));
        }
        let base = listed.clone().map(|(l, line)| l.entry.line_tokens(line, counter.base()));
        let base = base.fold(compact::directory_frame(counter.base()), |sum, line| sum + line);
        let tokens = counter.cost(base, || &directory);
        (directory, listed.map(|(l, line)| self.listed(l, line, chosen)).collect(), tokens)
    }

    fn listed(&self, lined_up: &LinedUp<'_>, line: Line, chosen: &Chosen) -> Listed {
        let record = &lined_up.entry.record;
        let mut reasons = Vec::new();
        if self.request.explain {
            reasons = self.reasons(lined_up.scored.as_ref(), lined_up.pinned);
            reasons.push(self.not_callable(lined_up, line, chosen));
        }
        Listed {
            id: record.tool.id.clone(),
            model_name: record.model_name.clone(),
            score: lined_up.scored.map_or(0.0, |scored| scored.score),
            confidence: lined_up.scored.and_then(|scored| self.belief.tool(&scored)),
            line,
            tokens: lined_up.costs.lines.map_or(TokenCount(0), |lines| lines[line as usize]),
            reasons,
        }
    }

    /// Why a tool is a line and not callable.
    pub(super) fn not_callable(&self, lined_up: &LinedUp<'_>, line: Line, chosen: &Chosen) -> String {
        let (needs, limit) = (lined_up.costs.least(), self.request.budget.max_tools);
        let why = match chosen.left {
            left if left < needs => format!("its smallest callable form needs {needs} tokens, {left} are left"),
            _ if limit <= chosen.kept.len() => format!("max_tools ({limit}) was reached"),
            _ => "the list before is kept, and is worth enough without it".to_owned(),
        };
        format!("listed by {}: {why}", line.name())
    }

    pub(super) fn reasons(&self, scored: Option<&crate::rank::Scored>, pinned: bool) -> Vec<String> {
        answer::reasons(scored, pinned, |slot| self.catalog.at(slot).map(|entry| &entry.record.tool.id))
    }

    pub(in crate::select) fn usage(&self, lined_up: &[LinedUp<'_>], texts: &Texts) -> Usage {
        let (format, counter) = (self.request.format, &self.request.budget.tokenizer);
        let base = counter.base();
        let eligible_tokens = if self.request.scope.is_everything() {
            self.catalog.full_tokens(format, base)
        } else {
            let entries = self.eligible.iter().filter_map(|slot| self.catalog.at(slot));
            entries.map(|entry| u64::from(entry.record.costs.get(format, Fidelity::Full, base).0)).sum()
        };
        let sample = lined_up.iter().map(|l| (l.tokens(Fidelity::Full, counter), l.base_tokens(format, base)));
        Usage {
            eligible_tokens: counted::total(eligible_tokens, sample, counter),
            returned: texts.tokens,
            directory: texts.directory_tokens,
            overhead: counter.overhead().around(texts.tools.len()),
            max_tokens: self.request.budget.max_tokens,
            eligible_tools: self.eligible.len(),
        }
    }
}

/// Why the callable tool in `place` is not shown whole; nothing where it is.
pub(super) fn shrunk(lined_up: &LinedUp<'_>, fidelity: Fidelity, place: usize, chosen: &Chosen) -> Option<String> {
    let next = Fidelity::ALL.into_iter().find(|greater| fidelity < *greater)?;
    if chosen.stay.as_ref().is_some_and(|stay| place < stay.kept_tools) {
        return Some(format!("shown as {}: so it stands in the list before", fidelity.name()));
    }
    let cost = |fidelity: Fidelity| lined_up.costs.objects[fidelity as usize];
    let more = cost(next).saturating_sub(cost(fidelity));
    Some(format!("shown as {}: {} takes {more} more tokens, {} are left", fidelity.name(), next.name(), chosen.left))
}
