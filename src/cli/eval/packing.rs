//! `tool-router eval packing`: what a token cap is used for, by the router and by greedy packers.

use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use super::sets::Sets;
use crate::cli::{Exit, output};
use crate::compact::{Format, Tokenizer};
use crate::eval::Model;
use crate::eval::bootstrap::{Draws, Interval, PairError, Sample, Spread};
use crate::eval::packing::{self, Covered, Packer, PackingRun};
use crate::eval::prepared::Prepared;
use crate::index::EngineChoice;
use crate::tool::TokenCount;

/// Flags of `eval packing`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) sets: Sets,
    /// Folder with a tools.jsonl whose tools are added to every set; may be repeated
    #[arg(long, value_name = "DIR")]
    distractors: Vec<PathBuf>,
    /// At most this many queries of a set, evenly spaced
    #[arg(long, value_name = "N")]
    max_queries: Option<usize>,
    /// The cap
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    max_tokens: u32,
    /// Most callable tools, 1 to 200
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=200))]
    max_tools: u32,
    /// The model's API: openai_chat, openai_responses, anthropic, gemini or mcp
    #[arg(long, value_name = "NAME", default_value = "openai_chat", value_parser = format)]
    format: Format,
    /// `o200k_base` or `cl100k_base`
    #[arg(long, value_name = "NAME", default_value = "o200k_base", value_parser = tokenizer)]
    tokenizer: Tokenizer,
    /// One JSON object per set and packer, then one per packer with the macro mean
    #[arg(long)]
    json: bool,
}

fn format(name: &str) -> Result<Format, String> {
    Format::parse(name).ok_or_else(|| format!("formats are {}", Format::ALL.map(Format::name).join(", ")))
}

fn tokenizer(name: &str) -> Result<Tokenizer, String> {
    Tokenizer::parse(name).ok_or_else(|| format!("tokenizers are {}", Tokenizer::ALL.map(Tokenizer::name).join(", ")))
}

pub(super) async fn run(arguments: Arguments, engine: EngineChoice, model: &mut Model) -> Result<(), Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let options = packing::Options {
        max_tokens: TokenCount(arguments.max_tokens),
        max_tools: arguments.max_tools,
        format: arguments.format,
        tokenizer: arguments.tokenizer,
    };
    let sets = arguments.sets.read(&arguments.distractors, arguments.max_queries)?;
    let mut runs = Vec::new();
    for data in sets {
        let bar = ProgressBar::new_spinner().with_message(format!("{}: texts and queries", data.name));
        let tick = || bar.inc(1);
        let set = Prepared::of(data, engine, model, &tick).map_err(|e| failed(&e))?;
        runs.push(packing::measure(&set, options, model, &tick).await.map_err(|e| failed(&e))?);
        bar.finish_and_clear();
    }
    let rows = rows(&runs).map_err(|e| failed(&e))?;
    if arguments.json {
        rows.iter().for_each(|row| output::line(&json(row)));
    } else {
        print(&rows, &options);
    }
    let (overruns, answers) =
        (runs.iter().map(|run| run.overruns).sum::<usize>(), runs.iter().map(|run| 2 * run.queries.len()).sum::<usize>());
    if 0 < overruns {
        return Err(Exit::failed(format!("{overruns} of {answers} answers are over the cap")));
    }
    if !arguments.json {
        output::line(&format!("{answers} answers were counted anew from their texts: none is over the cap"));
    }
    Ok(())
}

/// One line of the table.
struct Row {
    set: String,
    packer: Packer,
    tools: usize,
    queries: usize,
    worth: f64,
    callable: f64,
    tokens: f64,
    callable_tools: f64,
    listed: f64,
    /// To the better of the greedy packers, where this is not one: of worth, and of what can be called to that of GREEDY LEAN.
    gains: Option<[Interval; 2]>,
}

/// The value, the calls, and the same for the greedy packers.
fn values(covered: &[Covered; Packer::ALL.len()]) -> [f64; 8] {
    std::array::from_fn(|i| if i < 4 { covered[i].worth } else { covered[i - 4].callable })
}

fn rows(runs: &[PackingRun]) -> Result<Vec<Row>, PairError> {
    let mut rows = Vec::new();
    let mut spreads: Vec<Spread<8>> = Vec::new();
    for run in runs {
        let queries = run.queries.iter().map(|(id, covered)| (id.as_str(), values(covered))).collect();
        let sample = Sample::new(&run.set, queries, Draws::default())?;
        let mean = |of: fn(&Covered) -> f64, packer: usize| {
            run.queries.iter().map(|(_, covered)| of(&covered[packer])).sum::<f64>() / run.queries.len().max(1) as f64
        };
        for (i, packer) in Packer::ALL.into_iter().enumerate() {
            rows.push(Row {
                set: run.set.clone(),
                packer,
                tools: run.tools,
                queries: run.queries.len(),
                worth: mean(|c| c.worth, i),
                callable: mean(|c| c.callable, i),
                tokens: mean(|c| f64::from(c.tokens), i),
                callable_tools: mean(|c| c.tools as f64, i),
                listed: mean(|c| c.listed as f64, i),
                gains: gains(sample.spread(), i),
            });
        }
        spreads.push(sample.spread().clone());
    }
    let all: Vec<&Spread<8>> = spreads.iter().collect();
    if let Some(mean) = Spread::macro_mean(&all).filter(|_| 1 < runs.len()) {
        let means = mean.intervals();
        let queries = runs.iter().map(|run| run.queries.len()).sum();
        for (i, packer) in Packer::ALL.into_iter().enumerate() {
            let of = |value: fn(&Row) -> f64| {
                rows.iter().filter(|row| row.packer == packer).map(value).sum::<f64>() / runs.len() as f64
            };
            let (tokens, callable_tools, listed) = (of(|row| row.tokens), of(|row| row.callable_tools), of(|row| row.listed));
            let (worth, callable) = (means[i].mean, means[4 + i].mean);
            let set = "macro mean".to_owned();
            let gains = gains(&mean, i);
            rows.push(Row { set, packer, tools: 0, queries, worth, callable, tokens, callable_tools, listed, gains });
        }
    }
    Ok(rows)
}

/// Over the greedy packers; nothing for those themselves.
fn gains(spread: &Spread<8>, packer: usize) -> Option<[Interval; 2]> {
    let greedy = Packer::ALL.iter().filter(|packer| matches!(packer, Packer::GreedyFull | Packer::GreedyLean)).count();
    if packer < greedy {
        return None;
    }
    let means = spread.intervals();
    let better = if means[0].mean < means[1].mean { 1 } else { 0 };
    Some([spread.difference(packer, better), spread.difference(4 + packer, 4 + 1)])
}

fn print(rows: &[Row], options: &packing::Options) {
    let header = [
        "set",
        "packer",
        "tools",
        "queries",
        "covered",
        "callable",
        "covered, to greedy",
        "callable, to greedy lean",
        "tokens",
        "objects",
        "lines",
    ];
    let points = |gain: &Interval| {
        let [mean, low, high] = [gain.mean, gain.low, gain.high].map(|x| x * 100.0);
        format!("{mean:+.1} [{low:+.1}, {high:+.1}]")
    };
    let cells = rows.iter().map(|row| {
        let tools = if row.tools == 0 { String::new() } else { row.tools.to_string() };
        let gain = |i: usize| row.gains.as_ref().map_or_else(String::new, |gains| points(&gains[i]));
        vec![
            row.set.clone(),
            row.packer.name().to_owned(),
            tools,
            row.queries.to_string(),
            format!("{:.3}", row.worth),
            format!("{:.3}", row.callable),
            gain(0),
            gain(1),
            format!("{:.0}", row.tokens),
            format!("{:.1}", row.callable_tools),
            format!("{:.1}", row.listed),
        ]
    });
    output::table(&header, &(2..header.len()).collect::<Vec<_>>(), cells);
    output::line(&format!(
        "at most {} tokens of {} and {} callable tools, {}; covered: whole or LEAN 1, SKELETON .9, SIGNATURE .6, NAME .2; differences in points with 95 % intervals",
        options.max_tokens,
        options.tokenizer.name(),
        options.max_tools,
        options.format.name()
    ));
}

fn json(row: &Row) -> String {
    let gain = |i: usize| {
        row.gains.as_ref().map(|gains| serde_json::json!({"mean": gains[i].mean, "low": gains[i].low, "high": gains[i].high}))
    };
    serde_json::json!({
        "set": row.set, "packer": row.packer.name(), "tools": row.tools, "queries": row.queries, "covered": row.worth,
        "callable": row.callable, "tokens_mean": row.tokens, "objects_mean": row.callable_tools, "lines_mean": row.listed,
        "covered_over_greedy": gain(0), "callable_over_greedy_lean": gain(1),
    })
    .to_string()
}
