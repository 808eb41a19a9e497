//! `tool-router eval`: accuracy and cost on labelled sets, as a table or as JSON lines.

mod compare;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use indicatif::ProgressBar;

use crate::cli::{Exit, output};
use crate::config::{IndexOverrides, Overrides};
use crate::embed::Loaded;
use crate::eval::dataset::{self, Dataset};
use crate::eval::measures::Means;
use crate::eval::{self, Model, Ranker, Report};
use crate::index::{Engine, EngineChoice};

/// `eval` with its own flags, or one of its commands.
#[derive(Args, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    flags: Option<Flags>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Compare two results files, or two rankers of one, query by query
    Compare(compare::Arguments),
}

/// Flags of `eval`.
#[derive(Args, Debug)]
struct Flags {
    /// Configuration file, for the embedder and the index
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that holds the sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A set and its split; may be repeated
    #[arg(long = "set", required = true, value_name = "NAME[:SPLIT]")]
    sets: Vec<String>,
    /// Folder with a tools.jsonl whose tools are added to every set
    #[arg(long, value_name = "DIR")]
    distractors: Option<PathBuf>,
    /// At most this many queries of a set, evenly spaced
    #[arg(long, value_name = "N")]
    max_queries: Option<usize>,
    /// Who ranks; may be repeated
    #[arg(long = "ranker", value_enum, default_values_t = [Name::Router])]
    rankers: Vec<Name>,
    /// How the router compares vectors: `auto` (by graph from index.hnsw_min_tools tools on), `exact` or `hnsw`; without it as configured
    #[arg(long, value_name = "ENGINE")]
    engine: Option<String>,
    /// One JSON object per set and ranker, then one per ranker with the macro mean
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Name {
    Bm25,
    Cosine,
    Router,
}

impl Name {
    fn ranker(self) -> Ranker {
        match self {
            Self::Bm25 => Ranker::Bm25,
            Self::Cosine => Ranker::Cosine,
            Self::Router => Ranker::Router,
        }
    }
}

impl Arguments {
    /// Whether the command embeds anything; if not, [`read`] runs it.
    #[must_use]
    pub fn needs_model(&self) -> bool {
        match &self.command {
            Some(Command::Compare(_)) => false,
            None => true,
        }
    }

    /// The configuration file that was named.
    #[must_use]
    pub fn config(&self) -> Option<&Path> {
        self.flags.as_ref().and_then(|flags| flags.config.as_deref())
    }

    /// The flags as the top layer of the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let engine = self.flags.as_ref().and_then(|flags| flags.engine.clone());
        Overrides { index: IndexOverrides { engine }, ..Overrides::default() }
    }
}

/// Runs a command that only reads results.
///
/// # Errors
/// They cannot be used.
pub fn read(arguments: &Arguments) -> Result<(), Exit> {
    match &arguments.command {
        Some(Command::Compare(arguments)) => compare::run(arguments),
        None => Err(Exit::failed("this command runs with the model")),
    }
}

/// Runs with the model loaded twice: `queries` answers one query at a time, `documents` embeds tools on all cores.
///
/// # Errors
/// A set that cannot be used, or the model failed.
pub async fn run(arguments: Arguments, engine: EngineChoice, queries: Loaded, documents: Loaded) -> Result<(), Exit> {
    let Some(arguments) = arguments.flags else { return Err(Exit::failed("--data and --set are missing")) };
    let mut sets = Vec::new();
    for set in &arguments.sets {
        let choice = dataset::Choice {
            data: &arguments.data,
            set,
            distractors: arguments.distractors.as_deref(),
            max_queries: arguments.max_queries,
        };
        sets.push(Dataset::read(&choice).map_err(|e| Exit::failed(e.to_string()))?);
    }
    let mut model = Model::new(queries, documents).map_err(|e| Exit::failed(e.to_string()))?;
    let mut reports: Vec<(Ranker, Report)> = Vec::new();
    for data in &sets {
        for ranker in arguments.rankers.iter().map(|name| name.ranker()) {
            let bar = ProgressBar::new_spinner();
            bar.set_message(format!("{} {}: texts and queries", data.name, ranker.name()));
            let tick = || bar.inc(1);
            let report =
                eval::evaluate(data, ranker, engine, &mut model, &tick).await.map_err(|e| Exit::failed(e.to_string()))?;
            bar.finish_and_clear();
            if arguments.json {
                output::line(&json(&report, ranker, data, model.id()));
            }
            reports.push((ranker, report));
        }
    }
    if arguments.json {
        for ranker in arguments.rankers.iter().map(|name| name.ranker()) {
            let mut line = serde_json::json!({ "set": "macro mean", "ranker": ranker.name(), "sets": sets.len() });
            with_scores(&mut line, &macro_mean(&reports, ranker));
            output::line(&line.to_string());
        }
    } else {
        print(&reports, &sets, &arguments, model.id());
    }
    Ok(())
}

fn json(report: &Report, ranker: Ranker, data: &Dataset, model: &str) -> String {
    let micros = |time: std::time::Duration| time.as_nanos() as f64 / 1e3;
    let mut line = serde_json::json!({
        "set": report.set, "split": report.split, "ranker": ranker.name(), "tools": report.tools, "queries": report.queries,
        "twins_left_out": data.twins_left_out, "tokens_mean": report.tokens_mean,
        "embed_us_p50": report.embed.map(micros), "rest_us_p50": micros(report.rest),
        "engine": report.engine.map_or("bm25", Engine::name),
        "model": if ranker == Ranker::Bm25 { "" } else { model },
    });
    with_scores(&mut line, &report.means);
    line.to_string()
}

/// Each set has equal weight.
fn macro_mean(reports: &[(Ranker, Report)], ranker: Ranker) -> Means {
    Means::of(reports.iter().filter(|(r, _)| *r == ranker).map(|(_, report)| report.means.0))
}

fn with_scores(line: &mut serde_json::Value, means: &Means) {
    let s = means.0;
    let scores = [
        ("recall@1", s.recall[0]),
        ("recall@5", s.recall[1]),
        ("recall@10", s.recall[2]),
        ("hit@5", s.hit_5),
        ("ndcg@10", s.ndcg_10),
        ("comp@5", s.comp[0]),
        ("comp@10", s.comp[1]),
        ("mrr", s.mrr),
    ];
    for (key, score) in scores {
        line[key] = score.into();
    }
}

fn print(reports: &[(Ranker, Report)], sets: &[Dataset], arguments: &Flags, model: &str) {
    let header = [
        "set", "ranker", "tools", "queries", "R@1", "R@5", "R@10", "hit@5", "nDCG@10", "COMP@5", "COMP@10", "MRR", "tokens",
        "embed ms", "rest ms", "engine",
    ];
    let figures = |means: &Means| {
        let s = means.0;
        [s.recall[0], s.recall[1], s.recall[2], s.hit_5, s.ndcg_10, s.comp[0], s.comp[1], s.mrr].map(|x| format!("{x:.3}"))
    };
    let ms = |time: std::time::Duration| format!("{:.2}", time.as_secs_f64() * 1e3);
    let mut rows: Vec<Vec<String>> = reports
        .iter()
        .map(|(ranker, report)| {
            let set = if report.split.is_empty() { report.set.clone() } else { format!("{}:{}", report.set, report.split) };
            let mut row = vec![set, ranker.name().to_owned(), report.tools.to_string(), report.queries.to_string()];
            row.extend(figures(&report.means));
            row.push(report.tokens_mean.map_or_else(String::new, |tokens| format!("{tokens:.0}")));
            row.push(report.embed.map(ms).unwrap_or_default());
            row.push(ms(report.rest));
            row.push(report.engine.map_or("bm25", Engine::name).to_owned());
            row
        })
        .collect();
    for ranker in arguments.rankers.iter().map(|name| name.ranker()) {
        let mut row = vec!["macro mean".to_owned(), ranker.name().to_owned(), String::new(), String::new()];
        row.extend(figures(&macro_mean(reports, ranker)));
        rows.push(row);
    }
    output::table(&header, &(2..header.len() - 1).collect::<Vec<_>>(), rows);
    output::line(&format!("model {model}"));
    for data in sets.iter().filter(|_| arguments.distractors.is_some()) {
        output::line(&format!(
            "{}: {} distractors that could pass for a relevant tool were left out",
            data.name, data.twins_left_out
        ));
    }
}
