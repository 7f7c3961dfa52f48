//! Tests of the engine's parts on real photos and against the original networks.

mod detection;
mod hostile;
mod parity;
mod photo_conditions;
