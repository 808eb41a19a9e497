//! What each fidelity of a catalogue's tools costs, next to what their publishers wrote, and what each step of LEAN saves.
//!
//! Everything is measured against one text: the publisher's definition in MCP's shape, minified. It is what a client would send that
//! sends everything, written as shortly as JSON allows, so that nothing is called saved that white space had cost.

use std::collections::HashSet;

use crate::compact::{Fidelity, Format, Forms, Line, Step, Steps, Tokenizer};
use crate::json::Json;
use crate::tool::{MAX_SCHEMA_DEPTH, ModelName, Tool};

/// The measured tokens of a catalogue.
#[derive(Clone, Debug)]
pub struct Diet {
    /// How many tools.
    pub tools: usize,
    /// What publishers wrote, then every format at every fidelity, then the lines of a directory.
    pub rows: Vec<Row>,
    /// LEAN step by step, in MCP's shape.
    pub steps: Vec<StepRow>,
}

/// Tokens of a tool in one form.
#[derive(Clone, Debug)]
pub struct Row {
    /// The format, or `directory`.
    pub format: &'static str,
    /// `raw`, a fidelity, `signature` or `name`.
    pub form: &'static str,
    /// The mean of all tools.
    pub mean: f64,
    /// The median.
    pub p50: u32,
    /// The ninth decile.
    pub p90: u32,
    /// One tool in a hundred is longer.
    pub p99: u32,
    /// The mean as a share of that of `raw`.
    pub share: f64,
}

/// What one step of LEAN saves.
#[derive(Clone, Debug)]
pub struct StepRow {
    /// What it does.
    pub name: &'static str,
    /// Mean tokens of a tool with this step and those before it.
    pub mean: f64,
    /// What it saves after those before it, as a share of `raw`.
    pub saved: f64,
    /// What is lost when it alone is left out, as a share of `raw`.
    pub alone: f64,
}

impl Diet {
    /// Measures `tools` in `formats`.
    #[must_use]
    pub fn of(tools: &[Tool], tokenizer: Tokenizer, formats: &[Format]) -> Self {
        let named = with_names(tools);
        let count = |text: &str| tokenizer.count(text).0;
        let raw = |(tool, name): &(&Tool, ModelName)| {
            let text = Forms::by(tool, Steps::NONE).render(tool, name, Format::Mcp, Fidelity::Full);
            // Two levels of the definition are around its schemas.
            count(&Json::parse(&text, MAX_SCHEMA_DEPTH + 2).map_or(text, |json| json.to_string()))
        };
        let raw = Row::of(("mcp", "raw"), named.iter().map(raw).collect(), None);
        let whole = raw.mean;
        let forms: Vec<Forms> = tools.iter().map(Forms::of).collect();
        let mut rows = vec![raw];
        for format in formats {
            for fidelity in Fidelity::ALL.into_iter().rev() {
                let render =
                    |((tool, name), forms): (&(&Tool, ModelName), &Forms)| count(&forms.render(tool, name, *format, fidelity));
                let counts = named.iter().zip(&forms).map(render).collect();
                rows.push(Row::of((format.name(), fidelity.name()), counts, Some(whole)));
            }
        }
        for line in Line::ALL.into_iter().rev() {
            let counts = named.iter().map(|(tool, name)| count(&line.text(tool, name))).collect();
            rows.push(Row::of(("directory", line.name()), counts, Some(whole)));
        }
        Self { tools: tools.len(), rows, steps: steps(&named, whole, &count) }
    }
}

/// LEAN with one step more after another, and without each.
fn steps(named: &[(&Tool, ModelName)], whole: f64, count: &impl Fn(&str) -> u32) -> Vec<StepRow> {
    let mean = |steps: Steps| {
        let of =
            |(tool, name): &(&Tool, ModelName)| count(&Forms::by(tool, steps).render(tool, name, Format::Mcp, Fidelity::Lean));
        mean(&named.iter().map(of).collect::<Vec<_>>())
    };
    let all = mean(Steps::ALL);
    let share = |tokens: f64| if 0.0 < whole { tokens / whole } else { 0.0 };
    let (mut made, mut before) = (Steps::NONE, mean(Steps::NONE));
    // What publishers write beside description and schema goes with the first of them.
    let mut rows = vec![StepRow { name: "white space, other members", mean: before, saved: share(whole - before), alone: 0.0 }];
    for step in Step::ALL {
        made = made.with(step);
        let now = mean(made);
        let alone = share(mean(Steps::ALL.without(step)) - all);
        rows.push(StepRow { name: step.name(), mean: now, saved: share(before - now), alone });
        before = now;
    }
    rows
}

impl Row {
    fn of((format, form): (&'static str, &'static str), mut counts: Vec<u32>, whole: Option<f64>) -> Self {
        let mean = mean(&counts);
        counts.sort_unstable();
        let at = |percent: usize| {
            let place = (counts.len() * percent).div_ceil(100).saturating_sub(1);
            counts.get(place).copied().unwrap_or_default()
        };
        let whole = whole.unwrap_or(mean);
        let share = if 0.0 < whole { mean / whole } else { 0.0 };
        Self { format, form, mean, p50: at(50), p90: at(90), p99: at(99), share }
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of tools are far below 2^52")]
fn mean(counts: &[u32]) -> f64 {
    let sum: f64 = counts.iter().map(|count| f64::from(*count)).sum();
    if counts.is_empty() { 0.0 } else { sum / counts.len() as f64 }
}

/// The names that registration would give them.
fn with_names(tools: &[Tool]) -> Vec<(&Tool, ModelName)> {
    let mut taken: HashSet<String> = HashSet::new();
    let mut named = Vec::with_capacity(tools.len());
    for tool in tools {
        let name = ModelName::choose(&tool.id, |name| taken.contains(name));
        taken.insert(name.as_str().to_owned());
        named.push((tool, name));
    }
    named
}
