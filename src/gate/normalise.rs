//! One spelling per text, for matching. Checks for hidden characters read the raw text; rules that look for words or
//! look-alikes read this, so that full-width letters, ligatures and invisible characters hide nothing from them.

use unicode_normalization::UnicodeNormalization;

use super::unicode::is_default_ignorable;

/// Rounds until nothing changes any more: lower-casing can undo a composition and taking a character out can make one. Two
/// rounds settle every single character and a third confirms it; the bound is for sequences nobody has thought of.
const MAX_ROUNDS: usize = 8;

/// NFKC, without default-ignorable characters, lower case. `normalise(normalise(x)) == normalise(x)`.
///
/// Letters are lowered one by one: `str::to_lowercase` picks the form of sigma by its neighbours, and a prefix of a text
/// would not always match the text.
#[must_use]
pub fn normalise(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    let mut current = once(text);
    for _ in 1..MAX_ROUNDS {
        let next = once(&current);
        if next == current {
            break;
        }
        current = next;
    }
    current
}

fn once(text: &str) -> String {
    text.nfkc().filter(|c| !is_default_ignorable(*c)).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(normalise(text), expected);
    }

    #[test]
    fn spellings_meet() {
        check("Read_File", "read_file");
        check("ＲＥＡＤ ﬁle ①", "read file 1");
        check("re\u{200b}ad\u{ad} \u{202e}me\u{e0041}", "read me");
        check("É", "e\u{301}".nfc().collect::<String>().as_str());
        check("ΣΑΣ", "σασ");
        check("İ", "i\u{307}");
    }

    #[test]
    fn every_character_settles() {
        for c in '\0'..=char::MAX {
            let one = normalise(c.encode_utf8(&mut [0; 4]));
            assert_eq!(normalise(&one), one, "U+{:04X}", u32::from(c));
        }
    }

    proptest! {
        #[test]
        fn is_idempotent(text in any::<String>()) {
            let one = normalise(&text);
            prop_assert_eq!(normalise(&one), one);
        }

        /// Marks, jamo, ignorables and case-changing letters next to each other: where composing and lower-casing meet.
        #[test]
        fn is_idempotent_where_it_is_hard(text in "[a-zİΣςK\u{300}-\u{345}\u{34f}\u{1100}-\u{11ff}\u{3130}-\u{3164}\u{1e00}-\u{1fff}\u{200b}-\u{200f}\u{fb00}-\u{fb06}\u{ff00}-\u{ffef}]{0,12}") {
            let one = normalise(&text);
            prop_assert_eq!(normalise(&one), one);
        }
    }
}
