//! Plots as inline SVG, drawn here: the page must open from a mail attachment in ten years, without a script and without a server.
//!
//! Colours come from the style sheet by class (`s0`, `s1`, ...), so that dark mode and print are its business; every style differs in dash
//! and marker as well as in colour.

use std::fmt::Write;

use super::text::{escape, tick};

/// Styles there are; further ones repeat.
pub(super) const STYLES: usize = 6;

/// One direction of a plot.
pub(super) struct Axis {
    label: String,
    low: f64,
    high: f64,
    log: bool,
    ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Shares from 0 to `high`, which is at most 1, with about `ticks` ticks.
    pub(super) fn share(label: &str, high: f64, ticks: usize) -> Self {
        Self::linear(label, 0.0, high, ticks, tick)
    }

    /// From `low` to `high` with about `ticks` ticks at round values.
    pub(super) fn linear(label: &str, low: f64, high: f64, ticks: usize, format: fn(f64) -> String) -> Self {
        let high = if low < high { high } else { low + 1.0 };
        let rough = (high - low) / ticks.max(1) as f64;
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|x| x * power).find(|step| rough <= step * 1.001).unwrap_or(rough);
        let first = (low / step - 1e-9).ceil();
        let at = (0..100).map(|i| (first + f64::from(i)) * step).take_while(|x| *x <= high + step * 1e-6);
        Self { label: label.to_owned(), low, high, log: false, ticks: at.map(|x| (x, format(x))).collect() }
    }

    /// Logarithmic from `low` to `high`, both above 0, with ticks at those of `ticks` that lie within.
    pub(super) fn log(label: &str, low: f64, high: f64, ticks: &[f64], format: fn(f64) -> String) -> Self {
        let low = low.max(f64::MIN_POSITIVE);
        let high = if low < high { high } else { low * 10.0 };
        let within = ticks.iter().filter(|x| (low * 0.999..=high * 1.001).contains(*x));
        Self { label: label.to_owned(), low, high, log: true, ticks: within.map(|x| (*x, format(*x))).collect() }
    }

    /// Powers of ten around everything in `values`; every second and fifth too where there are few.
    pub(super) fn decades(label: &str, values: &[f64], format: fn(f64) -> String) -> Self {
        let positive = || values.iter().copied().filter(|x| 0.0 < *x && x.is_finite());
        let low = positive().fold(f64::INFINITY, f64::min);
        let high = positive().fold(0.0, f64::max);
        let (low, high) = if low <= high { (low / 1.4, high * 1.4) } else { (1.0, 10.0) };
        let steps: &[f64] = match (high / low).log10() {
            span if span < 1.5 => &[1.0, 2.0, 3.0, 5.0],
            span if span < 2.2 => &[1.0, 3.0],
            _ => &[1.0],
        };
        let powers = (low.log10().floor() as i32)..=(high.log10().ceil() as i32);
        let ticks: Vec<f64> = powers.flat_map(|power| steps.iter().map(move |step| step * 10_f64.powi(power))).collect();
        Self::log(label, low, high, &ticks, format)
    }

    /// In `[0, 1]` along the axis.
    fn place(&self, x: f64) -> f64 {
        let place = if self.log {
            (x.max(f64::MIN_POSITIVE) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (x - self.low) / (self.high - self.low)
        };
        place.clamp(0.0, 1.0)
    }
}

/// A plot's frame: size of the drawing and its margins, in user units.
#[derive(Clone, Copy)]
pub(super) struct Frame {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    /// A class of the style sheet.
    pub(super) class: &'static str,
}

impl Frame {
    /// One plot to a row.
    pub(super) const WIDE: Self = Self { width: 620.0, height: 380.0, left: 66.0, top: 14.0, bottom: 54.0, class: "plot wide" };
    /// Two or three to a row.
    pub(super) const MIDDLE: Self =
        Self { width: 400.0, height: 300.0, left: 62.0, top: 12.0, bottom: 48.0, class: "plot middle" };
    /// Many to a row.
    pub(super) const SMALL: Self = Self { width: 250.0, height: 170.0, left: 46.0, top: 8.0, bottom: 42.0, class: "plot small" };
    const RIGHT: f64 = 16.0;
}

/// A plot that is being drawn.
pub(super) struct Plot {
    frame: Frame,
    x: Axis,
    y: Axis,
    body: String,
}

impl Plot {
    pub(super) fn new(frame: Frame, x: Axis, y: Axis) -> Self {
        Self { frame, x, y, body: String::new() }
    }

    /// Where a value is drawn.
    pub(super) fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let Frame { width, height, left, top, bottom, .. } = self.frame;
        let across = left + self.x.place(x) * (width - left - Frame::RIGHT);
        (across, height - bottom - self.y.place(y) * (height - top - bottom))
    }

    /// A line through `points`; what falls on one tenth of a unit is drawn once.
    pub(super) fn line(&mut self, class: &str, points: impl IntoIterator<Item = (f64, f64)>, title: &str) {
        let mut path = String::new();
        let mut last = String::new();
        for (x, y) in points {
            let (x, y) = self.at(x, y);
            let next = format!("{x:.1} {y:.1}");
            if next != last {
                path.push(if path.is_empty() { 'M' } else { 'L' });
                path.push_str(&next);
                last = next;
            }
        }
        let _ = writeln!(self.body, "<path class=\"line {class}\" d=\"{path}\">{}</path>", titled(title));
    }

    /// A marker in the shape of `style`.
    pub(super) fn dot(&mut self, style: usize, x: f64, y: f64, title: &str) {
        let (x, y) = self.at(x, y);
        let _ = writeln!(self.body, "{}", marker(style, x, y, title));
    }

    /// A straight line between two drawn places.
    pub(super) fn stroke(&mut self, class: &str, from: (f64, f64), to: (f64, f64)) {
        let ((a, b), (c, d)) = (from, to);
        let _ = writeln!(self.body, "<path class=\"{class}\" d=\"M{a:.1} {b:.1}L{c:.1} {d:.1}\"/>");
    }

    /// A box between two drawn places.
    pub(super) fn bar(&mut self, class: &str, from: (f64, f64), to: (f64, f64), title: &str) {
        let (x, y) = (from.0.min(to.0), from.1.min(to.1));
        let (width, height) = ((from.0 - to.0).abs(), (from.1 - to.1).abs());
        let _ = writeln!(
            self.body,
            "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\">{}</rect>",
            titled(title)
        );
    }

    /// Words at a drawn place; `anchor` is SVG's `start`, `middle` or `end`.
    pub(super) fn words(&mut self, class: &str, (x, y): (f64, f64), anchor: &str, text: &str) {
        let _ = writeln!(
            self.body,
            "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{}</text>",
            escape(text)
        );
    }

    /// The drawing; `about` is for those who do not see it.
    pub(super) fn finish(self, about: &str) -> String {
        let Frame { width, height, left, top, bottom, class } = self.frame;
        let (right, floor) = (width - Frame::RIGHT, height - bottom);
        let mut out =
            format!("<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{}\">\n", escape(about));
        for (value, words) in &self.y.ticks {
            let (_, y) = self.at(self.x.low, *value);
            let _ = writeln!(out, "<path class=\"grid\" d=\"M{left} {y:.1}H{right}\"/>");
            let _ = writeln!(
                out,
                "<text x=\"{:.1}\" y=\"{:.1}\" dy=\".35em\" text-anchor=\"end\">{}</text>",
                left - 8.0,
                y,
                escape(words)
            );
        }
        for (value, words) in &self.x.ticks {
            let (x, _) = self.at(*value, self.y.low);
            let _ = writeln!(out, "<path class=\"grid\" d=\"M{x:.1} {top}V{floor}\"/>");
            let _ = writeln!(
                out,
                "<text x=\"{x:.1}\" y=\"{:.1}\" dy=\"1.25em\" text-anchor=\"middle\">{}</text>",
                floor,
                escape(words)
            );
        }
        let _ = writeln!(out, "<path class=\"axis\" d=\"M{left} {top}V{floor}H{right}\"/>");
        let (middle, height_of) = ((left + right) / 2.0, (top + floor) / 2.0);
        let _ = writeln!(
            out,
            "<text class=\"label\" x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
            height - 6.0,
            escape(&self.x.label)
        );
        let _ = writeln!(
            out,
            "<text class=\"label\" transform=\"translate(11 {height_of:.1}) rotate(-90)\" text-anchor=\"middle\">{}</text>",
            escape(&self.y.label)
        );
        out.push_str(&self.body);
        out.push_str("</svg>\n");
        out
    }
}

fn titled(title: &str) -> String {
    if title.is_empty() { String::new() } else { format!("<title>{}</title>", escape(title)) }
}

/// A circle, a square, a triangle, a diamond, a cross, a ring.
pub(super) fn marker(style: usize, x: f64, y: f64, title: &str) -> String {
    let style = style % STYLES;
    let shape = match style {
        0 => format!("M{:.1} {y:.1}a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0 -9 0Z", x - 4.5),
        1 => format!("M{:.1} {:.1}h8v8h-8Z", x - 4.0, y - 4.0),
        2 => format!("M{x:.1} {:.1}l5 9h-10Z", y - 5.5),
        3 => format!("M{x:.1} {:.1}l5.5 5.5l-5.5 5.5l-5.5 -5.5Z", y - 5.5),
        4 => format!("M{:.1} {:.1}h3v3h3v3h-3v3h-3v-3h-3v-3h3Z", x - 1.5, y - 4.5),
        _ => format!("M{x:.1} {:.1}l5 -9h-10Z", y + 5.5),
    };
    format!("<path class=\"dot s{style}\" d=\"{shape}\">{}</path>", titled(title))
}

/// Who is drawn how.
pub(super) fn legend<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let mut out = String::from("<ul class=\"legend\">");
    for (style, name) in names.into_iter().enumerate() {
        let _ = write!(
            out,
            "<li><svg class=\"swatch\" viewBox=\"0 0 44 14\" aria-hidden=\"true\"><path class=\"line s{}\" d=\"M1 7H43\"/>{}</svg>{}</li>",
            style % STYLES,
            marker(style, 22.0, 7.0, ""),
            escape(name)
        );
    }
    out.push_str("</ul>\n");
    out
}

/// A drawing with what to see in it; `caption` is HTML.
pub(super) fn figure(drawing: &str, caption: &str) -> String {
    format!("<figure>\n{drawing}<figcaption>{caption}</figcaption>\n</figure>\n")
}

/// A small drawing under its name.
pub(super) fn small(name: &str, drawing: &str) -> String {
    format!("<div class=\"cell\"><h4>{}</h4>\n{drawing}</div>\n", escape(name))
}

#[cfg(test)]
mod tests {
    use super::super::text::whole;
    use super::*;

    fn ticks(axis: &Axis) -> Vec<&str> {
        axis.ticks.iter().map(|(_, words)| words.as_str()).collect()
    }

    #[test]
    fn ticks_are_round() {
        assert_eq!(ticks(&Axis::share("", 1.0, 5)), ["0", ".2", ".4", ".6", ".8", "1"]);
        assert_eq!(ticks(&Axis::share("", 0.07, 4)), ["0", ".02", ".04", ".06"]);
        assert_eq!(ticks(&Axis::linear("", -0.03, 0.01, 4, tick)), ["−.03", "−.02", "−.01", "0", ".01"]);
        assert_eq!(ticks(&Axis::decades("", &[20.0, 12_000.0], whole)), ["100", "1,000", "10,000"]);
        assert_eq!(ticks(&Axis::decades("", &[90.0, 400.0], whole)), ["100", "200", "300", "500"]);
    }

    #[test]
    fn an_axis_without_values_still_stands() {
        for axis in [Axis::share("", 0.0, 5), Axis::decades("", &[], whole), Axis::decades("", &[0.0, f64::NAN], whole)] {
            assert!(axis.low < axis.high && (0.0..=1.0).contains(&axis.place(5.0)), "{}..{}", axis.low, axis.high);
        }
    }

    #[test]
    fn values_are_drawn_where_they_belong() {
        let plot = Plot::new(Frame::WIDE, Axis::log("", 1.0, 100.0, &[], whole), Axis::share("", 1.0, 5));
        let (low, high, middle) = (plot.at(1.0, 0.0), plot.at(100.0, 1.0), plot.at(10.0, 0.5));
        assert_eq!((low, high), ((66.0, 326.0), (604.0, 14.0)));
        assert!((middle.0 - 335.0).abs() < 1e-6 && (middle.1 - 170.0).abs() < 1e-6);
        assert_eq!(plot.at(1e9, -3.0), (604.0, 326.0), "what lies outside is drawn at the edge");
    }
}
