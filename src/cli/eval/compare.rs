//! `tool-router eval compare`: what changed between two results files, or between two rankers of one, with how sure that is.

use std::path::{Path, PathBuf};

use clap::Args;

use crate::cli::{Exit, output};
use crate::eval::bootstrap::Draws;
use crate::eval::compare::{self, Comparison, MEASURES, Pair};
use crate::eval::results::Results;

/// Flags of `eval compare`.
#[derive(Args, Debug)]
pub(super) struct Arguments {
    /// Results of `eval --out`: what is compared with
    #[arg(value_name = "A.json")]
    first: PathBuf,
    /// Results of `eval --out`: what is compared
    #[arg(value_name = "B.json", required_unless_present = "rankers", conflicts_with = "rankers")]
    second: Option<PathBuf>,
    /// Compare two rankers of A.json, for example `bm25,router`
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1)]
    rankers: Vec<String>,
    /// How often the queries are resampled for the intervals
    #[arg(long, value_name = "N", default_value_t = Draws::default().resamples, value_parser = resamples)]
    resamples: usize,
    /// One JSON object per set and ranker, then one per ranker with the macro mean
    #[arg(long)]
    json: bool,
}

/// Ends of an interval from fewer would be noise, more would take minutes.
fn resamples(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(n) if (100..=1_000_000).contains(&n) => Ok(n),
        Ok(_) | Err(_) => Err("a number from 100 to 1000000 is needed".to_owned()),
    }
}

pub(super) fn run(arguments: &Arguments) -> Result<(), Exit> {
    let read = |path: &Path| Results::read(path).map_err(|e| Exit::failed(e.to_string()));
    let draws = Draws { resamples: arguments.resamples, ..Draws::default() };
    let first = read(&arguments.first)?;
    let (comparison, models) = match (&arguments.second, arguments.rankers.as_slice()) {
        (Some(path), _) => {
            let second = read(path)?;
            (compare::files(&first, &second, draws), [first.model, second.model])
        }
        (None, [a, b]) => (compare::rankers(&first, a.trim(), b.trim(), draws), [first.model.clone(), first.model]),
        (None, names) => return Err(Exit::failed(format!("--rankers takes two, as bm25,router; there are {}", names.len()))),
    };
    let comparison = comparison.map_err(|e| Exit::failed(e.to_string()))?;
    if arguments.json {
        for pair in comparison.pairs.iter().chain(&comparison.macros) {
            output::line(&json(pair).to_string());
        }
    } else {
        print(&comparison, &models, draws);
    }
    for (runs, file) in [(&comparison.only_first, "A"), (&comparison.only_second, "B")] {
        if !runs.is_empty() {
            output::complain(&format!("only in {file}, not compared: {}", runs.join(", ")));
        }
    }
    Ok(())
}

fn json(pair: &Pair) -> serde_json::Value {
    let mut line = serde_json::json!({ "set": pair.set, "ranker": pair.ranker, "tools": pair.tools, "queries": pair.queries });
    for (name, measured) in MEASURES.iter().zip(&pair.measures) {
        let difference = &measured.difference;
        line[name.to_lowercase()] = serde_json::json!({
            "a": measured.first, "b": measured.second, "difference": difference.mean,
            "low": difference.low, "high": difference.high, "significant": difference.significant(),
        });
    }
    line
}

fn print(comparison: &Comparison, [first, second]: &[String; 2], draws: Draws) {
    let header = ["set", "ranker", "queries", "measure", "A", "B", "B - A", "95 % interval", ""];
    let rows = comparison.pairs.iter().chain(&comparison.macros).flat_map(|pair| {
        MEASURES.iter().zip(&pair.measures).map(|(name, measured)| {
            let difference = &measured.difference;
            let mark = match (difference.significant(), 0.0 < difference.mean) {
                (false, _) => "",
                (true, true) => "better",
                (true, false) => "worse",
            };
            vec![
                pair.set.clone(),
                pair.ranker.clone(),
                pair.queries.to_string(),
                (*name).to_owned(),
                format!("{:.3}", measured.first),
                format!("{:.3}", measured.second),
                signed(difference.mean),
                format!("[{}, {}]", signed(difference.low), signed(difference.high)),
                mark.to_owned(),
            ]
        })
    });
    output::table(&header, &[2, 4, 5, 6, 7], rows);
    output::line(&format!(
        "better, worse: 0 lies outside the interval (paired bootstrap over queries, {} resamples, seed {})",
        draws.resamples, draws.seed
    ));
    output::line(&if first == second { format!("model {first}") } else { format!("model A {first}, B {second}") });
}

/// Three places, and no sign on what rounds to nothing.
fn signed(x: f64) -> String {
    let text = format!("{x:+.3}");
    if text == "-0.000" || text == "+0.000" { "0.000".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_that_rounds_to_nothing_has_no_sign() {
        assert_eq!([0.0, -0.0001, 0.012, -1.0].map(signed), ["0.000", "0.000", "+0.012", "-1.000"]);
    }
}
