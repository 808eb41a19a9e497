//! A labelled set: `tools.jsonl` and `queries[.SPLIT].jsonl` in one folder, one JSON object a line.
//!
//! A tool has `id`, `name`, `description`, `input_schema`, `server`; a query `id`, `text` and `relevant`, the ids of all tools it needs.
//! Queries that need none are for abstention and are left out here. Anything that does not fit is an error with file and line: a figure
//! from half a set is worse than none.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use crate::index::terms;
use crate::tool::{Document, Tool, ToolId};

/// Longest line: four times the largest tool that can be registered.
const MAX_LINE_BYTES: usize = 1 << 20;
/// A distractor with a relevant tool's name words that shares this much of the shorter description could pass for it.
const TWIN_OVERLAP: f64 = 0.6;
/// Stands for a missing server: no word of it is ever searched.
pub(super) const NO_SERVER: &str = "-";

/// A set, ready to be searched.
#[derive(Debug)]
pub struct Dataset {
    /// Its folder's name.
    pub name: String,
    /// Which queries; empty when there is one file of them.
    pub split: String,
    /// The tools in file order, distractors last.
    pub tools: Vec<Tool>,
    /// The queries that need tools.
    pub queries: Vec<Query>,
    /// How many of the tools are distractors.
    pub distractors: usize,
    /// Distractors left out because they could pass for a relevant tool.
    pub twins_left_out: usize,
}

/// A request with its answer.
#[derive(Clone, Debug)]
pub struct Query {
    /// Its id.
    pub id: String,
    /// The user's words.
    pub text: String,
    /// Slots of all tools it needs; empty: it needs none.
    pub relevant: Vec<usize>,
    /// Slots of the tools that its label is about, where that is not all of them.
    pub candidates: Option<Vec<usize>>,
}

/// A set cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// A file is not there.
    #[error("{} cannot be read: {source}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The system's words.
        source: std::io::Error,
    },
    /// A line does not fit.
    #[error("{}, line {line}: {detail}", path.display())]
    Line {
        /// The file.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// What is wrong.
        detail: String,
    },
    /// There is nothing to hold back.
    #[error("{} has no query that needs no tool (\"relevant\": [])", path.display())]
    AllNeedTools {
        /// The file.
        path: PathBuf,
    },
    /// There is nothing to measure.
    #[error("{} has no query that needs a tool", path.display())]
    NoQueries {
        /// The file.
        path: PathBuf,
    },
}

#[derive(Deserialize)]
struct ToolLine<'a> {
    id: String,
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(borrow, default)]
    input_schema: Option<&'a RawValue>,
    #[serde(default)]
    server: Option<String>,
}

#[derive(Deserialize)]
struct QueryLine {
    id: String,
    text: String,
    relevant: Vec<String>,
    #[serde(default)]
    candidates: Option<Vec<String>>,
}

/// What to read.
#[derive(Clone, Debug)]
pub struct Choice<'a> {
    /// The folder that holds the sets.
    pub data: &'a Path,
    /// `NAME` or `NAME:SPLIT`.
    pub set: &'a str,
    /// Folders with a `tools.jsonl` whose tools are added; what stood in one before is not added again.
    pub distractors: &'a [PathBuf],
    /// At most this many queries, evenly spaced over the file.
    pub max_queries: Option<usize>,
}

/// Reads the tools of one `tools.jsonl`, in file order; two may share source and name.
///
/// # Errors
/// A missing file, or a line that does not fit.
pub fn tools(path: &Path) -> Result<Vec<Tool>, DatasetError> {
    Ok(read_tools(path)?.0)
}

/// The same, each with the id that its line gives it.
///
/// # Errors
/// A missing file, or a line that does not fit.
pub fn named_tools(path: &Path) -> Result<Vec<(String, Tool)>, DatasetError> {
    let (tools, ids) = read_tools(path)?;
    let mut names: Vec<(usize, String)> = ids.into_iter().map(|(id, place)| (place, id)).collect();
    names.sort_unstable();
    Ok(names.into_iter().map(|(_, id)| id).zip(tools).collect())
}

impl Dataset {
    /// Tools that nobody labelled requests for.
    #[must_use]
    pub fn unlabelled(tools: Vec<Tool>) -> Self {
        let (name, split) = ("tools".to_owned(), String::new());
        Self { name, split, tools, queries: Vec::new(), distractors: 0, twins_left_out: 0 }
    }

    /// Reads requests that need no tool, for a set that was read without distractors or with them.
    ///
    /// # Errors
    /// A missing file, a line that does not fit, or no such request.
    pub fn read_none(&self, data: &Path, split: &str) -> Result<Vec<Query>, DatasetError> {
        let folder = data.join(&self.name);
        let (_, ids) = read_tools(&folder.join("tools.jsonl"))?;
        let path = queries_path(&folder, split);
        let mut queries = read_queries(&path, &ids)?;
        queries.retain(|query| query.relevant.is_empty());
        if queries.is_empty() { Err(DatasetError::AllNeedTools { path }) } else { Ok(queries) }
    }

    /// Reads a set.
    ///
    /// # Errors
    /// A missing file, or a line that does not fit.
    pub fn read(choice: &Choice<'_>) -> Result<Self, DatasetError> {
        let (name, split) = choice.set.split_once(':').unwrap_or((choice.set, ""));
        let folder = choice.data.join(name);
        let (mut tools, ids) = read_tools(&folder.join("tools.jsonl"))?;
        let queries_path = queries_path(&folder, split);
        let mut queries = read_queries(&queries_path, &ids)?;
        queries.retain(|query| !query.relevant.is_empty() && is_in_half(split, &queries_path, &query.id));
        if let Some(most) = choice.max_queries.filter(|most| 0 < *most && *most < queries.len()) {
            let all = queries.len();
            let kept: HashSet<usize> = (0..most).map(|i| i * all / most).collect();
            let mut place = 0..;
            queries.retain(|_| place.next().is_some_and(|i| kept.contains(&i)));
        }
        if queries.is_empty() {
            return Err(DatasetError::NoQueries { path: queries_path });
        }
        let (mut twins_left_out, own) = (0, tools.len());
        if !choice.distractors.is_empty() {
            let relevant: HashSet<usize> = queries.iter().flat_map(|query| query.relevant.iter().copied()).collect();
            let twins = Twins::of(relevant.iter().filter_map(|slot| tools.get(*slot)));
            let says = |tool: &Tool| (tool.id.name().to_owned(), tool.description.clone());
            let mut known: HashSet<(String, String)> = tools.iter().map(says).collect();
            for folder in choice.distractors {
                let (others, _) = read_tools(&folder.join("tools.jsonl"))?;
                // Known from another folder; what one of them says twice it means.
                let said: Vec<_> = others.iter().map(says).collect();
                for tool in others {
                    if known.contains(&says(&tool)) || twins.could_be(&tool) {
                        twins_left_out += 1;
                    } else {
                        tools.push(tool);
                    }
                }
                known.extend(said);
            }
        }
        let distractors = tools.len() - own;
        Ok(Self { name: name.to_owned(), split: split.to_owned(), tools, queries, distractors, twins_left_out })
    }
}

/// `queries.SPLIT.jsonl`; of the halves, where they have no file of their own, the whole `queries.jsonl`.
fn queries_path(folder: &Path, split: &str) -> PathBuf {
    let path = |split: &str| folder.join(format!("queries{split}.jsonl"));
    let own = if split.is_empty() { path("") } else { path(&format!(".{split}")) };
    if is_half(split) && !own.exists() { path("") } else { own }
}

fn is_half(split: &str) -> bool {
    matches!(split, "odd" | "even")
}

/// Halves by chance that stay the same: odd is a query whose id's sha256 ends in an odd byte. A half with a file of its own is that file.
fn is_in_half(split: &str, path: &Path, id: &str) -> bool {
    let has_own_file = path.file_name().is_some_and(|name| name != "queries.jsonl");
    if !is_half(split) || has_own_file {
        return true;
    }
    let is_odd = Sha256::digest(id.as_bytes()).last().is_some_and(|byte| byte % 2 == 1);
    is_odd == (split == "odd")
}

/// The words of tools that a distractor must not pass for.
pub(super) struct Twins(HashMap<Vec<String>, Vec<HashSet<String>>>);

impl Twins {
    pub(super) fn of<'a>(tools: impl Iterator<Item = &'a Tool>) -> Self {
        let mut by_name: HashMap<Vec<String>, Vec<HashSet<String>>> = HashMap::new();
        for tool in tools {
            by_name.entry(name_words(tool)).or_default().push(description_words(tool));
        }
        Self(by_name)
    }

    pub(super) fn could_be(&self, tool: &Tool) -> bool {
        self.0.get(&name_words(tool)).is_some_and(|others| {
            let words = description_words(tool);
            others.iter().any(|other| {
                let smaller = words.len().min(other.len());
                let shared = words.intersection(other).count();
                smaller == 0 || TWIN_OVERLAP * smaller as f64 <= shared as f64
            })
        })
    }
}

/// The words of a tool's name, in no order that means anything: twins have the same ones.
pub(super) fn name_words(tool: &Tool) -> Vec<String> {
    let mut words = terms::terms(tool.id.name());
    words.sort_unstable();
    words
}

fn description_words(tool: &Tool) -> HashSet<String> {
    terms::terms(&tool.description).into_iter().collect()
}

fn read_tools(path: &Path) -> Result<(Vec<Tool>, HashMap<String, usize>), DatasetError> {
    let mut tools = Vec::new();
    let mut ids: HashMap<String, usize> = HashMap::new();
    each_line(path, |text| {
        let line: ToolLine<'_> = serde_json::from_str(text).map_err(|e| e.to_string())?;
        let server = line.server.as_deref().map(str::trim).filter(|server| !server.is_empty());
        let id = ToolId::new(server.unwrap_or(NO_SERVER), line.name.trim()).map_err(|v| v.to_string())?;
        let schema = line.input_schema.map(RawValue::get).filter(|text| *text != "null").unwrap_or("{}");
        let schema = Document::parse(schema).map_err(|e| format!("input_schema {e}"))?;
        let tool = Tool::new(id, line.description.unwrap_or_default(), schema);
        if let Some(first) = ids.insert(line.id.clone(), tools.len()) {
            return Err(format!("id {:?} is also that of line {}", line.id, first + 1));
        }
        tools.push(tool);
        Ok(())
    })?;
    Ok((tools, ids))
}

fn read_queries(path: &Path, ids: &HashMap<String, usize>) -> Result<Vec<Query>, DatasetError> {
    let mut queries = Vec::new();
    let mut seen = HashSet::new();
    each_line(path, |text| {
        let line: QueryLine = serde_json::from_str(text).map_err(|e| e.to_string())?;
        if !seen.insert(line.id.clone()) {
            return Err(format!("id {:?} stands twice", line.id));
        }
        let slots = |what: &str, names: &[String]| {
            let slot = |id: &String| ids.get(id).copied().ok_or_else(|| format!("{what} tool {id:?} is not in tools.jsonl"));
            let mut slots = names.iter().map(slot).collect::<Result<Vec<_>, _>>()?;
            slots.sort_unstable();
            slots.dedup();
            Ok::<_, String>(slots)
        };
        let relevant = slots("relevant", &line.relevant)?;
        let candidates = line.candidates.map(|names| slots("candidate", &names)).transpose()?;
        queries.push(Query { id: line.id, text: line.text, relevant, candidates });
        Ok(())
    })?;
    Ok(queries)
}

fn each_line(path: &Path, mut take: impl FnMut(&str) -> Result<(), String>) -> Result<(), DatasetError> {
    let text = std::fs::read_to_string(path).map_err(|source| DatasetError::Missing { path: path.to_owned(), source })?;
    for (text, line) in text.lines().zip(1..).filter(|(text, _)| !text.trim().is_empty()) {
        let wrong = |detail: String| DatasetError::Line { path: path.to_owned(), line, detail };
        if MAX_LINE_BYTES < text.len() {
            return Err(wrong(format!("has {} bytes, the limit is {MAX_LINE_BYTES}", text.len())));
        }
        take(text).map_err(wrong)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOOLS: &str = r#"{"id":"a/x","name":"get_x","description":"Gets the x of a thing.","input_schema":{"type":"object"},"server":"a"}
{"id":"b","name":"b","description":null,"input_schema":null,"server":null}"#;
    const QUERIES: &str = r#"{"id":"1","text":"the x","relevant":["a/x"],"lang":"en"}
{"id":"2","text":"nothing","relevant":[]}
{"id":"3","text":"both","relevant":["b","a/x"]}"#;

    fn read(tools: &str, queries: &str, pools: &[&str]) -> Result<Dataset, String> {
        let dir = tempfile::tempdir().unwrap();
        let write = |folder: &str, name: &str, text: &str| {
            std::fs::create_dir_all(dir.path().join(folder)).unwrap();
            std::fs::write(dir.path().join(folder).join(format!("{name}.jsonl")), text).unwrap();
            dir.path().join(folder)
        };
        write("set", "tools", tools);
        write("set", "queries.dev", queries);
        let pool = |(place, text): (usize, &&str)| write(&format!("pool{place}"), "tools", text);
        let distractors: Vec<PathBuf> = pools.iter().enumerate().map(pool).collect();
        let choice = Choice { data: dir.path(), set: "set:dev", distractors: &distractors, max_queries: None };
        Dataset::read(&choice).map_err(|e| e.to_string())
    }

    #[test]
    fn a_set_is_read_with_its_split() {
        let set = read(TOOLS, QUERIES, &[]).unwrap();
        assert_eq!((set.name.as_str(), set.split.as_str(), set.tools.len()), ("set", "dev", 2));
        assert_eq!(set.queries.iter().map(|q| q.relevant.clone()).collect::<Vec<_>>(), [vec![0], vec![0, 1]]);
    }

    #[test]
    fn halves_are_the_same_every_time_and_make_the_whole() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        std::fs::write(dir.path().join("s/tools.jsonl"), TOOLS).unwrap();
        let lines: Vec<_> = (0..40).map(|i| format!(r#"{{"id":"q{i}","text":"t","relevant":["b"]}}"#)).collect();
        std::fs::write(dir.path().join("s/queries.jsonl"), lines.join("\n")).unwrap();
        let ids = |set: &str| {
            let set = Dataset::read(&Choice { data: dir.path(), set, distractors: &[], max_queries: None }).unwrap();
            set.queries.into_iter().map(|query| query.id).collect::<Vec<_>>()
        };
        let (odd, even) = (ids("s:odd"), ids("s:even"));
        assert!(odd.len() + even.len() == 40 && 8 < odd.len() && 8 < even.len());
        assert!(odd.iter().all(|id| !even.contains(id)));
        std::fs::write(dir.path().join("s/queries.odd.jsonl"), lines[0].clone()).unwrap();
        assert_eq!(ids("s:odd"), ["q0"], "a file of its own is the split");
    }

    #[test]
    fn requests_that_need_no_tool_are_read_by_themselves() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        std::fs::write(dir.path().join("s/tools.jsonl"), TOOLS).unwrap();
        std::fs::write(dir.path().join("s/queries.jsonl"), QUERIES).unwrap();
        let none = r#"{"id":"n","text":"hello","relevant":[],"candidates":["b"]}"#;
        std::fs::write(dir.path().join("s/queries.none.jsonl"), none).unwrap();
        let set = Dataset::read(&Choice { data: dir.path(), set: "s", distractors: &[], max_queries: None }).unwrap();
        assert_eq!(set.queries.len(), 2);
        let none = set.read_none(dir.path(), "none").unwrap();
        assert_eq!((none.len(), none[0].candidates.as_deref()), (1, Some([1].as_slice())));
        std::fs::write(dir.path().join("s/queries.none.jsonl"), QUERIES.lines().next().unwrap()).unwrap();
        assert!(set.read_none(dir.path(), "none").unwrap_err().to_string().contains("no query that needs no tool"));
    }

    #[test]
    fn what_does_not_fit_is_an_error_with_file_and_line() {
        let check = |tools: &str, queries: &str, words: &[&str]| {
            let line = read(tools, queries, &[]).unwrap_err();
            assert!(words.iter().all(|word| line.contains(word)), "{line}");
        };
        check(&format!("{TOOLS}\n{TOOLS}"), QUERIES, &["tools.jsonl, line 3", "also that of line 1"]);
        check(TOOLS, &QUERIES.replace("\"b\",", "\"c\","), &["queries.dev.jsonl, line 3", "\"c\" is not in tools.jsonl"]);
        check(TOOLS, &QUERIES.replace("\"3\"", "\"1\""), &["line 3", "\"1\" stands twice"]);
        check("{\"id\"", QUERIES, &["tools.jsonl, line 1"]);
        check(&TOOLS.replace("Gets", &"x".repeat(2 << 20)), QUERIES, &["line 1", "the limit is 1048576"]);
        check(TOOLS, r#"{"id":"2","text":"nothing","relevant":[]}"#, &["no query that needs a tool"]);
        let missing = Dataset::read(&Choice { data: Path::new("/nowhere"), set: "s", distractors: &[], max_queries: None });
        assert!(missing.unwrap_err().to_string().contains("/nowhere/s/tools.jsonl cannot be read"));
    }

    #[test]
    fn distractors_that_could_pass_for_a_relevant_tool_are_left_out() {
        let pool = r#"{"id":"1","name":"get_x","description":"Gets the x of a thing.","server":"p"}
{"id":"2","name":"getX","description":"Gets an x of any thing there is","server":"p"}
{"id":"3","name":"get_x","description":"Fetches weather for cities","server":"p"}
{"id":"4","name":"other","description":"Gets the x of a thing.","server":"p"}"#;
        let set = read(TOOLS, QUERIES, &[pool]).unwrap();
        assert_eq!((set.twins_left_out, set.tools.len()), (2, 4));
        // What stood in another folder is no further tool.
        let more = r#"{"id":"5","name":"clock","description":"Tells the time.","server":"q"}"#;
        let set = read(TOOLS, QUERIES, &[pool, &format!("{pool}\n{more}")]).unwrap();
        assert_eq!((set.twins_left_out, set.tools.len(), set.distractors), (6, 5, 3));
    }

    #[test]
    fn fewer_queries_are_spread_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("s")).unwrap();
        std::fs::write(dir.path().join("s/tools.jsonl"), TOOLS).unwrap();
        let lines: Vec<_> = (0..10).map(|i| format!(r#"{{"id":"{i}","text":"t","relevant":["b"]}}"#)).collect();
        std::fs::write(dir.path().join("s/queries.jsonl"), lines.join("\n")).unwrap();
        let set = Dataset::read(&Choice { data: dir.path(), set: "s", distractors: &[], max_queries: Some(4) }).unwrap();
        assert_eq!(set.queries.iter().map(|q| q.id.as_str()).collect::<Vec<_>>(), ["0", "2", "5", "7"]);
    }
}
