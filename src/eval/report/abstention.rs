//! What "nothing fits" saves where no tool is needed, and costs where one is.

use std::fmt::Write;

use super::plot::{Axis, Frame, Plot, figure, small};
use super::text::{count, empty, escape, many, share};
use super::view::View;
use crate::eval::results::Abstention;

pub(super) fn section(view: &View<'_>) -> String {
    let usable: Vec<&Abstention> =
        view.results.abstentions.iter().filter(|one| !one.none.is_empty() && !one.some.is_empty()).collect();
    if usable.is_empty() {
        return empty(
            "No requests that need no tool were measured beside requests that do, or nothing is calibrated for this model.",
        );
    }
    let (mut cells, mut rows) = (String::new(), String::new());
    for one in &usable {
        cells.push_str(&small(&name(one), &curve(one)));
        let recall = one.recall();
        for (word, threshold) in one.thresholds() {
            let there = one.at(threshold);
            let _ = writeln!(
                rows,
                "<tr><th scope=\"row\">{}<small>{} that need none, {} that need one</small></th><td class=\"num\">{}</td><td class=\"num\">{}</td>\
                 <td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
                escape(&name(one)),
                many(one.none.len(), "request"),
                count(one.some.len()),
                one.auroc().map(share).unwrap_or_default(),
                format_args!("{} ({word})", share(f64::from(threshold))),
                share(there.abstained),
                share(recall),
                share(recall - there.lost),
            );
        }
    }
    let caption = "Each point of a curve is a threshold: below it the router says that nothing fits. Up: requests that need no tool and \
                   rightly get none. Right: recall@5 that requests which do need one lose. Up and left is better; \
                   the dashed line is what chance would do. The diamonds are the thresholds of ranking.no_match: mild, which is the default, and strict.";
    let mut out = figure(&format!("<div class=\"cells middle\">\n{cells}</div>\n"), caption);
    out.push_str("<div class=\"scroll\"><table><thead><tr><th scope=\"col\">set</th><th scope=\"col\" class=\"num\">AUROC</th>");
    out.push_str("<th scope=\"col\" class=\"num\">threshold</th><th scope=\"col\" class=\"num\">rightly abstained</th>");
    out.push_str("<th scope=\"col\" class=\"num\">recall@5 without it</th><th scope=\"col\" class=\"num\">recall@5 with it</th></tr></thead><tbody>\n");
    out.push_str(&rows);
    out.push_str("</tbody></table></div>\n<p class=\"note\">AUROC: the chance that a request which needs a tool has the higher confidence of the two; ties count half, .500 is chance, 1.000 is perfect.</p>\n");
    out
}

fn name(one: &Abstention) -> String {
    let some = if one.some_split.is_empty() { "all others" } else { &one.some_split };
    format!("{}: {} against {some}", one.set, one.none_split)
}

fn curve(one: &Abstention) -> String {
    let recall = one.recall();
    let x = Axis::share("recall@5 lost", if 0.0 < recall { recall } else { 1.0 }, 4);
    let mut plot = Plot::new(Frame::MIDDLE, x, Axis::share("rightly abstained", 1.0, 5));
    plot.line("reference", [(0.0, 0.0), (recall, 1.0)], "chance");
    plot.line("s0", one.curve().iter().map(|point| (point.lost, point.abstained)), "");
    for (word, threshold) in one.thresholds() {
        let there = one.at(threshold);
        let title = format!(
            "{word}, below {}: {} rightly abstained, {} of recall@5 lost",
            share(f64::from(threshold)),
            share(there.abstained),
            share(there.lost)
        );
        plot.dot(3, there.lost, there.abstained, &title);
    }
    plot.finish(&format!("abstention on {}", name(one)))
}
