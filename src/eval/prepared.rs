//! A set made ready once, however many rankers are to search it: its tools' vectors, and the catalogue that registering them would build.

use std::collections::HashMap;
use std::sync::Arc;

use super::dataset::Dataset;
use super::router::{catalogue, evaluation_id, served};
use super::{EvalError, Model};
use crate::catalog::views::ViewTexts;
use crate::catalog::{TenantCatalog, TextHash};
use crate::index::EngineChoice;
use crate::index::vector::{Codes, UnitVector};
use crate::tool::{Tool, ToolId};

/// A set, ready to be searched.
#[derive(Debug)]
pub struct Prepared {
    /// The set.
    pub data: Dataset,
    /// Its catalogue.
    pub catalog: Arc<TenantCatalog>,
    /// The vector of every view.
    pub(super) vectors: HashMap<String, UnitVector>,
}

impl Prepared {
    /// Embeds the tools of `data` and builds the catalogue; `tick` is told of every text.
    ///
    /// # Errors
    /// The model failed.
    pub fn of(data: Dataset, choice: EngineChoice, model: &mut Model, tick: &(dyn Fn() + Sync)) -> Result<Self, EvalError> {
        let texts: Vec<String> = data.tools.iter().flat_map(|tool| ViewTexts::of(tool).base).collect();
        let vectors = model.embed_all(texts, tick)?;
        let codes: HashMap<TextHash, Codes> =
            vectors.iter().map(|(text, vector)| (TextHash::of(text), Codes::quantise(vector))).collect();
        let distinct = data.tools.iter().enumerate().map(|(place, tool)| Tool { id: id(&data, place), ..tool.clone() });
        let catalog = catalogue(distinct, |hash| codes.get(hash).cloned(), model.pool.info().dimension);
        let catalog = served(catalog, choice);
        Ok(Self { data, catalog: Arc::new(catalog), vectors })
    }

    /// The ids of tools in the catalogue, for a scope.
    #[must_use]
    pub fn ids(&self, places: &[usize]) -> Vec<ToolId> {
        places.iter().map(|place| id(&self.data, *place)).collect()
    }

    /// A tool as a reader knows it.
    #[must_use]
    pub fn display(&self, place: usize) -> String {
        self.data.tools.get(place).map_or_else(String::new, |tool| tool.id.to_string())
    }
}

fn id(data: &Dataset, place: usize) -> ToolId {
    let id = &data.tools[place].id;
    evaluation_id(id, place).unwrap_or_else(|| id.clone())
}
