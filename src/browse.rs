//! Looking at the catalogue: one tool, several, a page of all; and holding arguments against what is there.

use std::sync::Arc;
use std::time::Instant;

use crate::arguments::{self, Checked};
use crate::catalog::{Entry, State, TenantCatalog};
use crate::compact::profile::Profile;
use crate::error::Violation;
use crate::tool::ToolId;

/// Most tools described at once.
pub const MAX_DESCRIBED: usize = 50;
/// Most tools of a page.
pub const MAX_PAGE: u32 = 1_000;
/// Tools of a page when the caller does not say.
const DEFAULT_PAGE: u32 = 100;
/// A page also ends before its texts pass this: gRPC clients take 4 MiB per message unless told otherwise.
const MAX_PAGE_BYTES: usize = 2 * 1024 * 1024;

/// Which tools to list.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Only this source.
    pub source: Option<String>,
    /// Only in this state.
    pub state: Option<State>,
    /// Tools per page.
    pub page_size: Option<u32>,
    /// Where the page before ended.
    pub page_token: String,
}

/// A page of tools in order of source and name.
#[derive(Debug)]
pub struct Page {
    /// The tools.
    pub entries: Vec<Arc<Entry>>,
    /// Where the next page starts; empty after the last.
    pub next_page_token: String,
    /// How many tools the filter passes in all.
    pub total: usize,
}

/// Lists a page. The token names the last tool seen, so pages stay right while tools come and go.
///
/// # Errors
/// A page size out of range, a token that is none.
pub fn list(catalog: &TenantCatalog, filter: &Filter) -> Result<Page, Violation> {
    let page_size = filter.page_size.unwrap_or(DEFAULT_PAGE);
    if page_size == 0 || MAX_PAGE < page_size {
        return Err(Violation::new(
            "page_size",
            format!("is {page_size}, it must be 1 to {MAX_PAGE}; leave it out for {DEFAULT_PAGE}"),
        ));
    }
    let after = if filter.page_token.is_empty() { None } else { Some(parse_token(&filter.page_token)?) };
    let passes = |entry: &&Arc<Entry>| {
        filter.source.as_deref().is_none_or(|source| source == entry.record.tool.id.source())
            && filter.state.is_none_or(|state| state == entry.record.state)
    };
    let mut all: Vec<&Arc<Entry>> = catalog.entries().filter(passes).collect();
    all.sort_by(|a, b| a.record.tool.id.cmp(&b.record.tool.id));
    let total = all.len();
    let start = after.map_or(0, |after| all.partition_point(|entry| entry.record.tool.id <= after));
    let mut entries = Vec::new();
    let mut bytes = 0;
    for entry in all.iter().skip(start).take(page_size as usize) {
        bytes += entry.record.tool.bytes();
        if !entries.is_empty() && MAX_PAGE_BYTES < bytes {
            break;
        }
        entries.push(Arc::clone(entry));
    }
    let more = start + entries.len() < total;
    let next_page_token = entries.last().filter(|_| more).map_or_else(String::new, |entry| token(&entry.record.tool.id));
    Ok(Page { entries, next_page_token, total })
}

fn token(id: &ToolId) -> String {
    hex::encode(format!("{}\0{}", id.source(), id.name()))
}

fn parse_token(token: &str) -> Result<ToolId, Violation> {
    let wrong = || Violation::new("page_token", "is not one this service gave: start again without it");
    let text = String::from_utf8(hex::decode(token).map_err(|_| wrong())?).map_err(|_| wrong())?;
    let (source, name) = text.split_once('\0').ok_or_else(wrong)?;
    ToolId::new(source, name).map_err(|_| wrong())
}

/// A tool by id or by the name a model used.
#[derive(Clone, Debug)]
pub enum Wanted {
    /// By source and name.
    Id(ToolId),
    /// By model name.
    ModelName(String),
}

/// The tools that were asked for; `Err` says in words which one is not there.
///
/// # Errors
/// None or too many were asked for.
pub fn describe(catalog: &TenantCatalog, wanted: &[Wanted]) -> Result<Vec<Result<Arc<Entry>, String>>, Violation> {
    if wanted.is_empty() {
        return Err(Violation::new("tools", "is empty: name at least one tool"));
    }
    if MAX_DESCRIBED < wanted.len() {
        return Err(Violation::new("tools", format!("has {} entries, the limit is {MAX_DESCRIBED}", wanted.len())));
    }
    Ok(wanted.iter().map(|wanted| find(catalog, wanted)).collect())
}

/// The tool.
///
/// # Errors
/// Says in words that it is not there.
pub fn find(catalog: &TenantCatalog, wanted: &Wanted) -> Result<Arc<Entry>, String> {
    match wanted {
        Wanted::Id(id) => catalog.get(id).cloned().ok_or_else(|| format!("tool {id} is not registered")),
        Wanted::ModelName(name) => {
            catalog.by_model_name(name).cloned().ok_or_else(|| format!("no tool has the model name {name:?}"))
        }
    }
}

/// Arguments that a model made for a tool.
#[derive(Clone, Debug)]
pub struct Call {
    /// The tool.
    pub wanted: Wanted,
    /// JSON text; empty means none.
    pub arguments: String,
    /// The dialect of the schema that the model was shown.
    pub made_for: Profile,
}

/// Holds each call's arguments against its tool's own schema; `Err` says in words which tool is not there. `None` when `deadline` passed
/// before all were looked at: each takes its time, and nobody waits any more.
#[must_use]
pub fn check_calls(catalog: &TenantCatalog, calls: &[Call], deadline: Instant) -> Option<Vec<Result<Checked, String>>> {
    let check = |call: &Call| {
        let entry = find(catalog, &call.wanted)?;
        Ok(arguments::check(&entry.record.tool.input_schema, &call.arguments, call.made_for))
    };
    calls.iter().map(|call| (Instant::now() < deadline).then(|| check(call))).collect()
}
