//! Counts of distances, fine enough for rates at any threshold and small however many pairs there are.

use face::{FmrLevel, PackInfo};

/// Bins up to the most lenient threshold of a pack: 540 for the default pack's 0.54.
const FINE: f64 = 1000.0;
/// Distances beyond this many bins share the last one; no threshold lies there.
const MAX_BINS: usize = 10_000;

/// Bins of equal width; bin `i` holds the distances in `((i - 1) * width, i * width]`, so that the
/// number of distances at or below `i * width` is exact.
#[derive(Debug, Clone, PartialEq)]
pub struct Histogram {
    per_unit: f64,
    counts: Vec<u64>,
    total: u64,
}

impl Histogram {
    /// An empty histogram for distances of `pack`: a thousand bins a unit where thresholds are around
    /// 1, as many as that, to a power of ten, where a pack's distances are larger or smaller.
    pub(super) fn new(pack: &PackInfo) -> Self {
        let widest = f64::from(pack.threshold(FmrLevel::OneIn1000));
        // 0.2 to 2 count as "around 1".
        let power = (widest / 2.0).log10().ceil();
        Self {
            per_unit: FINE / 10_f64.powf(power),
            counts: Vec::new(),
            total: 0,
        }
    }

    pub(super) fn add(&mut self, distance: f32) {
        let exact = f64::from(distance);
        let mut bin = ((exact * self.per_unit).ceil() as usize).min(MAX_BINS);
        // Multiplying may have rounded across an edge.
        if bin < MAX_BINS && exact > self.edge(bin) {
            bin += 1;
        }
        if self.counts.len() <= bin {
            self.counts.resize(bin + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(bin) {
            *count += 1;
        }
        self.total += 1;
    }

    pub(super) fn merge(&mut self, other: &Self) {
        if self.counts.len() < other.counts.len() {
            self.counts.resize(other.counts.len(), 0);
        }
        for (mine, theirs) in self.counts.iter_mut().zip(&other.counts) {
            *mine += theirs;
        }
        self.total += other.total;
    }

    /// The upper edge of bin `i`, a distance.
    pub fn edge(&self, i: usize) -> f64 {
        i as f64 / self.per_unit
    }

    /// The bin whose upper edge is nearest to `distance`.
    pub(super) fn bin_at(&self, distance: f64) -> usize {
        (distance * self.per_unit).round() as usize
    }

    /// How many distances each bin holds.
    pub fn counts(&self) -> &[u64] {
        &self.counts
    }

    /// How many distances there are.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// How many distances are at or below the upper edge of bin `i`.
    pub(super) fn up_to(&self, i: usize) -> u64 {
        self.counts.iter().take(i + 1).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::pack;
    use super::*;

    #[test]
    fn edges_belong_to_the_bin_below() {
        let mut all = Histogram::new(&pack());
        for hundredth in 0..=150_u8 {
            all.add(f32::from(hundredth) / 100.0);
        }
        all.add(f32::MAX);
        assert_eq!(all.total(), 152);
        for hundredth in [0_u8, 29, 30, 47, 50, 58, 80, 100] {
            // f32 lies a little above or below the decimal it stands for; so may the count.
            let exact = f64::from(hundredth) / 100.0;
            let bin = all.bin_at(exact);
            assert!((all.edge(bin) - exact).abs() < 1e-12);
            let below = (0..=150_u8).filter(|h| f64::from(f32::from(*h) / 100.0) <= exact);
            assert_eq!(all.up_to(bin), below.count() as u64, "{hundredth}");
        }
    }

    #[test]
    fn halves_add_up() {
        let (mut one, mut two) = (Histogram::new(&pack()), Histogram::new(&pack()));
        one.add(0.2);
        two.add(0.9);
        one.merge(&two);
        assert_eq!((one.total(), one.up_to(500), one.up_to(900)), (2, 1, 2));
    }
}
