//! Whether a confidence of .8 means eight times in ten.

use std::fmt::Write;

use super::plot::{Axis, Frame, Plot, figure};
use super::text::{count, empty, escape, many, share};
use super::view::{ROUTER, View};
use crate::eval::confidence::{BINS, Bin, Calibration};
use crate::eval::results::Asked;

/// The tallest bar of counts takes this share of the plot's height.
const BARS: f64 = 0.22;

pub(super) fn section(view: &View<'_>) -> String {
    let runs =
        || view.sets.iter().flat_map(|set| &set.entries).flatten().map(|entry| entry.run).filter(|run| run.ranker == ROUTER);
    let Some(all) = Calibration::of(runs().flat_map(|run| &run.queries)) else {
        return empty("No run of the router has a confidence: nothing is calibrated for this model.");
    };
    let caption = format!(
        "Dots: how often a needed tool was in the first 5 (hit@5) among requests of that confidence, with the 95 % interval (Wilson). \
         On the diagonal the router keeps its word; below it promises too much. Bars: requests in each of {BINS} bins. \
         All {} with a confidence; expected calibration error (distance from the diagonal, mean over requests) <b>{}</b>.",
        many(all.queries, "request"),
        share(all.ece)
    );
    let mut out = figure(&diagram(&all), &caption);
    out.push_str(
        "<div class=\"scroll\"><table><thead><tr><th scope=\"col\">set</th><th scope=\"col\" class=\"num\">requests</th>",
    );
    out.push_str("<th scope=\"col\" class=\"num\">mean confidence</th><th scope=\"col\" class=\"num\">hit@5</th>");
    out.push_str("<th scope=\"col\" class=\"num\">ECE</th></tr></thead><tbody>\n");
    for run in runs() {
        if let Some(found) = Calibration::of(&run.queries) {
            line(&mut out, &escape(&run.set_name()), &found, run.queries.iter());
        }
    }
    line(&mut out, "all", &all, runs().flat_map(|run| &run.queries));
    out.push_str("</tbody></table></div>\n<p class=\"note\">ECE of a small set is high by chance alone: with few requests in a bin its share is rarely near its confidence.</p>\n");
    out.push_str(&bins(&all));
    out
}

fn line<'a>(out: &mut String, name: &str, found: &Calibration, queries: impl Iterator<Item = &'a Asked>) {
    let (mut sure, mut hit) = (0.0, 0.0);
    for asked in queries.filter(|asked| asked.confidence.is_some()) {
        sure += asked.confidence.map_or(0.0, f64::from);
        hit += asked.scores().hit_5;
    }
    let n = found.queries.max(1) as f64;
    let _ = writeln!(
        out,
        "<tr><th scope=\"row\">{name}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
        count(found.queries),
        share(sure / n),
        share(hit / n),
        share(found.ece)
    );
}

fn diagram(all: &Calibration) -> String {
    let x = Axis::share("confidence of the router", 1.0, 5);
    let mut plot = Plot::new(Frame::WIDE, x, Axis::share("hit@5", 1.0, 5));
    let most = all.bins.iter().map(|bin| bin.queries).max().unwrap_or(1).max(1) as f64;
    for (i, bin) in all.bins.iter().enumerate().filter(|(_, bin)| 0 < bin.queries) {
        let (low, high) = (i as f64 / BINS as f64, (i + 1) as f64 / BINS as f64);
        let height = BARS * bin.queries as f64 / most;
        let (from, to) = (plot.at(low, 0.0), plot.at(high, height));
        plot.bar("counts", (from.0 + 1.0, from.1), (to.0 - 1.0, to.1), &many(bin.queries, "request"));
        plot.words("tiny", ((from.0 + to.0) / 2.0, to.1 - 4.0), "middle", &count(bin.queries));
    }
    plot.line("reference", [(0.0, 0.0), (1.0, 1.0)], "confidence and hit rate are the same");
    let filled = || all.bins.iter().filter(|bin| 0 < bin.queries);
    plot.line("s0", filled().map(|bin| (bin.confidence, bin.hit)), "");
    for bin in filled() {
        let (low, high) = wilson(bin);
        let (from, to) = (plot.at(bin.confidence, low), plot.at(bin.confidence, high));
        plot.stroke("whisker s0", from, to);
        let title = format!("confidence {}: hit@5 {} of {}", share(bin.confidence), share(bin.hit), many(bin.queries, "request"));
        plot.dot(0, bin.confidence, bin.hit, &title);
    }
    plot.finish("reliability diagram: hit rate by confidence, with the number of requests in each bin")
}

/// The 95 % interval of a share (Wilson): it stays within `[0, 1]` and has a width where the share is 0 or 1.
fn wilson(bin: &Bin) -> (f64, f64) {
    let (z, n) = (1.96_f64, bin.queries as f64);
    let middle = (bin.hit + z * z / (2.0 * n)) / (1.0 + z * z / n);
    let half = z / (1.0 + z * z / n) * (bin.hit * (1.0 - bin.hit) / n + z * z / (4.0 * n * n)).sqrt();
    ((middle - half).max(0.0), (middle + half).min(1.0))
}

fn bins(all: &Calibration) -> String {
    let mut out = String::from("<details><summary>The diagram in figures</summary>\n<div class=\"scroll\"><table><thead><tr>");
    out.push_str("<th scope=\"col\">confidence</th><th scope=\"col\" class=\"num\">requests</th><th scope=\"col\" class=\"num\">mean confidence</th>");
    out.push_str("<th scope=\"col\" class=\"num\">hit@5</th></tr></thead><tbody>\n");
    for (i, bin) in all.bins.iter().enumerate() {
        let (low, high) = (share(i as f64 / BINS as f64), share((i + 1) as f64 / BINS as f64));
        let value = |x: f64| if bin.queries == 0 { "–".to_owned() } else { share(x) };
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{low} to {high}</th><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            count(bin.queries),
            value(bin.confidence),
            value(bin.hit)
        );
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_of_a_share_is_wilsons() {
        let check = |hit, queries, expected: (f64, f64)| {
            let found = wilson(&Bin { queries, confidence: 0.0, hit });
            assert!((found.0 - expected.0).abs() < 5e-4 && (found.1 - expected.1).abs() < 5e-4, "{found:?}");
        };
        check(0.5, 100, (0.4038, 0.5962));
        check(0.0, 10, (0.0, 0.2775));
        check(1.0, 10, (0.7225, 1.0));
    }
}
