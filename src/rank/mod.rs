//! Several scores of a document become one, and documents get an order that never depends on chance.

pub mod mention;
mod order;
pub mod rivals;
mod script;

pub use self::order::{Ranking, Scored, Weights, rank};
pub use self::rivals::{Look, Standing};
pub use self::script::unread_share;
