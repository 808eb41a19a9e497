//! The part of a conversation that is read: the latest user turns and the calls since.
//!
//! What is not read is let go before anything is remembered or compared, so that a long conversation costs no more than a short one, and two
//! that differ only in what is not read are one request.

use super::{Role, Turn};

/// User turns that are read. What four turns back counts, at half a turn's weight for each step, is a ninth of all.
pub const MAX_USER_TURNS: usize = 4;
/// Of an earlier user turn so many bytes are read: its beginning says what it is about, and some paste documents.
pub const MAX_EARLIER_BYTES: usize = 2_000;
/// Calls that are kept: an agent that called more since has shown no more than that it pages.
pub(super) const MAX_CALLS: usize = 64;

/// What [`super::condense`] reads of `turns`, in order, and what it makes the same of.
#[must_use]
pub fn recent(turns: Vec<Turn>) -> Vec<Turn> {
    let (mut kept, mut user_turns, mut calls): (Vec<Turn>, usize, usize) = (Vec::new(), 0, 0);
    for mut turn in turns.into_iter().rev() {
        turn.calls.drain(..turn.calls.len().saturating_sub(MAX_CALLS - calls));
        calls += turn.calls.len();
        if turn.role == Role::User && !turn.text.trim().is_empty() {
            user_turns += 1;
            if 1 < user_turns {
                turn.text = beginning(&turn.text).to_owned();
            }
        } else {
            turn.text = String::new();
        }
        if !turn.text.is_empty() || !turn.calls.is_empty() {
            kept.push(turn);
        }
        if user_turns == MAX_USER_TURNS {
            break;
        }
    }
    kept.reverse();
    kept
}

/// The first bytes of an earlier turn, whole characters.
pub(super) fn beginning(text: &str) -> &str {
    let text = text.trim_start();
    text.get(..text.floor_char_boundary(MAX_EARLIER_BYTES)).unwrap_or_default()
}
