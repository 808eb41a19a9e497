//! Several scores of a document become one, and documents get an order that never depends on chance.

pub mod mention;
mod order;
pub mod rerank;
pub mod rivals;
mod script;

pub mod clauses;
pub mod favour;
mod lift;

pub mod confidence;
mod steps;
mod weights;

pub use self::confidence::{Abstain, Confidence};
pub use self::lift::lift;
pub use self::order::{Fusion, Ranking, Scored, rank};
pub use self::rivals::{Look, Standing};
pub use self::script::unread_share;
pub use self::steps::{LeftOut, Step};
pub use self::weights::{Clauses, Conversation, Weights, WeightsError};
