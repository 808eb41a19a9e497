//! Collects findings and keeps a hostile tool from making a long answer.

use super::verdict::{Finding, Rule, Verdict};

/// Findings told one by one. A publisher who mends this many looks again anyway, and 256 KiB can hold 80,000.
pub(super) const MAX_FINDINGS: usize = 16;

#[derive(Default)]
pub(super) struct Findings {
    told: Vec<Finding>,
    /// Where the first untold one is, and how many there are.
    untold: Option<(String, usize)>,
}

impl Findings {
    /// Takes closures, so that the words of the untold ones are never made.
    pub(super) fn add(&mut self, rule: Rule, field: impl FnOnce() -> String, description: impl FnOnce() -> String) {
        if self.told.len() < MAX_FINDINGS {
            self.told.push(Finding { rule, field: field(), description: description() });
        } else if let Some((_, count)) = &mut self.untold {
            *count += 1;
        } else {
            self.untold = Some((field(), 1));
        }
    }

    pub(super) fn finish(mut self) -> (Verdict, Vec<Finding>) {
        if let Some((field, count)) = self.untold {
            let description = format!("{count} more findings from here on; {MAX_FINDINGS} are told");
            self.told.push(Finding { rule: Rule::FurtherFindings, field, description });
        }
        (if self.told.is_empty() { Verdict::Allow } else { Verdict::Refuse }, self.told)
    }
}
