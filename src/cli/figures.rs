//! Figures for people, the same on every page: three digits at most, with a unit.

/// Microseconds.
pub(super) fn duration(micros: u64) -> String {
    let value = micros as f64;
    match micros {
        ..1_000 => format!("{micros} µs"),
        1_000..9_950 => format!("{:.1} ms", value / 1e3),
        9_950..999_500 => format!("{:.0} ms", value / 1e3),
        999_500..9_950_000 => format!("{:.1} s", value / 1e6),
        _ => format!("{:.0} s", value / 1e6),
    }
}

/// The same where it may not be known.
pub(super) fn duration_or_dash(micros: Option<u64>) -> String {
    micros.map_or_else(|| "-".to_owned(), duration)
}

/// Milliseconds, from seconds to days.
pub(super) fn span(ms: u64) -> String {
    match ms / 1_000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

/// A part of a whole in percent; a dash of nothing.
pub(super) fn percent(part: u64, whole: u64) -> String {
    if whole == 0 { "-".to_owned() } else { ratio(part as f64 / whole as f64) }
}

/// A share in `[0, 1]` in percent. Little is not nothing, and nearly all is not all.
pub(super) fn ratio(share: f64) -> String {
    match 100.0 * share {
        0.0 => "0 %".to_owned(),
        p if p < 0.1 => "<0.1 %".to_owned(),
        p if p < 9.95 => format!("{p:.1} %"),
        p if (99.5..100.0).contains(&p) => ">99 %".to_owned(),
        p => format!("{p:.0} %"),
    }
}

/// So many a second.
pub(super) fn rate(per_second: f64) -> String {
    match per_second {
        0.0 => "0/s".to_owned(),
        r if r < 0.01 => "<0.01/s".to_owned(),
        r if r < 0.995 => format!("{r:.2}/s"),
        r if r < 99.95 => format!("{r:.1}/s"),
        r => format!("{}/s", super::output::thousands(r.round() as u64)),
    }
}

/// A count over a window, as so many a second.
pub(super) fn rate_over(count: u64, window_ms: u64) -> String {
    if window_ms == 0 { "-".to_owned() } else { rate(count as f64 * 1e3 / window_ms as f64) }
}

/// Text of others on one line of a terminal: what would steer it shows as a replacement character.
pub(super) fn plain(text: &str) -> String {
    // Besides control characters those that turn the direction of what follows.
    let steers =
        |c: char| c.is_control() || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().map(|c| if steers(c) { '\u{fffd}' } else { c }).collect()
}

/// At most `columns` columns of text, a dotted end where there is more. Wide characters take two.
pub(super) fn cut(text: &str, columns: usize) -> String {
    let text = plain(text);
    let width = |c: char| if c < '\u{1100}' { 1 } else { 2 };
    if text.chars().map(width).sum::<usize>() <= columns {
        return text;
    }
    let mut room = columns.saturating_sub(1);
    let fits = text.chars().take_while(|c| room.checked_sub(width(*c)).map(|left| room = left).is_some());
    fits.chain(['…']).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_short() {
        let check = |found: String, expected| assert_eq!(found, expected);
        check(duration(0), "0 µs");
        check(duration(999), "999 µs");
        check(duration(3_140), "3.1 ms");
        check(duration(9_949), "9.9 ms");
        check(duration(9_950), "10 ms");
        check(duration(999_499), "999 ms");
        check(duration(999_500), "1.0 s");
        check(duration(3_600_000_000), "3600 s");
        check(percent(0, 0), "-");
        check(percent(0, 7), "0 %");
        check(percent(1, 100_000), "<0.1 %");
        check(percent(1, 30), "3.3 %");
        check(percent(1, 2), "50 %");
        check(percent(9_999, 10_000), ">99 %");
        check(percent(7, 7), "100 %");
        check(rate(0.001), "<0.01/s");
        check(rate(0.5), "0.50/s");
        check(rate(12.34), "12.3/s");
        check(rate(12_345.6), "12,346/s");
        check(rate_over(30, 60_000), "0.50/s");
    }

    #[test]
    fn spans_are_short() {
        let check = |ms, expected| assert_eq!(span(ms), expected);
        check(999, "0 s");
        check(119_999, "119 s");
        check(120_000, "2 min");
        check(7_200_000, "2 h");
        check(172_800_000, "2 days");
    }

    #[test]
    fn text_of_others_does_not_steer_the_terminal() {
        assert_eq!(plain("a\u{1b}[2Jb\nc\u{202e}d"), "a\u{fffd}[2Jb\u{fffd}c\u{fffd}d");
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("longer", 5), "long…");
        assert_eq!(cut("도구 도구", 5), "도구…");
        assert_eq!(cut("x", 0), "…");
    }
}
