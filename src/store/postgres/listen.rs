//! Hears of others' changes. A notification only says that it is worth looking: one that is lost delays a look, and loses nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sqlx::postgres::{PgListener, PgPool};
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::PostgresOptions;

/// Between two tries to listen.
const PAUSE: Duration = Duration::from_millis(500);

/// A task that listens, on a connection of its own.
#[derive(Debug)]
pub(super) struct Ear {
    rung: watch::Sender<()>,
    again: Arc<Notify>,
    task: JoinHandle<()>,
}

impl Ear {
    /// Begins to listen.
    pub(super) fn new(options: Arc<Mutex<PostgresOptions>>) -> Self {
        let (rung, again) = (watch::Sender::new(()), Arc::new(Notify::new()));
        let (bell, restart) = (rung.clone(), Arc::clone(&again));
        let task = tokio::spawn(async move {
            loop {
                // Where the database is now.
                let pool = options.lock().unwrap_or_else(PoisonError::into_inner).pool_that_listens();
                if let Ok(pool) = pool {
                    tokio::select! {
                        ended = listen(&pool, &bell) => if let Err(error) = ended {
                            tracing::debug!(error.message = %error, "not listening for changes of other routers");
                        },
                        () = restart.notified() => continue,
                    }
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { rung, again, task }
    }

    /// Listens on a new connection: the old one may be to a server that never says a word again.
    pub(super) fn anew(&self) {
        self.again.notify_one();
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
