//! Tools that are used together: where a leading tool was registered with an example request that another tool was registered with too,
//! that request needs both, so one alone is half an answer.
//!
//! Companions fill the tail. They come right behind the leads, before tools that are merely a little alike, and never before a lead or a tool
//! that the request names.

use crate::catalog::TenantCatalog;
use crate::index::allow::Allowed;
use crate::rank::Scored;

/// Rankings are judged by their first five: companions come behind these.
const LEADS: usize = 5;
/// Leads whose companions are fetched: what stands lower is likelier to be there by chance.
const OF_LEADS: usize = 3;
/// Most companions: a popular example must not fill the list.
const MOST: usize = 5;

/// Moves companions of the leads to the place behind the leads and the named; one that was not ranked joins there.
pub(super) fn fetch(ranked: &mut Vec<Scored>, catalog: &TenantCatalog, eligible: &Allowed) {
    let behind = ranked.partition_point(|scored| scored.mentioned).max(LEADS).min(ranked.len());
    let mut fetched: Vec<(u32, u32)> = Vec::new();
    for lead in ranked.iter().take(OF_LEADS) {
        for slot in catalog.companions(lead.slot) {
            let is_before = ranked.iter().take(behind).any(|before| before.slot == slot);
            let is_new = !is_before && fetched.iter().all(|(known, _)| *known != slot);
            if is_new && eligible.contains(slot) && fetched.len() < MOST {
                fetched.push((slot, lead.slot));
            }
        }
    }
    for (place, (slot, lead)) in (behind..).zip(fetched) {
        // Between its neighbours, so that scores still fall from place to place.
        let score = place.checked_sub(1).and_then(|before| ranked.get(before)).map_or(0.0, |before| before.score);
        let known = ranked.iter().position(|scored| scored.slot == slot);
        let scored = match known {
            Some(at) => ranked.remove(at),
            None => Scored::bare(slot, score),
        };
        ranked.insert(place.min(ranked.len()), Scored { score, with: Some(lead), ..scored });
    }
}
