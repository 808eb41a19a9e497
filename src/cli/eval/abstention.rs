//! What saying "nothing fits" saves and costs, as a table or as JSON lines.

use crate::cli::output;
use crate::eval::results::Abstention;

/// One line for each pair of splits, with both thresholds of `ranking.no_match`.
pub(super) fn json(one: &Abstention) -> String {
    let thresholds: Vec<serde_json::Value> = one
        .thresholds()
        .map(|(word, threshold)| {
            let there = one.at(threshold);
            serde_json::json!({ "no_match": word, "threshold": threshold, "abstained": there.abstained, "recall_5_lost": there.lost })
        })
        .collect();
    serde_json::json!({
        "set": one.set, "none": one.none_split, "some": one.some_split, "auroc": one.auroc(), "thresholds": thresholds,
    })
    .to_string()
}

/// The table; nothing where no requests that need no tool were asked for.
pub(super) fn print(abstentions: &[Abstention]) {
    if abstentions.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for one in abstentions {
        for (word, threshold) in one.thresholds() {
            let there = one.at(threshold);
            rows.push(vec![
                one.set.clone(),
                format!("{} against {}", one.none_split, if one.some_split.is_empty() { "all" } else { &one.some_split }),
                one.auroc().map_or_else(String::new, |auroc| format!("{auroc:.3}")),
                word.to_owned(),
                format!("{threshold:.3}"),
                format!("{:.3}", there.abstained),
                format!("{:.3}", there.lost),
            ]);
        }
    }
    output::line("\nRequests that need no tool");
    output::table(&["set", "splits", "AUROC", "no_match", "below", "rightly abstained", "R@5 lost"], &[2, 4, 5, 6], rows);
}
