//! What was worked out once and may be asked for again, bounded by bytes.
//!
//! A key says everything its value depends on, the catalogue's generation included, so nothing is ever invalidated: what nobody asks for
//! any more is pushed out. It does not know how values are made. moka's admission policy keeps a stream of one-off queries from washing
//! out what is asked for again and again.

use std::hash::Hash;

/// Values by key. A cheap handle.
pub struct Cache<K, V>(Option<moka::sync::Cache<K, V>>);

impl<K, V> Clone for Cache<K, V> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K, V> std::fmt::Debug for Cache<K, V> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Cache").field(&self.0.is_some()).finish()
    }
}

impl<K, V> Cache<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// A cache of at most `max_bytes`, by what `weigh` says of key and value; 0 remembers nothing.
    #[must_use]
    pub fn new(max_bytes: u64, weigh: fn(&K, &V) -> usize) -> Self {
        Self((0 < max_bytes).then(|| {
            let weigher = move |key: &K, value: &V| u32::try_from(weigh(key, value)).unwrap_or(u32::MAX);
            moka::sync::Cache::builder().max_capacity(max_bytes).weigher(weigher).build()
        }))
    }

    /// Whether it remembers anything at all.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// How many values it remembers, and their bytes.
    #[must_use]
    pub fn size(&self) -> (u64, u64) {
        self.0.as_ref().map_or((0, 0), |values| (values.entry_count(), values.weighted_size()))
    }

    /// The value of `key`.
    #[must_use]
    pub fn get(&self, key: &K) -> Option<V> {
        self.0.as_ref()?.get(key)
    }

    /// Remembers `value`.
    pub fn put(&self, key: K, value: V) {
        if let Some(values) = &self.0 {
            values.insert(key, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_within_its_bytes() {
        let cache: Cache<u32, String> = Cache::new(1_000, |_, value| value.len());
        cache.put(1, "one".into());
        assert_eq!((cache.get(&1).as_deref(), cache.get(&2)), (Some("one"), None));
        for key in 0..500 {
            cache.put(key, "x".repeat(100));
        }
        let settled = || {
            let values = cache.0.as_ref().unwrap();
            values.run_pending_tasks();
            values.weighted_size()
        };
        assert!(settled() <= 1_000, "{} bytes", settled());
        cache.put(7, "x".repeat(5_000));
        settled();
        assert_eq!(cache.get(&7), None, "what is larger than the cache is not kept");
    }

    #[test]
    fn none_at_all_remembers_nothing() {
        let cache: Cache<u32, u32> = Cache::new(0, |_, _| 1);
        cache.put(1, 1);
        assert_eq!((cache.get(&1), cache.is_on()), (None, false));
    }
}
