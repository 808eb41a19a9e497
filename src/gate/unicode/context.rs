//! The neighbours that a joiner, a variation selector or a tag was made for.

use unicode_normalization::char::canonical_combining_class;
use unicode_properties::emoji::EmojiStatus;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeEmoji, UnicodeGeneralCategory};
use unicode_script::{Script, UnicodeScript};

const ZERO_WIDTH_JOINER: char = '\u{200d}';
const BLACK_FLAG: char = '\u{1f3f4}';
const KEYCAP: char = '\u{20e3}';

/// Ideographic variation selectors in one text. A name has one or two; one on every ideograph could carry a byte each.
const MAX_IDEOGRAPHIC_VARIANTS: usize = 8;

/// England, Scotland, Wales: the only tag sequences that Unicode recommends. Any other one is drawn as a plain black flag,
/// with its letters hidden.
const TAGGED_FLAGS: [&str; 3] = ["gbeng", "gbsct", "gbwls"];

/// Scripts whose letters change shape by the joiners between them (Unicode 17, chapters 9, 12 to 14, 16 to 19).
const JOINING_SCRIPTS: [Script; 27] = [
    Script::Arabic,
    Script::Syriac,
    Script::Mandaic,
    Script::Nko,
    Script::Adlam,
    Script::Hanifi_Rohingya,
    Script::Mongolian,
    Script::Phags_Pa,
    Script::Manichaean,
    Script::Psalter_Pahlavi,
    Script::Sogdian,
    Script::Devanagari,
    Script::Bengali,
    Script::Gurmukhi,
    Script::Gujarati,
    Script::Oriya,
    Script::Tamil,
    Script::Telugu,
    Script::Kannada,
    Script::Malayalam,
    Script::Sinhala,
    Script::Khmer,
    Script::Myanmar,
    Script::Tibetan,
    Script::Balinese,
    Script::Javanese,
    Script::Meetei_Mayek,
];

/// How many characters the flag of England, Scotland or Wales at `at` takes; `None` when none stands there.
pub(super) fn flag_len(chars: &[char], at: usize) -> Option<usize> {
    let rest = chars.get(at..)?.strip_prefix(&[BLACK_FLAG])?;
    let tags = |flag: &str| flag.bytes().map(u32::from).chain([0x7f]).map(|b| 0xE0000 + b).collect::<Vec<_>>();
    let matching = TAGGED_FLAGS
        .iter()
        .map(|flag| tags(flag))
        .find(|tags| tags.len() <= rest.len() && tags.iter().zip(rest).all(|(tag, c)| *tag == u32::from(*c)));
    matching.map(|tags| 1 + tags.len())
}

/// Does the joiner or non-joiner at `at` stand between characters that it can join?
pub(super) fn joins(chars: &[char], at: usize) -> bool {
    let in_emoji = chars.get(at) == Some(&ZERO_WIDTH_JOINER)
        && pictograph_before(chars, at)
        && chars.get(at + 1).is_some_and(|c| is_pictograph(*c));
    in_emoji || between_letters(chars, at)
}

/// Does the variation selector at `at` follow a base that has variants? `ideographic` counts those of ideographs.
pub(super) fn selects_variant(chars: &[char], at: usize, ideographic: &mut usize) -> bool {
    let (Some(&selector), Some(&base)) = (chars.get(at), at.checked_sub(1).and_then(|before| chars.get(before))) else {
        return false;
    };
    let mut ideograph = || {
        let fits = base.script() == Script::Han && base.general_category() == GeneralCategory::OtherLetter;
        *ideographic += usize::from(fits);
        fits && *ideographic <= MAX_IDEOGRAPHIC_VARIANTS
    };
    match selector {
        '\u{fe0e}' | '\u{fe0f}' => match base {
            '0'..='9' | '#' | '*' => chars.get(at + 1) == Some(&KEYCAP),
            _ => is_pictograph(base) || is_skin_tone(base),
        },
        '\u{fe00}' => base.general_category() == GeneralCategory::MathSymbol || is_cjk_punctuation(base) || ideograph(),
        '\u{fe01}' => is_cjk_punctuation(base) || ideograph(),
        '\u{fe02}' | '\u{e0100}'..='\u{e01ef}' => ideograph(),
        '\u{180b}'..='\u{180d}' | '\u{180f}' => base.script() == Script::Mongolian && is_letter_or_mark(base),
        _ => false,
    }
}

/// The byte that a variation selector stands for where runs of them carry text: its number, less one.
pub(super) fn selector_byte(c: char) -> Option<u8> {
    match c {
        '\u{fe00}'..='\u{fe0f}' => u8::try_from(u32::from(c) - 0xFE00).ok(),
        '\u{e0100}'..='\u{e01ef}' => u8::try_from(u32::from(c) - 0xE0100 + 16).ok(),
        _ => None,
    }
}

/// A pictograph, perhaps with its skin tone or presentation selector, right before `at`.
fn pictograph_before(chars: &[char], at: usize) -> bool {
    let mut before = chars.get(..at).unwrap_or_default().iter().rev().copied().peekable();
    before.next_if(|c| *c == '\u{fe0f}');
    before.next_if(|c| is_skin_tone(*c));
    before.next().is_some_and(is_pictograph)
}

/// An emoji by itself: no digit, no half of a country flag, no skin tone.
fn is_pictograph(c: char) -> bool {
    match c.emoji_status() {
        EmojiStatus::EmojiPresentation
        | EmojiStatus::EmojiModifierBase
        | EmojiStatus::EmojiPresentationAndModifierBase
        | EmojiStatus::EmojiOther => true,
        // Hair styles: components that also stand alone.
        EmojiStatus::EmojiPresentationAndEmojiComponent => !unicode_properties::emoji::is_regional_indicator(c),
        _ => false,
    }
}

fn is_skin_tone(c: char) -> bool {
    matches!(c, '\u{1f3fb}'..='\u{1f3ff}')
}

/// Corner-justified and centred forms exist for these.
fn is_cjk_punctuation(c: char) -> bool {
    matches!(c, '\u{3001}' | '\u{3002}' | '\u{ff01}' | '\u{ff0c}' | '\u{ff0e}' | '\u{ff1a}' | '\u{ff1b}' | '\u{ff1f}')
}

/// After a virama (RFC 5892), or with letters, marks or digits of one joining script on both sides.
fn between_letters(chars: &[char], at: usize) -> bool {
    let before = chars.get(..at).unwrap_or_default();
    // Vowel signs of Arabic belong to no script of their own: look at the letter under them.
    let base = before.iter().rev().find(|c| c.script() != Script::Inherited || canonical_combining_class(**c) == 0);
    let (Some(&base), Some(&last)) = (base, before.last()) else { return false };
    let script_of = |c: char, script: &Script| {
        let scripts = c.script_extension();
        !scripts.is_common() && !scripts.is_inherited() && scripts.contains_script(*script)
    };
    if canonical_combining_class(last) == VIRAMA && JOINING_SCRIPTS.iter().any(|script| script_of(last, script)) {
        return true;
    }
    let Some(&next) = chars.get(at + 1) else { return false };
    let is_digit = |c: char| c.general_category() == GeneralCategory::DecimalNumber;
    (is_letter_or_mark(base) || is_digit(base))
        && is_letter_or_mark(next)
        && JOINING_SCRIPTS.iter().any(|script| script_of(base, script) && script_of(next, script))
}

/// Canonical combining class of the sign that takes a consonant's vowel away.
const VIRAMA: u8 = 9;

fn is_letter_or_mark(c: char) -> bool {
    matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark)
}
