//! What a turn costs as tools are added, with and without the router.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use super::plot::{Axis, Frame, Plot, figure, legend, small};
use super::text::{count, empty, share, whole};

/// One size of catalogue: means over its queries.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Serialize)]
pub struct GrowthRow {
    /// Tools in the catalogue.
    pub tools: usize,
    /// Queries asked.
    pub queries: usize,
    /// Tokens of all tools as their publishers wrote them.
    pub tokens_all: f64,
    /// Tokens of the router's list.
    pub tokens_returned: f64,
    /// Share of queries that have all their tools in the list.
    pub complete: f64,
    /// Share of the needed tools that is in the list.
    pub recall: f64,
    /// The same with each tool counted by what the form it is shown in is worth.
    #[serde(default)]
    pub covered: f64,
    /// The same where the answer has a directory too.
    #[serde(default)]
    pub covered_with_directory: f64,
    /// What the router adds to a turn, median, ms.
    pub added_ms_p50: f64,
}

pub(super) fn section(rows: Option<&[GrowthRow]>) -> String {
    let mut rows = rows.unwrap_or_default().to_vec();
    rows.retain(|row| 0 < row.tools && [row.tokens_all, row.tokens_returned, row.added_ms_p50].iter().all(|x| x.is_finite()));
    if rows.is_empty() {
        return empty("Growth was not measured: run eval growth and give its table to the report.");
    }
    rows.sort_by_key(|row| row.tools);
    let tools: Vec<f64> = rows.iter().map(|row| row.tools as f64).collect();
    let x = || Axis::decades("tools (logarithmic)", &tools, whole);
    let series =
        |value: fn(&GrowthRow) -> f64| -> Vec<(f64, f64)> { rows.iter().map(|row| (row.tools as f64, value(row))).collect() };
    let (all, returned) = (series(|row| row.tokens_all), series(|row| row.tokens_returned));
    let tokens: Vec<f64> = all.iter().chain(&returned).map(|point| point.1).collect();
    let mut cost = Plot::new(Frame { left: 78.0, ..Frame::MIDDLE }, x(), Axis::decades("tokens (logarithmic)", &tokens, whole));
    draw(&mut cost, 1, "all tools", &all, whole);
    draw(&mut cost, 0, "the router's list", &returned, whole);
    let mut kept = Plot::new(Frame::MIDDLE, x(), Axis::share("share", 1.0, 5));
    draw(&mut kept, 1, "queries with all their tools", &series(|row| row.complete), share);
    draw(&mut kept, 0, "needed tools in the list", &series(|row| row.recall), share);
    let cells = format!(
        "<div class=\"cells middle\">\n{}{}</div>\n",
        small(
            "Tokens of a turn",
            &format!("{}{}", legend(["the router's list", "all tools"]), cost.finish("tokens against tools"))
        ),
        small(
            "What the list still holds",
            &format!(
                "{}{}",
                legend(["needed tools", "complete queries"]),
                kept.finish("recall and completeness of the list against tools")
            )
        )
    );
    let caption = "Left: tokens of every definition as published beside those of the router's list under its default cap; \
                   the distance is what each turn saves. Right: what the shorter list costs; 1 is nothing. Covered counts each \
                   needed tool by what its form is worth: whole or LEAN 1, SKELETON .9, a SIGNATURE line .6, a NAME line .2.";
    let mut out = figure(&cells, caption);
    out.push_str("<div class=\"scroll\"><table><thead><tr>");
    for (name, class) in [
        ("tools", "num"),
        ("queries", "num"),
        ("tokens, all tools", "num"),
        ("tokens, router", "num"),
        ("saved", "num"),
        ("needed tools in the list", "num"),
        ("complete queries", "num"),
        ("covered", "num"),
        ("covered, with directory", "num"),
        ("added to a turn, p50 ms", "num"),
    ] {
        let _ = write!(out, "<th scope=\"col\" class=\"{class}\">{name}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &rows {
        let saved = if 0.0 < row.tokens_all { share(1.0 - row.tokens_returned / row.tokens_all) } else { "–".to_owned() };
        let cells = [
            count(row.queries),
            whole(row.tokens_all),
            whole(row.tokens_returned),
            saved,
            share(row.recall),
            share(row.complete),
            share(row.covered),
            share(row.covered_with_directory),
            format!("{:.2}", row.added_ms_p50),
        ];
        let _ = write!(out, "<tr><th scope=\"row\" class=\"num\">{}</th>", count(row.tools));
        for cell in cells {
            let _ = write!(out, "<td class=\"num\">{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table></div>\n");
    out
}

fn draw(plot: &mut Plot, style: usize, name: &str, points: &[(f64, f64)], format: fn(f64) -> String) {
    plot.line(&format!("s{style}"), points.iter().copied(), name);
    for (tools, value) in points {
        plot.dot(style, *tools, *value, &format!("{name} of {} tools: {}", whole(*tools), format(*value)));
    }
}
