//! Recall by how far down the list one looks.

use super::plot::{Axis, Frame, Plot, STYLES, figure, legend, small};
use super::text::{empty, many, share, whole};
use super::view::{View, recall_by_depth};
use crate::eval::results::KEPT;

const TICKS: [f64; 6] = [1.0, 2.0, 5.0, 10.0, 20.0, 50.0];

pub(super) fn section(view: &View<'_>) -> String {
    if view.sets.is_empty() {
        return empty("No set was evaluated with a whole ranker, so there are no places to draw.");
    }
    let mut out = legend(view.rankers.iter().copied());
    let shared = view.shared().count();
    if 0 < shared {
        let mut plot = plot(Frame::WIDE, 5);
        for ranker in (0..view.rankers.len()).rev() {
            let mut mean = vec![0.0; KEPT];
            for entry in view.shared().filter_map(|set| set.entries[ranker].as_ref()) {
                for (sum, recall) in mean.iter_mut().zip(recall_by_depth(entry.run, KEPT)) {
                    *sum += recall / shared as f64;
                }
            }
            draw(&mut plot, view.rankers[ranker], ranker, &mean, true);
        }
        let caption = format!(
            "Share of the needed tools in the first <i>k</i> of the list, macro mean over {}. Higher is better; \
             a curve that rises late has the right tools, but low down. Logarithmic, so that the first places can be told apart.",
            many(shared, "set")
        );
        out.push_str(&figure(&plot.finish("recall at k, macro mean, one line for each ranker"), &caption));
    } else {
        out.push_str(&empty("No set was run with every ranker, so there is no mean curve; each set is below."));
    }
    let mut cells = String::new();
    for set in &view.sets {
        let mut plot = plot(Frame::SMALL, 2);
        for (ranker, entry) in set.entries.iter().enumerate().rev() {
            if let Some(entry) = entry {
                draw(&mut plot, view.rankers[ranker], ranker, &recall_by_depth(entry.run, KEPT), false);
            }
        }
        cells.push_str(&small(&set.name, &plot.finish(&format!("recall at k on {}", set.name))));
    }
    let caption = "The same for each set. All plots share one scale.";
    out.push_str(&figure(&format!("<div class=\"cells\">\n{cells}</div>\n"), caption));
    out
}

fn plot(frame: Frame, ticks: usize) -> Plot {
    let small = ticks < 4;
    let y = Axis::share(if small { "recall" } else { "recall@k" }, 1.0, ticks);
    let within: &[f64] = if small { &[1.0, 5.0, 50.0] } else { &TICKS };
    Plot::new(frame, Axis::log(if small { "k" } else { "k, tools from the top of the list" }, 1.0, KEPT as f64, within, whole), y)
}

fn draw(plot: &mut Plot, name: &str, ranker: usize, recall: &[f64], marked: bool) {
    let points = || recall.iter().zip(1..).map(|(recall, k)| (f64::from(k), *recall));
    plot.line(&format!("s{}", ranker % STYLES), points(), name);
    for (k, recall) in points().filter(|(k, _)| marked && TICKS.contains(k)) {
        plot.dot(ranker, k, recall, &format!("{name}: recall@{k} {}", share(recall)));
    }
}
