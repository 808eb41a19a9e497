//! Recall against the number of tools to choose from.

use std::fmt::Write;

use super::plot::{Axis, Frame, Plot, STYLES, figure, legend};
use super::text::{count, empty, escape, share, tick, whole};
use super::view::View;
use crate::eval::results::Run;

/// Rows of names above the points.
const ROWS: usize = 5;
/// Height of a row of names and width of a letter, in user units.
const ROW: f64 = 15.0;
const LETTER: f64 = 6.4;

struct Point {
    set: String,
    ranker: usize,
    tools: f64,
    distractors: usize,
    recall: f64,
}

pub(super) fn section(view: &View<'_>) -> String {
    let mut points: Vec<Point> = Vec::new();
    for run in view.results.runs.iter().filter(|run| run.without.is_empty() && !run.queries.is_empty() && 0 < run.tools) {
        if let Some(ranker) = view.rankers.iter().position(|name| *name == run.ranker) {
            points.push(Point {
                set: run.set_name(),
                ranker,
                tools: run.tools as f64,
                distractors: run.distractors,
                recall: recall(run),
            });
        }
    }
    if points.is_empty() {
        return empty("No set was evaluated with a whole ranker, so there are no sizes to draw.");
    }
    points.sort_by(|a, b| a.tools.total_cmp(&b.tools));
    let several =
        points.iter().any(|p| points.iter().any(|q| (&p.set, p.ranker) == (&q.set, q.ranker) && p.distractors != q.distractors));
    let mut out = legend(view.rankers.iter().copied());
    let mut caption = String::from(
        "One column of points for each set and catalogue. Sets differ in more than size, so this is no curve of one thing: \
         look at how far the rankers are apart from left to right. The upright axis begins where the points do.",
    );
    caption.push_str(if several {
        " Lines join one set at several sizes, with distractors added: there only the size changes."
    } else {
        " No set occurs at several sizes: evaluate it again with <code>--distractors</code> to see what size alone does."
    });
    out.push_str(&figure(&drawing(view, &points), &caption));
    out.push_str(&table(view, &points));
    out
}

fn recall(run: &Run) -> f64 {
    run.queries.iter().map(|asked| asked.recall(5)).sum::<f64>() / run.queries.len().max(1) as f64
}

fn drawing(view: &View<'_>, points: &[Point]) -> String {
    let tools: Vec<f64> = points.iter().map(|point| point.tools).collect();
    let x = Axis::decades("tools to choose from (logarithmic)", &tools, whole);
    let names = names(points);
    let head = 8.0 + ROW * names.iter().map(|name| name.1 + 1).max().unwrap_or(0) as f64;
    let frame = Frame { top: head + 6.0, height: Frame::WIDE.height + head, ..Frame::WIDE };
    // Points and not bars, so the axis may begin where they do.
    let lowest = points.iter().map(|point| point.recall).fold(1.0, f64::min);
    let floor = ((lowest - 0.04) * 10.0).floor().max(0.0) / 10.0;
    let mut plot = Plot::new(frame, x, Axis::linear("recall@5", floor, 1.0, 5, tick));
    for (i, row, left) in &names {
        let point = &points[*i];
        let highest = points.iter().filter(|p| p.tools == point.tools).map(|p| p.recall).fold(0.0, f64::max);
        let (x, top) = plot.at(point.tools, highest);
        let y = 12.0 + ROW * *row as f64;
        plot.stroke("leader", (x, y + 4.0), (x, top - 7.0));
        plot.words("name", (*left, y), "start", &point.set);
    }
    for ranker in (0..view.rankers.len()).rev() {
        let own: Vec<&Point> = points.iter().filter(|p| p.ranker == ranker).collect();
        let mut joined: Vec<&str> = Vec::new();
        for point in &own {
            let same: Vec<&&Point> = own.iter().filter(|p| p.set == point.set).collect();
            if 1 < same.len() && !joined.contains(&point.set.as_str()) {
                joined.push(&point.set);
                plot.line(&format!("thin s{}", ranker % STYLES), same.iter().map(|p| (p.tools, p.recall)), &point.set);
            }
        }
        for point in own {
            let title = format!(
                "{}, {}: {} tools, recall@5 {}",
                point.set,
                view.rankers[ranker],
                whole(point.tools),
                share(point.recall)
            );
            plot.dot(ranker, point.tools, point.recall, &title);
        }
    }
    plot.finish("recall at 5 against the number of tools, one point for each set and ranker")
}

/// Names that fit: the point, the row, and where the name begins. A set is named once, at its smallest size.
fn names(points: &[Point]) -> Vec<(usize, usize, f64)> {
    let tools: Vec<f64> = points.iter().map(|point| point.tools).collect();
    let plot = Plot::new(Frame::WIDE, Axis::decades("", &tools, whole), Axis::share("", 1.0, 5));
    let mut taken: [Vec<(f64, f64)>; ROWS] = std::array::from_fn(|_| Vec::new());
    let mut named: Vec<&str> = Vec::new();
    let mut out = Vec::new();
    for (i, point) in points.iter().enumerate() {
        if named.contains(&point.set.as_str()) {
            continue;
        }
        named.push(&point.set);
        let width = LETTER * point.set.chars().count() as f64;
        let (x, _) = plot.at(point.tools, 0.0);
        let left = (x - width / 2.0).clamp(0.0, (Frame::WIDE.width - width).max(0.0));
        let fits = |row: &Vec<(f64, f64)>| row.iter().all(|(from, to)| left + width + 8.0 < *from || *to + 8.0 < left);
        if let Some(row) = (0..ROWS).find(|row| fits(&taken[*row])) {
            taken[row].push((left, left + width));
            out.push((i, row, left));
        }
    }
    out
}

fn table(view: &View<'_>, points: &[Point]) -> String {
    let mut out = String::from("<details><summary>The points in figures</summary>\n<div class=\"scroll\"><table><thead><tr>");
    out.push_str("<th scope=\"col\">set</th><th scope=\"col\">ranker</th><th scope=\"col\" class=\"num\">tools</th>");
    out.push_str("<th scope=\"col\" class=\"num\">of them distractors</th><th scope=\"col\" class=\"num\">recall@5</th></tr></thead><tbody>\n");
    for point in points {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td>{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td><td class=\"num\">{}</td></tr>",
            escape(&point.set),
            escape(view.rankers[point.ranker]),
            whole(point.tools),
            count(point.distractors),
            share(point.recall)
        );
    }
    out.push_str("</tbody></table></div></details>\n");
    out
}
