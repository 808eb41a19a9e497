//! What is put into a ring, and what goes for it.

use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, QueryBuilder, Row, Sqlite, SqliteConnection};

use super::{Block, Hash, Kept, Listing, PAGE_BYTES, Ring, hash, pragma};
use crate::store::StoreError;
use crate::store::columns::signed;
use crate::store::embedded::sort;

/// What is taken at once where the file is full: one record in so many.
const SHARE: u64 = 16;
/// Of the bytes that the file may take, so many of a hundred may be in use after a record is written: the rest is room for the next.
const IN_USE: u64 = 90;
/// Values per statement; SQLite takes 32,766.
const ROWS: usize = 500;

impl Ring {
    /// The blocks of `listing` that are not there yet, by place.
    ///
    /// # Errors
    /// The file does not answer.
    pub async fn missing(&self, listing: &Listing) -> Result<Vec<usize>, StoreError> {
        let mut connection = self.connection().await?;
        let failed = |e: sqlx::Error| sort(&e, &self.options.path);
        if catalogue(&mut connection, listing).await.map_err(failed)?.is_some() {
            return Ok(Vec::new());
        }
        let mut missing = Vec::new();
        for (place, block) in listing.blocks.iter().enumerate() {
            if id(&mut connection, "SELECT id FROM blocks WHERE hash = ?", &block.hash).await.map_err(failed)?.is_none() {
                missing.push(place);
            }
        }
        Ok(missing)
    }

    /// Keeps the lines of a block, which `texts` are, in order.
    ///
    /// # Errors
    /// The file is full or does not take it.
    pub async fn put_block(&self, block: &Block, texts: &[String]) -> Result<(), StoreError> {
        let mut connection = self.transaction().await?;
        let done = put_block(&mut connection, block, texts).await;
        self.finish(connection, done).await
    }

    /// Keeps a record, and lets the oldest go for it where there are too many. The blocks of its catalogue are there already.
    ///
    /// # Errors
    /// The file is full or does not take it; a block is not there.
    pub async fn put(&self, record: &Kept<'_>) -> Result<(), StoreError> {
        let mut connection = self.transaction().await?;
        let done = self.put_within(&mut connection, record).await;
        self.finish(connection, done).await
    }

    async fn put_within(&self, connection: &mut SqliteConnection, record: &Kept<'_>) -> Result<(), sqlx::Error> {
        let catalogue = match record.catalogue {
            Some(listing) => Some(put_catalogue(connection, listing, record.at_ms).await?),
            None => None,
        };
        put_lines(connection, &[(hash(record.weights), record.weights)]).await?;
        let weights = id(connection, "SELECT id FROM lines WHERE hash = ?", &hash(record.weights)).await?;
        sqlx::query(
            "INSERT INTO records (trace_id, selection_id, at_ms, body, hash, weights, catalogue) VALUES (?, ?, ?, ?, ?, ?, ?)",
        )
        .bind(record.trace_id)
        .bind(record.selection_id)
        .bind(signed(record.at_ms))
        .bind(record.body)
        .bind(&hash(record.body)[..])
        .bind(weights)
        .bind(catalogue)
        .execute(&mut *connection)
        .await?;
        let records = count(connection).await?;
        if self.options.max_records < records {
            drop_oldest(connection, records - self.options.max_records).await?;
        }
        self.sweep(connection, record.at_ms, self.options.history).await?;
        self.make_room(connection, record.at_ms).await
    }

    /// Lets records go until little enough is in use; what is left of catalogues goes with them, however young.
    async fn make_room(&self, connection: &mut SqliteConnection, now_ms: u64) -> Result<(), sqlx::Error> {
        let most = self.options.max_bytes / 100 * IN_USE;
        while most < in_use(connection).await? {
            let records = count(connection).await?;
            if records == 0 {
                break;
            }
            drop_oldest(connection, records.div_ceil(SHARE)).await?;
            self.sweep(connection, now_ms, Duration::ZERO).await?;
        }
        Ok(())
    }

    /// After the file was found full: half of the records go.
    ///
    /// # Errors
    /// The file does not answer.
    pub async fn halve(&self, now_ms: u64) -> Result<(), StoreError> {
        let mut connection = self.transaction().await?;
        let done = async {
            let records = count(&mut connection).await?;
            drop_oldest(&mut connection, records.div_ceil(2)).await?;
            self.sweep(&mut connection, now_ms, Duration::ZERO).await?;
            // Blocks whose record was never written.
            drop_orphans(&mut connection).await
        };
        let done = done.await;
        self.finish(connection, done).await
    }

    /// Lets go of catalogues that no record needs and none has needed for `history`.
    async fn sweep(&self, connection: &mut SqliteConnection, now_ms: u64, history: Duration) -> Result<(), sqlx::Error> {
        let before = now_ms.saturating_sub(u64::try_from(history.as_millis()).unwrap_or(u64::MAX));
        let query = sqlx::query(
            "DELETE FROM catalogues WHERE used_ms <= ? AND NOT EXISTS (SELECT 1 FROM records WHERE catalogue = catalogues.id)",
        );
        if query.bind(signed(before)).execute(&mut *connection).await?.rows_affected() == 0 {
            return Ok(());
        }
        drop_orphans(connection).await
    }

    /// Bytes of the file that are in use, its log left aside.
    ///
    /// # Errors
    /// The file does not answer.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        in_use(&mut connection).await.map_err(|e| sort(&e, &self.options.path))
    }

    /// How many records there are.
    ///
    /// # Errors
    /// The file does not answer.
    pub async fn records(&self) -> Result<u64, StoreError> {
        let mut connection = self.connection().await?;
        count(&mut connection).await.map_err(|e| sort(&e, &self.options.path))
    }

    pub(super) async fn connection(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.pool.acquire().await.map_err(|e| sort(&e, &self.options.path))
    }

    /// Begun by hand, as the embedded store does: SQLite ends a transaction by itself when the disk is full.
    async fn transaction(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        let mut connection = self.connection().await?;
        // Only a caller who was cancelled half way leaves one open; without one this fails, as it should.
        connection.execute("ROLLBACK").await.ok();
        connection.execute("BEGIN IMMEDIATE").await.map_err(|e| sort(&e, &self.options.path))?;
        Ok(connection)
    }

    async fn finish(&self, mut connection: PoolConnection<Sqlite>, done: Result<(), sqlx::Error>) -> Result<(), StoreError> {
        let committed = match done {
            Ok(()) => connection.execute("COMMIT").await.map(drop),
            Err(error) => Err(error),
        };
        if committed.is_err() {
            connection.execute("ROLLBACK").await.ok();
        }
        committed.map_err(|e| sort(&e, &self.options.path))
    }
}

async fn count(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let count: i64 = sqlx::query("SELECT count(*) FROM records").fetch_one(connection).await?.try_get(0)?;
    Ok(u64::try_from(count).unwrap_or(0))
}

async fn in_use(connection: &mut SqliteConnection) -> Result<u64, sqlx::Error> {
    let pages = pragma(connection, "page_count").await? - pragma(connection, "freelist_count").await?;
    Ok(u64::try_from(pages).unwrap_or(0) * PAGE_BYTES)
}

async fn drop_oldest(connection: &mut SqliteConnection, records: u64) -> Result<(), sqlx::Error> {
    let query = sqlx::query("DELETE FROM records WHERE id IN (SELECT id FROM records ORDER BY id LIMIT ?)");
    query.bind(signed(records)).execute(connection).await.map(drop)
}

async fn drop_orphans(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    connection.execute("DELETE FROM blocks WHERE id NOT IN (SELECT block FROM catalogue_blocks)").await?;
    let lines = "DELETE FROM lines WHERE id NOT IN (SELECT line FROM block_lines) AND id NOT IN (SELECT weights FROM records)";
    connection.execute(lines).await.map(drop)
}

async fn id(connection: &mut SqliteConnection, query: &'static str, hash: &Hash) -> Result<Option<i64>, sqlx::Error> {
    sqlx::query(query).bind(&hash[..]).fetch_optional(connection).await?.map(|row| row.try_get(0)).transpose()
}

async fn catalogue(connection: &mut SqliteConnection, listing: &Listing) -> Result<Option<i64>, sqlx::Error> {
    id(connection, "SELECT id FROM catalogues WHERE hash = ?", &listing.hash).await
}

async fn put_catalogue(connection: &mut SqliteConnection, listing: &Listing, now_ms: u64) -> Result<i64, sqlx::Error> {
    if let Some(known) = catalogue(connection, listing).await? {
        let query = sqlx::query("UPDATE catalogues SET used_ms = max(used_ms, ?) WHERE id = ?").bind(signed(now_ms));
        query.bind(known).execute(&mut *connection).await?;
        return Ok(known);
    }
    let query = sqlx::query("INSERT INTO catalogues (hash, tenant, epoch, version, used_ms) VALUES (?, ?, ?, ?, ?) RETURNING id");
    let query = query.bind(&listing.hash[..]).bind(listing.tenant.as_str()).bind(listing.version.epoch);
    let row = query.bind(signed(listing.version.number)).bind(signed(now_ms)).fetch_one(&mut *connection).await?;
    let catalogue: i64 = row.try_get(0)?;
    for (place, block) in (0_i64..).zip(&listing.blocks) {
        // Gone again where another router swept it away; then the record is given up.
        let known = id(connection, "SELECT id FROM blocks WHERE hash = ?", &block.hash).await?;
        let query = sqlx::query("INSERT INTO catalogue_blocks (catalogue, place, block) VALUES (?, ?, ?)").bind(catalogue);
        query.bind(place).bind(known.ok_or(sqlx::Error::RowNotFound)?).execute(&mut *connection).await?;
    }
    Ok(catalogue)
}

async fn put_block(connection: &mut SqliteConnection, block: &Block, texts: &[String]) -> Result<(), sqlx::Error> {
    if id(connection, "SELECT id FROM blocks WHERE hash = ?", &block.hash).await?.is_some() {
        return Ok(());
    }
    let lines: Vec<(Hash, &str)> = block.lines.iter().copied().zip(texts.iter().map(String::as_str)).collect();
    for some in lines.chunks(ROWS) {
        put_lines(connection, some).await?;
    }
    let query = sqlx::query("INSERT INTO blocks (hash) VALUES (?) RETURNING id").bind(&block.hash[..]);
    let row = query.fetch_one(&mut *connection).await?;
    let id: i64 = row.try_get(0)?;
    let places: Vec<(i64, &Hash)> = (0..).zip(&block.lines).collect();
    for some in places.chunks(ROWS) {
        let mut query = QueryBuilder::<Sqlite>::new("WITH given (place, hash) AS (");
        query.push_values(some, |mut row, (place, hash)| {
            row.push_bind(*place).push_bind(hash.to_vec());
        });
        query.push(") INSERT INTO block_lines (block, place, line) SELECT ").push_bind(id);
        query.push(", given.place, lines.id FROM given JOIN lines ON lines.hash = given.hash");
        if query.build().execute(&mut *connection).await?.rows_affected() != some.len() as u64 {
            return Err(sqlx::Error::RowNotFound);
        }
    }
    Ok(())
}

async fn put_lines(connection: &mut SqliteConnection, lines: &[(Hash, &str)]) -> Result<(), sqlx::Error> {
    let mut query = QueryBuilder::<Sqlite>::new("INSERT OR IGNORE INTO lines (hash, body) ");
    query.push_values(lines, |mut row, (hash, body)| {
        row.push_bind(hash.to_vec()).push_bind((*body).to_owned());
    });
    query.build().execute(connection).await.map(drop)
}
