//! The task of one source: wait, sync, note how it went, wait again.
//!
//! It waits for five things at once: the time of the next sync, the server's word that its list changed, the server's end, orders, and, where
//! several routers share a store, the time to ask which of them syncs the source.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

use super::{Order, Shared, SourceError, Surroundings, apply, backoff};
use crate::import::mcp::{McpError, Session};
use crate::register::Diff;
use crate::spans;
use crate::store::StoreError;

/// Least time between two syncs that a server asks for: one that cries without end is not listed without end.
const NOTIFIED_GAP: Duration = Duration::from_millis(250);

/// How long a router may be silent before another syncs its sources.
const LEASE: Duration = Duration::from_secs(15);
/// Between two words of it.
const RENEWAL: Duration = Duration::from_secs(5);

enum Wake {
    Stop,
    Renew,
    Due,
    Changed,
    Gone,
    Order(Order),
}

pub(super) async fn run(shared: Arc<Shared>, around: Surroundings, mut inbox: mpsc::Receiver<Order>, stop: CancellationToken) {
    let mut session: Option<Session> = None;
    let mut due = Instant::now();
    let mut listed = due;
    let others = around.store.heard().is_some();
    let mut renewal = due;
    // Nobody syncs before it is known who does.
    shared.progress().elsewhere = others;
    loop {
        let (paused, elsewhere) = {
            let progress = shared.progress();
            (progress.paused, progress.elsewhere)
        };
        if (paused || elsewhere)
            && let Some(open) = session.take()
        {
            open.close().await;
        }
        shared.progress().due = (!paused).then_some(due);
        let wake = tokio::select! {
            biased;
            () = stop.cancelled() => Wake::Stop,
            order = inbox.recv() => order.map_or(Wake::Stop, Wake::Order),
            () = gone(session.as_ref()) => Wake::Gone,
            () = changed(session.as_ref()) => Wake::Changed,
            () = tokio::time::sleep_until(renewal.into()), if others => Wake::Renew,
            () = tokio::time::sleep_until(due.into()), if !paused && !elsewhere => Wake::Due,
        };
        let answer: Option<oneshot::Sender<Result<Diff, SourceError>>> = match wake {
            Wake::Stop => break,
            Wake::Renew => {
                renewal = Instant::now() + RENEWAL;
                if renew(&shared, &around).await && elsewhere {
                    due = Instant::now();
                }
                continue;
            }
            Wake::Changed => {
                due = due.min(Instant::now().max(listed + NOTIFIED_GAP));
                continue;
            }
            Wake::Gone => {
                if let Some(mut open) = session.take() {
                    let error = shared.failed(open.why_gone().await);
                    due = Instant::now() + failed(&shared, &error);
                }
                continue;
            }
            Wake::Order(Order::Look) => {
                // Resumed: at once. Where nothing is due, a look does no harm.
                if !shared.progress().paused && paused {
                    due = Instant::now();
                }
                continue;
            }
            Wake::Order(Order::Release(answer)) => {
                let released = apply::release(&shared, &around).await;
                if released.is_ok() {
                    succeeded(&shared, &around);
                }
                // Whoever asked may have gone.
                let _ = answer.send(released);
                continue;
            }
            Wake::Order(Order::Sync(answer)) => Some(answer),
            Wake::Due => None,
        };
        let begun = Instant::now();
        let result = tokio::select! {
            () = stop.cancelled() => break,
            () = shared.interrupt.notified() => Err(SourceError::Interrupted { name: shared.source.name.clone() }),
            result = traced(&shared, &around, &mut session) => result,
        };
        listed = Instant::now();
        if !matches!(result, Err(SourceError::Interrupted { .. })) {
            let failed = !matches!(result, Ok(_) | Err(SourceError::Held { .. }));
            shared.progress().tries.note(listed, listed - begun, failed);
        }
        let pause = match &result {
            Ok(_) => {
                succeeded(&shared, &around);
                backoff::after_success(shared.source.interval, &mut rand::rng())
            }
            // A held list is news for people; the server is well.
            Err(SourceError::Held { .. }) => {
                let mut progress = shared.progress();
                (progress.failures, progress.error) = (0, String::new());
                progress.syncs += 1;
                backoff::after_success(shared.source.interval, &mut rand::rng())
            }
            Err(SourceError::Interrupted { .. }) => {
                session = None;
                Duration::ZERO
            }
            Err(error) => {
                if matches!(error, SourceError::Server { .. })
                    && let Some(open) = session.take()
                {
                    open.close().await;
                }
                failed(&shared, error)
            }
        };
        due = listed + pause;
        if let Some(answer) = answer {
            let _ = answer.send(result);
        }
    }
    if let Some(open) = session {
        open.close().await;
    }
    // Another goes on at once.
    around.store.release(&around.tenant, &shared.source.name, &around.holder).await.ok();
}

/// Takes or keeps the lease, and hears what was paused through another router. True where the source is this router's to sync.
async fn renew(shared: &Shared, around: &Surroundings) -> bool {
    let name = &shared.source.name;
    let _steering = shared.steering.lock().await;
    let asked = async {
        let paused = around.store.paused_sources(&around.tenant).await?.contains(name);
        Ok::<_, StoreError>((paused, around.store.lease(&around.tenant, name, &around.holder, LEASE).await?))
    };
    // While the store is away nobody could store a list anyway.
    let answer = asked.await;
    let mut progress = shared.progress();
    if let Ok((paused, _)) = answer {
        progress.paused = paused;
    }
    let ours = answer.is_ok_and(|(_, ours)| ours);
    if progress.elsewhere == ours {
        tracing::info!(source.name = %name, source.elsewhere = !ours, "who syncs a source has changed");
    }
    progress.elsewhere = !ours;
    ours
}

async fn changed(session: Option<&Session>) {
    match session {
        Some(session) => session.changed().await,
        None => std::future::pending().await,
    }
}

async fn gone(session: Option<&Session>) {
    match session {
        Some(session) => session.gone().await,
        None => std::future::pending().await,
    }
}

/// One try, as a trace of its own.
async fn traced(shared: &Shared, around: &Surroundings, session: &mut Option<Session>) -> Result<Diff, SourceError> {
    let span = spans::sync(&shared.source.name);
    let result = sync(shared, around, session).instrument(span.clone()).await;
    // A held list is news for people, not a fault.
    if let Err(error @ (SourceError::Server { .. } | SourceError::Register { .. })) = &result {
        spans::fail(&span, error.name());
        spans::keep(&span, "error");
    }
    result
}

/// One try: connects where that is needed, lists, applies.
async fn sync(shared: &Shared, around: &Surroundings, session: &mut Option<Session>) -> Result<Diff, SourceError> {
    let started = Instant::now();
    let failed = |error: McpError| shared.failed(error);
    let open = match session {
        Some(open) => open,
        None => {
            let opening = Session::open(&shared.source.endpoint, shared.source.patience);
            let opened = asked(shared, "initialize", opening).await.map_err(failed)?;
            shared.progress().notifies = opened.notifies();
            session.insert(opened)
        }
    };
    let listed = asked(shared, "tools/list", open.list(&shared.source.name)).await.map_err(failed)?;
    // Never closed; a turn is only waited for after the server has done its part, so that a slow one holds up nobody.
    let _turn = shared.turns.acquire().await;
    let diff = apply::apply(shared, around, listed).await?;
    tracing::info!(
        source.name = %shared.source.name,
        source.added = diff.added.len(),
        source.changed = diff.changed.len(),
        source.removed = diff.removed.len(),
        source.unchanged = diff.unchanged,
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "source synced"
    );
    Ok(diff)
}

/// Something that a server is asked, as the span of a client.
async fn asked<T>(shared: &Shared, method: &'static str, work: impl Future<Output = Result<T, McpError>>) -> Result<T, McpError> {
    let span = spans::mcp(method, &shared.source.name, shared.source.endpoint.host().as_ref());
    let result = work.instrument(span.clone()).await;
    if let Err(error) = &result {
        spans::fail(&span, error.name());
    }
    result
}

fn succeeded(shared: &Shared, around: &Surroundings) {
    let mut progress = shared.progress();
    progress.syncs += 1;
    (progress.failures, progress.error) = (0, String::new());
    progress.last_sync = Some((around.clock.now_ms(), Instant::now()));
}

/// Notes the failure; gives the pause until the next try.
fn failed(shared: &Shared, error: &SourceError) -> Duration {
    let mut progress = shared.progress();
    progress.syncs += 1;
    progress.failed_syncs += 1;
    progress.failures = progress.failures.saturating_add(1);
    // Without the source's name, which stands beside it wherever it is shown.
    progress.error = match error {
        SourceError::Server { error, .. } => error.to_string(),
        other => other.to_string(),
    };
    let pause = backoff::after_failures(progress.failures, &mut rand::rng());
    tracing::warn!(
        source.name = %shared.source.name,
        source.failures = progress.failures,
        retry_ms = u64::try_from(pause.as_millis()).unwrap_or(u64::MAX),
        error.message = %progress.error,
        "source failed; its tools stay"
    );
    pause
}
