//! What people put around what is left of a request, in two lists: the sets that numbers are fitted on are worded from one, those that are
//! reported from the other, so that a cue which was fitted cannot be what is measured.

/// Who is worded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wording {
    /// Sets that are fitted on.
    Fitted,
    /// Sets that are reported.
    Reported,
}

/// The lists of one wording.
pub(super) struct Phrases {
    /// Before a follow-up.
    pub(super) leads: &'static [&'static str],
    /// For the first thing that is not said again; mostly something, sometimes nothing.
    pub(super) pronouns: &'static [&'static str],
    /// Around what another call of the same tool is about, `{x}`.
    pub(super) again: &'static [&'static str],
    /// Around what was meant, `{x}`, and what was not, `{y}`.
    pub(super) corrections: &'static [&'static str],
    /// Before a request on another subject.
    pub(super) turns_away: &'static [&'static str],
    /// Said between two requests, with what the assistant says to it.
    pub(super) talk: &'static [(&'static str, &'static str)],
}

impl Wording {
    pub(super) fn phrases(self) -> &'static Phrases {
        match self {
            Self::Fitted => &FITTED,
            Self::Reported => &REPORTED,
        }
    }
}

const FITTED: Phrases = Phrases {
    leads: &["", "and ", "also ", "now ", "ok, ", "great. "],
    pronouns: &["it", "them", "that", "those", ""],
    again: &["do the same for {x}", "and for {x}?", "what about {x}", "again with {x}", "{x} too please"],
    corrections: &["no, I meant {x}, not {y}", "not {y}, {x}", "sorry, {x} instead of {y}", "I meant {x}"],
    turns_away: &["", "", "now ", "ok, next: "],
    talk: &[("thanks!", "You're welcome."), ("great, that helps a lot", "Glad to hear."), ("haha nice", "Anything else?")],
};

const REPORTED: Phrases = Phrases {
    leads: &["", "then ", "could you also ", "next, ", "alright, ", "perfect, now "],
    pronouns: &["it", "these", "this", "that one", "the same ones", ""],
    again: &["how about {x}?", "same thing with {x}", "one more time, {x}", "repeat that for {x}", "and now {x}", "{x} as well"],
    corrections: &[
        "that's wrong, I wanted {x} rather than {y}",
        "nope: {x}, not {y}",
        "actually {x}",
        "not what I asked for. {x}, please",
    ],
    turns_away: &["", "", "next, ", "alright, something else: "],
    talk: &[("cool, thank you so much", "My pleasure."), ("lol ok", "Sure."), ("that was quick, good job", "Happy to help.")],
};
