//! Draws the view. Everything gives way in a small window: tables lose rows and columns, never the header and what is wrong.

use std::time::Instant;

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, BorderType, Cell, LineGauge, Padding, Paragraph, Row, Sparkline, Table};

use super::view::{Link, View};
use crate::cli::figures::{cut, duration_or_dash, percent, plain, rate, rate_over, ratio, span};
use crate::cli::output::thousands;
use crate::cli::source::state;
use crate::cli::status::name;
use crate::rpc::proto::{GetStatusResponse, SourceState, Traffic};

const SOFT: Style = Style::new().fg(Color::DarkGray);
const HEAD: Style = Style::new().add_modifier(Modifier::BOLD);
const GOOD: Style = Style::new().fg(Color::Green);
const ODD: Style = Style::new().fg(Color::Yellow);
const BAD: Style = Style::new().fg(Color::Red).add_modifier(Modifier::BOLD);

pub(super) fn draw(frame: &mut Frame<'_>, view: &View, now: Instant) {
    let conditions = view.status.as_ref().map_or(0, |status| status.conditions.len());
    let rows = [
        Constraint::Length(2),
        Constraint::Length(8),
        Constraint::Length(3),
        Constraint::Min(3),
        Constraint::Length(2 + u16::try_from(conditions.clamp(1, 6)).unwrap_or(6)),
        Constraint::Length(1),
    ];
    let [head, traffic, tokens, tables, wrong, keys] = Layout::vertical(rows).areas(frame.area());
    header(frame, head, view, now);
    let [selections, durations] = Layout::horizontal([Constraint::Percentage(58), Constraint::Percentage(42)]).areas(traffic);
    let minute = view.status.as_ref().and_then(|status| status.last_minute).unwrap_or_default();
    selections_of(frame, selections, view, &minute);
    durations_of(frame, durations, view, &minute);
    tokens_of(frame, tokens, view, &minute);
    let (left, right) = if view.status.as_ref().is_some_and(|status| !status.sources.is_empty()) { (58, 42) } else { (100, 0) };
    let [tools, sources] = Layout::horizontal([Constraint::Percentage(left), Constraint::Percentage(right)]).areas(tables);
    if let Some(status) = &view.status {
        tools_of(frame, tools, status);
        sources_of(frame, sources, status);
        conditions_of(frame, wrong, status);
    }
    frame.render_widget(Line::styled(" q quit   p pause", SOFT), keys);
}

fn block(title: &str) -> Block<'_> {
    let title = Span::styled(format!(" {title} "), HEAD);
    Block::bordered().border_type(BorderType::Rounded).border_style(SOFT).title(title).padding(Padding::horizontal(1))
}

fn header(frame: &mut Frame<'_>, area: Rect, view: &View, now: Instant) {
    let mut about = vec![Span::styled(" tool-router ", HEAD)];
    if let Some(status) = &view.status {
        let up = match status.started_at_ms {
            0 => "starting".to_owned(),
            started => format!("up {}", span(status.now_ms.saturating_sub(started))),
        };
        let (tools, model) = (thousands(status.enabled_tools), cut(&status.model_id, 24));
        about.push(Span::raw(format!("{}  {up}  {tools} tools  {model}", status.version)));
    }
    about.push(Span::styled(format!("  {}", plain(&view.address)), SOFT));
    let state = match (&view.link, view.paused) {
        (_, true) => Line::styled(" paused", ODD),
        (Link::Asking, _) => Line::styled(" asking the router", ODD),
        (Link::Live, _) if 0 < view.restarts => {
            let times = if view.restarts == 1 { "once".to_owned() } else { format!("{} times", view.restarts) };
            Line::styled(format!(" live; it began anew {times} since this view was opened"), GOOD)
        }
        (Link::Live, _) => Line::styled(" live", GOOD),
        (Link::Away { why, .. }, _) => {
            let away = view.away_for(now).unwrap_or_default().as_millis();
            let since = span(u64::try_from(away).unwrap_or(u64::MAX));
            let shown = if view.status.is_some() { "; the figures are from before" } else { "" };
            Line::styled(format!(" away for {since}{shown}: {}", plain(why)), BAD)
        }
    };
    frame.render_widget(Paragraph::new(vec![Line::from(about), state]), area);
}

fn selections_of(frame: &mut Frame<'_>, area: Rect, view: &View, minute: &Traffic) {
    let block = block("Selections");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [figures, graph, shares] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(1), Constraint::Length(2)]).areas(inner);
    let now = view.now.map_or_else(|| "-".to_owned(), |rates| rate(rates.calls));
    let line = vec![
        Span::styled(now, HEAD),
        Span::styled(" now   ", SOFT),
        Span::raw(rate_over(minute.calls, minute.window_ms)),
        Span::styled(" last minute   ", SOFT),
        Span::raw(thousands(view.status.as_ref().and_then(|status| status.total).map_or(0, |total| total.calls))),
        Span::styled(" in all", SOFT),
    ];
    frame.render_widget(Line::from(line), figures);
    // In hundredths, so that a call every few seconds shows.
    let width = usize::from(graph.width);
    let points = view.calls.iter().skip(view.calls.len().saturating_sub(width)).map(|rate| (rate * 100.0).round() as u64);
    let mut points: Vec<u64> = points.collect();
    // The newest stands at the right edge.
    let missing = width - points.len().min(width);
    points.splice(0..0, std::iter::repeat_n(0, missing));
    frame.render_widget(Sparkline::default().data(points).style(Style::new().fg(Color::Cyan)), graph);
    let share = |name: &'static str, part: u64, style: Style| {
        let style = if part == 0 { SOFT } else { style };
        [Span::styled(format!("{name} "), SOFT), Span::styled(format!("{:<9}", percent(part, minute.calls)), style)]
    };
    let worst = share("errors  ", minute.errors, BAD).into_iter().chain(share("turned away", minute.sheds, ODD));
    let other = share("by words", minute.lexical, ODD).into_iter().chain(share("no tool    ", minute.no_match, Style::new()));
    let lines = vec![Line::from_iter(worst), Line::from_iter(other)];
    frame.render_widget(Paragraph::new(lines), shares);
}

fn durations_of(frame: &mut Frame<'_>, area: Rect, view: &View, minute: &Traffic) {
    let block = block("Duration, last minute");
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [figures, graph, note] =
        Layout::vertical([Constraint::Length(3), Constraint::Min(1), Constraint::Length(1)]).areas(inner);
    let line =
        |name: &'static str, micros| Line::from(vec![Span::styled(name, SOFT), Span::styled(duration_or_dash(micros), HEAD)]);
    let lines =
        vec![line("median  ", minute.p50_micros), line("95 %    ", minute.p95_micros), line("99 %    ", minute.p99_micros)];
    frame.render_widget(Paragraph::new(lines), figures);
    let width = usize::from(graph.width);
    let mut points: Vec<u64> = view.p50.iter().copied().skip(view.p50.len().saturating_sub(width)).collect();
    let missing = width - points.len().min(width);
    points.splice(0..0, std::iter::repeat_n(0, missing));
    frame.render_widget(Sparkline::default().data(points).style(Style::new().fg(Color::Magenta)), graph);
    frame.render_widget(Line::styled("median over time", SOFT), note);
}

fn tokens_of(frame: &mut Frame<'_>, area: Rect, view: &View, minute: &Traffic) {
    let total = view.status.as_ref().and_then(|status| status.total).unwrap_or_default();
    let share = if minute.eligible_tokens == 0 { 0.0 } else { minute.saved_tokens as f64 / minute.eligible_tokens as f64 };
    let now = view.now.map_or_else(|| "-".to_owned(), |rates| rate(rates.saved_tokens));
    let all = percent(total.saved_tokens, total.eligible_tokens);
    let label =
        format!("{} saved in the last minute, {now} now; {} in all ({all}) ", ratio(share), thousands(total.saved_tokens));
    let gauge = LineGauge::default()
        .block(block("Tokens"))
        .ratio(share.clamp(0.0, 1.0))
        .label(label)
        .filled_symbol("━")
        .unfilled_symbol("─")
        .filled_style(GOOD)
        .unfilled_style(SOFT);
    frame.render_widget(gauge, area);
}

fn tools_of(frame: &mut Frame<'_>, area: Rect, status: &GetStatusResponse) {
    let widths =
        [Constraint::Min(12), Constraint::Length(9), Constraint::Length(8), Constraint::Length(7), Constraint::Length(8)];
    let room = usize::from(area.width).saturating_sub(4 + 9 + 8 + 7 + 8 + 4);
    let rows = status.tools.iter().map(|tool| {
        let failing = 10 <= tool.calls && tool.calls / 2 < tool.errors;
        let errors = if tool.calls == 0 { "-".to_owned() } else { percent(tool.errors, tool.calls) };
        Row::new([
            Cell::from(cut(&name(tool), room)),
            right(&thousands(tool.returned), 9),
            right(&thousands(tool.calls), 8),
            right(&errors, 7).style(if failing { BAD } else { Style::new() }),
            right(&duration_or_dash(tool.p95_micros), 8),
        ])
    });
    let head = Row::new([Cell::from("tool"), right("returned", 9), right("calls", 8), right("errors", 7), right("p95", 8)]);
    frame.render_widget(Table::new(rows, widths).header(head.style(SOFT)).block(block("Hottest tools, 15 min")), area);
}

fn right(text: &str, width: usize) -> Cell<'static> {
    Cell::from(format!("{text:>width$}"))
}

fn sources_of(frame: &mut Frame<'_>, area: Rect, status: &GetStatusResponse) {
    let rows = status.sources.iter().map(|source| {
        let style = match source.state() {
            SourceState::Synced => GOOD,
            SourceState::Failing => BAD,
            SourceState::Held | SourceState::Starting => ODD,
            SourceState::Unspecified | SourceState::Paused | SourceState::Elsewhere => SOFT,
        };
        let ago = source.age_ms.map_or_else(|| "never".to_owned(), span);
        Row::new([
            Cell::from(cut(&source.source, usize::from(area.width).saturating_sub(4 + 9 + 6 + 8 + 3))),
            Cell::from(state(source)).style(style),
            right(&source.tools.to_string(), 6),
            right(&ago, 8),
        ])
    });
    let widths = [Constraint::Min(8), Constraint::Length(9), Constraint::Length(6), Constraint::Length(8)];
    let head = Row::new([Cell::from("source"), Cell::from("state"), right("tools", 6), right("synced", 8)]);
    frame.render_widget(Table::new(rows, widths).header(head.style(SOFT)).block(block("Sources")), area);
}

fn conditions_of(frame: &mut Frame<'_>, area: Rect, status: &GetStatusResponse) {
    let mut lines: Vec<Line<'_>> = status
        .conditions
        .iter()
        .map(|condition| {
            let style = if condition.severity == "page" { BAD } else { ODD };
            let since = condition.since_ms.map_or_else(String::new, |ms| format!("for {}: ", span(ms)));
            Line::from(vec![
                Span::styled(format!("{} ", condition.name), style),
                Span::raw(format!("{since}{}", plain(&condition.detail))),
            ])
        })
        .collect();
    if lines.is_empty() {
        lines.push(Line::styled("all is well", GOOD));
    }
    frame.render_widget(Paragraph::new(lines).block(block("Conditions")), area);
}
