//! Two results beside each other: what changed, and whether it is more than chance.
//!
//! Only what was asked alike is compared: the same queries needing as many tools, over as many tools. Anything else is an error and not a
//! footnote, for a difference of two unlike things looks like any other.

use std::collections::HashMap;

use super::bootstrap::{Draws, Interval, PairError, Sample, Spread};
use super::measures::Scores;
use super::results::{Results, Run};

/// The measures that runs are compared by.
pub const MEASURES: [&str; 3] = ["recall@5", "nDCG@10", "COMP@10"];

/// Their values.
#[must_use]
pub fn measured(scores: &Scores) -> [f64; MEASURES.len()] {
    [scores.recall[1], scores.ndcg_10, scores.comp[1]]
}

/// A run's queries, resampled.
///
/// # Errors
/// It has none, or one twice.
pub fn sample(run: &Run, draws: Draws) -> Result<Sample<'_, 3>, PairError> {
    let rows = run.queries.iter().map(|asked| (asked.id.as_str(), measured(&asked.scores()))).collect();
    Sample::new(&run.set_name(), rows, draws)
}

/// What came out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Comparison {
    /// In the first's order.
    pub pairs: Vec<Pair>,
    /// Over all sets of [`Comparison::pairs`], one for each pair of rankers.
    pub macros: Vec<Pair>,
    /// Runs of the first without a partner, in words.
    pub only_first: Vec<String>,
    /// Runs of the second without one.
    pub only_second: Vec<String>,
}

/// Two runs on one set, or two means over sets.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// `set` or `set:split`; of a mean how many sets it is over.
    pub set: String,
    /// Who ranked; for two rankers `a → b`.
    pub ranker: String,
    /// Tools searched; nothing for a mean.
    pub tools: Option<usize>,
    /// Queries asked.
    pub queries: usize,
    /// By [`MEASURES`].
    pub measures: [Measured; MEASURES.len()],
}

/// One measure of two runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measured {
    /// Of the first.
    pub first: f64,
    /// Of the second.
    pub second: f64,
    /// Second minus first, paired.
    pub difference: Interval,
}

/// Runs cannot be compared.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CompareError {
    /// One file has the same run twice.
    #[error("the {which} results have {run} twice; merge files of different sets only")]
    Repeated {
        /// `first` or `second`.
        which: &'static str,
        /// The run.
        run: String,
    },
    /// Nothing to compare.
    #[error("no run is in both: the first has {first}; the second has {second}")]
    Nothing {
        /// Runs of the first.
        first: String,
        /// Runs of the second.
        second: String,
    },
    /// A ranker without a run.
    #[error("no run of ranker {wanted:?}: the file has {present}")]
    NoRanker {
        /// Who was asked for.
        wanted: String,
        /// Who is there.
        present: String,
    },
    /// Two rankers, but on different sets.
    #[error("{first} and {second} were not run on the same set: {detail}")]
    NoSet {
        /// One ranker.
        first: String,
        /// The other.
        second: String,
        /// Their sets.
        detail: String,
    },
    /// One ranker twice.
    #[error("{0:?} cannot be compared with itself: name two rankers")]
    Same(String),
    /// Not the same catalogue.
    #[error("{run}: the first searched {first} tools, the second {second}; evaluate both over the same tools")]
    Tools {
        /// The run.
        run: String,
        /// Tools of the first.
        first: usize,
        /// Tools of the second.
        second: usize,
    },
    /// Not the same labels.
    #[error("{run}: query {query:?} needs {first} tools in the first and {second} in the second; evaluate both on the same data")]
    Needed {
        /// The run.
        run: String,
        /// The query.
        query: String,
        /// Needed in the first.
        first: usize,
        /// Needed in the second.
        second: usize,
    },
    /// Not the same queries.
    #[error("{run}: {source}")]
    Pair {
        /// The run.
        run: String,
        /// Why.
        source: PairError,
    },
}

/// Compares the runs that two results have in common: same set, split, ranker, step left out and number of distractors.
///
/// # Errors
/// See [`CompareError`].
pub fn files(first: &Results, second: &Results, draws: Draws) -> Result<Comparison, CompareError> {
    let all = |results: &'_ Results| -> Vec<String> { results.runs.iter().map(title).collect() };
    let (a, b): (Vec<&Run>, Vec<&Run>) = (first.runs.iter().collect(), second.runs.iter().collect());
    let comparison = compare(&a, &b, |run| (run.set_name(), run.ranker_name()), Run::ranker_name, draws)?;
    if comparison.pairs.is_empty() {
        return Err(CompareError::Nothing { first: listed(all(first)), second: listed(all(second)) });
    }
    Ok(comparison)
}

/// Compares two rankers of one file, each named as [`Run::ranker_name`] does, on the sets they have in common.
///
/// # Errors
/// See [`CompareError`].
pub fn rankers(results: &Results, first: &str, second: &str, draws: Draws) -> Result<Comparison, CompareError> {
    if first == second {
        return Err(CompareError::Same(first.to_owned()));
    }
    let of = |name: &str| -> Result<Vec<&Run>, CompareError> {
        let runs: Vec<&Run> = results.runs.iter().filter(|run| run.ranker_name() == name).collect();
        if runs.is_empty() {
            let present = listed(results.runs.iter().map(Run::ranker_name).collect());
            return Err(CompareError::NoRanker { wanted: name.to_owned(), present });
        }
        Ok(runs)
    };
    let (a, b) = (of(first)?, of(second)?);
    let both = format!("{first} → {second}");
    let comparison = compare(&a, &b, |run| (run.set_name(), String::new()), |_| both.clone(), draws)?;
    if comparison.pairs.is_empty() {
        let sets = |runs: &[&Run]| listed(runs.iter().map(|run| run.set_name()).collect());
        let detail = format!("the one on {}, the other on {}", sets(&a), sets(&b));
        return Err(CompareError::NoSet { first: first.to_owned(), second: second.to_owned(), detail });
    }
    Ok(comparison)
}

fn compare(
    first: &[&Run],
    second: &[&Run],
    key: impl Fn(&Run) -> (String, String),
    name: impl Fn(&Run) -> String,
    draws: Draws,
) -> Result<Comparison, CompareError> {
    let (firsts, seconds) = (by_key(first, "first", &key)?, by_key(second, "second", &key)?);
    let mut out = Comparison::default();
    let mut spreads: Vec<(String, [Spread<3>; 3])> = Vec::new();
    for a in first {
        let (set, ranker) = key(a);
        let found = seconds.get(&(set.clone(), ranker.clone(), a.distractors)).copied();
        let Some(b) = found else {
            // The same run over other tools is a mistake to be told of, unless it has a partner of its own.
            let other =
                second.iter().find(|b| key(b) == key(a) && !firsts.contains_key(&(set.clone(), ranker.clone(), b.distractors)));
            match other {
                Some(b) => return Err(CompareError::Tools { run: title(a), first: a.tools, second: b.tools }),
                None => out.only_first.push(title(a)),
            }
            continue;
        };
        let spread = pair(a, b, draws)?;
        out.pairs.push(Pair { set: set_of(a), tools: Some(a.tools), ..of(&spread, name(a), a.queries.len()) });
        spreads.push((name(a), spread));
    }
    for b in second {
        let (set, ranker) = key(b);
        if !firsts.contains_key(&(set, ranker, b.distractors)) {
            out.only_second.push(title(b));
        }
    }
    let mut names: Vec<&String> = Vec::new();
    for (name, _) in &spreads {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    for name in names {
        let own: Vec<&[Spread<3>; 3]> = spreads.iter().filter(|(n, _)| n == name).map(|(_, spread)| spread).collect();
        let means = [0, 1, 2].map(|i| Spread::macro_mean(&own.iter().map(|spread| &spread[i]).collect::<Vec<_>>()));
        if let [Some(a), Some(b), Some(c)] = means {
            let queries = out.pairs.iter().filter(|pair| pair.ranker == *name).map(|pair| pair.queries).sum();
            let set = if own.len() == 1 { "macro mean of 1 set".to_owned() } else { format!("macro mean of {} sets", own.len()) };
            out.macros.push(Pair { set, ..of(&[a, b, c], name.clone(), queries) });
        }
    }
    Ok(out)
}

type Key = (String, String, usize);

fn by_key<'a>(
    runs: &[&'a Run],
    which: &'static str,
    key: impl Fn(&Run) -> (String, String),
) -> Result<HashMap<Key, &'a Run>, CompareError> {
    let mut found = HashMap::with_capacity(runs.len());
    for run in runs {
        let (set, ranker) = key(run);
        if found.insert((set, ranker, run.distractors), *run).is_some() {
            return Err(CompareError::Repeated { which, run: title(run) });
        }
    }
    Ok(found)
}

/// First, second, and second minus first.
fn pair(a: &Run, b: &Run, draws: Draws) -> Result<[Spread<3>; 3], CompareError> {
    if a.tools != b.tools {
        return Err(CompareError::Tools { run: title(a), first: a.tools, second: b.tools });
    }
    let failed = |source| CompareError::Pair { run: title(a), source };
    let (first, second) = (sample(a, draws).map_err(failed)?, sample(b, draws).map_err(failed)?);
    let difference = second.minus(&first).map_err(|source| match source {
        // Said of the results, which have an order, and not of the subtraction, which has the other.
        PairError::Different { first, second } => failed(PairError::Different { first: second, second: first }),
        other => failed(other),
    })?;
    let needed: HashMap<&str, usize> = b.queries.iter().map(|asked| (asked.id.as_str(), asked.needed)).collect();
    for asked in &a.queries {
        match needed.get(asked.id.as_str()) {
            Some(second) if *second != asked.needed => {
                let (query, first, second) = (asked.id.clone(), asked.needed, *second);
                return Err(CompareError::Needed { run: title(a), query, first, second });
            }
            Some(_) | None => {}
        }
    }
    Ok([first.spread().clone(), second.spread().clone(), difference])
}

fn of([first, second, difference]: &[Spread<3>; 3], ranker: String, queries: usize) -> Pair {
    let (first, second, difference) = (first.intervals(), second.intervals(), difference.intervals());
    let measured = |i: usize| Measured { first: first[i].mean, second: second[i].mean, difference: difference[i] };
    Pair { set: String::new(), ranker, tools: None, queries, measures: [0, 1, 2].map(measured) }
}

fn set_of(run: &Run) -> String {
    match run.distractors {
        0 => run.set_name(),
        n => format!("{} + {n} distractors", run.set_name()),
    }
}

fn title(run: &Run) -> String {
    format!("{} of {}", run.ranker_name(), set_of(run))
}

/// A few of `names`, each once.
fn listed(names: Vec<String>) -> String {
    let mut seen: Vec<String> = Vec::new();
    for name in names {
        if !seen.contains(&name) {
            seen.push(name);
        }
    }
    match seen.len() {
        0 => "none".to_owned(),
        1..=6 => seen.join(", "),
        n => format!("{} and {} more", seen[..6].join(", "), n - 6),
    }
}

#[cfg(test)]
mod tests {
    use super::super::results::{Asked, FORMAT};
    use super::*;

    const QUICK: Draws = Draws { resamples: 200, seed: 1 };

    fn run(set: &str, ranker: &str, places: &[usize]) -> Run {
        let queries = places.iter().enumerate().map(|(i, place)| Asked {
            id: format!("q{i}"),
            needed: 1,
            places: if *place == 0 { Vec::new() } else { vec![*place] },
            confidence: None,
        });
        Run {
            set: set.into(),
            split: String::new(),
            ranker: ranker.into(),
            without: String::new(),
            tools: 100,
            distractors: 0,
            tokens_mean: None,
            embed_us_p50: None,
            rest_us_p50: 1.0,
            engine: String::new(),
            queries: queries.collect(),
            worst: Vec::new(),
        }
    }

    fn results(runs: Vec<Run>) -> Results {
        Results { format: FORMAT, model: "m".into(), runs, abstentions: Vec::new() }
    }

    #[test]
    fn runs_are_matched_and_so_are_queries() {
        let first = results(vec![run("x", "router", &[6; 20]), run("y", "router", &[1; 20]), run("z", "router", &[1; 6])]);
        let mut better = run("x", "router", &[1; 20]);
        better.queries.reverse();
        let second = results(vec![run("y", "router", &[1; 20]), run("w", "bm25", &[1; 6]), better]);
        let found = files(&first, &second, QUICK).unwrap();
        assert_eq!(found.pairs.iter().map(|pair| pair.set.as_str()).collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!((found.only_first, found.only_second), (vec!["router of z".to_owned()], vec!["bm25 of w".to_owned()]));
        let [recall, ndcg, _] = found.pairs[0].measures;
        assert_eq!((recall.first, recall.second, recall.difference.low), (0.0, 1.0, 1.0));
        assert!(recall.difference.significant() && 0.6 < ndcg.difference.mean);
        assert!(!found.pairs[1].measures[0].difference.significant());
        assert_eq!((found.macros.len(), found.macros[0].set.as_str()), (1, "macro mean of 2 sets"));
        let mean = found.macros[0].measures[0];
        assert_eq!((mean.first, mean.second, mean.difference.mean, found.macros[0].queries), (0.5, 1.0, 0.5, 40));
    }

    #[test]
    fn two_rankers_of_one_file() {
        let mut without = run("x", "router", &[9; 8]);
        without.without = "clauses".into();
        let all = results(vec![run("x", "router", &[1; 8]), run("x", "bm25", &[6; 8]), without]);
        let found = rankers(&all, "bm25", "router", QUICK).unwrap();
        assert_eq!((found.pairs.len(), found.pairs[0].ranker.as_str()), (1, "bm25 → router"));
        assert_eq!(found.pairs[0].measures[0].difference.mean, 1.0);
        assert_eq!(rankers(&all, "router without clauses", "router", QUICK).unwrap().pairs.len(), 1);
        let says = |first, second| rankers(&all, first, second, QUICK).unwrap_err().to_string();
        assert_eq!(says("cosine", "router"), r#"no run of ranker "cosine": the file has router, bm25, router without clauses"#);
        assert_eq!(says("router", "router"), r#""router" cannot be compared with itself: name two rankers"#);
        let apart = results(vec![run("x", "router", &[1; 8]), run("y", "bm25", &[1; 8])]);
        assert_eq!(
            rankers(&apart, "router", "bm25", QUICK).unwrap_err().to_string(),
            "router and bm25 were not run on the same set: the one on x, the other on y"
        );
    }

    #[test]
    fn what_is_not_alike_is_an_error() {
        let check = |change: fn(&mut Run), expected: &str| {
            let first = results(vec![run("x", "router", &[1, 2, 3])]);
            let mut second = first.clone();
            change(&mut second.runs[0]);
            assert_eq!(files(&first, &second, QUICK).unwrap_err().to_string(), expected);
        };
        check(
            |run| run.tools = 200,
            "router of x: the first searched 100 tools, the second 200; evaluate both over the same tools",
        );
        check(
            |run| (run.distractors, run.tools) = (900, 1000),
            "router of x: the first searched 100 tools, the second 1000; evaluate both over the same tools",
        );
        check(
            |run| run.queries[1].needed = 2,
            r#"router of x: query "q1" needs 1 tools in the first and 2 in the second; evaluate both on the same data"#,
        );
        check(|run| drop(run.queries.pop()), r#"router of x: the queries are not the same: only the first has "q2""#);
        check(|run| run.queries[1].id = "q0".into(), r#"router of x: query id "q0" occurs twice"#);
        check(|run| run.queries.clear(), "router of x: there are no queries");
        check(|run| run.set = "y".into(), "no run is in both: the first has router of x; the second has router of y");
        let twice = results(vec![run("x", "router", &[1]), run("x", "router", &[1])]);
        assert_eq!(
            files(&twice, &twice, QUICK).unwrap_err().to_string(),
            "the first results have router of x twice; merge files of different sets only"
        );
    }

    #[test]
    fn a_set_at_several_sizes_is_matched_size_by_size() {
        let mut large = run("x", "router", &[2; 8]);
        (large.tools, large.distractors) = (1100, 1000);
        let both = results(vec![run("x", "router", &[1; 8]), large.clone()]);
        let found = files(&both, &both, QUICK).unwrap();
        let sets: Vec<_> = found.pairs.iter().map(|pair| pair.set.as_str()).collect();
        assert_eq!(sets, ["x", "x + 1000 distractors"]);
        let one = files(&results(vec![run("x", "router", &[1; 8])]), &both, QUICK).unwrap();
        assert_eq!((one.pairs.len(), one.only_second), (1, vec!["router of x + 1000 distractors".to_owned()]));
    }
}
