//! Telling a face from what only looks like one.

use crate::PhotoError;
use crate::detect::Found;
use crate::geometry::{Point, Rect};
use crate::image::Image;
use crate::landmarks::{self, Landmarker};
use crate::mesh::Mesher;

/// The 68 points and the mesh: on a face they agree, elsewhere hardly ever. Together they cost a tenth of what the
/// strong detector does.
#[derive(Clone, Copy)]
pub(crate) struct Judges<'a> {
    pub landmarker: &'a Landmarker,
    pub mesher: &'a Mesher,
}

impl Judges<'_> {
    /// What a judgement costs, in multiplications.
    pub(super) fn cost(&self) -> u64 {
        2 * self.landmarker.cost() + self.mesher.cost()
    }

    /// The face at a place where one is suspected, as the points frame it.
    pub(super) fn face_at(
        &self,
        image: &Image,
        suspect: &Found,
    ) -> Result<Option<Found>, PhotoError> {
        // Where there is no face the points may fall together.
        let Ok(place) = self.landmarker.place(image, suspect.area, suspect.turn) else {
            return Ok(None);
        };
        let mesh = self.mesher.mesh(image, place.shape)?;
        if !mesh.lies_on(&place) {
            return Ok(None);
        }
        let Point { x, y } = place.shape.apply(landmarks::CENTER);
        let side = place.shape.scale() * landmarks::SIDE;
        Ok(Some(Found {
            score: mesh.confidence,
            area: Rect {
                x: x - side / 2.0,
                y: y - side / 2.0,
                width: side,
                height: side,
            },
            points: None,
            turn: place.shape.b.atan2(place.shape.a),
        }))
    }
}
