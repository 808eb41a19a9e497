//! Figures of an evaluation, as a table or as JSON lines.

use crate::cli::output;
use crate::eval::Model;
use crate::eval::measures::Means;
use crate::eval::results::Run;

/// One line for each run.
pub(super) fn json(run: &Run, model: &Model) -> String {
    let mut line = serde_json::json!({
        "set": run.set, "split": run.split, "ranker": run.ranker, "without": run.without, "tools": run.tools,
        "distractors": run.distractors, "queries": run.queries.len(), "tokens_mean": run.tokens_mean,
        "embed_us_p50": run.embed_us_p50, "rest_us_p50": run.rest_us_p50,
        "engine": if run.engine.is_empty() { "bm25" } else { &run.engine },
        "model": if run.ranker == "bm25" { "" } else { model.id() },
        "reranker": if run.ranker == "router" { model.reranker_id() } else { "" },
    });
    with_scores(&mut line, &Means::of(run.scores()));
    line.to_string()
}

/// One line for each ranker: the mean in which every set has equal weight.
pub(super) fn json_means(runs: &[Run]) {
    for (ranker, of_ranker) in by_ranker(runs) {
        let (ranker, without) = ranker;
        let mut line = serde_json::json!({ "set": "macro mean", "ranker": ranker, "without": without, "sets": of_ranker.len() });
        with_scores(&mut line, &macro_mean(&of_ranker));
        output::line(&line.to_string());
    }
}

/// The table, with macro means below.
pub(super) fn print(runs: &[Run]) {
    let header = [
        "set", "ranker", "tools", "queries", "R@1", "R@5", "R@10", "hit@5", "nDCG@10", "COMP@5", "COMP@10", "MRR", "tokens",
        "embed ms", "rest ms", "engine",
    ];
    let figures = |means: &Means| {
        let s = means.0;
        [s.recall[0], s.recall[1], s.recall[2], s.hit_5, s.ndcg_10, s.comp[0], s.comp[1], s.mrr].map(|x| format!("{x:.3}"))
    };
    let ms = |micros: f64| format!("{:.2}", micros / 1e3);
    let mut rows: Vec<Vec<String>> = Vec::new();
    for run in runs {
        let mut row = vec![run.set_name(), run.ranker_name(), run.tools.to_string(), run.queries.len().to_string()];
        row.extend(figures(&Means::of(run.scores())));
        row.push(run.tokens_mean.map_or_else(String::new, |tokens| format!("{tokens:.0}")));
        row.push(run.embed_us_p50.map(ms).unwrap_or_default());
        // With a step left out nothing is timed.
        row.push(if run.without.is_empty() { ms(run.rest_us_p50) } else { String::new() });
        row.push(if run.engine.is_empty() { String::new() } else { run.engine.clone() });
        rows.push(row);
    }
    for (_, of_ranker) in by_ranker(runs) {
        let name = of_ranker.first().map_or_else(String::new, |run| run.ranker_name());
        let mut row = vec!["macro mean".to_owned(), name, String::new(), String::new()];
        row.extend(figures(&macro_mean(&of_ranker)));
        rows.push(row);
    }
    output::table(&header, &(2..header.len() - 1).collect::<Vec<_>>(), rows);
}

/// A ranker, with the step it left out.
type Name<'a> = (&'a str, &'a str);

/// Runs of each ranker, rankers in the order of their first run.
fn by_ranker(runs: &[Run]) -> Vec<(Name<'_>, Vec<&Run>)> {
    let mut all: Vec<(Name<'_>, Vec<&Run>)> = Vec::new();
    for run in runs {
        let name = (run.ranker.as_str(), run.without.as_str());
        match all.iter_mut().find(|(known, _)| *known == name) {
            Some((_, of_ranker)) => of_ranker.push(run),
            None => all.push((name, vec![run])),
        }
    }
    all
}

/// Each set has equal weight.
fn macro_mean(runs: &[&Run]) -> Means {
    Means::of(runs.iter().map(|run| Means::of(run.scores()).0))
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
