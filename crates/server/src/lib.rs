//! The program `axiam`: signs people in to websites with their face.
//!
//! Slices, each a noun with its rules, its SQL and its routes: [`site`], [`client`],
//! [`enrolment`], [`device`], [`face`], [`push`], [`sign_on`]. Between slices, arrows run downhill
//! only: `sign_on → {push, face, device} → enrolment → client → site`. The [`cable`] listens to
//! what happens and is called by none. Around them stand the parts every slice uses.

pub mod app;
pub mod audit;
pub mod bell;
pub mod cable;
pub mod cli;
pub mod client;
pub mod clock;
pub mod config;
pub mod db;
pub mod device;
pub mod engine;
pub mod enrolment;
pub mod error;
pub mod events;
pub mod extract;
pub mod face;
pub mod guard;
pub mod health;
pub mod keys;
pub mod limit;
pub mod linger;
pub mod listen;
pub mod pages;
pub mod phone;
pub mod push;
pub mod request;
pub mod secret;
pub mod sign_on;
pub mod site;
pub mod state;
pub mod telemetry;
pub mod token;
