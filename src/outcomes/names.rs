//! A table of so many names and no more, for counts that are kept by number: who comes when it is full shares one number with all others.

use std::collections::HashMap;
use std::hash::Hash;

/// The number of whoever found no place.
pub(super) const NO_PLACE: u16 = u16::MAX;

/// Names and their numbers.
#[derive(Debug)]
pub(super) struct Names<T> {
    numbers: HashMap<T, u16>,
    names: Vec<Option<T>>,
    max: usize,
}

impl<T: Clone + Eq + Hash> Names<T> {
    /// Room for so many, fewer than 65,535.
    pub(super) fn bounded(max: usize) -> Self {
        Self { numbers: HashMap::new(), names: Vec::new(), max: max.min(usize::from(NO_PLACE)) }
    }

    /// The number of a name, which gets one where there is room.
    pub(super) fn number(&mut self, name: &T) -> u16 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let free = if self.numbers.len() < self.names.len() {
            self.names.iter().position(Option::is_none)
        } else {
            Some(self.names.len()).filter(|next| *next < self.max)
        };
        let Some((place, number)) = free.and_then(|place| Some((place, u16::try_from(place).ok()?))) else { return NO_PLACE };
        match self.names.get_mut(place) {
            Some(slot) => *slot = Some(name.clone()),
            None => self.names.push(Some(name.clone())),
        }
        self.numbers.insert(name.clone(), number);
        number
    }

    /// Who has a number; `None` for those without a place.
    pub(super) fn name(&self, number: u16) -> Option<&T> {
        self.names.get(usize::from(number))?.as_ref()
    }

    /// Frees the numbers that are in no use any more.
    pub(super) fn keep(&mut self, is_used: impl Fn(u16) -> bool) {
        let names = &mut self.names;
        self.numbers.retain(|_, number| {
            let used = is_used(*number);
            if !used && let Some(slot) = names.get_mut(usize::from(*number)) {
                *slot = None;
            }
            used
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_comes_late_shares_a_number_until_a_place_is_free() {
        let mut names = Names::bounded(2);
        assert_eq!([names.number(&"a"), names.number(&"b"), names.number(&"c")], [0, 1, NO_PLACE]);
        assert_eq!((names.number(&"b"), names.name(1), names.name(NO_PLACE)), (1, Some(&"b"), None));
        names.keep(|number| number == 1);
        assert_eq!(names.name(0), None);
        assert_eq!([names.number(&"c"), names.number(&"b"), names.number(&"a")], [0, 1, NO_PLACE]);
    }
}
