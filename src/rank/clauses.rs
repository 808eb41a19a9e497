//! The parts of a request that may each need a tool: "find the invoice, convert it to PDF and mail it to Ann".
//!
//! One vector for all of it lies between its parts and near none. So a long request is also taken apart, at sentence ends, commas and
//! joining words. This is no grammar: a part that is none is still a piece of the request, and the whole keeps its vote. Pieces of fewer
//! than three words go with their neighbour, and neighbours are put together until there are no more than are allowed.
//!
//! A part costs no forward pass of its own: its vector is the mean of its words' in the run of the whole request, where each word has seen
//! all others. On the fitting splits that finds as much as a pass for each part does.

use std::ops::Range;

/// A piece of fewer words says too little by itself.
const MIN_PART_WORDS: usize = 3;
/// Words that begin the next thing to do. Those of several words first, so that the shorter do not take their beginnings.
const JOINERS: [&str; 8] = ["and then", "and also", "after that", "as well as", "additionally", "finally", "then", "and"];

/// The parts of `text` as byte ranges, in order, at most `max_parts`; none for a text of fewer than `min_words` words or of a single part.
#[must_use]
pub fn parts(text: &str, min_words: usize, max_parts: usize) -> Vec<Range<usize>> {
    if max_parts < 2 || words(text) < min_words {
        return Vec::new();
    }
    let pieces = whole_pieces(text, pieces(text));
    let parts = grouped(text.len(), &pieces, max_parts);
    if parts.len() < 2 { Vec::new() } else { parts.into_iter().map(|(start, end)| start..end).collect() }
}

/// Words between blanks. In scripts without blanks a few characters are a word.
#[must_use]
pub fn words(text: &str) -> usize {
    let unspaced = text.chars().filter(|c| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}')).count();
    text.split_whitespace().count() + unspaced / 3
}

/// Byte ranges between the places where a text can be cut.
fn pieces(text: &str) -> Vec<(usize, usize)> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut at = 0;
    while let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = &text[at..];
        let cut = if let Some(end) = sentence_end(rest) {
            Some((at + end, at + end))
        } else if c == ',' && rest[1..].starts_with(char::is_whitespace) || c == '、' || c == '，' {
            Some((at, at + c.len_utf8()))
        } else if c.is_whitespace() {
            joiner(rest).map(|length| (at, at + length))
        } else {
            None
        };
        match cut {
            Some((end, next)) => {
                pieces.push((start, end));
                start = next;
                at = next.max(at + 1);
                while !text.is_char_boundary(at) {
                    at += 1;
                }
            }
            None => at += c.len_utf8(),
        }
    }
    pieces.push((start, text.len()));
    pieces.retain(|(start, end)| text.get(*start..*end).is_some_and(|piece| !piece.trim().is_empty()));
    pieces
}

/// Length of the mark that ends a sentence here, if one does.
fn sentence_end(rest: &str) -> Option<usize> {
    let mark = rest.chars().next()?;
    let length = mark.len_utf8();
    let before_blank = matches!(mark, '.' | '!' | '?' | ';') && rest[length..].starts_with(char::is_whitespace);
    (before_blank || matches!(mark, '\n' | '。' | '！' | '？' | '；')).then_some(length)
}

/// Length of the blanks and the joining word that `rest` begins with, if it does.
fn joiner(rest: &str) -> Option<usize> {
    let word = rest.trim_start();
    let blanks = rest.len() - word.len();
    let is_here = |joiner: &&&str| {
        let head = word.get(..joiner.len()).is_some_and(|head| head.eq_ignore_ascii_case(joiner));
        head && word[joiner.len()..].starts_with(char::is_whitespace)
    };
    JOINERS.iter().find(is_here).map(|joiner| blanks + joiner.len())
}

/// Puts pieces that say too little to the one before; the first, which has none, to the one behind.
fn whole_pieces(text: &str, pieces: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    let says_enough = |(start, end): (usize, usize)| text.get(start..end).is_some_and(|piece| MIN_PART_WORDS <= words(piece));
    let mut whole: Vec<(usize, usize)> = Vec::new();
    for piece in pieces {
        match whole.last_mut() {
            Some(last) if !says_enough(piece) || !says_enough(*last) => last.1 = piece.1,
            _ => whole.push(piece),
        }
    }
    whole
}

/// Neighbours together, so that there are at most `most` groups of about the same length.
fn grouped(length: usize, pieces: &[(usize, usize)], most: usize) -> Vec<(usize, usize)> {
    if pieces.len() <= most {
        return pieces.to_vec();
    }
    let mut groups: Vec<(usize, usize)> = Vec::new();
    let mut open: Option<(usize, usize)> = None;
    for (start, end) in pieces {
        let group = (open.map_or(*start, |(start, _)| start), *end);
        // Full once it reaches its share of the text; the last one takes what is left.
        let is_full = length * (groups.len() + 1) <= end * most && groups.len() + 1 < most;
        open = if is_full {
            groups.push(group);
            None
        } else {
            Some(group)
        };
    }
    groups.extend(open);
    groups
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(parts(text, 1, 4).into_iter().map(|part| text[part].trim()).collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn a_request_is_cut_where_the_next_thing_to_do_begins() {
        check(
            "find the last invoice, convert it to PDF and mail it to Ann",
            &["find the last invoice", "convert it to PDF", "mail it to Ann"],
        );
        check("Book a flight to Rome. Then reserve a hotel nearby!", &["Book a flight to Rome.", "reserve a hotel nearby!"]);
        check("read the log file and then open an issue", &["read the log file", "open an issue"]);
        check("rock and roll songs of the band", &[]);
        check("what does 3.14 mean in version v1.2 here", &[]);
        check("get the salt, pepper, sugar and flour prices", &[]);
        check("list my open tickets\nclose the oldest one", &["list my open tickets", "close the oldest one"]);
        check("서울 날씨 알려 줘。내일 일정도 알려 줘", &["서울 날씨 알려 줘。", "내일 일정도 알려 줘"]);
        check("査詢今天台北的天氣情況、預訂明天早上的高鐵車票", &["査詢今天台北的天氣情況", "預訂明天早上的高鐵車票"]);
        check("", &[]);
    }

    #[test]
    fn short_requests_stay_whole_and_long_ones_have_few_parts() {
        assert!(parts("open the file and read it now", 12, 3).is_empty());
        let long = (0..20).map(|i| format!("do the thing number {i}.")).collect::<Vec<_>>().join(" ");
        let parts = parts(&long, 12, 3);
        assert_eq!(parts.len(), 3);
        let lengths: Vec<usize> = parts.iter().map(ExactSizeIterator::len).collect();
        assert!(lengths.iter().max().unwrap() * 2 < lengths.iter().min().unwrap() * 3, "{lengths:?}");
    }

    proptest! {
        #[test]
        fn parts_are_pieces_of_the_text_in_order(text in "([a-z]{1,4}|and|then|[,.!?;。、]|\\n| ){0,40}", most in 0_usize..6) {
            let parts = parts(&text, 1, most);
            prop_assert!(parts.len() <= most && parts.len() != 1);
            let mut from = 0;
            for part in parts {
                prop_assert!(from <= part.start && !text[part.clone()].trim().is_empty());
                from = part.end;
            }
        }

        #[test]
        fn no_text_panics(text in "\\PC{0,80}") {
            let _ = parts(&text, 0, 3);
        }
    }
}
