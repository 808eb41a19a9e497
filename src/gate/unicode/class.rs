//! What a character is by itself, before its neighbours are asked.

use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};

use super::Place;

/// In what way a character hides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Control,
    LineSeparator,
    Direction,
    ZeroWidth,
    Joiner,
    SoftHyphen,
    Filler,
    VariationSelector,
    Tag,
    Format,
    PrivateUse,
    Noncharacter,
    Unassigned,
}

impl Class {
    /// In words, for findings.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Control => "control character",
            Self::LineSeparator => "line separator in a name",
            Self::Direction => "text direction control",
            Self::ZeroWidth => "zero-width character",
            Self::Joiner => "zero-width joiner out of place",
            Self::SoftHyphen => "soft hyphen",
            Self::Filler => "blank filler",
            Self::VariationSelector => "variation selector out of place",
            Self::Tag => "tag character",
            Self::Format => "format control",
            Self::PrivateUse => "private use character",
            Self::Noncharacter => "noncharacter",
            Self::Unassigned => "unassigned invisible character",
        }
    }
}

/// Whether a character may stay.
pub(super) enum Suspicion {
    /// Anywhere.
    None,
    /// Only where its neighbours call for it.
    UnlessInContext(Class),
    /// Nowhere.
    Always(Class),
}

pub(super) fn suspicion(c: char, place: Place) -> Suspicion {
    use Suspicion::{Always, UnlessInContext};
    match c {
        ' '..='~' => Suspicion::None,
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' if place == Place::Text => Suspicion::None,
        '\u{2028}' | '\u{2029}' => Always(Class::LineSeparator),
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Always(Class::Control),
        '\u{ad}' => Always(Class::SoftHyphen),
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Always(Class::Direction),
        '\u{200c}' | '\u{200d}' => UnlessInContext(Class::Joiner),
        '\u{180e}' | '\u{200b}' | '\u{2060}'..='\u{2064}' | '\u{feff}' => Always(Class::ZeroWidth),
        // Letters and a symbol in name, empty in every font; the Khmer vowels are deprecated for that reason.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{2800}' | '\u{3164}' | '\u{ffa0}' => {
            Always(Class::Filler)
        }
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => {
            UnlessInContext(Class::VariationSelector)
        }
        // In a flag of England they never come to be asked: the flag is read as a whole.
        '\u{e0000}'..='\u{e007f}' => Always(Class::Tag),
        '\u{fdd0}'..='\u{fdef}' => Always(Class::Noncharacter),
        _ if u32::from(c) & 0xFFFE == 0xFFFE => Always(Class::Noncharacter),
        _ if is_visible_format(c) => Suspicion::None,
        _ => match c.general_category() {
            GeneralCategory::PrivateUse => Always(Class::PrivateUse),
            GeneralCategory::Format => Always(Class::Format),
            // Other unassigned code points may be letters of a newer Unicode than ours.
            GeneralCategory::Unassigned if is_default_ignorable(c) => Always(Class::Unassigned),
            _ => Suspicion::None,
        },
    }
}

/// `Prepended_Concatenation_Mark`: format controls in name, signs with ink around the digits that follow in fact.
fn is_visible_format(c: char) -> bool {
    matches!(c, '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}' | '\u{110bd}' | '\u{110cd}')
}

/// `Default_Ignorable_Code_Point`: drawn as nothing by a renderer that does not know it. A closed set since Unicode 4.
pub(in crate::gate) fn is_default_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fff8}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}
