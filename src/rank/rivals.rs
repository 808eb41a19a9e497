//! Look-alikes in a ranking: among tools that say the same of themselves, the one whose source the request says comes first.
//!
//! Two servers may publish the same tool. Their scores differ by what the model makes of the servers' names (half of such pairs by more
//! than .09), which is chance unless the request speaks of one of them. So rivals are put in order by what decides between them, within the
//! places they hold; where nothing does they stay, and are marked, so that an explanation says that the choice was open.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::Scored;
use crate::index::terms;

/// How far down the ranking rivals are looked for: a list holds a dozen tools.
const DEPTH: usize = 50;
/// Rivals score within this of the best of them. Three in four copies do, for requests that say neither server; further down, more than the
/// server's name may tell them apart.
const MARGIN: f32 = 0.15;
/// Words that say what a source is made of, not which one it is.
const GENERIC: [&str; 10] = ["mcp", "server", "api", "tool", "service", "app", "client", "plugin", "integration", "official"];

/// What makes a tool a rival, and what sets it apart.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Its source.
    pub source: &'a str,
    /// Its name within its source.
    pub name: &'a str,
    /// The different words of its name in alphabetical order, with blanks between.
    pub name_key: &'a str,
    /// Its description.
    pub description: &'a str,
}

/// How a tool stands among its rivals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing in the request sets it apart from this one.
    Tied {
        /// The slot of the first other.
        with: u32,
        /// How many more.
        more: u16,
    },
    /// The request says more of its source or name than of any rival's.
    Preferred {
        /// The slot of the next.
        to: u32,
    },
}

/// Puts rivals among the first of `ranked` in order and marks them. Rivals have equal name words or equal descriptions, and scores close to
/// each other; tools that the query names are rivals only of such. Nothing else moves, and doing it again changes nothing.
pub fn settle<'a>(ranked: &mut [Scored], query: &str, look: impl Fn(u32) -> Option<Look<'a>>) {
    let depth = ranked.len().min(DEPTH);
    let Some(first) = ranked.get_mut(..depth) else { return };
    let looks: Vec<Option<Look<'a>>> = first.iter().map(|scored| look(scored.slot)).collect();
    let groups = groups(first, &looks);
    if groups.is_empty() {
        return;
    }
    let request = Request::of(query);
    for places in groups {
        let mut order: Vec<(Said, Scored)> = Vec::with_capacity(places.len());
        for place in &places {
            if let (Some(scored), Some(Some(look))) = (first.get(*place), looks.get(*place)) {
                order.push((request.says(look), *scored));
            }
        }
        // Stable: where the request says equally much of two, they stay.
        order.sort_by_key(|(said, _)| Reverse(*said));
        for (at, place) in places.iter().enumerate() {
            if let (Some((_, scored)), Some(there)) = (order.get(at), first.get_mut(*place)) {
                *there = Scored { standing: standing(&order, at), ..*scored };
            }
        }
    }
}

/// Places of rivals, each group ascending. Which tools are rivals does not depend on their order, only on their looks and scores.
fn groups(ranked: &[Scored], looks: &[Option<Look<'_>>]) -> Vec<Vec<usize>> {
    // Every place points to an earlier one of its kind, or to itself.
    let mut kind: Vec<usize> = (0..ranked.len()).collect();
    let (mut names, mut descriptions) = (HashMap::new(), HashMap::new());
    for (place, (scored, look)) in ranked.iter().zip(looks).enumerate() {
        let Some(look) = look else { continue };
        for (map, text) in [(&mut names, look.name_key), (&mut descriptions, look.description)] {
            if !text.is_empty() {
                let (a, b) = (root(&kind, *map.entry((scored.mentioned, text)).or_insert(place)), root(&kind, place));
                kind[a.max(b)] = a.min(b);
            }
        }
    }
    let mut kinds: HashMap<usize, Vec<usize>> = HashMap::new();
    (0..ranked.len()).for_each(|place| kinds.entry(root(&kind, place)).or_default().push(place));
    let mut groups = Vec::new();
    for mut places in kinds.into_values().filter(|places| 1 < places.len()) {
        places.sort_by(|a, b| ranked[*b].score.total_cmp(&ranked[*a].score));
        let mut rest = places.as_slice();
        while let Some(best) = rest.first() {
            let close = rest.iter().take_while(|place| ranked[*best].score - ranked[**place].score < MARGIN).count().max(1);
            let (group, further) = rest.split_at(close);
            if 1 < group.len() {
                let mut group = group.to_vec();
                group.sort_unstable();
                groups.push(group);
            }
            rest = further;
        }
    }
    groups
}

fn root(kind: &[usize], mut place: usize) -> usize {
    while kind[place] != place {
        place = kind[place];
    }
    place
}

/// How much of a tool the request says: whether source and name stand there together, words of its source, whether the source stands there
/// whole, words of its name. More is greater.
type Said = (bool, usize, bool, usize);

struct Request {
    /// As they stand there.
    written: Vec<String>,
    /// As words are compared, in alphabetical order.
    terms: Vec<String>,
}

impl Request {
    fn of(query: &str) -> Self {
        let mut terms = terms::terms(query);
        terms.sort_unstable();
        Self { written: written(query), terms }
    }

    fn has(&self, word: &str) -> bool {
        self.terms.binary_search_by(|term| term.as_str().cmp(word)).is_ok()
    }

    /// Whoever asks to search contacts has not said the source `contacts`: words of the tool's name do not count for its source.
    fn says(&self, look: &Look<'_>) -> Said {
        let name: Vec<&str> = look.name_key.split_ascii_whitespace().collect();
        let mut source = terms::terms(look.source);
        source.sort_unstable();
        source.dedup();
        source.retain(|word| !name.contains(&word.as_str()));
        let words = source.iter().filter(|word| !GENERIC.contains(&word.as_str()) && self.has(word)).count();
        // In the source `crm-a` the `a` is no word, and in the request "in crm a" it says which.
        let mut whole = written(look.source);
        let stands = !source.is_empty() && self.stands(&whole);
        whole.extend(written(look.name));
        (self.stands(&whole), words, stands, name.iter().filter(|word| self.has(word)).count())
    }

    /// Whether `words` stand there in a row.
    fn stands(&self, words: &[String]) -> bool {
        !words.is_empty() && self.written.windows(words.len()).any(|run| run == words)
    }
}

/// The words of `text` as they stand there, in lower case.
fn written(text: &str) -> Vec<String> {
    terms::split(text).to_lowercase().split_whitespace().map(str::to_owned).collect()
}

/// Of those of which the request says most: alone, or one of several. The others have lost, and nothing is open about them.
fn standing(order: &[(Said, Scored)], at: usize) -> Option<Standing> {
    let (most, _) = order.first()?;
    let first = order.iter().take_while(|(said, _)| said == most).count();
    if first <= at {
        return None;
    }
    if first == 1 {
        return order.get(1).map(|(_, next)| Standing::Preferred { to: next.slot });
    }
    let (_, with) = order.get(usize::from(at == 0))?;
    Some(Standing::Tied { with: with.slot, more: u16::try_from(first - 2).unwrap_or(u16::MAX) })
}

#[cfg(test)]
mod tests;
