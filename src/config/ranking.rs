//! `[ranking]`: the numbers that ranking rests on, and steps to leave out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::rank::{Abstain, LeftOut, Step};

/// How tools are ranked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ranking {
    /// The weights file, from `tool-router fit` or `tool-router calibrate`. Absent: `ranking.json` of the model directory where there is
    /// one, else numbers that go with any model and know no confidence.
    pub weights_file: Option<PathBuf>,
    /// Steps to leave out, by name.
    pub leave_out: Vec<String>,
    /// How readily an answer says that nothing fits.
    pub no_match: NoMatch,
}

/// How readily an answer says that nothing fits, where a request brings no `min_confidence`.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoMatch {
    /// Only for a request's own `min_confidence`.
    Never,
    /// Where it costs next to nothing.
    #[default]
    Mild,
    /// Where it is likely right.
    Strict,
}

impl From<NoMatch> for Abstain {
    fn from(no_match: NoMatch) -> Self {
        match no_match {
            NoMatch::Never => Self::Never,
            NoMatch::Mild => Self::Mildly,
            NoMatch::Strict => Self::Strictly,
        }
    }
}

impl Ranking {
    /// The steps to leave out.
    ///
    /// # Errors
    /// A name that no step has.
    pub fn left_out(&self) -> Result<LeftOut, String> {
        let step = |name: &String| {
            let known = Step::ALL.map(Step::name).join(", ");
            Step::parse(name).ok_or_else(|| format!("ranking.leave_out: {name:?} is no step; steps are {known}"))
        };
        Ok(LeftOut::of(self.leave_out.iter().map(step).collect::<Result<Vec<_>, _>>()?))
    }
}
