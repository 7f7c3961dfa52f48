//! The program `axiam`: signs people in to websites with their face.
//!
//! Slices, each a noun with its rules, its SQL and its routes: [`site`], [`client`],
//! [`webhook`], [`enrolment`], [`device`], [`face`], [`push`], [`sign_on`], and [`account`] for the dashboard. Between slices, arrows run downhill
//! only: `sign_on → {push, face, device} → enrolment → client → {site, webhook} → {audit, limit}`. They stand
//! on the [`platform`] and are reached through the doors in [`http`]. The [`cable`] listens to what
//! happens and is called by none; [`demo`] is a relying site that calls the API as any other would;
//! [`docs`] is what the program tells of itself, [`trust`] how phones come to trust it; [`app`] and [`cli`] put everything together.

#![deny(clippy::print_stdout, clippy::print_stderr)]

pub mod account;
pub mod app;
pub mod audit;
pub mod cable;
pub mod cli;
pub mod client;
pub mod credentials;
pub mod demo;
pub mod device;
pub mod docs;
pub mod enrolment;
pub mod erasure;
pub mod face;
pub mod http;
pub mod limit;
pub mod pages;
pub mod platform;
pub mod push;
pub mod retention;
pub mod session;
pub mod sign_on;
pub mod site;
pub mod trust;
pub mod webhook;
