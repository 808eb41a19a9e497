//! `tool-router eval continuity`: how often a list begins with the one of the turn before, and what that costs.

use clap::Args;
use indicatif::ProgressBar;

use super::sets::Sets;
use crate::cli::{Exit, output};
use crate::eval::Model;
use crate::eval::continuity::{self, ContinuityRun, Kept};
use crate::eval::prepared::Prepared;
use crate::index::EngineChoice;
use crate::tool::TokenCount;

/// Flags of `eval continuity`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) sets: Sets,
    /// Most sessions of a set
    #[arg(long, value_name = "N", default_value_t = 100)]
    sessions: usize,
    /// Turns of a session
    #[arg(long, value_name = "N", default_value_t = 6, value_parser = clap::value_parser!(u8).range(2..=100))]
    turns: u8,
    /// Draws the sessions; the same seed draws the same ones
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
    /// The cap
    #[arg(long, value_name = "N", default_value_t = 1_500)]
    max_tokens: u32,
    /// One JSON object per set and kind of list
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(arguments: Arguments, engine: EngineChoice, model: &mut Model) -> Result<(), Exit> {
    let failed = |e: &dyn std::fmt::Display| Exit::failed(e.to_string());
    let options = continuity::Options {
        sessions: arguments.sessions,
        turns: usize::from(arguments.turns),
        seed: arguments.seed,
        max_tokens: TokenCount(arguments.max_tokens),
    };
    let sets = arguments.sets.read(&[], None)?;
    let mut rows = Vec::new();
    for data in sets {
        let bar = ProgressBar::new_spinner().with_message(format!("{}: texts and turns", data.name));
        let tick = || bar.inc(1);
        let set = Prepared::of(data, engine, model, &tick).map_err(|e| failed(&e))?;
        let run = continuity::measure(&set, options, model, &tick).await.map_err(|e| failed(&e))?;
        bar.finish_and_clear();
        for (name, kept) in [("for its turn alone", run.alone), ("keeping the one before", run.kept)] {
            if arguments.json {
                output::line(&json(&run, name, &kept));
            }
            rows.push(cells(&run, name, &kept));
        }
    }
    if !arguments.json {
        let header = ["set", "list", "sessions", "turns", "pure append", "tokens", "not cached", "covered", "callable"];
        output::table(&header, &(2..header.len()).collect::<Vec<_>>(), rows);
        output::line(&format!(
            "turns behind the first of their sessions; at most {} tokens of o200k_base; three turns in four stay with a source of the turn before",
            arguments.max_tokens
        ));
    }
    Ok(())
}

fn cells(run: &ContinuityRun, name: &str, kept: &Kept) -> Vec<String> {
    vec![
        run.set.clone(),
        name.to_owned(),
        run.sessions.to_string(),
        kept.turns.to_string(),
        format!("{:.1} %", kept.mean(kept.appended as f64) * 100.0),
        format!("{:.0}", kept.mean(kept.tokens as f64)),
        format!("{:.0}", kept.mean(kept.uncached as f64)),
        format!("{:.3}", kept.mean(kept.worth)),
        format!("{:.3}", kept.mean(kept.callable)),
    ]
}

fn json(run: &ContinuityRun, name: &str, kept: &Kept) -> String {
    serde_json::json!({
        "set": run.set, "list": name, "sessions": run.sessions, "turns": kept.turns,
        "appended": kept.mean(kept.appended as f64), "tokens_mean": kept.mean(kept.tokens as f64),
        "uncached_mean": kept.mean(kept.uncached as f64), "covered": kept.mean(kept.worth),
        "callable": kept.mean(kept.callable),
    })
    .to_string()
}
