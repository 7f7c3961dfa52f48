//! The documentation that the program carries: guides in Markdown, the API's reference made from its contract, and
//! a search over both.

mod document;
mod guides;
mod library;
mod markdown;
pub mod pages;
mod reference;
mod search;

pub use document::Document;
pub use library::Library;
