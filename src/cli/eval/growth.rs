//! `tool-router eval growth`: what happens to tokens and to the choice of tools as tools are added, with and without the router.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use indicatif::ProgressBar;

use super::sets::Sets;
use crate::cli::{Exit, output};
use crate::eval::dataset;
use crate::eval::growth::{self, Choices, Chooser, Growth, GrowthRow, Pool};
use crate::eval::{Model, llm};
use crate::index::EngineChoice;

/// A large model that reads a hundred tools may take this long.
const DEFAULT_TIMEOUT_S: NonZeroU64 = NonZeroU64::new(60).expect("60 is not 0");

/// Flags of `eval growth`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) sets: Sets,
    /// Folder with a tools.jsonl whose tools may stand beside those of the sets; may be repeated
    #[arg(long, value_name = "DIR")]
    distractors: Vec<PathBuf>,
    /// Tools in a catalogue, with commas between [default: 2 to 10,000 in eight steps, as far as there are tools]
    #[arg(long, value_delimiter = ',', value_name = "N,N")]
    sizes: Option<Vec<NonZeroUsize>>,
    /// At most this many queries of each size, evenly spaced over the sets
    #[arg(long, default_value_t = growth::DEFAULT_QUERIES, value_name = "N")]
    queries: NonZeroUsize,
    /// Draws the catalogues; the same seed draws the same ones
    #[arg(long, default_value_t = 0, value_name = "N")]
    seed: u64,
    /// One JSON object per size
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    llm: Llm,
}

/// Flags for a language model that chooses.
#[derive(Args, Debug)]
struct Llm {
    /// Ask a language model which tools it would call: an API of OpenAI's chat completions, with or without /v1 or /v1/chat/completions
    #[arg(long, requires = "llm_model", value_name = "URL")]
    llm: Option<String>,
    /// The model's name there
    #[arg(long, requires = "llm", value_name = "NAME")]
    llm_model: Option<String>,
    /// File with the API key
    #[arg(long, requires = "llm", value_name = "FILE")]
    llm_key_file: Option<PathBuf>,
    /// Longest wait for one answer
    #[arg(long, requires = "llm", default_value_t = DEFAULT_TIMEOUT_S, value_name = "N")]
    llm_timeout_s: NonZeroU64,
    /// Ask for at most this many queries of each size
    #[arg(long, requires = "llm", value_name = "N")]
    llm_queries: Option<NonZeroUsize>,
    /// All tools are sent at once up to this many: APIs refuse longer lists
    #[arg(long, requires = "llm", default_value_t = growth::DEFAULT_MAX_TOOLS, value_name = "N")]
    llm_max_tools: usize,
}

impl Llm {
    fn client(&self) -> Result<Option<llm::Client>, Exit> {
        let (Some(url), Some(model)) = (&self.llm, &self.llm_model) else { return Ok(None) };
        let options = llm::Options {
            url: url.clone(),
            model: model.clone(),
            key_file: self.llm_key_file.clone(),
            timeout: Duration::from_secs(self.llm_timeout_s.get()),
        };
        llm::Client::new(&options).map(Some).map_err(|e| Exit::failed(e.to_string()))
    }
}

pub(super) async fn run(arguments: Arguments, engine: EngineChoice, model: &mut Model) -> Result<(), Exit> {
    let client = arguments.llm.client()?;
    let pool = read(&arguments)?;
    let options = growth::Options { sizes: arguments.sizes.clone(), queries: arguments.queries, seed: arguments.seed };
    let chooser = client.as_ref().map(|client| Chooser {
        client,
        max_tools: arguments.llm.llm_max_tools,
        max_queries: arguments.llm.llm_queries,
    });
    let bar = ProgressBar::new_spinner().with_message("growth: texts and queries");
    let tick = || bar.inc(1);
    let grown = growth::measure(&pool, &options, engine, model, chooser, &tick).await;
    bar.finish_and_clear();
    // Nothing is printed before everything is there: half a table looks like a whole one.
    let grown = grown.map_err(|e| Exit::failed(e.to_string()))?;
    for skipped in &grown.skipped {
        output::complain(&format!("left out: {skipped}"));
    }
    if arguments.json {
        for row in &grown.rows {
            output::line(&json(row, &grown)?);
        }
    } else {
        print(&grown);
    }
    Ok(())
}

fn read(arguments: &Arguments) -> Result<Pool, Exit> {
    let mut distractors = Vec::new();
    for folder in &arguments.distractors {
        distractors.extend(dataset::tools(&folder.join("tools.jsonl")).map_err(|e| Exit::failed(e.to_string()))?);
    }
    Ok(Pool::new(arguments.sets.read(&[], None)?, distractors))
}

/// A row with what it was measured with, so that a line says all by itself.
fn json(row: &GrowthRow, growth: &Growth) -> Result<String, Exit> {
    let mut line = serde_json::to_value(row).map_err(|e| Exit::failed(e.to_string()))?;
    line["embedder"] = growth.embedder.as_str().into();
    line["model"] = growth.model.as_deref().into();
    line["pool_tools"] = growth.pool_tools.into();
    line["seed"] = growth.seed.into();
    Ok(line.to_string())
}

fn print(growth: &Growth) {
    let mut header = vec![
        "tools",
        "queries",
        "needed",
        "tokens, all",
        "tokens, router",
        "saved",
        "in list",
        "all needed in list",
        "recall",
        "covered",
        "with directory",
        "added ms",
        "embed ms",
        "rest ms",
        "engine",
    ];
    if growth.model.is_some() {
        header.extend(["right, all", "none", "invented", "right, router", "none", "invented"]);
    }
    let rows = growth.rows.iter().map(|row| {
        let mut cells = figures(row);
        if growth.model.is_some() {
            cells.extend(chosen(row.chosen_of_all.as_ref()));
            cells.extend(chosen(row.chosen_of_list.as_ref()));
        }
        cells
    });
    let right: Vec<usize> = (0..header.len()).filter(|column| header[*column] != "engine").collect();
    output::table(&header, &right, rows);
    output::line(&format!(
        "embedder {}, {} different tools in the pool, seed {}",
        growth.embedder, growth.pool_tools, growth.seed
    ));
    let Some(model) = &growth.model else { return };
    output::line(&format!("model {model}: right means that at least one tool it called is needed"));
    for row in &growth.rows {
        for (choices, list) in [(&row.chosen_of_all, "all tools"), (&row.chosen_of_list, "the router's list")] {
            if let Some(choices) = choices.as_ref().filter(|choices| 0 < choices.failed) {
                output::line(&format!(
                    "incomplete: {} of {} requests with {list} at {} tools failed; shares are of the others",
                    choices.failed, choices.queries, row.tools
                ));
            }
        }
    }
}

fn figures(row: &GrowthRow) -> Vec<String> {
    let number = |x: f64| output::thousands(x.round() as u64);
    // A list of all tools as they are costs its brackets more than they do.
    let saved = if row.tokens_returned < row.tokens_all { 1.0 - row.tokens_returned / row.tokens_all } else { 0.0 };
    vec![
        output::thousands(row.tools as u64),
        row.queries.to_string(),
        format!("{:.1}", row.needed_mean),
        number(row.tokens_all),
        number(row.tokens_returned),
        percent(saved),
        format!("{:.1}", row.tools_returned),
        percent(row.complete),
        format!("{:.3}", row.recall),
        format!("{:.3}", row.covered),
        format!("{:.3}", row.covered_with_directory),
        format!("{:.2}", row.added_ms_p50),
        format!("{:.2}", row.embed_ms_p50),
        format!("{:.2}", row.rest_ms_p50),
        row.engine.clone(),
    ]
}

/// A dash where the list was not sent.
fn chosen(choices: Option<&Choices>) -> [String; 3] {
    let share = |count: fn(&Choices) -> usize| {
        choices.and_then(|choices| choices.share(count(choices))).map_or_else(|| "–".to_owned(), percent)
    };
    [share(|c| c.right), share(|c| c.none), share(|c| c.invented)]
}

fn percent(share: f64) -> String {
    format!("{:.1} %", share * 100.0)
}
