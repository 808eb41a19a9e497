//! `[tokens]`: whose tokens the cap is in. Beside the two vocabularies that are built in: tokenizer files, dated estimates, and what vendors
//! add around tools.
//!
//! `tokens/shipped.toml` is a table of this form that comes with the program; what a configuration says under the same name takes its place,
//! because such figures age faster than programs are replaced.

use std::io::Read;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::compact::Tokenizer;
use crate::compact::counter::{Counter, Counters, Day, Estimate, Kind, Overhead, TokenizerFile};
use crate::tool::TokenCount;

/// The table that comes with the program.
pub(super) const SHIPPED: &str = include_str!("tokens/shipped.toml");
/// Largest tokenizer file: twice the largest that is published, and read into memory whole.
const MAX_FILE_BYTES: u64 = 64 << 20;
/// Longest name.
const MAX_NAME_BYTES: usize = 100;
/// Largest overhead that can be meant.
const MAX_OVERHEAD_TOKENS: u32 = 100_000;

/// Tokenizers by name.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tokens {
    /// The tokenizer of requests that name none.
    pub default: String,
    /// Tokenizers by file.
    pub file: Vec<TokensFile>,
    /// Tokenizers by factor.
    pub estimate: Vec<TokensEstimate>,
    /// What vendors add.
    pub overhead: Vec<TokensOverhead>,
}

impl Default for Tokens {
    fn default() -> Self {
        let default = Tokenizer::O200kBase.name().to_owned();
        Self { default, file: Vec::new(), estimate: Vec::new(), overhead: Vec::new() }
    }
}

/// A tokenizer as Hugging Face publishes it.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokensFile {
    /// What requests call it.
    pub name: String,
    /// Its `tokenizer.json`.
    pub path: PathBuf,
}

/// A tokenizer that is not to be had, as a factor on one that is.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokensEstimate {
    /// What requests call it.
    pub name: String,
    /// `o200k_base` or `cl100k_base`.
    pub base: String,
    /// Its tokens per token of `base`: 0.1 to 10.
    pub factor: f64,
    /// What is added for safety, as a share: 0 to 1.
    pub margin: f64,
    /// The day on which that was so, `YYYY-MM-DD`.
    pub as_of: String,
}

/// Tokens that a vendor adds around tools.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct TokensOverhead {
    /// Whose: the name of a tokenizer.
    pub name: String,
    /// Once, when there is any tool.
    pub tools: u32,
    /// For each tool.
    #[serde(default)]
    pub per_tool: u32,
    /// The day on which that was so, `YYYY-MM-DD`.
    pub as_of: String,
}

impl Tokens {
    /// The tokenizers that requests can name: the exact ones, those of `shipped` that are not named here too, and those that are.
    ///
    /// # Errors
    /// The entry that cannot be used, and what is wrong with it.
    pub(super) fn counters(&self, shipped: &Self) -> Result<Counters, String> {
        self.check_names()?;
        let mut counted: Vec<(&str, Kind)> = Tokenizer::ALL.map(|tokenizer| (tokenizer.name(), Kind::Exact(tokenizer))).into();
        let is_ours = |name: &str| self.named().any(|(_, ours)| ours == name);
        for (i, estimate) in shipped.estimate.iter().enumerate().filter(|(_, estimate)| !is_ours(&estimate.name)) {
            counted.push((&estimate.name, Kind::Estimated(estimate.checked(&format!("shipped tokens.estimate[{i}]"))?)));
        }
        for (i, file) in self.file.iter().enumerate() {
            counted.push((&file.name, Kind::File(Box::new(file.read(&format!("tokens.file[{i}]"))?))));
        }
        for (i, estimate) in self.estimate.iter().enumerate() {
            counted.push((&estimate.name, Kind::Estimated(estimate.checked(&format!("tokens.estimate[{i}]"))?)));
        }
        for (i, overhead) in self.overhead.iter().enumerate() {
            let key = format!("tokens.overhead[{i}]");
            overhead.check(&key)?;
            if !counted.iter().any(|(name, _)| *name == overhead.name) {
                let known = counted.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
                return Err(format!("{key}.name {:?} is no tokenizer; known are {known}", overhead.name));
            }
        }
        let overhead = |name: &str| {
            let tables = [&self.overhead, &shipped.overhead];
            let found = tables.into_iter().flatten().find(|overhead| overhead.name == name);
            found.map_or_else(Overhead::default, |found| Overhead {
                tools: TokenCount(found.tools),
                per_tool: TokenCount(found.per_tool),
            })
        };
        let all: Vec<_> = counted.into_iter().map(|(name, kind)| Counter::new(name, kind, overhead(name))).collect();
        let known = all.iter().map(Counter::name).collect::<Vec<_>>().join(", ");
        Counters::new(all, &self.default)
            .ok_or_else(|| format!("tokens.default {:?} is no tokenizer; known are {known}", self.default))
    }

    /// Keys and names of the tokenizers that are configured.
    fn named(&self) -> impl Iterator<Item = (String, &str)> {
        let files = self.file.iter().enumerate().map(|(i, file)| (format!("tokens.file[{i}]"), file.name.as_str()));
        let estimates =
            self.estimate.iter().enumerate().map(|(i, estimate)| (format!("tokens.estimate[{i}]"), estimate.name.as_str()));
        files.chain(estimates)
    }

    fn check_names(&self) -> Result<(), String> {
        let overheads = self.overhead.iter().enumerate().map(|(i, one)| (format!("tokens.overhead[{i}]"), one.name.as_str()));
        let (tokenizers, overheads): (Vec<_>, Vec<_>) = (self.named().collect(), overheads.collect());
        if let Some((key, name)) = tokenizers.iter().find(|(_, name)| Tokenizer::parse(name).is_some()) {
            return Err(format!("{key}.name {name:?} is built in, and counted exactly"));
        }
        for named in [tokenizers, overheads] {
            for (i, (key, name)) in named.iter().enumerate() {
                let is_sound = |b: u8| b.is_ascii_alphanumeric() || b"._:/@-".contains(&b);
                if name.is_empty() || MAX_NAME_BYTES < name.len() || !name.bytes().all(is_sound) {
                    return Err(format!(
                        "{key}.name {name:?} must be 1 to {MAX_NAME_BYTES} letters, digits or . _ : / @ - without blanks"
                    ));
                }
                if let Some((first, _)) = named.iter().take(i).find(|(_, other)| other == name) {
                    return Err(format!("{key}.name {name:?} is also the name of {first}"));
                }
            }
        }
        Ok(())
    }
}

impl TokensFile {
    fn read(&self, key: &str) -> Result<TokenizerFile, String> {
        let wrong = |what: String| format!("{key} {:?}: path {} {what}", self.name, self.path.display());
        let bytes = read_at_most(MAX_FILE_BYTES, &self.path).map_err(wrong)?;
        TokenizerFile::parse(&bytes).map_err(|e| wrong(e.to_string()))
    }
}

/// The bytes of a file, or what is wrong, in words that follow its name.
fn read_at_most(limit: u64, path: &Path) -> Result<Vec<u8>, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    // Before it is opened: a named pipe would be waited for without end.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err("is not a file".to_owned());
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(unreadable)?;
    file.take(limit + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if limit < bytes.len() as u64 {
        return Err(format!("has more than {limit} bytes, which is the limit"));
    }
    Ok(bytes)
}

impl TokensEstimate {
    fn checked(&self, key: &str) -> Result<Estimate, String> {
        let wrong = |what: String| format!("{key} {:?}: {what}", self.name);
        let known = Tokenizer::ALL.map(Tokenizer::name).join(" or ");
        let base = Tokenizer::parse(&self.base).ok_or_else(|| wrong(format!("base {:?} is not {known}", self.base)))?;
        let as_of = day(&self.as_of).map_err(wrong)?;
        Estimate::new(base, self.factor, self.margin, as_of).map_err(|e| wrong(e.to_string()))
    }
}

impl TokensOverhead {
    fn check(&self, key: &str) -> Result<(), String> {
        day(&self.as_of).map_err(|what| format!("{key} {:?}: {what}", self.name))?;
        for (field, tokens) in [("tools", self.tools), ("per_tool", self.per_tool)] {
            if MAX_OVERHEAD_TOKENS < tokens {
                return Err(format!("{key} {:?}: {field} is {tokens}, the limit is {MAX_OVERHEAD_TOKENS}", self.name));
            }
        }
        Ok(())
    }
}

fn day(text: &str) -> Result<Day, String> {
    Day::parse(text).ok_or_else(|| format!("as_of is {text:?}, it must be a day as YYYY-MM-DD"))
}
