//! What a ring is asked for. Whatever is read is held against the hash it was kept under.

use super::{Hash, Ring, hash};
use crate::store::StoreError;
use crate::store::columns::{column, damaged};
use crate::store::embedded::sort;

/// Most records of one trace that are given at once: an agent selects once a turn, and its turns share a trace.
const MOST: i64 = 100;

/// A record that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// The record.
    pub body: String,
    /// The weights file that it was ranked by.
    pub weights: String,
    /// Its catalogue, for [`Ring::blocks`].
    pub catalogue: Option<i64>,
}

impl Ring {
    /// The records of a trace, or of one selection, oldest first; of a long trace the last.
    ///
    /// # Errors
    /// The file does not answer; a record is not as it was written.
    pub async fn find(&self, id: &str) -> Result<Vec<Found>, StoreError> {
        let mut connection = self.connection().await?;
        let rows = sqlx::query(
            "SELECT records.body, records.hash, records.catalogue, lines.body AS weights, lines.hash AS weights_hash FROM records \
             JOIN lines ON lines.id = records.weights WHERE trace_id = ?1 OR selection_id = ?1 ORDER BY records.id DESC LIMIT ?2",
        );
        let rows = rows.bind(id).bind(MOST).fetch_all(&mut *connection).await.map_err(|e| sort(&e, &self.options.path))?;
        let one = |row| {
            let what = format!("the replay record of {id}");
            let body = checked(column(row, "body")?, column(row, "hash")?, &what)?;
            let weights = checked(column(row, "weights")?, column(row, "weights_hash")?, &format!("the weights of {what}"))?;
            Ok(Found { body, weights, catalogue: column(row, "catalogue")? })
        };
        rows.iter().rev().map(one).collect()
    }

    /// The blocks of a catalogue, for [`Ring::lines`], in order.
    ///
    /// # Errors
    /// The file does not answer.
    pub async fn blocks(&self, catalogue: i64) -> Result<Vec<i64>, StoreError> {
        let mut connection = self.connection().await?;
        let query = sqlx::query("SELECT block FROM catalogue_blocks WHERE catalogue = ? ORDER BY place").bind(catalogue);
        let rows = query.fetch_all(&mut *connection).await.map_err(|e| sort(&e, &self.options.path))?;
        rows.iter().map(|row| column(row, "block")).collect()
    }

    /// The lines of a block, in order.
    ///
    /// # Errors
    /// The file does not answer; a line is not as it was written.
    pub async fn lines(&self, block: i64) -> Result<Vec<String>, StoreError> {
        let mut connection = self.connection().await?;
        let query = sqlx::query(
            "SELECT lines.body, lines.hash FROM block_lines JOIN lines ON lines.id = line WHERE block = ? ORDER BY place",
        );
        let rows = query.bind(block).fetch_all(&mut *connection).await.map_err(|e| sort(&e, &self.options.path))?;
        rows.iter().map(|row| checked(column(row, "body")?, column(row, "hash")?, "a line of the catalogue")).collect()
    }
}

fn checked(text: String, kept_under: Vec<u8>, what: &str) -> Result<String, StoreError> {
    let expected: Hash = kept_under.try_into().map_err(|_| damaged(what, &"its hash is cut"))?;
    if hash(&text) == expected { Ok(text) } else { Err(damaged(what, &"it is not what was written")) }
}
