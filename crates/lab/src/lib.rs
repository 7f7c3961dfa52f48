//! The laboratory: how good the face engine is.
//!
//! [`evaluation`] compares labelled photos of many people and gives error rates (ISO/IEC 19795-1); [`attacks`]
//! puts presentation attacks and honest answers, made from recordings, to the judge of liveness
//! (ISO/IEC 30107-3); [`report`] tells either for people. The product needs nothing of this to run.

pub mod attacks;
pub mod evaluation;
pub mod report;
