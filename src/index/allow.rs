//! A set of slots, one bit each.

/// Which documents a search may return.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allowed {
    words: Vec<u64>,
    /// How many slots there are.
    slots: usize,
}

impl Allowed {
    /// None of `slots` slots.
    #[must_use]
    pub fn none(slots: usize) -> Self {
        Self { words: vec![0; slots.div_ceil(64)], slots }
    }

    /// All of `slots` slots.
    #[must_use]
    pub fn all(slots: usize) -> Self {
        let mut all = Self::none(slots);
        (0_u32..).take(slots).for_each(|slot| all.insert(slot));
        all
    }

    /// Adds a slot; one past the end is ignored.
    pub fn insert(&mut self, slot: u32) {
        if (slot as usize) < self.slots {
            self.words[slot as usize / 64] |= 1 << (slot % 64);
        }
    }

    /// Takes a slot out.
    pub fn remove(&mut self, slot: u32) {
        if let Some(word) = self.words.get_mut(slot as usize / 64) {
            *word &= !(1 << (slot % 64));
        }
    }

    /// The same slots of a larger number of slots.
    #[must_use]
    pub fn grown(&self, slots: usize) -> Self {
        let mut grown = self.clone();
        grown.slots = self.slots.max(slots);
        grown.words.resize(grown.slots.div_ceil(64), 0);
        grown
    }

    /// Whether a slot is in.
    #[must_use]
    #[inline]
    pub fn contains(&self, slot: u32) -> bool {
        self.words.get(slot as usize / 64).is_some_and(|word| word >> (slot % 64) & 1 == 1)
    }

    /// How many are in.
    #[must_use]
    pub fn len(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether none is in.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The slots that are in, ascending.
    pub fn iter(&self) -> impl Iterator<Item = u32> {
        self.words.iter().zip((0_u32..).step_by(64)).flat_map(|(word, start)| {
            let mut rest = *word;
            std::iter::from_fn(move || {
                let bit = (rest != 0).then(|| rest.trailing_zeros())?;
                rest &= rest - 1;
                Some(start + bit)
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn behaves_as_a_plain_set(slots in 0_usize..200, inserted in prop::collection::vec(0_u32..260, 0..60)) {
            let mut fast = Allowed::none(slots);
            let mut plain = BTreeSet::new();
            for slot in inserted {
                fast.insert(slot);
                if (slot as usize) < slots {
                    plain.insert(slot);
                }
            }
            prop_assert_eq!(fast.iter().collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(fast.len(), plain.len());
            prop_assert_eq!(fast.is_empty(), plain.is_empty());
            prop_assert!((0..300).all(|slot| fast.contains(slot) == plain.contains(&slot)));
            prop_assert_eq!(Allowed::all(slots).len(), slots);
            let mut grown = fast.grown(slots + 70);
            prop_assert_eq!(grown.iter().collect::<Vec<_>>(), fast.iter().collect::<Vec<_>>());
            grown.insert(u32::try_from(slots).unwrap() + 69);
            fast.iter().for_each(|slot| grown.remove(slot));
            grown.remove(9_999);
            prop_assert_eq!(grown.len(), 1);
        }
    }
}
