//! A conversation as a request: what to embed, what to search by words, and which tools have been called.
//!
//! Without a language model, and without knowing one: which words refer to earlier ones is a list for each of four languages
//! (`cues.rs`), and which earlier words matter is how rare they are in the catalogue (`terms.rs`). A last turn that does not lean on
//! earlier ones is the request as it stands, so that whoever changes the subject gets what they would have got in a new conversation.
//! Whether the subject changed can be seen in vectors only, so that decision is made by whoever has them; this module says what to embed.
//!
//! Expanding a turn by rare earlier words and fusing that with the turn itself recovers two thirds to three quarters of what a rewrite by
//! people does in retrieval for conversations (TREC CAsT 2019 and 2020), for the price of two short texts.

mod cues;
mod recent;
mod terms;
mod words;

pub use self::cues::{Lean, Reading, read};
pub use self::recent::{MAX_EARLIER_BYTES, MAX_USER_TURNS, recent};
use crate::rank::Conversation;
use crate::tool::ToolId;

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// The one whose request it is.
    User,
    /// The model.
    Assistant,
    /// A tool's result.
    Tool,
}

/// What somebody said.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Turn {
    /// Who.
    pub role: Role,
    /// The words. Only the user's are read.
    pub text: String,
    /// Tools that were called.
    pub calls: Vec<Called>,
}

/// A tool that was called, as the caller knows it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Called {
    /// By source and name.
    Id(ToolId),
    /// By the name in the prompt.
    ModelName(String),
}

/// What a conversation became.
#[derive(Clone, Debug, PartialEq)]
pub struct Condensed<'a> {
    /// The last user turn.
    pub last: &'a str,
    /// How it leans on earlier turns.
    pub lean: Lean,
    /// Whether it says that what was done last was wrong.
    pub corrects: bool,
    /// The last user turn, and behind a blank the earlier words that it may mean.
    pub expanded: String,
    /// Earlier user turns, the latest first, each with what it counts beside the last turn's 1.
    pub earlier: Vec<(&'a str, f32)>,
    /// Tools that were called, the latest first, each with what it counts, in `[0, 1]`.
    pub calls: Vec<(&'a Called, f32)>,
}

/// Condenses `turns`, oldest first. `rarity` says how rare a word of [`crate::index::terms`] is in the catalogue, in `[0, 1]`, 0 for
/// one that stands nowhere. `None` without a user turn that says anything. Of any length: only the latest [`MAX_USER_TURNS`] user turns are
/// read, of earlier ones the first [`MAX_EARLIER_BYTES`].
pub fn condense<'a>(turns: &'a [Turn], rarity: impl Fn(&str) -> f32, numbers: &Conversation) -> Option<Condensed<'a>> {
    let says = |turn: &&Turn| turn.role == Role::User && !turn.text.trim().is_empty();
    let mut said = turns.iter().rev().filter(says).take(MAX_USER_TURNS);
    let last = said.next()?.text.as_str();
    let weights = std::iter::successors(Some(numbers.decay), |weight| Some(weight * numbers.decay));
    let earlier: Vec<(&str, f32)> = said.map(|turn| recent::beginning(&turn.text)).zip(weights).collect();
    // With nothing before it there is nothing to lean on.
    let called = turns.iter().any(|turn| !turn.calls.is_empty());
    let Reading { lean, corrects } =
        if earlier.is_empty() && !called { Reading::default() } else { cues::read(last, &rarity, numbers) };
    let found = if lean == Lean::No { String::new() } else { terms::salient(last, &earlier, rarity, numbers.max_tokens) };
    let expanded = if found.is_empty() { last.to_owned() } else { format!("{last} {found}") };
    Some(Condensed { last, lean, corrects, expanded, earlier, calls: calls(turns, numbers.decay) })
}

/// Calls with their weights: 1 up to the user turn before the last, then less for every user turn since.
fn calls(turns: &[Turn], decay: f32) -> Vec<(&Called, f32)> {
    let (mut since, mut weight) = (0, 1.0);
    let mut calls = Vec::new();
    for turn in turns.iter().rev() {
        if turn.role == Role::User && !turn.text.trim().is_empty() {
            since += 1;
            weight *= if since == 1 { 1.0 } else { decay };
        }
        if MAX_USER_TURNS <= since {
            break;
        }
        calls.extend(turn.calls.iter().rev().map(|call| (call, weight)));
    }
    calls.truncate(recent::MAX_CALLS);
    calls
}

#[cfg(test)]
mod tests;
