//! `tool-router eval dialogues`: what a conversation is worth, on dialogues assembled from labelled sets.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::Args;
use indicatif::ProgressBar;

use crate::cli::{Exit, output};
use crate::eval::Model;
use crate::eval::bootstrap::Draws;
use crate::eval::dataset::{self, Dataset};
use crate::eval::dialogues::{self, DEFAULT_MOST, Line, Ready, Row, WAY_NAMES, Wording, fit};
use crate::eval::prepared::Prepared;
use crate::index::EngineChoice;

/// Flags of `eval dialogues`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Configuration file, for the embedder, the ranking and the index
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// Folder that holds the sets
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// A set and its split to report on; may be repeated
    #[arg(long = "set", value_name = "NAME[:SPLIT]", required_unless_present = "fitted")]
    sets: Vec<String>,
    /// A set and its split that numbers were or are fitted on: worded otherwise and told apart; may be repeated
    #[arg(long, value_name = "NAME[:SPLIT]")]
    fitted: Vec<String>,
    /// Fit the numbers of conversations on the `--fitted` sets, print them, and report with them
    #[arg(long, requires = "fitted")]
    fit: bool,
    /// At most this many dialogues of each kind and set
    #[arg(long, default_value_t = NonZeroUsize::new(DEFAULT_MOST).expect("it is not 0"), value_name = "N")]
    most: NonZeroUsize,
    /// Pairs and words the same dialogues again
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Resamples for the intervals
    #[arg(long, default_value_t = Draws::default().resamples, value_name = "N")]
    resamples: usize,
    /// Print the dialogues, one JSON object a line, and ask nothing
    #[arg(long)]
    show: bool,
    /// One JSON object per row
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, engine: EngineChoice, model: Model) -> Result<(), Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let named = |sets: &[String], wording: Wording| sets.iter().map(|set| (set.clone(), wording)).collect::<Vec<_>>();
    let mut read = Vec::new();
    for (set, wording) in named(&arguments.fitted, Wording::Fitted).into_iter().chain(named(&arguments.sets, Wording::Reported)) {
        let choice = dataset::Choice { data: &arguments.data, set: &set, distractors: &[], max_queries: None };
        read.push((Dataset::read(&choice).map_err(|e| failed(&e))?, wording));
    }
    let (most, seed) = (arguments.most.get(), arguments.seed);
    if arguments.show {
        read.iter().for_each(|(data, wording)| show(data, *wording, most, seed));
        return Ok(());
    }
    let bar = ProgressBar::new_spinner();
    let tick = || bar.inc(1);
    let (mut model, mut ready) = (model, Vec::new());
    for (data, wording) in read {
        bar.set_message(format!("{}: texts of tools", data.name));
        let set = Prepared::of(data, engine, &mut model, &tick).map_err(|e| failed(&e))?;
        ready.push(Ready::of(&set, wording, most, seed, engine, &model));
    }
    if arguments.fit {
        bar.set_message("numbers");
        let (fitted, others): (Vec<Ready>, Vec<Ready>) = ready.into_iter().partition(|set| set.wording == Wording::Fitted);
        let start = model.policy().weights.conversation;
        let (numbers, before, after) = fit::fit(&fitted, start, &tick).await.map_err(|e| failed(&e))?;
        bar.suspend(|| {
            output::line(&serde_json::json!({ "conversation": numbers, "before": before, "after": after }).to_string());
        });
        ready = fitted.into_iter().chain(others).map(|set| set.ranking_by(numbers)).collect();
    }
    let mut asked = Vec::new();
    for set in &ready {
        bar.set_message(format!("{}: {} dialogues", set.set, set.len()));
        asked.push((set.set.clone(), set.wording, set.ask(&tick).await.map_err(|e| failed(&e))?));
    }
    bar.finish_and_clear();
    let rows = dialogues::table(&asked, Draws { resamples: arguments.resamples, ..Draws::default() });
    if arguments.json {
        for row in rows {
            let mut line = serde_json::to_value(&row).map_err(|e| failed(&e))?;
            (line["model"], line["seed"]) = (model.id().into(), seed.into());
            output::line(&line.to_string());
        }
    } else {
        print(&rows, model.id(), seed);
    }
    Ok(())
}

fn show(data: &Dataset, wording: Wording, most: usize, seed: u64) {
    for dialogue in dialogues::assemble(data, wording, most, seed) {
        let name = |place: &usize| data.tools.get(*place).map_or_else(String::new, |tool| tool.id.to_string());
        let lines = dialogue.lines.iter().map(|line| match line {
            Line::User(text) => serde_json::json!({ "role": "user", "text": text }),
            Line::Assistant(text, calls) => {
                let calls = calls.iter().map(name).collect::<Vec<_>>();
                serde_json::json!({ "role": "assistant", "text": text, "tool_calls": calls })
            }
        });
        let relevant = dialogue.relevant.iter().map(name).collect::<Vec<_>>();
        let told = serde_json::json!({
            "set": data.name, "id": dialogue.id, "kind": dialogue.kind.name(), "turns": lines.collect::<Vec<_>>(), "relevant": relevant,
        });
        output::line(&told.to_string());
    }
}

fn print(rows: &[Row], model: &str, seed: u64) {
    let mut header = vec!["split", "set", "last turn is", "n"];
    header.extend(WAY_NAMES);
    header.extend(["gain", "95 % interval"]);
    let cells = rows.iter().map(|row| {
        let kind = match (row.kind, row.leans) {
            ("", true) => "all that lean",
            ("", false) => "all that stand alone",
            (kind, _) => kind,
        };
        let split = if row.fitted { "fitted" } else { "reported" };
        let mut cells = vec![split.to_owned(), row.set.clone(), kind.to_owned(), row.dialogues.to_string()];
        cells.extend(row.recall.map(|recall| format!("{recall:.3}")));
        let [low, high] = row.interval;
        cells.extend([format!("{:+.3}", row.gain), format!("[{low:+.3}, {high:+.3}]")]);
        cells
    });
    output::table(&header, &[3, 4, 5, 6, 7, 8, 9], cells);
    output::line(&format!("recall@5; gain of the conversation over its last turn alone; seed {seed}, model {model}"));
}
