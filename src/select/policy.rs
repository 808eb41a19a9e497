//! How a router ranks: the numbers, and the steps that are left out.

use std::sync::Arc;

use crate::rank::{Abstain, Fusion, LeftOut, Step, Weights};

/// How a router ranks. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Policy {
    /// The numbers.
    pub weights: Arc<Weights>,
    /// What is left out.
    pub left_out: LeftOut,
    /// How readily nothing is said to fit.
    pub abstain: Abstain,
}

impl Policy {
    /// Whether `step` acts.
    #[must_use]
    pub fn keeps(&self, step: Step) -> bool {
        self.left_out.keeps(step)
    }

    /// How scores become one among so many tools, for a request of which the model cannot read a share `unread`.
    #[must_use]
    pub fn fusion(&self, tools: usize, unread: f32) -> Fusion {
        let mut fusion = self.weights.fusion.among(tools);
        if !self.keeps(Step::Views) {
            (fusion.full, fusion.best, fusion.mean) = (fusion.full + fusion.best + fusion.mean, 0.0, 0.0);
        }
        if !self.keeps(Step::Lexical) {
            fusion.lexical = 0.0;
        }
        if !self.keeps(Step::Named) {
            (fusion.named, fusion.named_by_words) = (0.0, 0.0);
        }
        if !self.keeps(Step::Centring) {
            fusion.centring = 0.0;
        }
        fusion.with_unread(if self.keeps(Step::Scripts) { unread } else { 0.0 })
    }

    /// The same for words alone.
    #[must_use]
    pub fn by_words(&self) -> Fusion {
        self.fusion(0, 0.0).with_unread(1.0)
    }
}
