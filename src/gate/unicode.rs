//! Characters that hide: a reviewer does not see them, a model's tokenizer does.
//!
//! The obvious rule, "refuse category Cf", is wrong both ways. It misses variation selectors, fillers and private use, which
//! carry messages as well, and it refuses Persian, Hindi and every family emoji. So a character that hides is refused unless
//! its neighbours show the one use it was made for (Unicode 17: UTS #51 emoji, UTS #37 ideographs, RFC 5892 A.1 joiners).

mod class;
mod context;

use std::fmt;

pub(super) use class::is_default_ignorable;
use class::{Class, Suspicion};

/// Characters of a key or of a decoded message that a finding shows.
const MAX_SHOWN_CHARS: usize = 80;

/// How strict to be about line ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// A name, a label or a key: one line, so nothing that ends one.
    Name,
    /// Prose: tab, line feed, carriage return and the Unicode separators are welcome.
    Text,
}

/// A run of hidden characters of one class.
pub(super) struct Hidden<'a> {
    class: Class,
    /// Characters (not bytes) before it.
    offset: usize,
    run: &'a [char],
}

/// Tells `report` of every run of hidden characters in `text`, in order.
pub(super) fn find(text: &str, place: Place, mut report: impl FnMut(&Hidden<'_>)) {
    if text.bytes().all(|b| (0x20..0x7f).contains(&b) || (place == Place::Text && matches!(b, b'\t' | b'\n' | b'\r'))) {
        return;
    }
    let chars: Vec<char> = text.chars().collect();
    let mut reader = Reader { chars: &chars, place, ideographic_variants: 0 };
    let mut at = 0;
    while at < chars.len() {
        match reader.judge(at) {
            Judgement::Clean { chars } => at += chars,
            Judgement::Hidden(class) => {
                let offset = at;
                at += 1;
                while at < chars.len() && reader.judge(at) == Judgement::Hidden(class) {
                    at += 1;
                }
                report(&Hidden { class, offset, run: chars.get(offset..at).unwrap_or_default() });
            }
        }
    }
}

/// `text` with every character that may hide written as `\u{...}`, cut to [`MAX_SHOWN_CHARS`].
pub(super) fn shown(text: &str) -> String {
    let mut out = String::new();
    for (i, c) in text.chars().enumerate() {
        if i == MAX_SHOWN_CHARS {
            out.push('…');
            break;
        }
        match class::suspicion(c, Place::Name) {
            Suspicion::None => out.push(c),
            _ => out.extend(c.escape_unicode()),
        }
    }
    out
}

#[derive(PartialEq, Eq)]
enum Judgement {
    /// This many characters from here on are fine.
    Clean { chars: usize },
    /// This one is not.
    Hidden(Class),
}

struct Reader<'a> {
    chars: &'a [char],
    place: Place,
    /// Ideographic variation selectors seen so far.
    ideographic_variants: usize,
}

impl Reader<'_> {
    fn judge(&mut self, at: usize) -> Judgement {
        let Some(&c) = self.chars.get(at) else { return Judgement::Clean { chars: 1 } };
        match class::suspicion(c, self.place) {
            Suspicion::None => Judgement::Clean { chars: context::flag_len(self.chars, at).unwrap_or(1) },
            Suspicion::Always(class) => Judgement::Hidden(class),
            Suspicion::UnlessInContext(class) => {
                let fits = match class {
                    Class::Joiner => context::joins(self.chars, at),
                    _ => context::selects_variant(self.chars, at, &mut self.ideographic_variants),
                };
                if fits { Judgement::Clean { chars: 1 } } else { Judgement::Hidden(class) }
            }
        }
    }
}

/// `has hidden U+E0049 and 5 more (tag characters) at character offset 12, spelling "Ignore"`
impl fmt::Display for Hidden<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.run.first().map_or(0, |c| u32::from(*c));
        write!(f, "has hidden U+{first:04X}")?;
        if 1 < self.run.len() {
            write!(f, " and {} more", self.run.len() - 1)?;
        }
        write!(f, " ({}) at character offset {}", self.class.name(), self.offset)?;
        self.message().map_or(Ok(()), |message| write!(f, ", spelling \"{}\"", shown(&message)))
    }
}

impl Hidden<'_> {
    /// What the run says to a reader who knows the trick: tag characters shadow ASCII, variation selectors number bytes.
    fn message(&self) -> Option<String> {
        let message = match self.class {
            Class::Tag => self.run.iter().filter_map(|c| char::from_u32(u32::from(*c).checked_sub(0xE0000)?)).collect(),
            Class::VariationSelector if 1 < self.run.len() => {
                let bytes: Vec<u8> = self.run.iter().filter_map(|c| context::selector_byte(*c)).collect();
                String::from_utf8(bytes).ok()?
            }
            _ => return None,
        };
        message.chars().any(|c| c.is_ascii_graphic()).then_some(message)
    }
}

#[cfg(test)]
mod tests;
