//! What came out, in a few sentences and one small table.

use std::fmt::Write;

use super::text::{count, empty, escape, interval, listed, many, share, signed, signed_interval};
use super::view::View;
use crate::eval::compare::MEASURES;

/// What each of [`MEASURES`] is, in words.
pub(super) const MEANINGS: [&str; 3] = [
    "share of the needed tools that is in the first 5",
    "how early the needed tools stand in the first 10; 1 is best",
    "share of requests with every needed tool in the first 10",
];

pub(super) fn section(view: &View<'_>) -> String {
    let shared = view.shared().count();
    if shared == 0 {
        return empty(match view.sets.len() {
            0 => "There are no runs to report: the results hold none of a whole ranker.",
            _ => {
                "There is no set that every ranker was run on, so there are no means to set beside each other; the next section has each set."
            }
        });
    }
    let mut out = sentences(view, shared);
    out.push_str("<div class=\"scroll\"><table class=\"headline\"><thead><tr><th scope=\"col\">macro mean</th>");
    for name in MEASURES {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{name}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for (ranker, means) in view.rankers.iter().zip(&view.macros) {
        let Some(means) = means else { continue };
        let _ = write!(out, "<tr><th scope=\"row\">{}</th>", escape(ranker));
        for (i, mean) in means.iter().enumerate() {
            let best = view.macros.iter().flatten().all(|other| other[i].mean <= mean.mean);
            let class = if best { "num best" } else { "num" };
            let _ = write!(out, "<td class=\"{class}\"><span>{}</span> <small>{}</small></td>", share(mean.mean), interval(mean));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n<p class=\"note\">");
    for (name, meaning) in MEASURES.iter().zip(MEANINGS) {
        let _ = write!(out, "<b>{name}</b>: {meaning}. ");
    }
    out.push_str("Macro mean: each set has equal weight. In brackets: 95 % interval, queries resampled within each set.</p>\n");
    out
}

fn sentences(view: &View<'_>, shared: usize) -> String {
    let queries = view.shared().map(|set| set.queries).sum();
    let over = format!("Over {} and {} requests", many(shared, "set"), count(queries));
    let Some((router, baselines)) = view.router() else {
        return format!(
            "<p class=\"lead\">{over}. The router was not among the rankers: add <code>--ranker router</code>.</p>\n"
        );
    };
    let Some(means) = view.macros.get(router).and_then(Option::as_ref) else { return String::new() };
    let mut out = format!(
        "<p class=\"lead\">{over}, the router puts <b>{}</b> of the tools that a request needs into the first five places",
        share(means[0].mean)
    );
    if baselines.is_empty() {
        out.push_str(". No baseline was run beside it: add <code>--ranker cosine --ranker bm25</code>.</p>\n");
        return out;
    }
    let against: Vec<String> = baselines
        .iter()
        .filter_map(|baseline| {
            let [recall, ..] = view.difference(router, *baseline)?;
            let name = escape(view.rankers[*baseline]);
            let size = share(recall.mean.abs());
            Some(if !recall.significant() {
                format!(
                    "no more and no less than {name} as far as can be told ({} {})",
                    signed(recall.mean),
                    signed_interval(&recall)
                )
            } else if 0.0 < recall.mean {
                format!("<b>{size} more</b> than {name} {}", signed_interval(&recall))
            } else {
                format!("<b>{size} less</b> than {name} {}", signed_interval(&recall))
            })
        })
        .collect();
    let _ = writeln!(out, "{}{}.</p>", if against.is_empty() { "" } else { ": " }, listed(&against));
    out.push_str("<p>Set by set, against the better of the baselines: ");
    let leads: Vec<String> = MEASURES
        .iter()
        .enumerate()
        .map(|(measure, name)| {
            let leads: Vec<_> = view.shared().filter_map(|set| set.lead(router, &baselines, measure)).collect();
            let ahead = leads.iter().filter(|lead| lead.significant() && 0.0 < lead.mean).count();
            let behind = leads.iter().filter(|lead| lead.significant() && lead.mean < 0.0).count();
            let open = leads.len() - ahead - behind;
            format!("by {name} ahead on {ahead}, behind on {behind}, within chance on {open}")
        })
        .collect();
    let _ = writeln!(out, "{}.</p>", leads.join("; "));
    out
}
