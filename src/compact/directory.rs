//! Lines of the directory: stands in until the writer is merged.

/// A line of the directory; more is greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Line {
    /// Name and first sentence.
    Name,
    /// Signature and first sentence.
    Signature,
}

impl Line {
    /// All of them, smallest first.
    pub const ALL: [Self; 2] = [Self::Name, Self::Signature];
}
