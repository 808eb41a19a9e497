//! How far an estimate of tokens is off, and what factor and margin a tokenizer needs beside one that is built in.
//!
//! A cap holds for the estimate, not for what the model pays, so the error has to be known. Two errors matter. One definition may be far from
//! the mean, and a list of one is a list: the margin that covers nearly all definitions is the safe one. In a list of twenty such deviations
//! mostly cancel, and the margin that covers nearly all lists leaves less of the cap unused.

use rand::SeedableRng;
use rand::rngs::StdRng;
use rand::seq::{IndexedRandom, SliceRandom};

use super::bootstrap::quantile;
use crate::compact::{Counter, Fidelity, Format, Forms, prompt};
use crate::tool::{ModelName, Tool};

/// Lists that are drawn.
const LISTS: usize = 1_000;
/// Tools of a list: the default of `max_tools`.
pub const LIST_TOOLS: usize = 20;
/// The share of definitions, or of lists, that a margin is to cover.
pub const COVERED: f64 = 0.99;
/// Equal runs draw equal lists.
const SEED: u64 = 6;

/// Tokens by two counters.
#[derive(Clone, Debug, PartialEq)]
pub struct Comparison {
    /// By fidelity, smallest first, then all of them together.
    pub forms: Vec<Form>,
    /// The error over lists.
    pub lists: Lists,
    /// What was estimated with: as given, else as found.
    pub factor: f64,
    /// The same.
    pub margin: f64,
}

/// Definitions of one fidelity.
#[derive(Clone, Debug, PartialEq)]
pub struct Form {
    /// `skeleton`, `lean`, `full` or `all`.
    pub name: &'static str,
    /// How many.
    pub definitions: usize,
    /// Tokens of all of them by the built-in vocabulary.
    pub base: u64,
    /// The same by the other.
    pub counted: u64,
    /// Of the ratios of single definitions: the median, the one that [`COVERED`] stay within, and the greatest.
    pub ratios: [f64; 3],
}

impl Form {
    /// Tokens by the other for each by the built-in one, over all definitions together.
    #[must_use]
    pub fn factor(&self) -> f64 {
        self.counted as f64 / self.base.max(1) as f64
    }
}

/// What an estimate makes of lists.
#[derive(Clone, Debug, PartialEq)]
pub struct Lists {
    /// How many were drawn.
    pub lists: usize,
    /// Tools of each.
    pub tools: usize,
    /// Mean distance between the count and the factor's word, as a share of the count.
    pub error: f64,
    /// The margin that covers [`COVERED`] of the lists.
    pub margin: f64,
    /// Share of the lists that have more tokens than the estimate with its margin.
    pub over: f64,
    /// Mean of what the estimate with its margin says too much, as a share of the count.
    pub unused: f64,
}

/// Counts every definition of `tools` by `base` and by `counter`. `estimate` is a factor and margin to judge; without it those that the
/// definitions themselves come to. `None` where there are no tools.
#[must_use]
pub fn compare(tools: &[Tool], base: &Counter, counter: &Counter, estimate: Option<(f64, f64)>) -> Option<Comparison> {
    let written: Vec<[Text; Fidelity::ALL.len()]> = tools.iter().map(|tool| texts(tool, base, counter)).collect();
    let of_fidelity = |fidelity: Fidelity| form(fidelity.name(), written.iter().map(|texts| &texts[fidelity as usize]));
    let all = form("all", written.iter().flatten())?;
    let [_, covering, _] = all.ratios;
    let (factor, margin) = estimate.unwrap_or((all.factor(), (covering / all.factor() - 1.0).max(0.0)));
    let lists = lists(&written, base, counter, factor, margin);
    let forms = Fidelity::ALL.into_iter().filter_map(of_fidelity).chain([all]).collect();
    Some(Comparison { forms, lists, factor, margin })
}

struct Text {
    definition: String,
    base: u64,
    counted: u64,
}

fn texts(tool: &Tool, base: &Counter, counter: &Counter) -> [Text; Fidelity::ALL.len()] {
    let (forms, name) = (Forms::of(tool), ModelName::choose(&tool.id, |_| false));
    Fidelity::ALL.map(|fidelity| {
        let definition = forms.render(tool, &name, Format::OpenAiChat, fidelity);
        // As it stands in a list.
        let line = format!("{definition},\n");
        Text { base: base.count(&line).0.into(), counted: counter.count(&line).0.into(), definition }
    })
}

fn form<'a>(name: &'static str, texts: impl Iterator<Item = &'a Text>) -> Option<Form> {
    let texts: Vec<&Text> = texts.collect();
    let ratios = sorted(texts.iter().map(|text| text.counted as f64 / text.base.max(1) as f64).collect());
    (!texts.is_empty()).then(|| Form {
        name,
        definitions: texts.len(),
        base: texts.iter().map(|text| text.base).sum(),
        counted: texts.iter().map(|text| text.counted).sum(),
        ratios: [0.5, COVERED, 1.0].map(|q| quantile(&ratios, q)),
    })
}

/// Draws lists, each tool at any fidelity, and counts them whole.
fn lists(written: &[[Text; Fidelity::ALL.len()]], base: &Counter, counter: &Counter, factor: f64, margin: f64) -> Lists {
    let mut rng = StdRng::seed_from_u64(SEED);
    let tools = LIST_TOOLS.min(written.len());
    let mut places: Vec<usize> = (0..written.len()).collect();
    let mut draw = || {
        let (drawn, _) = places.partial_shuffle(&mut rng, tools);
        let drawn: Vec<usize> = drawn.to_vec();
        let any = |rng: &mut StdRng| Fidelity::ALL.choose(rng).map_or(0, |fidelity| *fidelity as usize);
        let list = prompt(drawn.into_iter().map(|place| written[place][any(&mut rng)].definition.as_str()));
        (f64::from(base.count(&list).0), f64::from(counter.count(&list).0.max(1)))
    };
    let drawn: Vec<(f64, f64)> = (0..LISTS).map(|_| draw()).collect();
    let mean = |of: &dyn Fn(f64, f64) -> f64| drawn.iter().map(|(base, counted)| of(*base, *counted)).sum::<f64>() / LISTS as f64;
    let estimated = |base: f64| base * factor * (1.0 + margin);
    let ratios = sorted(drawn.iter().map(|(base, counted)| counted / (base * factor).max(1.0)).collect());
    Lists {
        lists: LISTS,
        tools,
        error: mean(&|base, counted| (base * factor - counted).abs() / counted),
        margin: (quantile(&ratios, COVERED) - 1.0).max(0.0),
        over: mean(&|base, counted| if estimated(base) < counted { 1.0 } else { 0.0 }),
        unused: mean(&|base, counted| (estimated(base) - counted).max(0.0) / counted),
    }
}

fn sorted(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compact::Tokenizer;
    use crate::compact::counter::{Day, Estimate, Kind, Overhead};
    use crate::tool::{Document, ToolId};

    fn tools(n: usize) -> Vec<Tool> {
        let tool = |i: usize| {
            let id = ToolId::new("s", &format!("tool_{i}")).unwrap();
            let schema = r#"{"type":"object","properties":{"path":{"type":"string","description":"where"}}}"#;
            Tool::new(id, "Reads a file. ".repeat(1 + i % 7), Document::parse(schema).unwrap())
        };
        (0..n).map(tool).collect()
    }

    fn twice() -> Counter {
        let estimate = Estimate::new(Tokenizer::O200kBase, 2.0, 0.0, Day::parse("2026-02-28").unwrap()).unwrap();
        Counter::new("twice", Kind::Estimated(estimate), Overhead::default())
    }

    #[test]
    fn a_factor_is_found_and_its_error_told() {
        let base = Counter::exact(Tokenizer::O200kBase);
        let found = compare(&tools(50), &base, &twice(), None).unwrap();
        assert_eq!((found.factor, found.margin), (2.0, 0.0));
        assert_eq!((found.lists.over, found.lists.margin, found.lists.tools), (0.0, 0.0, LIST_TOOLS));
        assert!(found.lists.error < 1e-9 && found.lists.unused < 1e-9, "{:?}", found.lists);
        assert_eq!(found.forms.iter().map(|form| form.name).collect::<Vec<_>>(), ["skeleton", "lean", "full", "all"]);
        assert_eq!(found.forms.iter().map(|form| form.definitions).collect::<Vec<_>>(), [50, 50, 50, 150]);
        let too_low = compare(&tools(5), &base, &twice(), Some((1.0, 0.5))).unwrap();
        assert_eq!((too_low.lists.over, too_low.lists.tools), (1.0, 5));
        assert!((too_low.lists.error - 0.5).abs() < 1e-9 && (too_low.lists.margin - 1.0).abs() < 1e-9, "{:?}", too_low.lists);
        let too_high = compare(&tools(5), &base, &base, Some((1.0, 0.5))).unwrap();
        assert!((too_high.lists.unused - 0.5).abs() < 1e-9 && too_high.lists.over == 0.0, "{:?}", too_high.lists);
        assert_eq!(compare(&[], &base, &base, None), None);
    }
}
