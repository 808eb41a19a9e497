//! The requests that went worst, to be looked at: a mean does not say what to mend.

use std::fmt::Write;

use super::text::{empty, escape, many, share};
use super::view::View;
use crate::eval::results::{Case, Run};

pub(super) fn section(view: &View<'_>) -> String {
    let runs: Vec<&Run> = view.results.runs.iter().filter(|run| run.without.is_empty() && !run.worst.is_empty()).collect();
    if runs.is_empty() {
        return empty("No run kept its worst requests; runs of the router do, where a request missed anything.");
    }
    let mut out = String::from(
        "<p class=\"note\">The requests with the lowest nDCG@10 of each set, worst first. <span class=\"needed\">✓</span> marks a tool that was \
         needed; behind each tool stands what its score is made of. Not every one is a mistake of the router: labels are wrong or incomplete, too.</p>\n",
    );
    for run in runs {
        let distractors = if run.distractors == 0 { String::new() } else { format!(" with {} distractors", run.distractors) };
        let _ = writeln!(
            out,
            "<details class=\"worst\"><summary>{}{distractors} <small>{}</small></summary>",
            escape(&run.set_name()),
            many(run.worst.len(), "request")
        );
        for case in &run.worst {
            one(&mut out, run, case);
        }
        out.push_str("</details>\n");
    }
    out
}

fn one(out: &mut String, run: &Run, case: &Case) {
    let ndcg = run.queries.iter().find(|asked| asked.id == case.id).map(|asked| asked.scores().ndcg_10);
    let _ = writeln!(
        out,
        "<article><p class=\"query\" dir=\"auto\">{}</p>\n<p class=\"about\">id {}{}</p>",
        escape(&case.text),
        escape(&case.id),
        ndcg.map_or_else(String::new, |ndcg| format!(", nDCG@10 {}", share(ndcg)))
    );
    let found = |tool: &String| case.returned.iter().position(|returned| returned.tool == *tool);
    out.push_str("<p class=\"wanted\">needed: ");
    for (i, tool) in case.needed.iter().enumerate() {
        let place = found(tool)
            .map_or_else(|| format!("not in the first {}", case.returned.len()), |place| format!("place {}", place + 1));
        let _ = write!(out, "{}<code>{}</code> <small>({place})</small>", if i == 0 { "" } else { ", " }, escape(tool));
    }
    out.push_str("</p>\n");
    if case.returned.is_empty() {
        out.push_str("<p class=\"about\">nothing was returned</p>");
    } else {
        out.push_str("<ol>\n");
        for returned in &case.returned {
            let (class, mark) = if returned.needed {
                (" class=\"hit\"", "<span class=\"needed\" role=\"img\" aria-label=\"needed\">✓</span> ")
            } else {
                ("", "")
            };
            let _ = writeln!(
                out,
                "<li{class}>{mark}<code>{}</code> <small>{}</small></li>",
                escape(&returned.tool),
                escape(&returned.why)
            );
        }
        out.push_str("</ol>\n");
    }
    out.push_str("</article>\n");
}
