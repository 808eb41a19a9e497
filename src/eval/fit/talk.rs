//! Requests that no tool is for, as people make them of an assistant all day, and requests made from a tool's own words.

use sha2::{Digest, Sha256};

use crate::tool::Tool;

/// One a line, written for this project.
const TALK: &str = include_str!("talk.txt");
/// One word in so many is left out of a request that is made from a tool.
const DROP: u8 = 3;

/// Requests that no tool is for.
pub(super) fn talk() -> impl Iterator<Item = &'static str> {
    TALK.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'))
}

/// What someone might ask who wants just this tool: the first sentence of its description with some of its words gone, always the same
/// ones. Nothing for a tool that says too little. People ask less like a description than this does, so such requests tell how a catalogue
/// compares with others, not how sure one may be.
pub(super) fn own_request(tool: &Tool) -> Option<String> {
    let sentence = tool.description.split(['.', '\n']).find(|sentence| !sentence.trim().is_empty())?;
    let words: Vec<&str> = sentence.split_whitespace().take(30).collect();
    let draw = Sha256::digest(tool.id.to_string().as_bytes());
    let is_kept = |at: usize| draw.get(at).is_none_or(|byte| byte % DROP != 0);
    let kept: Vec<&str> = words.iter().enumerate().filter(|(at, _)| is_kept(*at)).map(|(_, word)| *word).collect();
    (3 <= kept.len()).then(|| kept.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tool::{Document, ToolId};

    #[test]
    fn talk_is_many_different_lines() {
        let lines: Vec<&str> = talk().collect();
        let distinct: std::collections::BTreeSet<&str> = lines.iter().copied().collect();
        assert!(200 < lines.len() && distinct.len() == lines.len());
    }

    #[test]
    fn a_request_is_made_of_the_tools_words() {
        let tool = |description: &str| Tool::new(ToolId::new("s", "t").unwrap(), description.into(), Document::empty());
        let request = own_request(&tool("Reads the whole content of a text file from disk. Use with care.")).unwrap();
        assert!("Reads the whole content of a text file from disk".starts_with(&request[..3]) || request.split(' ').count() < 10);
        assert!(request.split(' ').all(|word| "Reads the whole content of a text file from disk".contains(word)));
        assert_eq!(own_request(&tool("Reads the whole content of a text file from disk. Other.")), Some(request));
        assert_eq!(own_request(&tool("Reads.")), None);
        assert_eq!(own_request(&tool("")), None);
    }
}
