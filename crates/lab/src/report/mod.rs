//! Reports of what was measured: for a terminal, and as one HTML file that needs nothing else.

mod page;
pub mod plot;
mod text;
mod words;

pub use page::html;
pub use text::{AttackTrialText, EvaluationText};
