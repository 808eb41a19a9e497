//! Weights and confidence from labelled requests: what `tool-router fit` writes.
//!
//! Ranking has few weights, so they are sought one at a time on a coarse grid, by the mean over sets of recall@5, nDCG@10 and COMP@10. A step
//! must gain more than chance gives and take nothing from any set: sets differ far more than requests do, and what is bought from one with
//! another does not travel. Sets may be taken among distractors as well. What the fit is worth elsewhere is shown by leaving each set out in turn.
//!
//! Confidence needs requests that no tool fits. Three kinds: requests whose tools are taken away, those of other sets, and talk
//! (`talk.rs`). Whoever asks for a missing tool is hardest to tell and matters least, since a near tool is then seldom wrong; hence the
//! weights.

mod confidence;
mod logistic;
mod samples;
mod search;
mod talk;

pub use self::confidence::{CalibrateError, calibrate_by_labels, calibrate_by_own_requests};
use self::samples::Sample;
use super::prepared::Prepared;
use super::{EvalError, Model};
use crate::rank::Weights;

/// Fewer labelled requests than this say nothing.
pub const LEAST: usize = 20;

/// A set with what was found for its requests.
struct Taken<'a> {
    set: &'a Prepared,
    samples: Vec<Sample>,
}

/// What a fit did to one set.
#[derive(Clone, Debug)]
pub struct Fitted {
    /// The set.
    pub set: String,
    /// Its tools, distractors included.
    pub tools: usize,
    /// Its queries.
    pub queries: usize,
    /// The mean of recall@5, nDCG@10 and COMP@10 with the weights before.
    pub before: f64,
    /// With the fitted ones.
    pub after: f64,
    /// With weights that were fitted on all other sets; nothing where there is no other.
    pub held_out: Option<f64>,
}

/// A fit could not be made.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// A search failed.
    #[error(transparent)]
    Eval(#[from] EvalError),
    /// There is too little to learn from.
    #[error("{set} has {queries} requests that need tools, at least {LEAST} are needed")]
    TooFew {
        /// The set.
        set: String,
        /// Its queries.
        queries: usize,
    },
}

/// Fits weights on `sets`, starting from `start`; `tick` is told of every request.
///
/// # Errors
/// A set is too small, or the model failed.
pub async fn fit(
    sets: &[Prepared],
    start: &Weights,
    model: &Model,
    tick: &(dyn Fn() + Sync),
) -> Result<(Weights, Vec<Fitted>), FitError> {
    let mut taken = Vec::new();
    for set in sets {
        let queries = &set.data.queries;
        if queries.len() < LEAST {
            return Err(FitError::TooFew { set: set.data.name.clone(), queries: queries.len() });
        }
        let mut samples = Vec::with_capacity(queries.len());
        for query in queries {
            samples.push(Sample::take(set, model.pool(), start, &query.id, &query.text, &query.relevant).await?);
            tick();
        }
        taken.push(Taken { set, samples });
    }
    let all: Vec<&Taken<'_>> = taken.iter().collect();
    let mut weights = search::best(&all, start);
    weights.model = model.id().to_owned();
    let report = taken.iter().map(|one| {
        // The same requests among other tools are no other set.
        let others: Vec<&Taken<'_>> = taken.iter().filter(|other| other.set.data.name != one.set.data.name).collect();
        Fitted {
            set: one.set.data.name.clone(),
            tools: one.set.data.tools.len(),
            queries: one.samples.len(),
            before: search::objective(one, start),
            after: search::objective(one, &weights),
            held_out: (!others.is_empty()).then(|| search::objective(one, &search::best(&others, start))),
        }
    });
    let report = report.collect();
    // How sure a cosine makes is learnt where labels are whole: among distractors another tool may serve as well.
    taken.retain(|one| one.set.data.distractors == 0);
    weights.confidence = Some(confidence::fit(&taken, &weights, model, tick).await?);
    Ok((weights, report))
}
