//! `tool-router top`: a router as it goes, in a terminal. It asks what `status` asks, over and over, and shows what changed in between.
//!
//! The screen must stay alive whatever the router does, so the router is asked by a task of its own and keys are read by a thread of their
//! own; here they only meet. The terminal is put back on every way out: at the end, on a signal, and on a panic by ratatui's own hook.

mod screen;
mod view;

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use clap::Args;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEventKind, KeyModifiers};
use ratatui::{DefaultTerminal, Terminal};
use tokio::sync::mpsc;

use self::view::View;
use super::connection::Connection;
use super::{Exit, output, serve};
use crate::rpc::client::{Client, ClientError, ClientOptions};
use crate::rpc::proto::GetStatusResponse;

/// Between two looks whether the reader of keys is still wanted.
const KEY_WAIT: Duration = Duration::from_millis(100);
/// Shortest pause between two questions: a router has better things to do.
const SHORTEST: Duration = Duration::from_millis(100);
/// Size of the picture that `--once` prints where there is no terminal to ask.
const PICTURE: (u16, u16) = (100, 32);

/// Flags of `top`.
#[derive(Args, Debug)]
pub struct Arguments {
    /// Between two answers: 500ms, 1s, 1m
    #[arg(long, value_name = "TIME", default_value = "1s", value_parser = interval)]
    interval: Duration,
    /// Print one picture after one interval and end; needs no terminal
    #[arg(long)]
    once: bool,
    #[command(flatten)]
    connection: Connection,
}

fn interval(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match text.get(digits.len()..) {
        Some("ms") => 1,
        Some("s" | "") => 1_000,
        Some("m") => 60_000,
        _ => 0,
    };
    let span = digits.parse::<u32>().ok().map(|n| Duration::from_millis(u64::from(n) * unit));
    let known = span.filter(|span| !span.is_zero()).ok_or("is no time: write 500ms, 1s or 1m")?;
    let limits = SHORTEST..=Duration::from_secs(3_600);
    if limits.contains(&known) { Ok(known) } else { Err("lies outside 100ms to 60m".to_owned()) }
}

pub(super) async fn run(arguments: Arguments) -> Result<(), Exit> {
    let options = arguments.connection.options();
    if arguments.once {
        return once(&options, arguments.interval).await;
    }
    if !std::io::stdout().is_terminal() || !std::io::stdin().is_terminal() {
        return Err(Exit::failed("top needs a terminal; `tool-router status` prints the same once, `top --once` a picture"));
    }
    let answers = ask(&options, arguments.interval)?;
    let terminal = ratatui::try_init().map_err(|e| Exit::failed(format!("the terminal cannot be drawn on: {e}")))?;
    let shown = show(terminal, View::new(&options.address), answers).await;
    ratatui::restore();
    shown
}

/// What the router said, and when.
type Answer = (Instant, Result<Box<GetStatusResponse>, ClientError>);

/// Asks from now on. Ends when nobody listens; one question is out at a time, so a slow router is not asked more.
fn ask(options: &ClientOptions, every: Duration) -> Result<mpsc::Receiver<Answer>, Exit> {
    let mut client = Client::lazy(options)?;
    let (answers, inbox) = mpsc::channel(1);
    tokio::spawn(async move {
        let mut ticks = tokio::time::interval(every);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            let answer = client.status().await.map(Box::new);
            if answers.send((Instant::now(), answer)).await.is_err() {
                return;
            }
        }
    });
    Ok(inbox)
}

/// Keys as they are typed, and every change of the window's size.
fn keys() -> mpsc::Receiver<Event> {
    let (events, inbox) = mpsc::channel(16);
    std::thread::spawn(move || {
        while !events.is_closed() {
            match event::poll(KEY_WAIT) {
                Ok(false) => (),
                Ok(true) if event::read().is_ok_and(|event| events.blocking_send(event).is_ok()) => (),
                // The terminal is gone: so is the other end, once it notices.
                Ok(true) | Err(_) => return,
            }
        }
    });
    inbox
}

async fn show(mut terminal: DefaultTerminal, mut view: View, mut answers: mpsc::Receiver<Answer>) -> Result<(), Exit> {
    let (mut keys, end) = (keys(), serve::shutdown_signal());
    tokio::pin!(end);
    loop {
        terminal
            .draw(|frame| screen::draw(frame, &view, Instant::now()))
            .map_err(|e| Exit::failed(format!("the terminal cannot be drawn on: {e}")))?;
        tokio::select! {
            () = &mut end => return Ok(()),
            key = keys.recv() => match key {
                None => return Ok(()),
                Some(event) => match wanted(&event) {
                    Some(Wanted::Quit) => return Ok(()),
                    Some(Wanted::Pause) => view.toggle_pause(),
                    None => (),
                },
            },
            answer = answers.recv() => match answer {
                None => return Err(Exit::failed("the router is no longer asked")),
                // Asking again would be refused again.
                Some((_, Err(error))) if error.is_final() => return Err(error.into()),
                Some((at, answer)) => view.take(at, answer.map(|status| *status).map_err(|e| e.in_short())),
            },
        }
    }
}

enum Wanted {
    Quit,
    Pause,
}

fn wanted(event: &Event) -> Option<Wanted> {
    let key = event.as_key_event().filter(|key| key.kind != KeyEventKind::Release)?;
    match key.code {
        KeyCode::Char('q') | KeyCode::Esc => Some(Wanted::Quit),
        // In raw mode the terminal makes no signal of it.
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => Some(Wanted::Quit),
        KeyCode::Char('p') => Some(Wanted::Pause),
        _ => None,
    }
}

/// Two answers make a rate; then the picture is printed as text.
async fn once(options: &ClientOptions, every: Duration) -> Result<(), Exit> {
    let (mut client, mut view) = (Client::connect(options).await?, View::new(&options.address));
    for pause in [Duration::ZERO, every] {
        tokio::time::sleep(pause).await;
        let status = client.status().await?;
        view.take(Instant::now(), Ok(status));
    }
    let (width, height) = ratatui::crossterm::terminal::size().unwrap_or(PICTURE);
    output::line(&picture(&view, Instant::now(), (width.max(40), height.clamp(PICTURE.1, 60)))?);
    Ok(())
}

/// The screen as lines of text.
fn picture(view: &View, now: Instant, (width, height): (u16, u16)) -> Result<String, Exit> {
    let failed = |e: std::convert::Infallible| Exit::failed(e.to_string());
    let mut terminal = Terminal::new(TestBackend::new(width, height)).map_err(failed)?;
    let drawn = terminal.draw(|frame| screen::draw(frame, view, now)).map_err(failed)?;
    let row = |y: u16| {
        let mut line = String::new();
        let mut x = 0;
        while x < width {
            let symbol = drawn.buffer.cell((x, y)).map_or(" ", |cell| cell.symbol());
            line.push_str(symbol);
            // A wide character covers the cell after it, which holds a blank of its own.
            x += ratatui::text::Span::raw(symbol).width().max(1) as u16;
        }
        line.trim_end().to_owned()
    };
    Ok((0..height).map(row).collect::<Vec<_>>().join("\n"))
}

#[cfg(test)]
mod tests;
