//! Words and numbers of the page. Everything that a user, a publisher or a data set wrote goes through [`escape`].

use crate::eval::bootstrap::Interval;

/// As text in HTML and in a quoted attribute. Control characters show as a replacement character.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(c),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// `.698`: three places, as papers of the field write shares.
pub(super) fn share(x: f64) -> String {
    let text = format!("{:.3}", x.abs());
    let text = text.strip_prefix('0').unwrap_or(&text);
    if x < 0.0 && text != ".000" { format!("\u{2212}{text}") } else { text.to_owned() }
}

/// `+.012`, `−.012`, `.000`.
pub(super) fn signed(x: f64) -> String {
    let text = share(x);
    if 0.0 < x && text != ".000" { format!("+{text}") } else { text }
}

/// The same for the ticks of an axis, which are round: `.2`, `0`, `1`.
pub(super) fn tick(x: f64) -> String {
    let text = share(x);
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text.is_empty() { "0".to_owned() } else { text.to_owned() }
}

/// `[.681, .714]`.
pub(super) fn interval(interval: &Interval) -> String {
    format!("[{}, {}]", share(interval.low), share(interval.high))
}

/// `[+.003, +.021]`.
pub(super) fn signed_interval(interval: &Interval) -> String {
    format!("[{}, {}]", signed(interval.low), signed(interval.high))
}

/// `12,345`.
pub(super) fn count(n: usize) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if 0 < i && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// The same for a mean, to the nearest whole.
pub(super) fn whole(x: f64) -> String {
    count(x.max(0.0).round() as usize)
}

/// `1 set`, `3 sets`.
pub(super) fn many(n: usize, one: &str) -> String {
    format!("{} {one}{}", count(n), if n == 1 { "" } else { "s" })
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// Why there is nothing to see.
pub(super) fn empty(why: &str) -> String {
    format!("<p class=\"empty\">{}</p>\n", escape(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_alike() {
        assert_eq!([0.6984, 1.0, 0.0, -0.0521, -0.0001].map(share), [".698", "1.000", ".000", "−.052", ".000"]);
        assert_eq!([0.012, -0.012, 0.0, 0.0001, 1.0].map(signed), ["+.012", "−.012", ".000", ".000", "+1.000"]);
        assert_eq!([0.2, 1.0, 0.0, -0.025, -0.00001].map(tick), [".2", "1", "0", "−.025", "0"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!((many(1, "set"), many(2_000, "set")), ("1 set".into(), "2,000 sets".into()));
        assert_eq!(listed(&["a".into(), "b".into(), "c".into()]), "a, b and c");
    }

    #[test]
    fn what_others_wrote_stays_text() {
        assert_eq!(escape("<a href='x'>\"&\u{0}\u{1b}\n"), "&lt;a href=&#39;x&#39;&gt;&quot;&amp;\u{fffd}\u{fffd}\n");
    }
}
