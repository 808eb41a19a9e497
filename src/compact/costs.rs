//! What one tool costs in every form, counted once, at registration.

use super::directory::{Line, directory_line_tokens};
use super::render::{Fidelity, Format, Forms, line_tokens};
use super::tokens::Tokenizer;
use crate::tool::{ModelName, TokenCount, Tool};

/// Version of what [`Costs`] were counted on. Raise it with every change to what [`Forms::render`], [`lean`](super::lean),
/// [`skeleton`](super::skeleton) or [`Line::text`] write: stored costs of another version are refused and counted anew.
pub const COSTS_VERSION: u8 = 4;

const FORMATS: usize = Format::ALL.len();
const FIDELITIES: usize = Fidelity::ALL.len();
const TOKENIZERS: usize = Tokenizer::ALL.len();
/// Numbers per form: its bytes, and two counts for each vocabulary.
const NUMBERS: usize = 1 + 2 * TOKENIZERS;
const LINES: usize = Line::ALL.len();

/// The counts of one tool in every format, fidelity and vocabulary, and as a line of the directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Costs {
    forms: [[Form; FIDELITIES]; FORMATS],
    lines: [[TokenCount; TOKENIZERS]; LINES],
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Form {
    /// Length of the text that was counted: a text of another length is another text.
    bytes: u32,
    /// By vocabulary: followed by another item, and as the last.
    tokens: [[TokenCount; 2]; TOKENIZERS],
}

impl Form {
    fn of(text: &str) -> Self {
        let bytes = u32::try_from(text.len()).unwrap_or(u32::MAX);
        Self { bytes, tokens: Tokenizer::ALL.map(|tokenizer| line_tokens(text, tokenizer)) }
    }

    fn numbers(&self) -> [u32; NUMBERS] {
        let mut numbers = [self.bytes; NUMBERS];
        numbers[1..].iter_mut().zip(self.tokens.iter().flatten()).for_each(|(number, count)| *number = count.0);
        numbers
    }
}

impl Costs {
    /// Bytes of the stored form.
    pub const BYTES: usize = 1 + 4 * (FORMATS * FIDELITIES * NUMBERS + LINES * TOKENIZERS);

    const NONE: Self = Self {
        forms: [[Form { bytes: 0, tokens: [[TokenCount(0); 2]; TOKENIZERS] }; FIDELITIES]; FORMATS],
        lines: [[TokenCount(0); TOKENIZERS]; LINES],
    };

    /// Renders and counts all of them.
    #[must_use]
    pub fn of(tool: &Tool, model_name: &ModelName) -> Self {
        let forms = Forms::of(tool);
        let mut costs = Self::NONE;
        for line in Line::ALL {
            let text = line.text(tool, model_name);
            costs.lines[line as usize] = Tokenizer::ALL.map(|tokenizer| directory_line_tokens(&text, tokenizer));
        }
        for format in Format::ALL {
            let mut lower: Option<(String, Form)> = None;
            for fidelity in Fidelity::ALL {
                let text = forms.render(tool, model_name, format, fidelity);
                // Many publishers already write what LEAN would: the same text is not counted twice.
                let counted = match lower {
                    Some((lower_text, counted)) if lower_text == text => counted,
                    _ => Form::of(&text),
                };
                costs.forms[format as usize][fidelity as usize] = counted;
                lower = Some((text, counted));
            }
        }
        costs
    }

    /// What an entry of that form costs wherever it stands in a list: [`cost`](super::cost).
    #[must_use]
    pub fn get(&self, format: Format, fidelity: Fidelity, tokenizer: Tokenizer) -> TokenCount {
        let [followed, last] = self.forms[format as usize][fidelity as usize].tokens[tokenizer as usize];
        followed.max(last)
    }

    /// The exact counts of the entry `text` of that form: [`line_tokens`]. A text that is not the one that was counted is counted now.
    #[must_use]
    pub fn line(&self, format: Format, fidelity: Fidelity, tokenizer: Tokenizer, text: &str) -> [TokenCount; 2] {
        let form = &self.forms[format as usize][fidelity as usize];
        let counted = form.tokens[tokenizer as usize];
        if form.bytes as usize == text.len() {
            debug_assert_eq!(counted, line_tokens(text, tokenizer), "raise COSTS_VERSION: {text}");
            counted
        } else {
            line_tokens(text, tokenizer)
        }
    }

    /// What a line of the directory costs wherever it stands: [`directory_line_tokens`].
    #[must_use]
    pub fn directory(&self, line: Line, tokenizer: Tokenizer) -> TokenCount {
        self.lines[line as usize][tokenizer as usize]
    }

    /// For storage: [`COSTS_VERSION`], then little-endian u32 by format and fidelity and by line, each in the order of its `ALL`.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let lines = self.lines.iter().flatten().map(|count| count.0);
        let numbers = self.forms.iter().flatten().flat_map(Form::numbers).chain(lines);
        std::iter::once(COSTS_VERSION).chain(numbers.flat_map(u32::to_le_bytes)).collect()
    }

    /// Reads [`to_bytes`](Self::to_bytes) back; `None` for another version or length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (&COSTS_VERSION, numbers) = bytes.split_first()? else { return None };
        if bytes.len() != Self::BYTES {
            return None;
        }
        let mut costs = Self::NONE;
        let (numbers, _) = numbers.as_chunks();
        let mut numbers = numbers.iter().map(|number| u32::from_le_bytes(*number));
        for form in costs.forms.iter_mut().flatten() {
            form.bytes = numbers.next()?;
            for count in form.tokens.iter_mut().flatten() {
                *count = TokenCount(numbers.next()?);
            }
        }
        for count in costs.lines.iter_mut().flatten() {
            *count = TokenCount(numbers.next()?);
        }
        Some(costs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::{Document, ToolId};

    fn tool(schema: &str) -> Tool {
        let id = ToolId::new("files", "read").unwrap();
        let extra = Some(Document::parse(r#"{"strict": true}"#).unwrap());
        Tool { extra, ..Tool::new(id, "Reads  a file.\n".into(), Document::parse(schema).unwrap()) }
    }

    #[test]
    fn costs_are_those_of_the_rendered_text_and_read_back() {
        let name = ModelName::parse("read").unwrap();
        for schema in [r#"{"type":"object","properties":{}}"#, r#"{ "properties": {"a": {"title": "A", "description": "b"}} }"#] {
            let tool = tool(schema);
            let (costs, forms) = (Costs::of(&tool, &name), Forms::of(&tool));
            for format in Format::ALL {
                for fidelity in Fidelity::ALL {
                    for tokenizer in Tokenizer::ALL {
                        let text = forms.render(&tool, &name, format, fidelity);
                        assert_eq!(costs.get(format, fidelity, tokenizer), crate::compact::cost(&text, tokenizer));
                        assert_eq!(costs.line(format, fidelity, tokenizer, &text), line_tokens(&text, tokenizer));
                        let other = format!("{text} ");
                        assert_eq!(costs.line(format, fidelity, tokenizer, &other), line_tokens(&other, tokenizer));
                    }
                }
            }
            for line in Line::ALL {
                for tokenizer in Tokenizer::ALL {
                    let counted = directory_line_tokens(&line.text(&tool, &name), tokenizer);
                    assert_eq!(costs.directory(line, tokenizer), counted);
                }
            }
            let mut bytes = costs.to_bytes();
            assert_eq!(bytes.len(), Costs::BYTES);
            assert_eq!(Costs::from_bytes(&bytes), Some(costs));
            assert_eq!(Costs::from_bytes(&bytes[1..]), None);
            bytes[0] ^= 1;
            assert_eq!(Costs::from_bytes(&bytes), None);
        }
        assert_eq!(Costs::from_bytes(&[]), None);
    }
}
