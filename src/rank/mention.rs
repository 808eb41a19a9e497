//! Names of tools in a query. Whoever writes `create_issue` wants that tool, whatever the vectors say.
//!
//! A name counts as written where nobody would write it by accident: `create_issue`, `logs.search`, `createIssue`, `source/tool`. A plain
//! word such as `search` counts only in quotes, or when it is the whole query.

use std::collections::HashMap;

/// Which names there are. Built once per catalogue.
#[derive(Debug, Default)]
pub struct MentionIndex {
    /// Lower-case names that stand for themselves anywhere.
    distinctive: HashMap<Box<str>, Vec<u32>>,
    /// Lower-case names that are also everyday words.
    plain: HashMap<Box<str>, Vec<u32>>,
}

impl MentionIndex {
    /// Takes slot, source, name and model name of every document.
    pub fn build<'a>(names: impl IntoIterator<Item = (u32, &'a str, &'a str, &'a str)>) -> Self {
        let mut index = Self::default();
        for (slot, source, name, model_name) in names {
            for form in [name.to_owned(), model_name.to_owned(), format!("{source}/{name}"), format!("{source}__{name}")] {
                let map = if is_distinctive(&form) { &mut index.distinctive } else { &mut index.plain };
                let slots = map.entry(form.to_lowercase().into_boxed_str()).or_default();
                if slots.last() != Some(&slot) {
                    slots.push(slot);
                }
            }
        }
        index
    }

    /// Slots whose name stands in `query`, ascending, each once.
    #[must_use]
    pub fn find(&self, query: &str) -> Vec<u32> {
        let lower = query.to_lowercase();
        let whole = lower.trim().trim_end_matches(['.', '?', '!']);
        let mut found: Vec<u32> = Vec::new();
        let mut look = |name: &str, also_plain: bool| {
            found.extend(self.distinctive.get(name).into_iter().flatten());
            if also_plain {
                found.extend(self.plain.get(name).into_iter().flatten());
            }
        };
        look(whole, true);
        quoted(&lower).for_each(|name| look(name, true));
        // Twice: names in other scripts need their letters, `create_issue` with a Korean ending on it needs them gone.
        let runs = |word: fn(char) -> bool| lower.split(move |c| !word(c)).map(|run| run.trim_matches(['.', '/', '-', ':', '%']));
        lower.split(|c: char| !c.is_alphanumeric() && !is_joint(c)).for_each(|run| look(run, false));
        runs(|c| c.is_alphanumeric() || is_joint(c)).for_each(|run| look(run, false));
        // `create_issue/close_issue` names two.
        runs(|c| c.is_alphanumeric() || is_joint(c) && !matches!(c, '/' | ':')).for_each(|run| look(run, false));
        if !lower.is_ascii() {
            runs(|c| c.is_ascii_alphanumeric() || is_joint(c)).for_each(|run| look(run, false));
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}

/// Characters that hold the words of a name together.
fn is_joint(c: char) -> bool {
    matches!(c, '_' | '-' | '.' | '/' | ':' | '@' | '%')
}

/// Two words in one, or a digit among letters: nobody writes that by accident. `API` is a word and `404` a number.
fn is_distinctive(name: &str) -> bool {
    let inner_capital = name.chars().skip(1).any(char::is_uppercase) && name.chars().any(char::is_lowercase);
    let joined = name.chars().any(|c| is_joint(c) || c.is_numeric()) && name.chars().any(char::is_alphabetic);
    inner_capital || joined
}

/// What stands between two equal quotation marks or backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    [('`', '`'), ('"', '"'), ('\'', '\''), ('“', '”'), ('«', '»'), ('「', '」')].into_iter().flat_map(move |(open, close)| {
        let mut rest = text;
        std::iter::from_fn(move || {
            let start = rest.find(open)? + open.len_utf8();
            let length = rest[start..].find(close)?;
            let inner = &rest[start..start + length];
            // The closing mark may open the next pair: in «a" b "c» every other span is none, and looking is cheap.
            rest = &rest[start + length..];
            if open != close {
                rest = rest.strip_prefix(close).unwrap_or(rest);
            }
            Some(inner.trim())
        })
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn index() -> MentionIndex {
        MentionIndex::build([
            (0, "git", "create_issue", "create_issue"),
            (1, "tracker", "createIssue", "createIssue"),
            (2, "chat", "search", "search"),
            (3, "mail", "search", "mail__search"),
            (4, "monitoring", "logs.search", "logs_search"),
            (5, "날씨", "예보_조회", "_____"),
            (6, "net", "HTTPServer", "HTTPServer"),
            (7, "net", "404", "404"),
            (8, "net", "API", "API"),
            (9, "net", "_run-", "_run-"),
        ])
    }

    #[test]
    fn a_written_name_hits_and_an_everyday_word_does_not() {
        let index = index();
        let check = |query: &str, expected: &[u32]| assert_eq!(index.find(query), expected, "{query}");
        check("please use create_issue.", &[0]);
        check("call CREATEISSUE now", &[1]);
        check("create an issue", &[]);
        check("search my mail", &[]);
        check("run `search` on it", &[2, 3]);
        check("run \"search\" on it", &[2, 3]);
        check("Search", &[2, 3]);
        check("use mail/search please", &[3]);
        check("use mail__search", &[3]);
        check("logs.search, then create_issue()", &[0, 4]);
        check("logs_search", &[4]);
        check("create_issue를 실행해", &[0]);
        check("예보_조회 해줘", &[5]);
        check("create_issue/logs.search", &[0, 4]);
        check("either:create_issue", &[0]);
        check("start the HTTPServer", &[6]);
        check("error 404 of the API", &[]);
        check("what is `404`", &[7]);
        check("do _run- now", &[9]);
        check("", &[]);
        check("`", &[]);
        check("it's what's", &[]);
    }

    proptest! {
        #[test]
        fn a_distinctive_name_is_found_in_any_text(before in "[a-z ,!?]{0,20}", after in "[ ,!?()][a-z ,!?]{0,20}", name in "[a-z]{1,6}_[a-z]{1,6}") {
            let index = MentionIndex::build([(7, "source", name.as_str(), name.as_str())]);
            prop_assert_eq!(index.find(&format!("{before} {name}{after}")), [7]);
        }

        #[test]
        fn no_text_panics(query in "\\PC{0,60}") {
            let _ = index().find(&query);
        }
    }
}
