//! The steps of ranking, each of which can be left out: for finding out what it is worth, and for catalogues it does not suit.

/// A step that can be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Step {
    /// Several views of a tool; without them its whole text alone is compared.
    Views,
    /// BM25 beside meaning.
    Lexical,
    /// How much of a tool's name the request says.
    Named,
    /// What a tool has in common with its whole catalogue is taken off.
    Centring,
    /// Tools that the request names exactly come first.
    Mentions,
    /// Words instead of meaning for scripts that the model does not read.
    Scripts,
    /// Parts of a long request beside the whole.
    Clauses,
    /// Of look-alikes, the one whose source the request says.
    Rivals,
    /// Tools that are used together with the leading ones.
    Companions,
}

impl Step {
    /// All, in the order in which they act.
    pub const ALL: [Self; 9] = [
        Self::Views,
        Self::Lexical,
        Self::Named,
        Self::Centring,
        Self::Mentions,
        Self::Scripts,
        Self::Clauses,
        Self::Rivals,
        Self::Companions,
    ];

    /// In settings, flags and tables.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Views => "views",
            Self::Lexical => "lexical",
            Self::Named => "named",
            Self::Centring => "centring",
            Self::Mentions => "mentions",
            Self::Scripts => "scripts",
            Self::Clauses => "clauses",
            Self::Rivals => "rivals",
            Self::Companions => "companions",
        }
    }

    /// By its name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|step| step.name() == name)
    }
}

/// Which steps are left out; none by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftOut(u16);

impl LeftOut {
    /// These.
    pub fn of(steps: impl IntoIterator<Item = Step>) -> Self {
        Self(steps.into_iter().fold(0, |bits, step| bits | 1 << step as u8))
    }

    /// These and `step`.
    #[must_use]
    pub fn and(self, step: Step) -> Self {
        Self(self.0 | 1 << step as u8)
    }

    /// Whether `step` acts.
    #[must_use]
    pub fn keeps(self, step: Step) -> bool {
        self.0 >> step as u8 & 1 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_does_not_act_and_the_rest_does() {
        let left_out = LeftOut::of([Step::Clauses]);
        assert_eq!(left_out.and(Step::Views), LeftOut::of([Step::Views, Step::Clauses]));
        assert!(Step::ALL.iter().all(|step| left_out.keeps(*step) == (*step != Step::Clauses)));
        assert!(Step::ALL.iter().all(|step| LeftOut::default().keeps(*step) && Step::parse(step.name()) == Some(*step)));
        assert_eq!(Step::parse("luck"), None);
    }
}
