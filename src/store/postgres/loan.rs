//! A connection that the pool has lent.

use std::time::Duration;

use sqlx::Postgres;
use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnection, PgPool};

/// Goes back by itself, within a limit.
///
/// The pool's own way back asks the server for a sign of life and waits for it without one: a server that falls silent at that moment, or a
/// caller that goes away in the middle of an operation on a silent one, would take a place of the pool for good.
pub(super) struct Loan {
    connection: PoolConnection<Postgres>,
    limit: Duration,
    is_broken: bool,
}

impl Loan {
    /// Borrows one, as soon as there is one.
    pub(super) async fn of(pool: &PgPool, limit: Duration) -> Result<Self, sqlx::Error> {
        Ok(Self { connection: pool.acquire().await?, limit, is_broken: false })
    }

    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.connection
    }

    /// It may be in the middle of an answer, or never get one: nobody else is to have it.
    pub(super) fn give_up(mut self) {
        self.is_broken = true;
        self.connection.close_on_drop();
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        if !self.is_broken {
            // Cut off, it is closed and its place is free.
            tokio::spawn(tokio::time::timeout(self.limit, self.connection.return_to_pool()));
        }
    }
}
