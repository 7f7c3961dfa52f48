//! What every slice stands on: settings, time, storage, keys, the face engine's workers, and the
//! ways to say that something happened. Nothing here knows a slice or HTTP.

pub mod clock;
pub mod code;
pub mod config;
pub mod csv;
pub mod db;
pub mod engine;
pub mod events;
pub mod export;
pub mod issued;
pub mod keys;
pub mod mail;
pub mod network;
pub mod notices;
pub mod outbox;
pub mod outgoing;
pub mod passwords;
pub mod places;
pub mod private_file;
pub mod qr;
pub mod redis;
pub mod room;
pub mod secret;
pub mod shares;
pub mod state;
pub mod tls;
pub mod turns;
pub mod user_agent;
pub mod wake_ups;
