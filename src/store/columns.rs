//! A tool's record as the plain values of one row: what every store writes and reads, whatever its engine.

use std::fmt;

use serde::{Deserialize, Serialize};
use sqlx::{ColumnIndex, Decode, Row, Type};

use super::{StoreError, StoredVector};
use crate::catalog::{Record, State, TextHash};
use crate::compact::Costs;
use crate::index::vector::Codes;
use crate::tool::{Document, Fingerprint, ModelName, Tool, ToolId};

/// The columns of table `tools`, but for the tenant. As a line of a backup, with bytes in hex.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Columns {
    pub(super) source: String,
    pub(super) name: String,
    pub(super) position: i64,
    pub(super) model_name: String,
    #[serde(with = "hex")]
    pub(super) fingerprint: Vec<u8>,
    /// 0: enabled, 1: disabled.
    pub(super) state: i64,
    pub(super) registered_at_ms: i64,
    pub(super) updated_at_ms: i64,
    pub(super) title: Option<String>,
    pub(super) description: String,
    pub(super) input_schema: String,
    pub(super) output_schema: Option<String>,
    pub(super) annotations: Option<String>,
    pub(super) extra: Option<String>,
    pub(super) domain: Option<String>,
    /// A list of strings as JSON, like `examples`.
    pub(super) tags: String,
    pub(super) examples: String,
    #[serde(with = "hex")]
    pub(super) costs: Vec<u8>,
}

impl Columns {
    pub(super) fn of(record: &Record) -> Self {
        let tool = &record.tool;
        let document = |d: &Option<Document>| d.as_ref().map(|d| d.text().to_owned());
        Self {
            source: tool.id.source().to_owned(),
            name: tool.id.name().to_owned(),
            position: signed(record.position),
            model_name: record.model_name.as_str().to_owned(),
            fingerprint: record.fingerprint.as_bytes().to_vec(),
            state: match record.state {
                State::Enabled => 0,
                State::Disabled => 1,
            },
            registered_at_ms: signed(record.registered_at_ms),
            updated_at_ms: signed(record.updated_at_ms),
            title: tool.title.clone(),
            description: tool.description.clone(),
            input_schema: tool.input_schema.text().to_owned(),
            output_schema: document(&tool.output_schema),
            annotations: document(&tool.annotations),
            extra: document(&tool.extra),
            domain: tool.domain.clone(),
            tags: list_text(&tool.tags),
            examples: list_text(&tool.examples),
            costs: record.costs.to_bytes(),
        }
    }

    /// Reads a row that has all of them.
    pub(super) fn read<'r, R>(row: &'r R) -> Result<Self, StoreError>
    where
        R: Row,
        &'static str: ColumnIndex<R>,
        String: Decode<'r, R::Database> + Type<R::Database>,
        i64: Decode<'r, R::Database> + Type<R::Database>,
        Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
    {
        Ok(Self {
            source: column(row, "source")?,
            name: column(row, "name")?,
            position: column(row, "position")?,
            model_name: column(row, "model_name")?,
            fingerprint: column(row, "fingerprint")?,
            state: column(row, "state")?,
            registered_at_ms: column(row, "registered_at_ms")?,
            updated_at_ms: column(row, "updated_at_ms")?,
            title: column(row, "title")?,
            description: column(row, "description")?,
            input_schema: column(row, "input_schema")?,
            output_schema: column(row, "output_schema")?,
            annotations: column(row, "annotations")?,
            extra: column(row, "extra")?,
            domain: column(row, "domain")?,
            tags: column(row, "tags")?,
            examples: column(row, "examples")?,
            costs: column(row, "costs")?,
        })
    }

    /// The record they are of.
    pub(super) fn record(self) -> Result<Record, StoreError> {
        let id = ToolId::new(&self.source, &self.name).map_err(|v| damaged("id", &v))?;
        let display = id.to_string();
        let document = |name: &str, text: String| Document::parse(&text).map_err(|e| damaged(&format!("{display} {name}"), &e));
        let optional = |name: &str, text: Option<String>| text.map(|text| document(name, text)).transpose();
        let list = |name: &str, text: &str| -> Result<Vec<String>, StoreError> {
            serde_json::from_str(text).map_err(|e| damaged(&format!("{display} {name}"), &e))
        };
        let tool = Tool {
            title: self.title,
            description: self.description,
            input_schema: document("input_schema", self.input_schema)?,
            output_schema: optional("output_schema", self.output_schema)?,
            annotations: optional("annotations", self.annotations)?,
            extra: optional("extra", self.extra)?,
            domain: self.domain,
            tags: list("tags", &self.tags)?,
            examples: list("examples", &self.examples)?,
            id,
        };
        let model_name = ModelName::parse(&self.model_name).ok_or_else(|| damaged(&display, &"model_name is not one"))?;
        let fingerprint = Fingerprint::from_slice(&self.fingerprint).ok_or_else(|| damaged(&display, &"fingerprint is cut"))?;
        // Counts of an older renderer are counted again rather than believed.
        let costs = Costs::from_bytes(&self.costs).unwrap_or_else(|| Costs::of(&tool, &model_name));
        Ok(Record {
            model_name,
            fingerprint,
            state: if self.state == 0 { State::Enabled } else { State::Disabled },
            position: unsigned(self.position),
            registered_at_ms: unsigned(self.registered_at_ms),
            updated_at_ms: unsigned(self.updated_at_ms),
            costs,
            tool,
        })
    }
}

/// A column's value. A file can hold anything, also text that is none, and no file may panic the process.
pub(super) fn column<'r, T, R>(row: &'r R, name: &'static str) -> Result<T, StoreError>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    T: Decode<'r, R::Database> + Type<R::Database>,
{
    row.try_get(name).map_err(|e| damaged(name, &e))
}

/// A row of table `vectors`. One that does not read is embedded again: it is derived, so nothing is lost.
pub(super) fn vector<'r, R>(row: &'r R) -> Option<StoredVector>
where
    R: Row,
    &'static str: ColumnIndex<R>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    Vec<u8>: Decode<'r, R::Database> + Type<R::Database>,
{
    let bytes: Vec<u8> = column(row, "codes").ok()?;
    let text: Vec<u8> = column(row, "text_hash").ok()?;
    Some(StoredVector {
        model_id: column(row, "model").ok()?,
        text: TextHash(text.try_into().ok()?),
        codes: Codes::from_bytes(&bytes, bytes.len().checked_sub(4)?)?,
    })
}

pub(super) fn damaged(what: &str, detail: &dyn fmt::Display) -> StoreError {
    StoreError::Damaged { detail: format!("{what}: {detail}") }
}

fn list_text(list: &[String]) -> String {
    // A list of strings always serialises.
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}

/// The engines have signed integers only; positions and stamps stay far below the sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
