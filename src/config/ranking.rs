//! `[ranking]`: the numbers that ranking rests on, and steps to leave out.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::rank::{LeftOut, Step};

/// How tools are ranked.
#[derive(Clone, Debug, Default, Deserialize, PartialEq, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Ranking {
    /// The weights file, from `tool-router fit` or `tool-router calibrate`. Absent: `ranking.json` of the model directory where there is
    /// one, else numbers that go with any model and know no confidence.
    pub weights_file: Option<PathBuf>,
    /// Steps to leave out, by name.
    pub leave_out: Vec<String>,
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
