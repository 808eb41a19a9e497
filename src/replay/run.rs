//! A recorded catalogue as it was, and what is to happen again in it.

use std::collections::HashMap;
use std::sync::Arc;

use super::record::Record;
use crate::catalog::{Entry, TenantCatalog, TextHash};
use crate::index::vector::Codes;
use crate::select::Again;
use crate::store::backup::Kept;

/// The catalogue that `kept` is, with the vectors of the model `model_id`: a tool's slot is its place by registration.
#[must_use]
pub fn catalogue(kept: &Kept, model_id: &str, dimension: usize) -> TenantCatalog {
    let of_model = kept.vectors.iter().filter(|vector| vector.model_id == model_id);
    let vectors: HashMap<TextHash, &Codes> = of_model.map(|vector| (vector.text, &vector.codes)).collect();
    let entry = |record| Arc::new(Entry::new(record, |text| vectors.get(text).map(|codes| (*codes).clone())));
    let entries = kept.stored.records.iter().cloned().map(entry).collect();
    TenantCatalog::build(kept.stored.tenant.clone(), kept.stored.version, entries, dimension)
}

/// What is to happen again; `same_tools` where it does in the catalogue that was recorded, so that what a graph proposed is there.
#[must_use]
pub fn again(record: &Record, same_tools: bool) -> Again {
    Again { moment: record.moment.clone(), proposed: record.proposed.clone().filter(|_| same_tools) }
}
