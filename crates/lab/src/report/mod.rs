//! Reports of what was measured: for a terminal, and as one HTML file that needs nothing else.

mod page;
pub mod plot;
mod text;
mod trial;
mod words;

pub use page::html;
pub use text::{CalibrationText, EvaluationText};
pub use trial::AttackTrialText;
