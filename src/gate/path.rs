//! Where in a tool something stands, in the publisher's words. Kept as steps: a path is written out only for a finding.

use std::fmt;

use super::unicode::shown;

enum Step<'a> {
    Member(&'a str),
    Element(usize),
}

/// For example `input_schema.properties.path.enum[2]`.
pub(super) struct Path<'a> {
    field: &'static str,
    steps: Vec<Step<'a>>,
}

impl<'a> Path<'a> {
    pub(super) fn new(field: &'static str) -> Self {
        Self { field, steps: Vec::new() }
    }

    /// Runs `work` one member further in.
    pub(super) fn inside_member(&mut self, key: &'a str, work: impl FnOnce(&mut Self)) {
        self.inside(Step::Member(key), work);
    }

    /// Runs `work` one element further in.
    pub(super) fn inside_element(&mut self, index: usize, work: impl FnOnce(&mut Self)) {
        self.inside(Step::Element(index), work);
    }

    fn inside(&mut self, step: Step<'a>, work: impl FnOnce(&mut Self)) {
        self.steps.push(step);
        work(self);
        self.steps.pop();
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.field)?;
        for step in &self.steps {
            match step {
                Step::Member(key) => write!(f, ".{}", shown(key))?,
                Step::Element(index) => write!(f, "[{index}]")?,
            }
        }
        Ok(())
    }
}
