//! Holds back log lines that repeat: a fault that comes a thousand times a second must not fill a disk, nor hide what else is said.
//!
//! Each place in the code that warns or complains may do so some twenty times in a row and then every few seconds. What is held back is counted
//! and told once a minute. Lines at info are not touched: there is one for each request, and they are what is asked for.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::callsite::Identifier;
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter};

use super::counts::Counts;

/// Lines of one place that may come at once.
const BURST: u32 = 20;
/// Time in which the room for one more comes back.
const EVERY: Duration = Duration::from_secs(3);

/// Of one place in the code: GCRA, as the time at which all its room is back.
#[derive(Debug, Clone, Copy)]
struct Room(Instant);

impl Room {
    /// Whether one more line fits at `now`.
    fn take(&mut self, now: Instant) -> bool {
        let full_again = self.0.max(now);
        let fits = full_again.saturating_duration_since(now) <= EVERY * (BURST - 1);
        if fits {
            self.0 = full_again + EVERY;
        }
        fits
    }
}

/// The filter.
#[derive(Debug)]
pub(super) struct Repeats {
    /// By place; there are as many as the program has such lines.
    rooms: Mutex<HashMap<Identifier, Room>>,
    counts: Arc<Counts>,
}

impl Repeats {
    pub(super) fn new(counts: Arc<Counts>) -> Self {
        Self { rooms: Mutex::default(), counts }
    }

    fn lets_through(&self, place: Identifier, now: Instant) -> bool {
        let mut rooms = self.rooms.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = rooms.entry(place).or_insert(Room(now)).take(now);
        if !fits {
            self.counts.held_back_log_lines.add(1);
        }
        fits
    }
}

impl<S: Subscriber> Filter<S> for Repeats {
    fn enabled(&self, _: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        true
    }

    fn event_enabled(&self, event: &Event<'_>, _: &Context<'_, S>) -> bool {
        let metadata = event.metadata();
        Level::WARN < *metadata.level() || self.lets_through(metadata.callsite(), Instant::now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_then_one_at_a_time() {
        let start = Instant::now();
        let mut room = Room(start);
        let taken = |room: &mut Room, at: Duration| (0..100).filter(|_| room.take(start + at)).count();
        assert_eq!(taken(&mut room, Duration::ZERO), 20);
        assert_eq!(taken(&mut room, EVERY - Duration::from_millis(1)), 0);
        assert_eq!(taken(&mut room, EVERY), 1);
        assert_eq!(taken(&mut room, EVERY * 3), 2);
        assert_eq!(taken(&mut room, EVERY * 1_000), 20, "all the room comes back, and no more");
    }
}
