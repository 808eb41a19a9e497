//! Where sentences, list items and sections of a description begin and end.
//!
//! Descriptions are prose, docstrings, Markdown and lines wrapped at some width, in any script, so rules have to know what a full stop
//! is not: that of "e.g.", of 3.5, of a version, of example.org, of code between backticks.

/// A physical line at least this long, in characters, that ends in the middle of a sentence was wrapped.
const WRAPPED: usize = 60;

/// What a sentence stands under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Section {
    /// No heading, or one that says nothing of the kind.
    Text,
    /// Parameters, one by one.
    Arguments,
    /// What comes back.
    Result,
    /// Calls.
    Examples,
}

/// A sentence, or a line that is none but stands alone: a heading, a list item, a block of code.
#[derive(Clone, Debug)]
pub(super) struct Sentence {
    /// Without line ends, unless it is a block of code.
    pub(super) text: String,
    pub(super) section: Section,
    /// Says what stands below, and goes where that goes.
    pub(super) is_heading: bool,
    /// Begins as an item of a list, or goes on in the line of one.
    pub(super) is_item: bool,
    /// The first of its line.
    pub(super) starts_line: bool,
    /// Whether its line is indented.
    indented: bool,
    /// Whether no blank parts it from the one before: so CJK is written.
    tight: bool,
}

impl Sentence {
    /// In bytes: a character of Han says as much as a short word.
    pub(super) fn length(&self) -> usize {
        self.text.len()
    }
}

/// The first sentence of a description, or nothing.
pub(in crate::compact) fn first_sentence(text: &str) -> String {
    let all = sentences(&super::tidy(text));
    let is_prose = |one: &&Sentence| !one.is_heading && one.section == Section::Text;
    let first = all.iter().find(is_prose).or(all.first());
    first.map(|first| first.text.clone()).unwrap_or_default()
}

/// Parts a tidied text.
pub(super) fn sentences(text: &str) -> Vec<Sentence> {
    let mut out = Vec::new();
    let mut section = Section::Text;
    for line in lines(text) {
        if line.after_blank && !line.indented {
            section = Section::Text;
        }
        let heading = heading(&line.text);
        if let Some(under) = heading {
            section = under;
        }
        let is_item = begins_item(&line.text);
        let parts = if line.is_code || heading.is_some() { vec![(line.text.as_str(), false)] } else { split(&line.text) };
        for (place, (part, tight)) in parts.into_iter().enumerate() {
            out.push(Sentence {
                text: part.to_owned(),
                section,
                is_heading: heading.is_some(),
                is_item,
                starts_line: place == 0,
                indented: place == 0 && line.indented,
                tight,
            });
        }
    }
    out
}

/// Puts the kept ones together again, with the headings of those that are kept.
pub(super) fn write(all: &[Sentence], kept: &[bool]) -> String {
    let mut kept = kept.to_vec();
    // Sections with something kept, from here to the next heading.
    let mut below: Vec<Section> = Vec::new();
    for (sentence, kept) in all.iter().zip(&mut kept).rev() {
        if sentence.is_heading {
            *kept = below.contains(&sentence.section);
            below.clear();
        } else if *kept && !below.contains(&sentence.section) {
            below.push(sentence.section);
        }
    }
    let mut out = String::new();
    let (mut line_start, mut last): (usize, Option<&Sentence>) = (0, None);
    let mut breaks = false;
    for (sentence, kept) in all.iter().zip(&kept) {
        breaks |= sentence.starts_line;
        if !kept {
            continue;
        }
        if let Some(last) = last {
            if breaks {
                let line = out.get(line_start..).unwrap_or_default();
                let parts = last.section == sentence.section || sentence.is_heading;
                out.push_str(if parts && ends_line(line, &sentence.text, false) { "\n" } else { "\n\n" });
                line_start = out.len();
                if sentence.indented {
                    out.push(' ');
                }
            } else if !sentence.tight || out.ends_with(|c: char| c.is_ascii()) {
                out.push(' ');
            }
        }
        out.push_str(&sentence.text);
        (last, breaks) = (Some(sentence), false);
    }
    out
}

struct Line {
    text: String,
    after_blank: bool,
    indented: bool,
    is_code: bool,
}

/// Lines as they were meant: those that were wrapped are joined again.
fn lines(text: &str) -> Vec<Line> {
    let mut out: Vec<Line> = Vec::new();
    let (mut after_blank, mut in_code) = (false, false);
    let mut physical = 0;
    for line in text.split('\n') {
        let is_fence = line.trim_start().starts_with("```");
        if in_code {
            if let Some(code) = out.last_mut() {
                code.text.push('\n');
                code.text.push_str(line);
            }
            in_code = !is_fence;
            continue;
        }
        let trimmed = line.trim();
        if trimmed.is_empty() {
            after_blank = true;
            continue;
        }
        let indented = line.starts_with(' ');
        match out.last_mut() {
            Some(open) if !after_blank && !is_fence && !open.is_code && !ends_line(&open.text, trimmed, WRAPPED <= physical) => {
                open.text.push(' ');
                open.text.push_str(trimmed);
            }
            _ => out.push(Line { text: trimmed.to_owned(), after_blank, indented, is_code: is_fence }),
        }
        in_code = is_fence && trimmed.matches("```").count() == 1;
        physical = trimmed.chars().count();
        after_blank = false;
    }
    out
}

/// Whether `next`, on the next line, begins something new. `was_wrapped`: the line before is long.
fn ends_line(open: &str, next: &str, was_wrapped: bool) -> bool {
    let ended = open.ends_with(['.', '!', '?', ':', ';', '。', '！', '？', '：', '；', ')', '>', '`']);
    if ended
        || begins_item(next)
        || entry_name(next).is_some()
        || heading(next).is_some()
        || heading(open).is_some()
        || next.starts_with("```")
    {
        return true;
    }
    let goes_on = next.starts_with(|c: char| c.is_lowercase() || matches!(c, '(' | ',' | '.' | ';'));
    !goes_on && !was_wrapped && open.chars().count() < WRAPPED
}

fn begins_item(line: &str) -> bool {
    let marked = ["- ", "* ", "• ", "+ ", "– "].iter().any(|mark| line.starts_with(mark)) || line.starts_with('|');
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let rest = line.get(digits..).unwrap_or_default();
    marked || ((1..=2).contains(&digits) && (rest.starts_with(". ") || rest.starts_with(") ")))
}

/// What stands under a line that is a heading.
fn heading(line: &str) -> Option<Section> {
    if line.contains('\n') {
        return None;
    }
    let words = line.trim_matches(|c: char| matches!(c, '#' | '*' | '_' | ' ')).trim_end_matches([':', '：', '*']);
    let is_marked = words.len() < line.len();
    let section = match words.to_lowercase().as_str() {
        "args" | "arguments" | "parameters" | "params" | "inputs" | "input" | "keyword args" | "参数" | "引数" | "매개변수" => {
            Section::Arguments
        }
        "returns" | "return" | "return value" | "output" | "outputs" | "response" | "raises" | "throws" | "yields" | "返回"
        | "返回值" | "戻り値" | "반환" => Section::Result,
        "example" | "examples" | "usage example" | "usage examples" | "example usage" | "sample" | "示例" | "例" | "예시" => {
            Section::Examples
        }
        _ => return line.starts_with("# ").then_some(Section::Text).or(line.starts_with("##").then_some(Section::Text)),
    };
    is_marked.then_some(section)
}

/// The name in a line of the form `name: what it is`, `- name (type): what it is`.
pub(super) fn entry_name(line: &str) -> Option<&str> {
    let line = line.trim_start_matches(['-', '*', '•', ' ', '`', '"', '\'']);
    let end = line.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-' | '$'))).unwrap_or(line.len());
    let (name, rest) = line.split_at(end);
    let rest = rest.trim_start_matches(['`', '"', '\'', '*', ' ']);
    let rest = match rest.strip_prefix(['(', '[']) {
        Some(inside) => inside.split_once([')', ']'])?.1.trim_start_matches([' ', '*']),
        None => rest,
    };
    let colon = rest.strip_prefix([':', '：'])?;
    let is_label = colon.is_empty() || colon.starts_with([' ', '*']) || rest.starts_with('：');
    (is_label && !name.is_empty()).then_some(name)
}

/// Sentences of one line, each with whether no blank stands before it.
fn split(line: &str) -> Vec<(&str, bool)> {
    let is_even = |mark: char| line.matches(mark).count().is_multiple_of(2);
    let (has_code, has_brackets) = (is_even('`'), line.matches('(').count() == line.matches(')').count());
    let (mut in_code, mut depth) = (false, 0_usize);
    let mut out = Vec::new();
    let (mut start, mut tight) = (0, false);
    let mut chars = line.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '`' if has_code => in_code = !in_code,
            '(' if has_brackets && !in_code => depth += 1,
            ')' if has_brackets && !in_code => depth = depth.saturating_sub(1),
            _ => {}
        }
        let is_wide = matches!(c, '。' | '！' | '？' | '．');
        if in_code || 0 < depth || !(is_wide || matches!(c, '.' | '!' | '?')) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some(&(at, closer)) = chars.peek() {
            if !matches!(closer, '"' | '\'' | '”' | '’' | '」' | '』' | '）' | '.' | '!' | '?' | '。' | '！' | '？' | '*')
            {
                break;
            }
            end = at + closer.len_utf8();
            chars.next();
        }
        let rest = line.get(end..).unwrap_or_default();
        let next = rest.trim_start();
        if next.is_empty() {
            continue;
        }
        let spaced = next.len() < rest.len();
        let ends = is_wide
            || (spaced
                && !next.starts_with(char::is_lowercase)
                && !(c == '.' && is_short(line.get(start..at).unwrap_or_default(), next)));
        if ends {
            out.push((line.get(start..end).unwrap_or_default().trim(), tight));
            (start, tight) = (line.len() - next.len(), !spaced);
        }
    }
    out.push((line.get(start..).unwrap_or_default().trim(), tight));
    out.retain(|(text, _)| !text.is_empty());
    out
}

/// Whether the full stop behind `before` belongs to a word cut short, or to a number that counts a list.
fn is_short(before: &str, next: &str) -> bool {
    let word = before.rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '/' | ',')).next().unwrap_or_default();
    let lower = word.to_lowercase();
    let before_digit = next.starts_with(|c: char| c.is_ascii_digit());
    match lower.as_str() {
        "e.g" | "eg" | "i.e" | "ie" | "vs" | "cf" | "approx" | "incl" | "excl" | "resp" | "esp" | "viz" | "dr" | "mr" | "mrs"
        | "ms" | "st" | "prof" | "dept" | "est" | "ca" | "al" | "ex" => true,
        "no" | "nr" | "fig" | "sec" | "ch" | "vol" | "p" | "pp" | "min" | "max" | "ver" | "v" | "eq" => before_digit,
        // `J. Smith`, and `option A. Then`: who knows; a longer sentence loses nothing.
        one if one.chars().count() == 1 && one.chars().all(char::is_alphabetic) => word.chars().all(char::is_uppercase),
        // The number of an item at the start of a line.
        number => {
            word.len() == before.trim_start().len() && !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
        }
    }
}
