//! What the phone sees while a person is in front of its camera: a small engine, compiled to WebAssembly.
//!
//! It lays the server's own face mesh onto the camera's picture, by the server's own code (`sight`), and says how far a
//! liveness step was done, so that the phone waits until the server will agree. It decides nothing: the server judges the
//! photos. `make web` builds it for browsers; `web/phone/src/engine` calls it through [`abi`].
//!
//! There is no detector: whoever is to be photographed puts the face into an oval, so it is looked for there.
//! Why this is so: `docs/decisions/0040-engine-on-the-phone.md`.

pub mod abi;
mod eye;
mod places;

pub use eye::{Eye, Seen};
