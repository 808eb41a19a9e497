//! Descriptions with less said: the first sentence, and of the others those that a model would act on.
//!
//! A publisher's first sentence says what a thing is. What follows is mostly how it works inside, what comes back and what a reader of
//! the manual wants to know; but units, formats, limits, defaults, values and "do not use for …" stand there too, and a call goes
//! wrong without them. So sentences are kept or dropped as wholes, by signals in their words (`signals`), and nothing is ever cut
//! inside one (`sentences`). Lists stay with the line that announces them.
//!
//! Doing it twice is doing it once: whether a sentence stays depends on itself and on what was kept before it.

mod sentences;
mod signals;

use std::borrow::Cow;

pub(super) use self::sentences::first_sentence;
use self::sentences::{Section, Sentence, entry_name, sentences, write};
use self::signals::Signals;

/// Says what values of an enum mean; whatever stands behind it is kept.
pub(super) const LABELS: &str = "Values:";

/// Bytes of a parameter's description beyond which only warnings are added.
const PARAMETER_BUDGET: usize = 240;
/// Bytes of a tool's description beyond which only warnings are added.
const TOOL_BUDGET: usize = 300;
/// Bytes beyond which nothing is added: a page of warnings is a manual. Five times a usual description.
const MOST: usize = 1_000;
/// A first sentence with fewer bytes is a heading ("Overview."), and the next one is the first.
const SHORTEST_FIRST: usize = 12;

/// A parameter's description, shortened.
pub(super) fn parameter(text: &str) -> String {
    let text = tidy(text);
    let (text, labels) = match label_start(&text) {
        Some(at) => text.split_at(at),
        None => (text.as_ref(), ""),
    };
    let kept = shortened(text, PARAMETER_BUDGET, |sentence| {
        let says = Signals::of(&sentence.text);
        Verdict::of(says.warns, says.fills_in())
    });
    if kept.is_empty() || labels.is_empty() {
        kept + labels.trim_start_matches('\n')
    } else {
        kept + "\n" + labels.trim_start_matches('\n')
    }
}

/// Where a line begins that says what values mean.
fn label_start(text: &str) -> Option<usize> {
    if text.starts_with(LABELS) { Some(0) } else { text.find(&format!("\n{LABELS}")) }
}

/// A tool's description, shortened; `described` tells which parameters its schema describes.
///
/// Many descriptions repeat the parameters and tell what comes back. A parameter that the schema describes is told there; one that
/// it does not describe is told here alone, and stays.
pub(super) fn tool(text: &str, described: &dyn Fn(&str) -> bool) -> String {
    let mut told_elsewhere = false;
    shortened(&tidy(text), TOOL_BUDGET, |sentence| {
        let says = Signals::of(&sentence.text);
        let named = entry_name(&sentence.text).filter(|_| sentence.starts_line);
        match sentence.section {
            Section::Arguments => {
                if let Some(name) = named {
                    told_elsewhere = described(name);
                    return Verdict::of(says.warns || !told_elsewhere, says.fills_in());
                }
                Verdict::of(says.warns, says.fills_in())
            }
            Section::Result | Section::Examples => Verdict::Never,
            Section::Text if says.is_about_results => Verdict::of(says.warns, false),
            Section::Text => Verdict::of(says.warns, says.shows_values || says.shows_format || says.limits),
        }
    })
}

/// The sentences that are kept: `judge` says of each whether it is kept beyond the budget, and whether it is kept within.
///
/// Done until nothing changes, which is at once for all that people write: what is dropped may have kept two others apart.
fn shortened(text: &str, budget: usize, mut judge: impl FnMut(&Sentence) -> Verdict) -> String {
    const ROUNDS: usize = 8;
    let mut now = tidy(&shortened_once(text, budget, &mut judge)).into_owned();
    for _ in 1..ROUNDS {
        let next = tidy(&shortened_once(&now, budget, &mut judge)).into_owned();
        if next == now {
            break;
        }
        now = next;
    }
    now
}

fn shortened_once(text: &str, budget: usize, judge: &mut impl FnMut(&Sentence) -> Verdict) -> String {
    let all = sentences(text);
    let mut kept = vec![false; all.len()];
    let (mut spent, mut at) = (0, 0);
    while let Some(sentence) = all.get(at) {
        let items = items_behind(&all, at);
        let list = all.get(at..=at + items).unwrap_or_default();
        let is_first = spent < SHORTEST_FIRST && sentence.section == Section::Text && !sentence.is_heading;
        let limit = |verdict: &Verdict| match verdict {
            Verdict::Always => MOST,
            Verdict::Within => budget,
            Verdict::Never => 0,
        };
        // The line that announces a list says nothing without it, and the list belongs to it.
        let whole: usize = list.iter().map(Sentence::length).sum();
        let verdict = if sentence.is_heading { Verdict::Never } else { judge(sentence) };
        if (is_first && whole <= MOST) || spent + whole <= limit(&verdict) {
            kept.iter_mut().skip(at).take(list.len()).for_each(|kept| *kept = true);
            spent += whole;
        } else {
            let mut more = sentence.length();
            for (place, item) in all.iter().enumerate().skip(at + 1).take(items) {
                if spent + more + item.length() <= limit(&judge(item)) {
                    more += item.length();
                    if let Some(kept) = kept.get_mut(place) {
                        *kept = true;
                    }
                }
            }
            if is_first || sentence.length() < more {
                spent += more;
                if let Some(kept) = kept.get_mut(at) {
                    *kept = true;
                }
            }
        }
        at += list.len().max(1);
    }
    write(&all, &kept)
}

/// How many sentences behind `at` are items of the list that it announces.
fn items_behind(all: &[Sentence], at: usize) -> usize {
    let announces = all.get(at).is_some_and(|one| !one.is_heading && one.text.ends_with([':', '：']));
    if announces { all.iter().skip(at + 1).take_while(|one| one.is_item).count() } else { 0 }
}

enum Verdict {
    /// Up to [`MOST`].
    Always,
    /// Up to the budget.
    Within,
    Never,
}

impl Verdict {
    fn of(always: bool, within: bool) -> Self {
        match (always, within) {
            (true, _) => Self::Always,
            (false, true) => Self::Within,
            (false, false) => Self::Never,
        }
    }
}

/// `repo_name`, `repoName` and `The repo name.` are the same words.
pub(super) fn same_words(name: &str, description: &str) -> bool {
    let words = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect::<String>();
    let article = ["The ", "A ", "An ", "the ", "a ", "an "].iter().find_map(|article| description.trim().strip_prefix(article));
    let name = words(name);
    !name.is_empty() && [Some(description), article].into_iter().flatten().any(|description| name == words(description))
}

/// Trims, takes off what all lines but the first are indented by, turns each run of blanks into one space and three or more line ends
/// into two. Lines and paragraphs stay: they carry lists.
pub(super) fn tidy(text: &str) -> Cow<'_, str> {
    const BLANKS: [char; 3] = [' ', '\t', '\r'];
    let text = text.trim();
    let indent = |line: &str| line.len() - line.trim_start_matches(BLANKS).len();
    let is_blank = |line: &str| line.trim_matches(BLANKS).is_empty();
    let common = text.split('\n').skip(1).filter(|line| !is_blank(line)).map(indent).min().unwrap_or(0);
    let mut out = String::with_capacity(text.len());
    let mut after_empty_line = false;
    for line in text.split('\n') {
        let mut words = line.split(BLANKS).filter(|word| !word.is_empty());
        let Some(first) = words.next() else {
            after_empty_line = true;
            continue;
        };
        if !out.is_empty() {
            out.push_str(if after_empty_line { "\n\n" } else { "\n" });
            // One blank of an indent is enough to show a list under its heading; it joins the word's token.
            if common < indent(line) {
                out.push(' ');
            }
        }
        after_empty_line = false;
        out.push_str(first);
        for word in words {
            out.push(' ');
            out.push_str(word);
        }
    }
    if out == text { Cow::Borrowed(text) } else { Cow::Owned(out) }
}

#[cfg(test)]
mod tests;
