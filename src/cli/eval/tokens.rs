//! `tool-router eval tokens`: what a tokenizer makes of tool definitions beside a built-in one, and how far an estimate would be off.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, output};
use crate::compact::{Counter, Tokenizer};
use crate::config::{self, Config, Overrides, TokensFile};
use crate::eval::dataset;
use crate::eval::tokens::{self, COVERED, Comparison};
use crate::import::file;
use crate::tool::Tool;

/// Flags of `eval tokens`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Configuration file, for tokenizers that are named there
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// A file with tools, as for `import file`; may be repeated
    #[arg(long, required_unless_present = "data", value_name = "FILE")]
    tools: Vec<PathBuf>,
    /// Folder that holds the sets
    #[arg(long, requires = "sets", value_name = "DIR")]
    data: Option<PathBuf>,
    /// A set whose tools are counted; may be repeated
    #[arg(long = "set", requires = "data", value_name = "NAME")]
    sets: Vec<String>,
    /// A tokenizer by its tokenizer.json; may be repeated
    #[arg(long = "tokenizer-file", required_unless_present = "names", value_name = "NAME=PATH")]
    files: Vec<String>,
    /// A tokenizer by its name in the configuration; may be repeated
    #[arg(long = "tokenizer", value_name = "NAME")]
    names: Vec<String>,
    /// What to compare with
    #[arg(long, value_name = "NAME", default_value = "o200k_base")]
    base: String,
    /// Judge this factor, with --margin, rather than the one that the tools come to
    #[arg(long, requires = "margin", value_name = "F")]
    factor: Option<f64>,
    /// The margin of --factor, as a share
    #[arg(long, requires = "factor", value_name = "M")]
    margin: Option<f64>,
    /// One JSON object per tokenizer
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Exit> {
    let known = Tokenizer::ALL.map(Tokenizer::name).join(", ");
    let base = Tokenizer::parse(&arguments.base).map(Counter::exact);
    let base = base.ok_or_else(|| Exit::failed(format!("--base {}: built in are {known}", arguments.base)))?;
    let (counters, tools) = (counters(arguments)?, tools(arguments)?);
    for counter in &counters {
        let estimate = arguments.factor.zip(arguments.margin);
        let compared = tokens::compare(&tools, &base, counter, estimate).ok_or_else(|| Exit::failed("there are no tools"))?;
        if arguments.json {
            output::line(&json(counter, &base, &compared).to_string());
        } else {
            print(counter, &base, &compared);
        }
    }
    Ok(())
}

/// Through the configuration, so that a file is read and complained about as the router would.
fn counters(arguments: &Arguments) -> Result<Vec<Counter>, Exit> {
    let mut config: Config =
        config::load(arguments.config.as_deref(), &Overrides::default()).map_err(|e| Exit::bad_config(&e))?;
    let mut names = arguments.names.clone();
    for file in &arguments.files {
        let (name, path) = file
            .split_once('=')
            .filter(|(name, path)| !name.is_empty() && !path.is_empty())
            .ok_or_else(|| Exit::failed(format!("--tokenizer-file {file}: it must be NAME=PATH")))?;
        config.tokens.file.push(TokensFile { name: name.to_owned(), path: path.into() });
        names.push(name.to_owned());
    }
    let counters = config.counters().map_err(|e| Exit::failed(e.to_string()))?;
    let counter = |name: &String| {
        counters.get(name).cloned().ok_or_else(|| Exit::failed(format!("--tokenizer {name}: known are {}", counters.names())))
    };
    names.iter().map(counter).collect()
}

fn tools(arguments: &Arguments) -> Result<Vec<Tool>, Exit> {
    let mut tools = Vec::new();
    for path in &arguments.tools {
        tools.extend(file::read(path, None).map_err(|e| Exit::failed(e.to_string()))?.tools);
    }
    for set in &arguments.sets {
        let folder = arguments.data.as_deref().unwrap_or(Path::new("")).join(set);
        tools.extend(dataset::tools(&folder.join("tools.jsonl")).map_err(|e| Exit::failed(e.to_string()))?);
    }
    Ok(tools)
}

fn print(counter: &Counter, base: &Counter, compared: &Comparison) {
    let header = ["fidelity", "definitions", base.name(), counter.name(), "factor", "p50", "p99", "max"];
    let rows = compared.forms.iter().map(|form| {
        let mut row = vec![form.name.to_owned(), form.definitions.to_string()];
        row.extend([form.base, form.counted].map(output::thousands));
        row.push(format!("{:.3}", form.factor()));
        row.extend(form.ratios.map(|ratio| format!("{ratio:.3}")));
        row
    });
    output::table(&header, &(1..header.len()).collect::<Vec<_>>(), rows);
    let (lists, percent) = (&compared.lists, |share: f64| format!("{:.1} %", share * 100.0));
    output::line(&format!("estimate: {} x {:.3}, margin {:.3}", base.name(), compared.factor, compared.margin));
    output::line(&format!(
        "{} lists of {}: the factor alone is off by {} in the mean; margin {:.3} covers {} of them",
        output::thousands(lists.lists as u64),
        lists.tools,
        percent(lists.error),
        lists.margin,
        percent(COVERED),
    ));
    output::line(&format!(
        "with its margin {} of the lists have more tokens than estimated, and {} of a list's tokens stay unused in the mean",
        percent(lists.over),
        percent(lists.unused),
    ));
}

fn json(counter: &Counter, base: &Counter, compared: &Comparison) -> serde_json::Value {
    let forms: Vec<_> = compared
        .forms
        .iter()
        .map(|form| {
            let [p50, p99, max] = form.ratios;
            serde_json::json!({
                "fidelity": form.name, "definitions": form.definitions, "base_tokens": form.base, "tokens": form.counted,
                "factor": form.factor(), "p50": p50, "p99": p99, "max": max,
            })
        })
        .collect();
    let lists = &compared.lists;
    serde_json::json!({
        "tokenizer": counter.name(), "base": base.name(), "factor": compared.factor, "margin": compared.margin, "forms": forms,
        "lists": {
            "lists": lists.lists, "tools": lists.tools, "error_mean": lists.error, "margin_p99": lists.margin,
            "over_share": lists.over, "unused_mean": lists.unused,
        },
    })
}
