//! What every page of the dashboard stands on: who may see it ([`guard`]), the frame around it, the table of its
//! routes ([`routes`]), and how forms are read.

pub mod chart;
pub mod download;
mod form;
mod frame;
pub mod guard;
mod ids;
pub mod live;
mod notice;
pub mod routes;
mod when;

pub use self::{
    form::Fields,
    frame::{AppTag, Frame, layout},
    guard::{Access, Administrator, Operator, Owner, SignedIn, Viewer},
    ids::Ids,
    notice::Notice,
    routes::{Need, Routes},
    when::When,
};
