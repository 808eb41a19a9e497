//! The counters that requests can name.

use std::sync::Arc;

use super::{Counter, Tokenizer};

/// Counters by name, one of them for requests that name none. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Counters {
    all: Arc<[Counter]>,
    default: Counter,
}

impl Counters {
    /// `all`, with the default of that name. `None` where no counter has it.
    #[must_use]
    pub fn new(all: Vec<Counter>, default: &str) -> Option<Self> {
        let default = all.iter().find(|counter| counter.name() == default)?.clone();
        Some(Self { all: all.into(), default })
    }

    /// The one of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Counter> {
        self.all.iter().find(|counter| counter.name() == name)
    }

    /// The one for requests that name none.
    #[must_use]
    pub fn default_counter(&self) -> &Counter {
        &self.default
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Counter> {
        self.all.iter()
    }

    /// All names, for messages.
    #[must_use]
    pub fn names(&self) -> String {
        self.iter().map(Counter::name).collect::<Vec<_>>().join(", ")
    }
}

/// The exact ones, `o200k_base` for requests that name none.
impl Default for Counters {
    fn default() -> Self {
        let all = Tokenizer::ALL.map(Counter::exact);
        Self { default: all[0].clone(), all: Arc::new(all) }
    }
}
