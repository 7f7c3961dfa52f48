//! Templates that can be revoked: a secret map that keeps distances and hides everything else
//! (ISO/IEC 24745: unlinkability and renewability).
//!
//! A [`Protection`] is drawn from a 32-byte secret: a rotation of the whole space, and for packs whose
//! vectors have no fixed length a shift as well, so that not even their length shows. Between templates
//! under one protection every distance is what it was before, to about 1e-6; between two protections it
//! says nothing. A leaked template is revoked by moving to a new secret, which needs no new photo.
//!
//! # What it protects, and what not
//! - Without the secret: templates of two sites, or of one client before and after a renewal, cannot be
//!   linked by their distance or their length, and cannot be put into another system. What stays is
//!   what a map that keeps distances cannot hide: how far the references of *one* client lie from each
//!   other, 0 to 10 numbers.
//! - With the secret the map is undone in microseconds: it is no one-way function. And whoever knows
//!   as many pairs of plain and protected templates under one secret as the vector has dimensions can
//!   solve for the map. So the secret is kept sealed, apart from the templates, and is another one for
//!   each client; and the templates are encrypted besides.
//!
//! # How the map is drawn
//! The rotation is uniform over all orthogonal matrices, by the subgroup algorithm (P. Diaconis and
//! M. Shahshahani, "The subgroup algorithm for generating uniform random variables", 1987): the image
//! of the first axis is a uniform point of the sphere, reached by one Householder reflection, and the
//! rest is the same with one dimension less. Random bits are SHA-256 of the secret and a counter, made
//! normal by Box and Muller, so that every server draws the same map.

use std::fmt;

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::template::{MAX_DIMS, Template, TemplateError};
use crate::{FmrLevel, PackInfo};

/// First bytes of a serialised protected template.
const MAGIC: &[u8; 4] = b"AXPT";
/// What random bits are for: each use of a secret has its own.
const FOR_NAME: [u8; 12] = *b"axiam name 1";
const FOR_ROTATION: [u8; 12] = *b"axiam turn 1";
const FOR_SHIFT: [u8; 12] = *b"axiam move 1";
/// Expected length of the shift. Templates without a fixed length are 1 to 2 long in the default pack;
/// a shift a few times that drowns the difference, and costs `f32` less than two bits.
const SHIFT: f64 = 4.0;

/// Names a protection without telling its secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ProtectionId([u8; 16]);

impl fmt::Debug for ProtectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProtectionId")
    }
}

/// A secret map for vectors of one size. Wiped from memory on drop and never printed.
pub struct Protection {
    id: ProtectionId,
    dims: usize,
    /// The normals of the reflections, of unit length: one of 2 dimensions, one of 3, and so on.
    normals: Zeroizing<Vec<f64>>,
    /// Whether the last axis is turned round.
    mirror: bool,
    shift: Zeroizing<Vec<f64>>,
}

impl Protection {
    /// The map that `secret` stands for, for templates of `dims` numbers. The same on every machine.
    ///
    /// Costs `dims²/2` random numbers: about 0.2 ms for 128, 3 ms for 512.
    ///
    /// # Errors
    /// [`TemplateError::Malformed`] for sizes that no template has.
    pub fn from_secret(secret: &[u8; 32], dims: usize) -> Result<Self, TemplateError> {
        if !(1..=MAX_DIMS).contains(&dims) {
            return Err(TemplateError::Malformed);
        }
        let mut id = [0; 16];
        id.copy_from_slice(&Stream::new(secret, FOR_NAME).block()[..16]);
        let mut stream = Stream::new(secret, FOR_ROTATION);
        let mirror = stream.uniform() < 0.5;
        let mut normals = Zeroizing::new(Vec::with_capacity((dims + 1) * dims / 2));
        for size in 2..=dims {
            let start = normals.len();
            stream.normals(size, &mut normals);
            let point = &mut normals[start..];
            scale_to_one(point);
            // The reflection that carries the first axis to this point.
            point[0] -= 1.0;
            scale_to_one(point);
        }
        let mut shift = Zeroizing::new(Vec::with_capacity(dims + 1));
        Stream::new(secret, FOR_SHIFT).normals(dims, &mut shift);
        let scale = SHIFT / (dims as f64).sqrt();
        shift.iter_mut().for_each(|v| *v *= scale);
        Ok(Self {
            id: ProtectionId(id),
            dims,
            normals,
            mirror,
            shift,
        })
    }

    /// The name under which the secret is kept.
    pub fn id(&self) -> ProtectionId {
        self.id
    }

    /// Numbers of the templates it is for.
    pub fn dims(&self) -> usize {
        self.dims
    }

    /// `template` under this protection.
    ///
    /// # Errors
    /// [`TemplateError::OtherPack`] if it has another size.
    pub fn protect(&self, template: &Template) -> Result<ProtectedTemplate, TemplateError> {
        let mut values = self.widened(template)?;
        self.turn(&mut values);
        if !template.is_unit() {
            values
                .iter_mut()
                .zip(&*self.shift)
                .for_each(|(v, t)| *v += t);
        }
        Ok(ProtectedTemplate {
            under: self.id,
            inner: narrowed(template, &values)?,
        })
    }

    /// The same template under another protection, without a photo.
    ///
    /// # Errors
    /// [`TemplateError::OtherProtection`] if `template` is not under this one,
    /// [`TemplateError::OtherPack`] if a size differs.
    pub fn renew(
        &self,
        template: &ProtectedTemplate,
        next: &Self,
    ) -> Result<ProtectedTemplate, TemplateError> {
        if template.under != self.id {
            return Err(TemplateError::OtherProtection);
        }
        let mut values = self.widened(&template.inner)?;
        if !template.inner.is_unit() {
            values
                .iter_mut()
                .zip(&*self.shift)
                .for_each(|(v, t)| *v -= t);
        }
        self.turn_back(&mut values);
        next.protect(&narrowed(&template.inner, &values)?)
    }

    fn widened(&self, template: &Template) -> Result<Zeroizing<Vec<f64>>, TemplateError> {
        if template.dims() != self.dims {
            return Err(TemplateError::OtherPack);
        }
        Ok(Zeroizing::new(
            template.values().iter().map(|v| f64::from(*v)).collect(),
        ))
    }

    fn turn(&self, values: &mut [f64]) {
        if self.mirror {
            mirror_last(values);
        }
        let mut start = 0;
        for size in 2..=self.dims {
            reflect(&self.normals[start..start + size], values);
            start += size;
        }
    }

    fn turn_back(&self, values: &mut [f64]) {
        let mut end = self.normals.len();
        for size in (2..=self.dims).rev() {
            reflect(&self.normals[end - size..end], values);
            end -= size;
        }
        if self.mirror {
            mirror_last(values);
        }
    }
}

impl fmt::Debug for Protection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Protection")
            .field("dims", &self.dims)
            .finish_non_exhaustive()
    }
}

fn narrowed(like: &Template, values: &[f64]) -> Result<Template, TemplateError> {
    let narrow = values.iter().map(|v| *v as f32).collect();
    like.with_values(Zeroizing::new(narrow))
}

fn mirror_last(values: &mut [f64]) {
    if let Some(last) = values.last_mut() {
        *last = -*last;
    }
}

/// Reflects the last numbers of `values` in the plane with this unit normal.
fn reflect(normal: &[f64], values: &mut [f64]) {
    let start = values.len() - normal.len();
    let part = &mut values[start..];
    let along: f64 = normal.iter().zip(part.iter()).map(|(n, v)| n * v).sum();
    for (value, n) in part.iter_mut().zip(normal) {
        *value -= 2.0 * along * n;
    }
}

/// Brings a vector to length 1. A zero vector, which has no direction, stays: it reflects nothing.
fn scale_to_one(vector: &mut [f64]) {
    let length = vector.iter().map(|v| v * v).sum::<f64>().sqrt();
    if length > f64::MIN_POSITIVE {
        vector.iter_mut().for_each(|v| *v /= length);
    }
}

/// Random numbers from a secret: block `n` is SHA-256 of the secret, what it is for, and `n`. All parts
/// have fixed lengths, and together they fit one block of the hash.
struct Stream {
    seed: Zeroizing<[u8; 44]>,
    next: u64,
    block: Zeroizing<[u8; 32]>,
    /// Bytes of the block already used.
    used: usize,
}

impl Stream {
    fn new(secret: &[u8; 32], purpose: [u8; 12]) -> Self {
        let mut seed = Zeroizing::new([0; 44]);
        seed[..32].copy_from_slice(secret);
        seed[32..].copy_from_slice(&purpose);
        Self {
            seed,
            next: 0,
            block: Zeroizing::new([0; 32]),
            used: 32,
        }
    }

    fn block(&mut self) -> &[u8; 32] {
        let mut hash = Sha256::new();
        hash.update(*self.seed);
        hash.update(self.next.to_le_bytes());
        self.block.copy_from_slice(&hash.finalize());
        self.next += 1;
        self.used = 0;
        &self.block
    }

    /// Uniform in (0, 1], 53 bits.
    fn uniform(&mut self) -> f64 {
        if self.used == self.block.len() {
            self.block();
        }
        let mut bits = [0; 8];
        bits.copy_from_slice(&self.block[self.used..self.used + 8]);
        self.used += 8;
        ((u64::from_le_bytes(bits) >> 11) + 1) as f64 / (1_u64 << 53) as f64
    }

    /// Appends `count` standard normal numbers (Box and Muller 1958, a pair at a time).
    fn normals(&mut self, count: usize, to: &mut Vec<f64>) {
        let wanted = to.len() + count;
        while to.len() < wanted {
            let radius = (-2.0 * self.uniform().ln()).sqrt();
            let (sin, cos) = (std::f64::consts::TAU * self.uniform()).sin_cos();
            to.extend([radius * cos, radius * sin]);
        }
        to.truncate(wanted);
    }
}

/// A template under a [`Protection`]: comparable with others under the same one and with nothing else.
#[derive(Clone)]
pub struct ProtectedTemplate {
    under: ProtectionId,
    inner: Template,
}

impl ProtectedTemplate {
    /// The protection it is under.
    pub fn under(&self) -> ProtectionId {
        self.under
    }

    /// Name of the pack that made the template.
    pub fn pack(&self) -> &str {
        self.inner.pack()
    }

    /// Version of the pack that made the template.
    pub fn version(&self) -> &str {
        self.inner.version()
    }

    /// How many numbers the protected vector has.
    pub fn dims(&self) -> usize {
        self.inner.dims()
    }

    /// Whether `pack` made the template, so that it can be compared with what `pack` makes now.
    pub fn is_of(&self, pack: &PackInfo) -> bool {
        self.inner.is_of(pack)
    }

    /// Euclidean distance, the same as between the plain templates.
    ///
    /// # Errors
    /// [`TemplateError::OtherProtection`] or [`TemplateError::OtherPack`] if the two do not compare.
    pub fn distance(&self, other: &Self) -> Result<f32, TemplateError> {
        if self.under != other.under {
            return Err(TemplateError::OtherProtection);
        }
        self.inner.distance(&other.inner)
    }

    /// Whether the two are one person's at `level` of `pack`.
    ///
    /// # Errors
    /// As [`distance`](Self::distance).
    pub fn matches(
        &self,
        other: &Self,
        pack: &PackInfo,
        level: FmrLevel,
    ) -> Result<bool, TemplateError> {
        Ok(self.distance(other)? <= pack.threshold(level))
    }

    /// The mean of several, under the same protection: what [`Template::fuse`] of the plain ones gives.
    ///
    /// # Errors
    /// [`TemplateError::Empty`] for none, [`TemplateError::OtherProtection`] or
    /// [`TemplateError::OtherPack`] if they do not compare.
    pub fn fuse(templates: &[Self]) -> Result<Self, TemplateError> {
        let first = templates.first().ok_or(TemplateError::Empty)?;
        if templates.iter().any(|other| other.under != first.under) {
            return Err(TemplateError::OtherProtection);
        }
        // A rotation and a shift carry the mean to the mean. Vectors of unit length are not shifted,
        // so bringing the mean to unit length is the same before and after.
        let inner = Template::fuse_all(templates.iter().map(|template| &template.inner))?;
        Ok(Self {
            under: first.under,
            inner,
        })
    }

    /// As bytes, to be encrypted and stored: `AXPT`, the protection's name (16 bytes), then the layout
    /// of [`Template::to_bytes`].
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let inner = self.inner.to_bytes();
        let mut bytes = Zeroizing::new(Vec::with_capacity(20 + inner.len()));
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&self.under.0);
        bytes.extend_from_slice(&inner);
        bytes
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// [`TemplateError::Malformed`] for anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, TemplateError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(TemplateError::Malformed)?;
        let (under, rest) = rest.split_first_chunk().ok_or(TemplateError::Malformed)?;
        Ok(Self {
            under: ProtectionId(*under),
            inner: Template::from_bytes(rest)?,
        })
    }
}

impl fmt::Debug for ProtectedTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProtectedTemplate")
            .field("pack", &self.inner.pack())
            .field("version", &self.inner.version())
            .field("dims", &self.inner.dims())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
