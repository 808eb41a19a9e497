//! The results as one page: a file that opens anywhere, needs nothing from outside, and can be sent, printed and kept.
//!
//! HTML by hand instead of a template engine: the page is tables and drawings, both made by code anyway. The page's own policy forbids
//! scripts and everything from outside, so that a query or a tool's name that slipped past the escaping would still do nothing.

mod ablations;
mod abstention;
mod calibration;
mod depth;
mod growth;
mod headline;
mod plot;
#[cfg(test)]
mod samples;
mod sets;
mod size;
mod text;
mod view;
mod worst;

use std::fmt::Write;

pub use self::growth::GrowthRow;
use self::text::{count, escape};
use self::view::View;
use super::bootstrap::Draws;
use super::results::Results;

const STYLE: &str = include_str!("style.css");
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// The page. A section without data says why it is empty.
#[must_use]
pub fn html(results: &Results, growth: Option<&[GrowthRow]>) -> String {
    let view = View::of(results);
    let sections = [
        ("summary", "Summary", headline::section(&view)),
        ("sets", "Set by set", sets::section(&view)),
        ("depth", "Recall by depth", depth::section(&view)),
        ("calibration", "Calibration", calibration::section(&view)),
        ("abstention", "Saying that nothing fits", abstention::section(&view)),
        ("size", "Recall and catalogue size", size::section(&view)),
        ("ablations", "What each step is worth", ablations::section(&view)),
        ("worst", "Worst requests", worst::section(&view)),
        ("growth", "Growth", growth::section(growth)),
    ];
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n\
         <meta name=\"color-scheme\" content=\"light dark\"/>\n<meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\"/>\n\
         <title>tool-router: evaluation</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n<header>\n<h1>How well the router finds tools</h1>\n"
    );
    let _ = writeln!(out, "<p class=\"about\">model {}</p>\n<nav aria-label=\"sections\"><ul>", escape(&results.model));
    for (id, title, _) in &sections {
        let _ = writeln!(out, "<li><a href=\"#{id}\">{title}</a></li>");
    }
    out.push_str("</ul></nav>\n</header>\n<main>\n");
    for complaint in &view.complaints {
        let _ = writeln!(out, "<p class=\"empty\">left out: {}</p>", escape(complaint));
    }
    for (id, title, content) in &sections {
        let _ = writeln!(out, "<section id=\"{id}\">\n<h2>{title}</h2>\n{content}</section>");
    }
    let draws = Draws::default();
    let _ = writeln!(
        out,
        "</main>\n<footer><p>tool-router {}, results of format {}. Intervals: percentile bootstrap over queries, {} resamples, seed {}; \
         fewer than {} queries are never called a difference. A set at several sizes counts where it has the fewest distractors.</p></footer>\n</body>\n</html>",
        env!("CARGO_PKG_VERSION"),
        results.format,
        count(draws.resamples),
        draws.seed,
        super::bootstrap::FEWEST,
    );
    out
}
