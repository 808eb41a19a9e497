//! Hears of others' changes. A notification only says that it is worth looking: one that is lost delays a look, and loses nothing.

use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Between two tries to listen.
const PAUSE: Duration = Duration::from_millis(500);

/// A task that listens, on a connection of its own.
#[derive(Debug)]
pub(super) struct Ear {
    rung: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Ear {
    /// Begins to listen.
    pub(super) fn new(pool: PgPool) -> Self {
        let rung = watch::Sender::new(());
        let bell = rung.clone();
        let task = tokio::spawn(async move {
            loop {
                if let Err(error) = listen(&pool, &bell).await {
                    tracing::debug!(error.message = %error, "not listening for changes of other routers");
                }
                if pool.is_closed() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { rung, task }
    }

    pub(super) fn heard(&self) -> watch::Receiver<()> {
        self.rung.subscribe()
    }

    pub(super) fn close(&self) {
        self.task.abort();
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.close();
    }
}

/// Until the connection breaks.
async fn listen(pool: &PgPool, bell: &watch::Sender<()>) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.eager_reconnect(false);
    listener.listen("tool_router").await?;
    // Nobody listened until now: something may have been said meanwhile.
    bell.send_replace(());
    while listener.try_recv().await?.is_some() {
        bell.send_replace(());
    }
    Ok(())
}
