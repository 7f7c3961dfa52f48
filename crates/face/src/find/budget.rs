//! What looking for a face may cost.

/// What a picture without a clear face may cost beyond its first look, in units of what the networks spend on a photo with
/// one. With the first look, decoding and what comes after finding, such a photo takes about five times a good one's
/// time: `docs/decisions/0043-a-budget-for-looking.md` has the figures.
const TIMES_USUAL: u64 = 6;
/// The same for each pixel of the picture, in multiplications: a good photo of that size takes longer, too.
const A_PIXEL: u64 = 600;

/// Multiplications that may still be spent on one picture. Not time, which depends on who else is at work: a picture must
/// come to the same end each time.
#[derive(Debug)]
pub(super) struct Budget {
    left: u64,
}

impl Budget {
    /// For a picture of so many pixels, where a photo with a clear face takes `usual` multiplications. It always
    /// lasts for a look of the `strongest` detector, however dear a pack's is.
    pub(super) fn new(usual: u64, strongest: u64, pixels: usize) -> Self {
        let looks = (usual * TIMES_USUAL).max(strongest + 2 * usual);
        Self {
            left: looks + pixels as u64 * A_PIXEL,
        }
    }

    /// Whether there is enough left for what costs so much, and `beside` it for something else; the cost is
    /// taken off then.
    pub(super) const fn affords(&mut self, cost: u64, beside: u64) -> bool {
        if self.left < cost + beside {
            return false;
        }
        self.left -= cost;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_gone_and_what_is_too_dear_costs_nothing() {
        let mut budget = Budget::new(100, 0, 0);
        assert!(budget.affords(300, 300));
        assert!(!budget.affords(301, 0));
        assert!(!budget.affords(200, 101));
        assert!(budget.affords(300, 0));
        assert!(!budget.affords(1, 0));
        assert!(Budget::new(100, 0, 10).affords(6600, 0));
        assert!(Budget::new(100, 900, 0).affords(900, 200));
    }
}
