//! What the page shows of the results, worked out once: which runs, in which order, resampled.

use crate::eval::Ranker;
use crate::eval::bootstrap::{Draws, Interval, Sample, Spread};
use crate::eval::compare;
use crate::eval::results::{Results, Run};

/// Who the page is about.
pub(super) const ROUTER: &str = Ranker::Router.name();

/// One run with its queries resampled.
pub(super) struct Entry<'a> {
    pub(super) run: &'a Run,
    pub(super) sample: Sample<'a, 3>,
    pub(super) measures: [Interval; 3],
}

/// One set, where it has the fewest distractors.
pub(super) struct Set<'a> {
    pub(super) name: String,
    pub(super) tools: usize,
    pub(super) distractors: usize,
    pub(super) queries: usize,
    /// By [`View::rankers`].
    pub(super) entries: Vec<Option<Entry<'a>>>,
}

/// The results as the page shows them.
pub(super) struct View<'a> {
    pub(super) results: &'a Results,
    /// The router first, then the baselines.
    pub(super) rankers: Vec<&'a str>,
    /// In the order of the results.
    pub(super) sets: Vec<Set<'a>>,
    /// By ranker: means over [`View::shared`].
    pub(super) macros: Vec<Option<[Interval; 3]>>,
    /// What could not be used, in words.
    pub(super) complaints: Vec<String>,
}

impl<'a> View<'a> {
    pub(super) fn of(results: &'a Results) -> Self {
        let whole = || results.runs.iter().filter(|run| run.without.is_empty());
        let mut rankers: Vec<&str> = Vec::new();
        for run in whole() {
            if !rankers.contains(&run.ranker.as_str()) {
                rankers.push(&run.ranker);
            }
        }
        let known = [ROUTER, Ranker::Cosine.name(), Ranker::Bm25.name()];
        rankers.sort_by_key(|name| known.iter().position(|k| k == name).unwrap_or(known.len()));
        let mut names: Vec<(&str, &str)> = Vec::new();
        for run in whole() {
            if !names.contains(&(&run.set, &run.split)) {
                names.push((&run.set, &run.split));
            }
        }
        let mut complaints = Vec::new();
        let mut sets = Vec::new();
        for (set, split) in names {
            let own = || whole().filter(|run| run.set == set && run.split == split);
            let Some(least) = own().min_by_key(|run| (run.distractors, run.ranker != ROUTER)) else { continue };
            let mut entry = |ranker: &&str| {
                let run = own().find(|run| run.ranker == *ranker && run.distractors == least.distractors)?;
                entry_of(run).inspect_err(|e| complaints.push(e.clone())).ok()
            };
            let entries: Vec<_> = rankers.iter().map(&mut entry).collect();
            let (tools, distractors, queries) = (least.tools, least.distractors, least.queries.len());
            sets.push(Set { name: least.set_name(), tools, distractors, queries, entries });
        }
        for set in &sets {
            let mut entries = set.entries.iter().flatten();
            let Some(first) = entries.next() else { continue };
            for other in entries {
                if let Err(error) = first.sample.minus(&other.sample) {
                    let (a, b) = (&first.run.ranker, &other.run.ranker);
                    complaints.push(format!("the difference of {a} and {b} on {}: {error}", set.name));
                }
            }
        }
        let mut view = Self { results, rankers, sets, macros: Vec::new(), complaints };
        view.macros = (0..view.rankers.len())
            .map(|ranker| {
                let entries: Vec<&Spread<3>> = view
                    .shared()
                    .filter_map(|set| set.entries.get(ranker)?.as_ref())
                    .map(|entry| entry.sample.spread())
                    .collect();
                Spread::macro_mean(&entries).map(|spread| spread.intervals())
            })
            .collect();
        view
    }

    /// Sets that every ranker was run on: means over others would not be of the same thing.
    pub(super) fn shared(&self) -> impl Iterator<Item = &Set<'a>> {
        self.sets.iter().filter(|set| set.entries.iter().all(Option::is_some))
    }

    /// The place of the router among the rankers, with those of the baselines.
    pub(super) fn router(&self) -> Option<(usize, Vec<usize>)> {
        let router = self.rankers.iter().position(|name| *name == ROUTER)?;
        Some((router, (0..self.rankers.len()).filter(|i| *i != router).collect()))
    }

    /// Macro means of the paired difference of two rankers.
    pub(super) fn difference(&self, of: usize, from: usize) -> Option<[Interval; 3]> {
        let differences: Vec<Spread<3>> = self.shared().filter_map(|set| set.difference(of, from)).collect();
        (differences.len() == self.shared().count()).then_some(())?;
        Spread::macro_mean(&differences.iter().collect::<Vec<_>>()).map(|spread| spread.intervals())
    }
}

impl Set<'_> {
    /// Query by query.
    pub(super) fn difference(&self, of: usize, from: usize) -> Option<Spread<3>> {
        let entry = |i: usize| self.entries.get(i)?.as_ref();
        entry(of)?.sample.minus(&entry(from)?.sample).ok()
    }

    /// The router's lead on `measure` over the best of the baselines.
    pub(super) fn lead(&self, router: usize, baselines: &[usize], measure: usize) -> Option<Interval> {
        let mean = |i: &usize| self.entries.get(*i)?.as_ref().map(|entry| entry.measures[measure].mean);
        let present = baselines.iter().filter_map(|i| Some((*i, mean(i)?)));
        let (best, _) = present.max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(self.difference(router, best)?.intervals()[measure])
    }
}

/// Resamples a run; the error is for the page.
pub(super) fn entry_of(run: &Run) -> Result<Entry<'_>, String> {
    let sample =
        compare::sample(run, Draws::default()).map_err(|e| format!("{} of {}: {e}", run.ranker_name(), run.set_name()))?;
    let measures = sample.spread().intervals();
    Ok(Entry { run, sample, measures })
}

/// The mean over queries of recall at 1, 2, ... `depth`.
pub(super) fn recall_by_depth(run: &Run, depth: usize) -> Vec<f64> {
    let mut found = vec![0.0; depth];
    for asked in &run.queries {
        for place in &asked.places {
            if let Some(at) = place.checked_sub(1).and_then(|at| found.get_mut(at)) {
                *at += 1.0 / asked.needed.max(1) as f64;
            }
        }
    }
    let mut sum = 0.0;
    for at in &mut found {
        sum += *at;
        *at = sum / run.queries.len().max(1) as f64;
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::samples;
    use super::*;

    #[test]
    fn the_router_comes_first_and_each_set_once() {
        let results = samples::results();
        let view = View::of(&results);
        assert_eq!(view.rankers, ["router", "cosine", "bm25"]);
        let names: Vec<_> = view.sets.iter().map(|set| (set.name.as_str(), set.distractors)).collect();
        assert_eq!(names, [("mail", 0), ("files:test", 0), ("partial", 0)]);
        assert_eq!(view.shared().count(), 2, "one set lacks a ranker");
        let (router, baselines) = view.router().unwrap();
        assert_eq!((router, baselines.as_slice()), (0, [1, 2].as_slice()));
        let lead = view.sets[0].lead(router, &baselines, 0).unwrap();
        assert_eq!((lead.mean, lead.significant()), (1.0, true));
        assert_eq!(view.difference(0, 1).unwrap()[0].mean, 0.5);
        assert!(view.complaints.is_empty());
    }

    #[test]
    fn runs_that_cannot_be_paired_are_told_of() {
        let mut results = samples::results();
        results.runs[1].queries.pop();
        results.runs[5].queries[0].id = "q1".into();
        let view = View::of(&results);
        assert_eq!(
            view.complaints,
            [
                r#"router of files:test: query id "q1" occurs twice"#,
                r#"the difference of router and bm25 on mail: the queries are not the same: only the first has "q9""#,
            ]
        );
        assert!(view.sets[0].lead(0, &[2], 0).is_none() && view.difference(0, 2).is_none());
    }

    #[test]
    fn recall_by_depth_is_that_of_each_depth() {
        let results = samples::results();
        for run in &results.runs {
            for (recall, k) in recall_by_depth(run, 50).iter().zip(1..) {
                let plain = run.queries.iter().map(|asked| asked.recall(k)).sum::<f64>() / run.queries.len() as f64;
                assert!((recall - plain).abs() < 1e-9, "{k}");
            }
        }
    }
}
