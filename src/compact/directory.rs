//! Lines of the directory: tools that are worth knowing of and did not fit as objects, as text, not to be called.

/// What a line says of its tool; more is greater.
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
