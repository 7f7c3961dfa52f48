//! Faces: a client's references, each a template under a transform of its own client, sealed; never a
//! photo.

mod adapt;
mod challenge;
mod client_key;
mod consent;
mod flow;
pub mod http;
mod model;
mod references;
mod retention;
mod sealed;
mod seen;
mod store;
mod survey;
mod upkeep;

pub use adapt::adapt;
pub use challenge::{Challenge, Frame, Photo, Step, check_without};
pub use consent::{Consent, last as last_consent};
pub use flow::{Answer, Probe, challenge, challenge_given, is_enrolled, matches, probe};
pub use model::FaceError;
pub use retention::forget_consents;
pub use seen::forget_frames;
pub use store::{erase, is_enrolled_since};
pub use survey::{OfPack, Standing, by_key, by_pack};
pub use upkeep::{Rotation, Upkeep};
