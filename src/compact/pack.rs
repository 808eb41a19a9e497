//! Fills a token cap: which tools, and how much of each.
//!
//! The ranking is walked three times. First the leads, the best few: each takes the greatest fidelity that fits into the leads' share of
//! the cap, since one of them is most likely the tool that will be called and its descriptions are what it is called by. Then coverage: a
//! tool that is not in the list cannot be called, so every further tool whose smallest form still fits is admitted, and one that does not
//! fit is skipped, as a later one may. Last, every kept tool, best first, is raised to the greatest fidelity that still fits.
//!
//! That is the best there is in this order: no other choice under the cap shows the leads better within their share (compared tool by
//! tool, in rank order), or with the same leads admits a better set, or with that set shows it better. A knapsack would fit more tokens
//! in by giving up the best tool for two worse ones, which is what a ranking is there to prevent.

use super::costs::Costs;
use super::render::{Fidelity, Format};
use super::tokens::Tokenizer;
use crate::tool::TokenCount;

/// How many leads there are. Rankings are judged by their first five, and five whole tools fit the default cap.
pub const LEADS: usize = 5;
/// The leads' share of the cap, in percent: what is left takes about as many skeletons again.
const LEAD_PERCENT: u64 = 60;

/// What a tool costs at each fidelity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// As SKELETON.
    pub skeleton: TokenCount,
    /// As LEAN; may cost less than SKELETON, since a cut can part a token.
    pub lean: TokenCount,
    /// As FULL.
    pub full: TokenCount,
}

impl Candidate {
    /// The costs that matter to one request.
    #[must_use]
    pub fn of(costs: &Costs, format: Format, tokenizer: Tokenizer) -> Self {
        let get = |fidelity| costs.get(format, fidelity, tokenizer);
        Self { skeleton: get(Fidelity::Skeleton), lean: get(Fidelity::Lean), full: get(Fidelity::Full) }
    }

    /// The cost at `fidelity`.
    #[must_use]
    pub fn cost(&self, fidelity: Fidelity) -> TokenCount {
        match fidelity {
            Fidelity::Skeleton => self.skeleton,
            Fidelity::Lean => self.lean,
            Fidelity::Full => self.full,
        }
    }

    /// The smallest form's cost.
    fn least(&self) -> TokenCount {
        self.skeleton.min(self.lean).min(self.full)
    }

    /// The greatest fidelity that costs at most `room`.
    fn best_within(&self, room: TokenCount) -> Option<Fidelity> {
        Fidelity::ALL.into_iter().rev().find(|fidelity| self.cost(*fidelity) <= room)
    }
}

/// What a packing must stay within.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most tokens of the whole list, its frame included.
    pub max_tokens: TokenCount,
    /// Most tools.
    pub max_tools: usize,
    /// Tokens of a list apart from its items: [`frame`](super::frame).
    pub frame: TokenCount,
    /// How many of the best tools are shown before others are admitted: [`LEADS`].
    pub leads: usize,
}

/// What was kept, and why the rest was not. Indices are those of the candidates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packing {
    /// The tools to show and how, in rank order.
    pub kept: Vec<(usize, Fidelity)>,
    /// The tools left out, in rank order.
    pub dropped: Vec<(usize, DropReason)>,
    /// Frame and costs together: the list has at most this many tokens. 0 when nothing was kept.
    pub tokens: TokenCount,
}

/// Why a tool was left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropReason {
    /// Its smallest form did not fit.
    OverBudget {
        /// Tokens of that form.
        needs: TokenCount,
        /// Tokens left when its turn came, with better tools and the frame paid for.
        left: TokenCount,
    },
    /// There were as many tools as allowed.
    MaxTools,
}

/// Packs candidates, best first, pinned ones before all.
#[must_use]
pub fn pack(candidates: &[Candidate], limits: &Limits) -> Packing {
    let mut packing = Packing { kept: Vec::new(), dropped: Vec::new(), tokens: TokenCount(0) };
    // A cap below the frame has no room for any list, not even for one of tools that cost nothing.
    let room = (limits.frame <= limits.max_tokens).then(|| limits.max_tokens.saturating_sub(limits.frame));
    let mut left = room.unwrap_or_default();
    let mut lead_left = share(left);
    for (index, candidate) in candidates.iter().enumerate() {
        let needs = candidate.least();
        if limits.max_tools <= packing.kept.len() {
            packing.dropped.push((index, DropReason::MaxTools));
            continue;
        }
        if room.is_none() || left < needs {
            packing.dropped.push((index, DropReason::OverBudget { needs, left }));
            continue;
        }
        let is_lead = packing.kept.len() < limits.leads;
        let lead_form = candidate.best_within(lead_left).filter(|_| is_lead);
        // `needs` fits, so the second look always finds a form.
        let fidelity = lead_form.or_else(|| candidate.best_within(needs)).unwrap_or(Fidelity::Skeleton);
        let cost = candidate.cost(fidelity);
        lead_left = lead_left.saturating_sub(cost);
        left = left.saturating_sub(cost);
        packing.kept.push((index, fidelity));
    }
    for (index, fidelity) in &mut packing.kept {
        let candidate = &candidates[*index];
        // What its form was given comes back, and the best form that this pays for is taken.
        let room = left + candidate.cost(*fidelity);
        *fidelity = candidate.best_within(room).unwrap_or(*fidelity);
        left = room.saturating_sub(candidate.cost(*fidelity));
    }
    if !packing.kept.is_empty() {
        packing.tokens = limits.max_tokens.saturating_sub(left);
    }
    packing
}

fn share(room: TokenCount) -> TokenCount {
    TokenCount(u32::try_from(u64::from(room.0) * LEAD_PERCENT / 100).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn candidate(skeleton: u32, lean: u32, full: u32) -> Candidate {
        Candidate { skeleton: TokenCount(skeleton), lean: TokenCount(lean), full: TokenCount(full) }
    }

    fn limits(max_tokens: u32, max_tools: usize) -> Limits {
        Limits { max_tokens: TokenCount(max_tokens), max_tools, frame: TokenCount(2), leads: 0 }
    }

    fn over(needs: u32, left: u32) -> DropReason {
        DropReason::OverBudget { needs: TokenCount(needs), left: TokenCount(left) }
    }

    #[test]
    fn shrinks_before_it_drops_and_raises_the_best_first() {
        let packing = pack(&[candidate(10, 20, 40), candidate(10, 20, 40), candidate(10, 20, 40)], &limits(62, 20));
        assert_eq!(packing.kept, [(0, Fidelity::Full), (1, Fidelity::Skeleton), (2, Fidelity::Skeleton)]);
        assert_eq!((packing.tokens, packing.dropped.len()), (TokenCount(62), 0));
    }

    #[test]
    fn leads_are_shown_before_others_are_admitted_within_their_share() {
        let three = [candidate(10, 20, 40), candidate(10, 20, 40), candidate(10, 20, 40), candidate(10, 20, 40)];
        let pack = |max_tokens| pack(&three, &Limits { leads: 1, ..limits(max_tokens, 20) }).kept;
        assert_eq!(pack(72), [(0, Fidelity::Full), (1, Fidelity::Skeleton), (2, Fidelity::Skeleton), (3, Fidelity::Skeleton)]);
        // Its share of 50 tokens is 30: LEAN, then others, then what is left raises it no further.
        assert_eq!(pack(52), [(0, Fidelity::Lean), (1, Fidelity::Skeleton), (2, Fidelity::Skeleton), (3, Fidelity::Skeleton)]);
    }

    #[test]
    fn skips_what_does_not_fit_and_goes_on() {
        let packing =
            pack(&[candidate(10, 10, 10), candidate(90, 95, 99), candidate(5, 6, 7), candidate(1, 1, 1)], &limits(20, 2));
        assert_eq!(packing.kept, [(0, Fidelity::Full), (2, Fidelity::Full)]);
        assert_eq!(packing.dropped, [(1, over(90, 8)), (3, DropReason::MaxTools)]);
        assert_eq!(packing.tokens, TokenCount(19));
    }

    #[test]
    fn a_cap_below_everything_gives_an_empty_list_with_reasons() {
        let packing = pack(&[candidate(10, 20, 30)], &limits(11, 20));
        assert_eq!(packing, Packing { kept: vec![], dropped: vec![(0, over(10, 9))], tokens: TokenCount(0) });
        assert_eq!(pack(&[candidate(0, 0, 0)], &limits(1, 20)).dropped, [(0, over(0, 0))]);
        assert_eq!(pack(&[candidate(0, 0, 0)], &limits(9, 0)).dropped, [(0, DropReason::MaxTools)]);
        assert_eq!(pack(&[], &limits(0, 0)).kept, []);
    }

    #[test]
    fn the_greater_fidelity_wins_at_no_greater_cost() {
        assert_eq!(pack(&[candidate(10, 10, 12)], &limits(12, 20)).kept, [(0, Fidelity::Lean)]);
        assert_eq!(pack(&[candidate(10, 9, 12)], &limits(11, 20)).kept, [(0, Fidelity::Lean)]);
        assert_eq!(pack(&[candidate(10, 12, 8)], &limits(99, 20)).kept, [(0, Fidelity::Full)]);
    }

    fn total(candidates: &[Candidate], limits: &Limits, kept: &[(usize, Fidelity)]) -> u64 {
        kept.iter().map(|(i, f)| u64::from(candidates[*i].cost(*f).0)).sum::<u64>() + u64::from(limits.frame.0)
    }

    /// Every choice of lead forms, admitted tools and final forms; the best one by the stated objective. The key of a choice lists, in
    /// rank order, how each lead was shown, which further tools were admitted, and how all are shown in the end.
    fn brute_force(candidates: &[Candidate], limits: &Limits) -> Vec<(usize, Fidelity)> {
        let states = [None, Some(Fidelity::Skeleton), Some(Fidelity::Lean), Some(Fidelity::Full)];
        let n = candidates.len();
        let assignments: Vec<Vec<Option<Fidelity>>> = (0..4_usize.pow(u32::try_from(n).unwrap()))
            .map(|number| (0..n).map(|i| states[number >> (2 * i) & 3]).collect())
            .collect();
        let list = |choice: &[Option<Fidelity>]| -> Vec<_> {
            choice.iter().enumerate().filter_map(|(i, f)| f.map(|f| (i, f))).collect()
        };
        let room = u64::from(limits.max_tokens.0.saturating_sub(limits.frame.0));
        let fits = |kept: &[(usize, Fidelity)]| {
            kept.is_empty()
                || (kept.len() <= limits.max_tools && total(candidates, limits, kept) <= u64::from(limits.max_tokens.0))
        };
        // First forms: leads within their share or at their least, the others at their least.
        let sound_first = |kept: &[(usize, Fidelity)]| {
            let mut spent = 0;
            kept.iter().enumerate().all(|(place, (i, form))| {
                let cost = u64::from(candidates[*i].cost(*form).0);
                let least = candidates[*i].cost(*form) == candidates[*i].least();
                spent += cost;
                least || (place < limits.leads && spent <= room * LEAD_PERCENT / 100)
            })
        };
        let mut best = (vec![], vec![false; n], vec![None; n]);
        for first in assignments.iter().filter(|first| fits(&list(first)) && sound_first(&list(first))) {
            let kept = list(first);
            let leads_end =
                kept.get(limits.leads.wrapping_sub(1)).map_or(if limits.leads == 0 { 0 } else { n }, |lead| lead.0 + 1);
            let admitted: Vec<bool> = first.iter().map(Option::is_some).collect();
            let raised =
                |last: &&Vec<Option<Fidelity>>| first.iter().zip(last.iter()).all(|(a, b)| a.is_some() == b.is_some() && a <= b);
            let lead_forms = first[..leads_end].to_vec();
            if (&lead_forms, &admitted) < (&best.0, &best.1) {
                continue;
            }
            for last in assignments.iter().filter(raised).filter(|last| fits(&list(last))) {
                best = best.max((lead_forms.clone(), admitted.clone(), last.clone()));
            }
        }
        list(&best.2)
    }

    fn any_candidates(cost: impl Strategy<Value = u32> + Clone, most: usize) -> impl Strategy<Value = Vec<Candidate>> {
        prop::collection::vec((cost.clone(), cost.clone(), cost).prop_map(|(s, l, f)| candidate(s, l, f)), 0..=most)
    }

    proptest! {
        #[test]
        fn equals_brute_force(
            candidates in any_candidates(0..12_u32, 5),
            max_tokens in 0..60_u32,
            max_tools in 0..8_usize,
            leads in 0..4_usize,
        ) {
            let limits = Limits { leads, ..limits(max_tokens, max_tools) };
            prop_assert_eq!(pack(&candidates, &limits).kept, brute_force(&candidates, &limits));
        }

        #[test]
        fn never_exceeds_its_limits(
            candidates in any_candidates(prop_oneof![Just(0), Just(u32::MAX), 0..300_u32, any::<u32>()], 30),
            max_tokens in prop_oneof![Just(0), Just(u32::MAX), 0..2_000_u32, any::<u32>()],
            max_tools in 0..40_usize,
            frame in prop_oneof![0..4_u32, any::<u32>()],
        ) {
            let limits = Limits { max_tokens: TokenCount(max_tokens), max_tools, frame: TokenCount(frame), leads: 3 };
            let packing = pack(&candidates, &limits);
            if !packing.kept.is_empty() {
                prop_assert_eq!(total(&candidates, &limits, &packing.kept), u64::from(packing.tokens.0));
            }
            prop_assert!(packing.tokens <= limits.max_tokens);
            prop_assert!(packing.kept.len() <= max_tools);
            let mut all: Vec<_> = packing.kept.iter().map(|k| k.0).chain(packing.dropped.iter().map(|d| d.0)).collect();
            prop_assert!(packing.kept.is_sorted_by_key(|k| k.0) && packing.dropped.is_sorted_by_key(|d| d.0));
            all.sort_unstable();
            prop_assert_eq!(all, (0..candidates.len()).collect::<Vec<_>>());
        }
    }
}
