//! Every set with every ranker.

use std::fmt::Write;

use super::headline::MEANINGS;
use super::text::{count, empty, escape, interval, share, signed, signed_interval, whole};
use super::view::{Set, View};
use crate::eval::bootstrap::Interval;
use crate::eval::compare::MEASURES;

pub(super) fn section(view: &View<'_>) -> String {
    if view.sets.is_empty() {
        return empty("No set was evaluated with a whole ranker.");
    }
    let mut out = String::from(
        "<div class=\"scroll\"><table class=\"sets\"><thead><tr><th rowspan=\"2\" scope=\"col\" class=\"stay\">set</th>",
    );
    for (name, meaning) in MEASURES.iter().zip(MEANINGS) {
        let _ = write!(
            out,
            "<th colspan=\"{}\" scope=\"colgroup\" class=\"group\" title=\"{meaning}\">{name}</th>",
            view.rankers.len()
        );
    }
    out.push_str("</tr><tr>");
    for _ in MEASURES {
        for (i, ranker) in view.rankers.iter().enumerate() {
            let _ = write!(out, "<th scope=\"col\" class=\"num{}\">{}</th>", if i == 0 { " group" } else { "" }, escape(ranker));
        }
    }
    out.push_str("</tr></thead><tbody>\n");
    for set in &view.sets {
        row(&mut out, view, set);
    }
    let shared = view.shared().count();
    if 0 < shared {
        let _ = write!(
            out,
            "<tr class=\"mean\"><th scope=\"row\" class=\"stay\">macro mean<small>{} of {} sets</small></th>",
            shared,
            view.sets.len()
        );
        let leads = view.router().map(|(router, baselines)| (router, best_difference(view, router, &baselines)));
        for measure in 0..MEASURES.len() {
            let means: Vec<Option<Interval>> = view.macros.iter().map(|means| means.map(|means| means[measure])).collect();
            let lead = leads.as_ref().map(|(router, leads)| (*router, leads[measure]));
            cells(&mut out, &means, lead);
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n<p class=\"note\"><b>Bold</b>: the best mean of the row. ");
    out.push_str("<span class=\"ahead\">▲</span> / <span class=\"behind\">▼</span>: the router is ahead of / behind the better of the baselines by more than chance, ");
    out.push_str("that is, the 95 % interval of the difference, paired query by query, excludes 0. In brackets: 95 % interval of the mean.</p>\n");
    out.push_str(&costs(view));
    out
}

/// The router's macro lead by measure, over the baseline with the best macro mean.
fn best_difference(view: &View<'_>, router: usize, baselines: &[usize]) -> [Option<Interval>; 3] {
    [0, 1, 2].map(|measure| {
        let mean = |i: &usize| Some((*i, view.macros.get(*i)?.as_ref()?[measure].mean));
        let (best, _) = baselines.iter().filter_map(mean).max_by(|a, b| a.1.total_cmp(&b.1))?;
        Some(view.difference(router, best)?[measure])
    })
}

fn row(out: &mut String, view: &View<'_>, set: &Set<'_>) {
    let more = if set.distractors == 0 { String::new() } else { format!(", {} of them distractors", count(set.distractors)) };
    let _ = write!(
        out,
        "<tr><th scope=\"row\" class=\"stay\">{}<small>{} tools{more}, {} queries</small></th>",
        escape(&set.name),
        count(set.tools),
        count(set.queries)
    );
    for measure in 0..MEASURES.len() {
        let means: Vec<Option<Interval>> =
            set.entries.iter().map(|entry| entry.as_ref().map(|entry| entry.measures[measure])).collect();
        let lead = view.router().map(|(router, baselines)| (router, set.lead(router, &baselines, measure)));
        cells(out, &means, lead);
    }
    out.push_str("</tr>\n");
}

/// The rankers' cells of one measure; `lead` is the router's place with its lead.
fn cells(out: &mut String, means: &[Option<Interval>], lead: Option<(usize, Option<Interval>)>) {
    for (i, mean) in means.iter().enumerate() {
        let group = if i == 0 { " group" } else { "" };
        let Some(mean) = mean else {
            let _ = write!(out, "<td class=\"num{group}\"><span class=\"none\" title=\"not run\">–</span></td>");
            continue;
        };
        let best = means.iter().flatten().all(|other| other.mean <= mean.mean);
        let mark = match lead {
            Some((router, Some(lead))) if router == i && lead.significant() => {
                let (class, sign, word) = if 0.0 < lead.mean { ("ahead", "▲", "ahead") } else { ("behind", "▼", "behind") };
                let how = format!("{word} by {} {}", signed(lead.mean), signed_interval(&lead));
                format!("<span class=\"{class}\" title=\"{how}\" role=\"img\" aria-label=\"{how}\">{sign}</span>")
            }
            Some(_) | None => String::new(),
        };
        let best = if best { " best" } else { "" };
        let _ = write!(
            out,
            "<td class=\"num{group}{best}\">{mark}<span>{}</span><small>{}</small></td>",
            share(mean.mean),
            interval(mean)
        );
    }
}

/// Tokens and time: not what the table is about, and asked for next.
fn costs(view: &View<'_>) -> String {
    let mut out =
        String::from("<details><summary>Tokens and time of each run</summary>\n<div class=\"scroll\"><table><thead><tr>");
    out.push_str(
        "<th scope=\"col\">set</th><th scope=\"col\">ranker</th><th scope=\"col\" class=\"num\">tokens of a list, mean</th>",
    );
    out.push_str("<th scope=\"col\" class=\"num\">embedding, p50 ms</th><th scope=\"col\" class=\"num\">the rest, p50 ms</th><th scope=\"col\">vectors by</th></tr></thead><tbody>\n");
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "<span class=\"none\">–</span>".to_owned());
    let ms = |us: f64| format!("{:.2}", us / 1e3);
    for entry in view.sets.iter().flat_map(|set| &set.entries).flatten() {
        let run = entry.run;
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td>{}</td></tr>",
            escape(&run.set_name()),
            escape(&run.ranker),
            or_none(run.tokens_mean.map(whole)),
            or_none(run.embed_us_p50.map(ms)),
            ms(run.rest_us_p50),
            or_none((!run.engine.is_empty()).then(|| escape(&run.engine))),
        );
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}
