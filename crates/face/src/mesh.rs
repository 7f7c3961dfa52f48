//! The network that lays the mesh of `sight` onto a face.

use sight::mesh::square;
pub(crate) use sight::mesh::{COUNT, Mesh, SURE, at};

use crate::PhotoError;
use crate::geometry::Similarity;
use crate::image::Image;
use crate::net::{Net, NetError};
use crate::pack::manifest::{MeshKind, MeshSpec};
use crate::timings::Work;

/// The network that lays the mesh onto a face.
pub(crate) struct Mesher {
    net: Net,
}

impl Mesher {
    pub(crate) fn load(bytes: &[u8], spec: &MeshSpec) -> Result<Self, NetError> {
        let MeshKind::Mesh468 = spec.kind;
        let outputs: [&[usize]; 2] = [&[1, 3 * COUNT], &[1, 1]];
        Ok(Self {
            net: Net::load(bytes, spec.input.clone(), &outputs)?,
        })
    }

    /// The network's runs so far.
    pub(crate) fn work(&self) -> Work {
        self.net.work()
    }

    /// What a run of the network costs, in multiplications.
    pub(crate) fn cost(&self) -> u64 {
        self.net.cost()
    }

    /// The mesh of the face on which dlib's mean shape lies as `shape`.
    pub(crate) fn mesh(&self, image: &Image, shape: Similarity) -> Result<Mesh, PhotoError> {
        let side = self.net.side();
        let to_source = square(shape, side);
        let outputs = self.net.run(&image.warped(to_source, side)?)?;
        let [mesh, confidence] = outputs.as_slice() else {
            return Err(PhotoError::Internal("the mesh has another shape".into()));
        };
        let confidence = confidence.first().copied().unwrap_or(0.0);
        Ok(Mesh::read(mesh, confidence, to_source))
    }
}
