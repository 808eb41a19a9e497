//! Dialogues made of labelled requests: two of a set, with what a person would not say twice taken out of the second.
//!
//! Nobody labelled public dialogues with the tools of catalogues like these, so they are assembled, by rules that look at requests, labels
//! and sources and never at a vector, a ranking or a list of cues:
//!
//! - *follow-up*: the second request needs other tools of a source that the first one used. Its words that the first has too, and those of
//!   the source's name, are taken out; the first gap behind the first word that says something is filled with a pronoun, or with nothing.
//! - *again*: the second needs the same tools. All that is left of it is what none of their texts has: names, numbers, places.
//! - *correction*: as a follow-up, but the assistant was wrong; the user says what only the second request has, and in most wordings what
//!   only the first had.
//! - *later*: a follow-up with thanks between.
//! - *switch*: the second, whole, needs tools of other sources.
//! - *talk*: the same with thanks between.
//!
//! In each the assistant called all tools that the first request needs: agents do, and what it is worth is a column of its own. Requests
//! of more than forty words are left out; nobody says those without context, with a conversation or without. Who is paired with whom, and
//! the wording, follow from the seed and the requests' ids.

use std::collections::{BTreeSet, HashMap, HashSet};

use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, SeedableRng};
use sha2::{Digest, Sha256};

use super::wording::{Phrases, Wording};
use crate::catalog::views::ViewTexts;
use crate::eval::dataset::{Dataset, NO_SERVER, Query};
use crate::index::terms;

/// Longer requests explain themselves.
const MAX_WORDS: usize = 40;
/// Most words of what another call is about, and of what was meant.
const MAX_KEPT: usize = 8;
/// Most words of what was not meant: nobody says more of that.
const MAX_REJECTED: usize = 3;
/// Partners that are tried for a request.
const TRIES: usize = 200;
/// Words that belong to the word behind them.
const ARTICLES: [&str; 12] = ["the", "a", "an", "my", "our", "all", "any", "your", "this", "that", "some", "each"];

/// How the last turn of a dialogue stands to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Another tool of the same source.
    FollowUp,
    /// The same tool for something else.
    Again,
    /// Another tool was meant.
    Correction,
    /// A follow-up with thanks between.
    Later,
    /// Another subject.
    Switch,
    /// Another subject with thanks between.
    Talk,
}

impl Kind {
    /// Those that lean on earlier turns first.
    pub const ALL: [Self; 6] = [Self::FollowUp, Self::Again, Self::Correction, Self::Later, Self::Switch, Self::Talk];

    /// In tables.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::FollowUp => "follow-up",
            Self::Again => "again",
            Self::Correction => "correction",
            Self::Later => "later",
            Self::Switch => "switch",
            Self::Talk => "talk",
        }
    }

    /// Whether the last turn leans on earlier ones.
    #[must_use]
    pub const fn leans(self) -> bool {
        matches!(self, Self::FollowUp | Self::Again | Self::Correction | Self::Later)
    }
}

/// What somebody says in a dialogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Line {
    /// The user.
    User(String),
    /// The assistant, with the places of the tools that it called.
    Assistant(String, Vec<usize>),
}

/// A dialogue whose last line is the user's, with the places of the tools that it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dialogue {
    /// That of the last request, with the kind.
    pub id: String,
    /// How it stands to the first.
    pub kind: Kind,
    /// What was said.
    pub lines: Vec<Line>,
    /// What the last request needs.
    pub relevant: Vec<usize>,
}

impl Dialogue {
    /// What the user said, in order.
    pub fn user(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().filter_map(|line| match line {
            Line::User(text) => Some(text.as_str()),
            Line::Assistant(..) => None,
        })
    }
}

/// Assembles at most `most` dialogues of each kind from the requests of `data`.
#[must_use]
pub fn assemble(data: &Dataset, wording: Wording, most: usize, seed: u64) -> Vec<Dialogue> {
    let short = |query: &&Query| query.text.split_whitespace().count() <= MAX_WORDS;
    let requests: Vec<Request<'_>> = data.queries.iter().filter(short).map(|query| Request::of(data, query)).collect();
    let partners = Partners::of(&requests);
    let mut dialogues = Vec::new();
    for kind in Kind::ALL {
        let hash = Sha256::new().chain_update(seed.to_le_bytes()).chain_update(&data.name).chain_update(kind.name());
        let mut rng = StdRng::from_seed(hash.finalize().into());
        let mut order: Vec<usize> = (0..requests.len()).collect();
        order.shuffle(&mut rng);
        let before = dialogues.len();
        for at in order {
            if dialogues.len() - before == most {
                break;
            }
            dialogues.extend(partners.dialogue(data, &requests, at, kind, wording.phrases(), &mut rng));
        }
    }
    dialogues
}

/// A request with what pairing looks at.
struct Request<'a> {
    query: &'a Query,
    terms: HashSet<String>,
    sources: BTreeSet<&'a str>,
}

impl<'a> Request<'a> {
    fn of(data: &'a Dataset, query: &'a Query) -> Self {
        let source = |place: &usize| data.tools.get(*place).map(|tool| tool.id.source());
        let sources = query.relevant.iter().filter_map(source).filter(|source| *source != NO_SERVER).collect();
        Self { query, terms: terms::terms(&query.text).into_iter().collect(), sources }
    }
}

/// Requests by what they need.
struct Partners<'a> {
    by_source: HashMap<&'a str, Vec<usize>>,
    by_tools: HashMap<&'a [usize], Vec<usize>>,
}

impl<'a> Partners<'a> {
    fn of(requests: &[Request<'a>]) -> Self {
        let mut partners = Self { by_source: HashMap::new(), by_tools: HashMap::new() };
        for (at, request) in requests.iter().enumerate() {
            for source in &request.sources {
                partners.by_source.entry(source).or_default().push(at);
            }
            partners.by_tools.entry(&request.query.relevant).or_default().push(at);
        }
        partners
    }

    /// A dialogue that ends with the request at `at`, where some partner makes one.
    fn dialogue(
        &self,
        data: &Dataset,
        requests: &[Request<'a>],
        at: usize,
        kind: Kind,
        phrases: &Phrases,
        rng: &mut StdRng,
    ) -> Option<Dialogue> {
        let second = requests.get(at)?;
        let all: Vec<usize>;
        let pool: &[usize] = match kind {
            Kind::FollowUp | Kind::Correction | Kind::Later => {
                // All it needs is of one source: what else it needs would not be a follow-up's.
                let [source] = second.sources.iter().copied().collect::<Vec<_>>()[..] else { return None };
                self.by_source.get(source)?
            }
            Kind::Again => self.by_tools.get(second.query.relevant.as_slice())?,
            Kind::Switch | Kind::Talk => {
                all = (0..TRIES.min(requests.len())).map(|_| rng.random_range(0..requests.len())).collect();
                &all
            }
        };
        let mut tried: Vec<usize> = pool.to_vec();
        tried.shuffle(rng);
        tried.truncate(TRIES);
        for other in tried.into_iter().filter(|other| *other != at) {
            let first = requests.get(other)?;
            if let Some(last) = last_turn(data, first, second, kind, phrases, rng) {
                let mut lines =
                    vec![Line::User(first.query.text.clone()), Line::Assistant("Done.".to_owned(), first.query.relevant.clone())];
                if let (Kind::Later | Kind::Talk, Some((user, assistant))) = (kind, phrases.talk.choose(rng)) {
                    lines.push(Line::User((*user).to_owned()));
                    lines.push(Line::Assistant((*assistant).to_owned(), Vec::new()));
                }
                lines.push(Line::User(last));
                let id = format!("{}/{}", kind.name(), second.query.id);
                return Some(Dialogue { id, kind, lines, relevant: second.query.relevant.clone() });
            }
        }
        None
    }
}

/// What the user says of `second` after `first`; nothing where the two do not make such a dialogue.
fn last_turn(
    data: &Dataset,
    first: &Request<'_>,
    second: &Request<'_>,
    kind: Kind,
    phrases: &Phrases,
    rng: &mut StdRng,
) -> Option<String> {
    let (a, b) = (first.query, second.query);
    let choose = |list: &'static [&'static str], rng: &mut StdRng| list.choose(rng).copied().unwrap_or_default();
    match kind {
        Kind::FollowUp | Kind::Later => {
            if a.relevant == b.relevant {
                return None;
            }
            let gone = gone(first, second);
            let left = without(&b.text, &gone, choose(phrases.pronouns, rng))?;
            Some(format!("{}{left}", choose(phrases.leads, rng)))
        }
        Kind::Again => {
            let texts = b.relevant.iter().filter_map(|place| data.tools.get(*place)).map(ViewTexts::whole);
            let known: HashSet<String> = texts.flat_map(|text| terms::terms(&text)).collect();
            let x = only(&b.text, &known, MAX_KEPT);
            (!x.is_empty() && a.text != b.text).then(|| choose(phrases.again, rng).replace("{x}", &x))
        }
        Kind::Correction => {
            let shares = second.terms.intersection(&first.terms).next().is_some();
            let (x, y) = (only(&b.text, &gone(first, second), MAX_KEPT), only(&a.text, &second.terms, MAX_REJECTED));
            let fits = shares && a.relevant != b.relevant && !x.is_empty() && !y.is_empty();
            fits.then(|| choose(phrases.corrections, rng).replace("{x}", &x).replace("{y}", &y))
        }
        Kind::Switch | Kind::Talk => {
            let apart = first.sources.is_disjoint(&second.sources) && a.relevant.iter().all(|tool| !b.relevant.contains(tool));
            apart.then(|| format!("{}{}", choose(phrases.turns_away, rng), b.text))
        }
    }
}

/// The terms that the second of two requests does not say again: those of the first, and of their source's name.
fn gone(first: &Request<'_>, second: &Request<'_>) -> HashSet<String> {
    let of_sources = second.sources.iter().flat_map(|source| terms::terms(source));
    first.terms.iter().cloned().chain(of_sources).collect()
}

/// Whether a word has something to say and all of it is in `gone`; words that say nothing never are.
fn is_gone(word: &str, gone: &HashSet<String>) -> bool {
    let terms = terms::terms(word);
    !terms.is_empty() && terms.iter().all(|term| gone.contains(term))
}

/// `text` without the words in `gone`, the first gap behind its first word with something to say filled with `pronoun`. Nothing where no
/// word goes, or none with something to say stays.
fn without(text: &str, gone: &HashSet<String>, pronoun: &str) -> Option<String> {
    let mut words: Vec<&str> = Vec::new();
    let (mut went, mut stayed, mut said, mut filled, mut in_gap) = (false, false, false, pronoun.is_empty(), false);
    for word in text.split_whitespace() {
        if is_gone(word, gone) {
            went = true;
            while words.last().is_some_and(|last| ARTICLES.contains(&last.to_lowercase().as_str())) {
                words.pop();
            }
            // The first word with something to say is mostly what is to be done, for which no pronoun stands.
            if !filled && said && !in_gap {
                words.push(pronoun);
                filled = true;
            }
            in_gap = true;
        } else {
            stayed |= !terms::terms(word).is_empty();
            words.push(word);
            in_gap = false;
        }
        said |= !terms::terms(word).is_empty();
    }
    (went && stayed).then(|| words.join(" "))
}

/// The words of `text` with something to say that is not in `known`, the first `most`.
fn only(text: &str, known: &HashSet<String>, most: usize) -> String {
    let is_own = |word: &&str| !terms::terms(word).is_empty() && !terms::terms(word).iter().any(|term| known.contains(term));
    let bare = |word: &'_ str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    text.split_whitespace().filter(is_own).take(most).map(bare).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::{Document, Tool, ToolId};

    fn data() -> Dataset {
        let tool = |source: &str, name: &str, description: &str| {
            Tool::new(ToolId::new(source, name).unwrap(), description.to_owned(), Document::parse("{}").unwrap())
        };
        let query = |id: &str, text: &str, relevant: usize| Query {
            id: id.into(),
            text: text.into(),
            relevant: vec![relevant],
            candidates: None,
        };
        Dataset {
            name: "set".into(),
            split: String::new(),
            tools: vec![
                tool("tickets", "open", "Opens a ticket."),
                tool("tickets", "close", "Closes a ticket."),
                tool("weather", "forecast", "Tells the forecast of a city."),
            ],
            queries: vec![
                query("a", "open a ticket for the broken gateway", 0),
                query("b", "close the ticket for the gateway with a comment", 1),
                query("c", "what is the forecast of the city Reykjavik", 2),
                query("d", "forecast for Oslo", 2),
                query("e", "word ".repeat(41).as_str(), 2),
            ],
            distractors: 0,
            twins_left_out: 0,
        }
    }

    #[test]
    fn dialogues_are_the_same_for_the_same_seed() {
        let (once, twice) = (assemble(&data(), Wording::Reported, 10, 1), assemble(&data(), Wording::Reported, 10, 1));
        assert_eq!(once, twice);
        assert!(Kind::ALL.iter().all(|kind| once.iter().any(|dialogue| dialogue.kind == *kind)), "{once:?}");
        assert!(once.iter().all(|dialogue| matches!(dialogue.lines.last(), Some(Line::User(_))) && !dialogue.id.ends_with("/e")));
        assert_ne!(once, assemble(&data(), Wording::Fitted, 10, 1));
    }

    #[test]
    fn what_was_said_is_not_said_again() {
        let data = data();
        let [first, second] = [0, 1].map(|at| Request::of(&data, &data.queries[at]));
        assert_eq!(without(&second.query.text, &gone(&first, &second), "it").unwrap(), "close it for with a comment");
        let [first, second] = [2, 3].map(|at| Request::of(&data, &data.queries[at]));
        assert_eq!(without(&second.query.text, &gone(&first, &second), "it").unwrap(), "for Oslo");
        assert_eq!(without("nothing goes", &HashSet::new(), "it"), None);
        let again: Vec<Dialogue> =
            assemble(&data, Wording::Fitted, 9, 7).into_iter().filter(|dialogue| dialogue.kind == Kind::Again).collect();
        let last = |dialogue: &Dialogue| dialogue.user().last().unwrap().to_owned();
        assert!(again.iter().all(|dialogue| !last(dialogue).contains("forecast")), "{again:?}");
    }
}
