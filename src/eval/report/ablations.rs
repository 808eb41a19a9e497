//! What each step of the router is worth: the same router without it.

use std::fmt::Write;

use super::plot::{Axis, Frame, Plot, figure, small};
use super::text::{empty, escape, many, share, signed, signed_interval, tick};
use super::view::{Set, View, entry_of};
use crate::eval::bootstrap::{Interval, Spread};
use crate::eval::compare::MEASURES;

/// Letters of a step's name beside its bar.
const LETTERS: usize = 16;

/// A step left out: by set, then over sets.
struct Step<'a> {
    name: &'a str,
    sets: Vec<(&'a str, [Interval; 3])>,
    mean: [Interval; 3],
}

pub(super) fn section(view: &View<'_>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for run in view.results.runs.iter().filter(|run| !run.without.is_empty()) {
        if !names.contains(&run.without.as_str()) {
            names.push(&run.without);
        }
    }
    if names.is_empty() {
        return empty("No run left a step out: add --ablations.");
    }
    let mut steps: Vec<Step<'_>> = names.iter().filter_map(|name| step(view, name)).collect();
    if steps.is_empty() {
        return empty(
            "Runs left steps out, but on no set is the whole router there to compare them with over the same tools and queries.",
        );
    }
    steps.sort_by(|a, b| a.mean[0].mean.total_cmp(&b.mean[0].mean));
    let cells: String = MEASURES.iter().enumerate().map(|(i, name)| small(name, &bars(&steps, i))).collect();
    let caption = "Change of the macro mean when a step is left out, with the 95 % interval, paired query by query. Left of 0: the router is \
                   worse without the step, so the step earns its place. A bar whose whisker crosses 0 (pale) may be chance.";
    let mut out = figure(&format!("<div class=\"cells middle\">\n{cells}</div>\n"), caption);
    out.push_str(&table(view, &steps));
    out
}

fn step<'a>(view: &'a View<'_>, name: &'a str) -> Option<Step<'a>> {
    let found: Vec<(&Set<'_>, Spread<3>)> = view.sets.iter().filter_map(|set| Some((set, without(view, set, name)?))).collect();
    let mean = Spread::macro_mean(&found.iter().map(|(_, spread)| spread).collect::<Vec<_>>())?.intervals();
    let sets = found.iter().map(|(set, spread)| (set.name.as_str(), spread.intervals())).collect();
    Some(Step { name, sets, mean })
}

/// The run without the step minus the whole one.
fn without(view: &View<'_>, set: &Set<'_>, name: &str) -> Option<Spread<3>> {
    set.entries.iter().flatten().find_map(|whole| {
        let of = whole.run;
        let alike = |run: &&crate::eval::results::Run| {
            run.without == name
                && (&run.set, &run.split, &run.ranker, run.distractors) == (&of.set, &of.split, &of.ranker, of.distractors)
        };
        let run = view.results.runs.iter().find(alike)?;
        entry_of(run).ok()?.sample.minus(&whole.sample).ok()
    })
}

fn bars(steps: &[Step<'_>], measure: usize) -> String {
    let ends = || steps.iter().map(|step| &step.mean[measure]).flat_map(|i| [i.low, i.high, i.mean]);
    // A little air, and never so narrow that rounding looks like an effect.
    let low = ends().fold(-0.01, f64::min) * 1.08;
    let high = ends().fold(0.01, f64::max) * 1.08;
    const ROW: f64 = 26.0;
    let frame = Frame { left: 128.0, height: 12.0 + 52.0 + ROW * steps.len() as f64, bottom: 52.0, ..Frame::MIDDLE };
    let x = Axis::linear(&format!("change of {}", MEASURES[measure]), low, high, 3, tick);
    let mut plot = Plot::new(frame, x, Axis::linear("", 0.0, 1.0, 1, |_| String::new()));
    for (i, step) in steps.iter().enumerate() {
        let change = &step.mean[measure];
        let middle = 12.0 + ROW * (i as f64 + 0.5);
        let at = |x: f64| plot.at(x, 0.0).0;
        let (zero, end, from, to) = (at(0.0), at(change.mean), at(change.low), at(change.high));
        let class = if change.significant() { "bar s0" } else { "bar s0 pale" };
        let title = format!("without {}: {} {}", step.name, signed(change.mean), signed_interval(change));
        plot.bar(class, (zero, middle - 7.0), (end, middle + 7.0), &title);
        plot.stroke("whisker", (from, middle), (to, middle));
        plot.stroke("whisker", (from, middle - 4.0), (from, middle + 4.0));
        plot.stroke("whisker", (to, middle - 4.0), (to, middle + 4.0));
        let name: String = match step.name.char_indices().nth(LETTERS) {
            Some((cut, _)) => format!("{}…", &step.name[..cut]),
            None => step.name.to_owned(),
        };
        plot.words("step", (frame.left - 8.0, middle + 4.0), "end", &name);
    }
    let zero = plot.at(0.0, 0.0);
    plot.stroke("zero", zero, (zero.0, 12.0));
    plot.finish(&format!("change of {} for each step left out", MEASURES[measure]))
}

fn table(view: &View<'_>, steps: &[Step<'_>]) -> String {
    let mut out = String::from(
        "<div class=\"scroll\"><table class=\"sets\"><thead><tr><th scope=\"col\" class=\"stay\">recall@5 without</th>",
    );
    for step in steps {
        let _ = write!(out, "<th scope=\"col\" class=\"num\">{}</th>", escape(step.name));
    }
    out.push_str("</tr></thead><tbody>\n");
    for set in &view.sets {
        let _ = write!(out, "<tr><th scope=\"row\" class=\"stay\">{}</th>", escape(&set.name));
        for step in steps {
            cell(&mut out, step.sets.iter().find(|(name, _)| *name == set.name).map(|(_, change)| &change[0]));
        }
        out.push_str("</tr>\n");
    }
    out.push_str("<tr class=\"mean\"><th scope=\"row\" class=\"stay\">macro mean</th>");
    for step in steps {
        cell(&mut out, Some(&step.mean[0]));
    }
    out.push_str("</tr>\n</tbody></table></div>\n<p class=\"note\">");
    let most = steps.iter().map(|step| step.sets.len()).max().unwrap_or(0);
    let _ = writeln!(
        out,
        "Change against the whole router; its recall@5 is {}. <span class=\"behind\">▼</span> worse, <span class=\"ahead\">▲</span> better \
         without the step, by more than chance. Macro means over the sets that were run without the step, here up to {}.</p>",
        view.macros.first().copied().flatten().map_or_else(|| "in the table above".to_owned(), |means| share(means[0].mean)),
        many(most, "set")
    );
    out
}

fn cell(out: &mut String, change: Option<&Interval>) {
    let Some(change) = change else {
        out.push_str("<td class=\"num\"><span class=\"none\" title=\"not run\">–</span></td>");
        return;
    };
    let mark = match (change.significant(), 0.0 < change.mean) {
        (false, _) => "",
        (true, true) => "<span class=\"ahead\" role=\"img\" aria-label=\"better without\">▲</span>",
        (true, false) => "<span class=\"behind\" role=\"img\" aria-label=\"worse without\">▼</span>",
    };
    let _ = write!(
        out,
        "<td class=\"num\">{mark}<span>{}</span><small>{}</small></td>",
        signed(change.mean),
        signed_interval(change)
    );
}
