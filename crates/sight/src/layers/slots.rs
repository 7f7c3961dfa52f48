//! Which values share memory: one is written where another is no longer read.

use super::Output;
use super::build::Draft;
use super::layout::Layout;

/// A place in memory for each value.
pub(super) struct Slots {
    /// The slot in which each value lies.
    pub of: Vec<usize>,
    /// Numbers each slot must hold for one photo.
    pub sizes: Vec<usize>,
}

impl Slots {
    pub(super) fn assign(layers: &[Draft], values: &[Layout], outputs: &[Output]) -> Self {
        let last_use = last_uses(layers, values.len(), outputs);
        let mut slots = Self {
            of: vec![0; values.len()],
            sizes: Vec::new(),
        };
        let mut free: Vec<usize> = Vec::new();
        slots.place(0, values[0].size(), &mut free);
        for (i, layer) in layers.iter().enumerate() {
            slots.place(layer.to, values[layer.to].size(), &mut free);
            let read = [Some(layer.from), layer.other.filter(|o| *o != layer.from)];
            for value in read.into_iter().flatten() {
                if last_use[value] == Some(i) {
                    free.push(slots.of[value]);
                }
            }
            // A value that nobody reads.
            if last_use[layer.to].is_none() {
                free.push(slots.of[layer.to]);
            }
        }
        slots
    }

    /// Takes the free slot that fits best, growing it if none is large enough.
    fn place(&mut self, value: usize, size: usize, free: &mut Vec<usize>) {
        let misfit = |slot: &usize| self.sizes[*slot].abs_diff(size);
        let best = (0..free.len()).min_by_key(|i| misfit(&free[*i]));
        let slot = match best {
            Some(i) => free.swap_remove(i),
            None => {
                self.sizes.push(0);
                self.sizes.len() - 1
            }
        };
        self.sizes[slot] = self.sizes[slot].max(size);
        self.of[value] = slot;
    }
}

/// The last layer that reads each value; outputs are read after all of them.
fn last_uses(layers: &[Draft], values: usize, outputs: &[Output]) -> Vec<Option<usize>> {
    let mut last = vec![None; values];
    for (i, layer) in layers.iter().enumerate() {
        last[layer.from] = Some(i);
        if let Some(other) = layer.other {
            last[other] = Some(i);
        }
    }
    for output in outputs {
        last[output.value] = Some(layers.len());
    }
    last
}
