//! Labels whose number has no bound of its own: the first so many have their name, the rest share `_OTHER`.
//!
//! First come, first named, for as long as the process lives: a label that changed its meaning would make nonsense of every rate.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Arc, PoisonError, RwLock};

use opentelemetry::{KeyValue, Value};

/// What all that have no label of their own are called.
const OTHER: &str = "_OTHER";

/// Labels by what they are of.
#[derive(Debug)]
pub(super) struct Labels<K> {
    known: RwLock<HashMap<K, Arc<[KeyValue]>>>,
    most: usize,
}

impl<K: Clone + Eq + Hash> Labels<K> {
    pub(super) fn new(most: usize) -> Self {
        Self { known: RwLock::default(), most }
    }

    /// The labels of `key`, made by `make` when it is new and there is room.
    pub(super) fn of(&self, key: &K, make: impl FnOnce(&K) -> Vec<KeyValue>) -> Arc<[KeyValue]> {
        if let Some(labels) = self.known.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Arc::clone(labels);
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(labels) = known.get(key) {
            return Arc::clone(labels);
        }
        let mut labels = make(key);
        if self.most <= known.len() {
            labels.iter_mut().for_each(|label| label.value = Value::from(OTHER));
            return labels.into();
        }
        let labels: Arc<[KeyValue]> = labels.into();
        known.insert(key.clone(), Arc::clone(&labels));
        labels
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_have_names_and_a_million_others_take_no_room() {
        let labels: Labels<u32> = Labels::new(3);
        let name = |key: u32| labels.of(&key, |key| vec![KeyValue::new("tool", key.to_string())])[0].value.to_string();
        assert_eq!([1, 2, 3, 4, 1].map(name), ["1", "2", "3", "_OTHER", "1"]);
        (0..1_000_000).for_each(|key| drop(name(key)));
        assert_eq!(labels.known.read().unwrap().len(), 3);
    }
}
