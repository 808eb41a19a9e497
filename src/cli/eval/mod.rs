//! `tool-router eval`: accuracy and cost on labelled sets, as a table or as JSON lines.

mod abstention;
mod compare;
mod continuity;
mod dialogues;
mod growth;
mod packing;
mod report;
mod sets;
mod table;
mod tokens;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use indicatif::ProgressBar;

use crate::cli::{Exit, output};
use crate::config::{IndexOverrides, Overrides};
use crate::eval::dataset::{self, Dataset};
use crate::eval::prepared::Prepared;
use crate::eval::results::{FORMAT, Results};
use crate::eval::{self, Model, Plan, Ranker};
use crate::index::EngineChoice;
use crate::rank::Step;

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
    /// Measure tokens and choices as tools are added, with and without the router
    Growth(growth::Arguments),
    /// Measure what a token cap is used for, by the router and by greedy packers
    Packing(packing::Arguments),
    /// Measure how often lists begin with the one of the turn before, and what that costs
    Continuity(continuity::Arguments),
    /// Measure what conversations are worth, on dialogues assembled from labelled sets
    Dialogues(dialogues::Arguments),
    /// Compare two results files, or two rankers of one, query by query
    Compare(compare::Arguments),
    /// Draw results files as one HTML page
    Report(report::Arguments),
    /// Count tools by a tokenizer beside a built-in one: the factor and margin it needs, and how far an estimate is off
    Tokens(tokens::Arguments),
}

/// Flags of `eval`.
#[derive(Args, Debug)]
struct Flags {
    /// Configuration file, for the embedder, the ranking, the reranker and the index
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder that holds the sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A set and its split; may be repeated
    #[arg(long = "set", required = true, value_name = "NAME[:SPLIT]")]
    sets: Vec<String>,
    /// Folder with a tools.jsonl whose tools are added to every set; may be repeated
    #[arg(long, value_name = "DIR")]
    distractors: Vec<PathBuf>,
    /// At most this many queries of a set, evenly spaced
    #[arg(long, value_name = "N")]
    max_queries: Option<usize>,
    /// Who ranks; may be repeated
    #[arg(long = "ranker", value_enum, default_values_t = [Name::Router])]
    rankers: Vec<Name>,
    /// Requests of a set that need no tool, to be held back; may be repeated
    #[arg(long, value_name = "NAME:SPLIT")]
    none: Vec<String>,
    /// Leave this step of the ranking out, beside the whole; may be repeated
    #[arg(long, value_name = "STEP", conflicts_with = "ablations")]
    without: Vec<String>,
    /// Leave each step of the ranking out in turn
    #[arg(long)]
    ablations: bool,
    /// File for the results, query by query
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// File for an HTML page with plots
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
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

impl Flags {
    fn without(&self) -> Result<Vec<Step>, Exit> {
        if self.ablations {
            return Ok(Step::ALL.to_vec());
        }
        let known = Step::ALL.map(Step::name).join(", ");
        let step = |name: &String| {
            Step::parse(name).ok_or_else(|| Exit::failed(format!("--without {name}: there is no such step; steps are {known}")))
        };
        self.without.iter().map(step).collect()
    }
}

impl Arguments {
    /// Whether the command embeds anything; if not, [`read`] runs it.
    #[must_use]
    pub fn needs_model(&self) -> bool {
        !matches!(self.command, Some(Command::Compare(_) | Command::Report(_) | Command::Tokens(_)))
    }

    /// The configuration file that was named.
    #[must_use]
    pub fn config(&self) -> Option<&Path> {
        match &self.command {
            Some(Command::Growth(growth)) => growth.sets.config.as_deref(),
            Some(Command::Packing(packing)) => packing.sets.config.as_deref(),
            Some(Command::Continuity(continuity)) => continuity.sets.config.as_deref(),
            Some(Command::Dialogues(dialogues)) => dialogues.config.as_deref(),
            Some(Command::Compare(_) | Command::Report(_) | Command::Tokens(_)) => None,
            None => self.flags.as_ref().and_then(|flags| flags.config.as_deref()),
        }
    }

    /// The flags as the top layer of the configuration.
    #[must_use]
    pub fn overrides(&self) -> Overrides {
        let engine = self.flags.as_ref().and_then(|flags| flags.engine.clone());
        Overrides { index: IndexOverrides { engine }, ..Overrides::default() }
    }
}

/// Runs a command that needs no model.
///
/// # Errors
/// They cannot be used.
pub fn read(arguments: &Arguments) -> Result<(), Exit> {
    match &arguments.command {
        Some(Command::Compare(arguments)) => compare::run(arguments),
        Some(Command::Report(arguments)) => report::run(arguments),
        Some(Command::Tokens(arguments)) => tokens::run(arguments),
        Some(Command::Growth(_) | Command::Packing(_) | Command::Continuity(_) | Command::Dialogues(_)) | None => {
            Err(Exit::failed("this command runs with the model"))
        }
    }
}

/// Runs with `model`.
///
/// # Errors
/// A set that cannot be used, or the model failed.
pub async fn run(arguments: Arguments, engine: EngineChoice, mut model: Model) -> Result<(), Exit> {
    match (arguments.command, arguments.flags) {
        (Some(Command::Growth(arguments)), _) => growth::run(arguments, engine, &mut model).await,
        (Some(Command::Continuity(arguments)), _) => continuity::run(arguments, engine, &mut model).await,
        (Some(Command::Packing(arguments)), _) => packing::run(arguments, engine, &mut model).await,
        (Some(Command::Dialogues(arguments)), _) => dialogues::run(arguments, engine, model).await,
        (Some(Command::Compare(arguments)), _) => compare::run(&arguments),
        (Some(Command::Report(arguments)), _) => report::run(&arguments),
        (Some(Command::Tokens(arguments)), _) => tokens::run(&arguments),
        (None, Some(flags)) => rank(flags, engine, &mut model).await,
        (None, None) => Err(Exit::failed("--data and --set are missing")),
    }
}

async fn rank(flags: Flags, engine: EngineChoice, model: &mut Model) -> Result<(), Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let rankers = flags.rankers.iter().map(|name| name.ranker()).collect();
    let without = flags.without()?;
    // Everything is read before anything is embedded: a broken line is told at once.
    let mut sets = Vec::new();
    for set in &flags.sets {
        let choice = dataset::Choice { data: &flags.data, set, distractors: &flags.distractors, max_queries: flags.max_queries };
        let data = Dataset::read(&choice).map_err(|e| failed(&e))?;
        let of_set = flags.none.iter().filter_map(|none| none.split_once(':')).filter(|(name, _)| *name == data.name);
        let read = |(_, split): (&str, &str)| Ok((split.to_owned(), data.read_none(&flags.data, split)?));
        let none = of_set.map(read).collect::<Result<Vec<_>, dataset::DatasetError>>().map_err(|e| failed(&e))?;
        sets.push((data, none));
    }
    if let Some(stray) = flags.none.iter().find(|none| !sets.iter().any(|(data, _)| is_of(none, &data.name))) {
        return Err(Exit::failed(format!("--none {stray}: it must be NAME:SPLIT with the NAME of a --set")));
    }
    let mut results = Results { format: FORMAT, model: model.id().to_owned(), runs: Vec::new(), abstentions: Vec::new() };
    let mut twins = Vec::new();
    for (data, none) in sets {
        let bar = ProgressBar::new_spinner();
        bar.set_message(format!("{}: texts and queries", data.name));
        let tick = || bar.inc(1);
        twins.push((data.name.clone(), data.twins_left_out));
        let set = Prepared::of(data, engine, model, &tick).map_err(|e| failed(&e))?;
        let plan = Plan { rankers: Vec::clone(&rankers), without: without.clone(), none };
        let (runs, abstentions) = eval::evaluate(&set, &plan, model, &tick).await.map_err(|e| failed(&e))?;
        bar.finish_and_clear();
        if flags.json {
            runs.iter().for_each(|run| output::line(&table::json(run, model)));
        }
        results.runs.extend(runs);
        results.abstentions.extend(abstentions);
    }
    if let Some(path) = &flags.out {
        results.write(path).map_err(|e| failed(&e))?;
    }
    if let Some(path) = &flags.report {
        report::write(path, &results, None)?;
    }
    if flags.json {
        results.abstentions.iter().for_each(|one| output::line(&abstention::json(one)));
        table::json_means(&results.runs);
        return Ok(());
    }
    table::print(&results.runs);
    abstention::print(&results.abstentions);
    output::line(&format!("model {}", model.id()));
    if !model.reranker_id().is_empty() {
        output::line(&format!("reranker {}", model.reranker_id()));
    }
    for (name, left_out) in twins.iter().filter(|_| !flags.distractors.is_empty()) {
        output::line(&format!("{name}: {left_out} distractors that could pass for a relevant tool were left out"));
    }
    Ok(())
}

fn is_of(none: &str, set: &str) -> bool {
    none.split_once(':').is_some_and(|(name, _)| name == set)
}
