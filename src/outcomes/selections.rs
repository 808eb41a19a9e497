//! Selections of late, so that a report need say no more than which selection it is about.
//!
//! A router answers for its own selections only. One that another replica made, or that was pushed out by newer ones, is unknown; its report
//! counts all the same, and may bring the place of the tool along.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use crate::tool::{TenantId, ToolId};

/// Most selections: ten minutes at 30 a second.
const MAX_SELECTIONS: usize = 20_000;
/// Most tools of all their lists together, 40 bytes each. Lists of 200 tools would otherwise be ten times what lists of 20 are.
const MAX_TOOLS: usize = 200_000;

/// Names a selection: 32 hex digits on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SelectionId(pub u128);

impl SelectionId {
    /// Reads what [`fmt::Display`] writes; `None` for what no router gave.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        digits.then(|| u128::from_str_radix(text, 16).ok()).flatten().map(Self)
    }
}

impl fmt::Display for SelectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// What a selection showed.
#[derive(Clone, Debug)]
pub struct Shown {
    /// Whose.
    pub tenant: TenantId,
    /// Registered tools of its list, each with its place, from 1.
    pub tools: Box<[(ToolId, u32)]>,
    /// W3C traceparent of its span; empty without one.
    pub traceparent: String,
    /// Who asked; empty for a caller without a name.
    pub agent: Arc<str>,
}

impl Shown {
    /// Place of a tool in the list.
    #[must_use]
    pub fn place(&self, tool: &ToolId) -> Option<u32> {
        self.tools.iter().find(|(id, _)| id == tool).map(|(_, place)| *place)
    }
}

/// The latest selections.
#[derive(Debug)]
pub struct Selections {
    by_id: HashMap<SelectionId, Shown>,
    /// Oldest first.
    order: VecDeque<SelectionId>,
    tools: usize,
    max_selections: usize,
    max_tools: usize,
}

impl Default for Selections {
    fn default() -> Self {
        Self::bounded(MAX_SELECTIONS, MAX_TOOLS)
    }
}

impl Selections {
    /// At most so many, with at most so many tools between them.
    #[must_use]
    pub fn bounded(max_selections: usize, max_tools: usize) -> Self {
        Self { by_id: HashMap::new(), order: VecDeque::new(), tools: 0, max_selections, max_tools }
    }

    /// Remembers one; the oldest make room.
    pub fn remember(&mut self, id: SelectionId, shown: Shown) {
        self.tools += shown.tools.len();
        match self.by_id.insert(id, shown) {
            Some(before) => self.tools -= before.tools.len(),
            None => self.order.push_back(id),
        }
        while self.max_selections < self.order.len() || self.max_tools < self.tools {
            let Some(oldest) = self.order.pop_front() else { return };
            self.tools -= self.by_id.remove(&oldest).map_or(0, |shown| shown.tools.len());
        }
    }

    /// A tenant's selection. Another's is as unknown as one that never was.
    #[must_use]
    pub fn get(&self, tenant: &TenantId, id: SelectionId) -> Option<&Shown> {
        self.by_id.get(&id).filter(|shown| shown.tenant == *tenant)
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// True when none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(tools: usize) -> Shown {
        let tool = |i: usize| (ToolId::new("s", &format!("t{i}")).unwrap(), i as u32 + 1);
        Shown { tenant: TenantId::default(), tools: (0..tools).map(tool).collect(), traceparent: String::new(), agent: "".into() }
    }

    #[test]
    fn ids_read_back_and_nothing_else_does() {
        let id = SelectionId(0xab);
        assert_eq!(SelectionId::parse(&id.to_string()), Some(id));
        for none in ["", "ab", "+00000000000000000000000000000ab", "000000000000000000000000000000aé", &"0".repeat(33)] {
            assert_eq!(SelectionId::parse(none), None, "{none}");
        }
    }

    #[test]
    fn a_selection_is_its_tenants_own() {
        let mut selections = Selections::default();
        selections.remember(SelectionId(1), shown(3));
        let found = selections.get(&TenantId::default(), SelectionId(1)).unwrap();
        assert_eq!(found.place(&ToolId::new("s", "t2").unwrap()), Some(3));
        assert_eq!(found.place(&ToolId::new("s", "t9").unwrap()), None);
        assert!(selections.get(&TenantId::new("other"), SelectionId(1)).is_none());
    }

    proptest! {
        /// Against a list of all that ever was, of which the end is remembered.
        #[test]
        fn the_newest_are_remembered_within_both_bounds(steps in prop::collection::vec((0..30_u128, 0..6_usize), 0..80)) {
            let (mut selections, mut all) = (Selections::bounded(8, 15), Vec::<(u128, usize)>::new());
            for (id, tools) in steps {
                selections.remember(SelectionId(id), shown(tools));
                match all.iter_mut().find(|(known, _)| *known == id) {
                    Some(known) => known.1 = tools,
                    None => all.push((id, tools)),
                }
                while 8 < all.len() || 15 < all.iter().map(|(_, tools)| tools).sum::<usize>() {
                    all.remove(0);
                }
                prop_assert_eq!(selections.len(), all.len());
                prop_assert_eq!(selections.by_id.len(), all.len());
                for (id, tools) in &all {
                    let found = selections.get(&TenantId::default(), SelectionId(*id)).map(|shown| shown.tools.len());
                    prop_assert_eq!(found, Some(*tools));
                }
            }
        }
    }
}
