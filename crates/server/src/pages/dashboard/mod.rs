//! What every page of the dashboard stands on: who may see it ([`guard`]), the frame around it, the table of its
//! routes ([`routes`]), and how forms are read.

pub mod chart;
mod form;
mod frame;
pub mod guard;
mod ids;
pub mod routes;
mod when;

pub use self::{
    form::Fields,
    frame::{AppTag, Frame, layout},
    guard::{Access, Operator, Owner, SignedIn, Viewer},
    ids::Ids,
    routes::{Need, Routes},
    when::When,
};
