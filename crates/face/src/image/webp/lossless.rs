//! How much memory a lossless WebP stream asks for, read before it is decoded.
//!
//! The stream may divide the picture into 65,536 groups of blocks and give each five prefix codes,
//! whose tables take thousands of times the bytes that describe them: 12 MB of file can ask for more
//! than a gigabyte. So the stream is read here up to its pixels, by the specification ("WebP Lossless
//! Bitstream", RFC 9649, 3), and the tables are counted instead of made.

/// Sizes of the alphabets of green and lengths (without the colour cache), red, blue, alpha, and
/// distances.
const ALPHABETS: [usize; 5] = [256 + 24, 256, 256, 256, 40];
/// The order in which the lengths of the code lengths' own code are written.
const ORDER: [usize; 19] = [
    17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
];
/// Bits of the longest prefix code.
const LONGEST: usize = 15;
/// Bits that the library looks up at once, bytes of an entry, and of a node for longer codes.
const LOOKED_UP: usize = 10;
const ENTRY: u64 = 4;
const NODE: u64 = 16;
/// Bytes of a code by itself, generously, the list of codes growing by doubling.
const CODE: u64 = 256;

/// Bytes for the tables and the side pictures of a stream (after its header) for a picture of this
/// size; `None` if it cannot be one.
pub(super) fn tables(stream: &[u8], width: u32, height: u32) -> Option<u64> {
    let mut bits = Bits::new(stream);
    let mut width = width;
    let mut memory = 0;
    let mut seen = [false; 4];
    while bits.flag()? {
        let kind = bits.take(2)? as usize;
        if std::mem::replace(&mut seen[kind], true) {
            return None;
        }
        match kind {
            // A prediction mode, or factors of colours, for each block.
            0 | 1 => {
                let (w, h) = blocks(&mut bits, width, height)?;
                memory += 4 * u64::from(w) * u64::from(h);
                side_picture(&mut bits, w, h)?;
            }
            3 => {
                let colours = bits.take(8)? + 1;
                side_picture(&mut bits, colours, 1)?;
                // Up to 2, 4 and 16 colours, several pixels share one.
                let packed = match colours {
                    1..=2 => 3,
                    3..=4 => 2,
                    5..=16 => 1,
                    _ => 0,
                };
                width = width.div_ceil(1 << packed);
            }
            _ => {}
        }
    }
    let cache = colour_cache(&mut bits)?;
    let mut groups = 1;
    if bits.flag()? {
        let (w, h) = blocks(&mut bits, width, height)?;
        // As pixels, then as numbers.
        memory += 6 * u64::from(w) * u64::from(h);
        groups = 1 + side_picture(&mut bits, w, h)?;
    }
    for _ in 0..groups {
        for code in codes(&mut bits, cache)? {
            memory += CODE + code.memory();
        }
    }
    Some(memory)
}

/// Reads a block size; how many blocks there are across and down.
fn blocks(bits: &mut Bits, width: u32, height: u32) -> Option<(u32, u32)> {
    let size = bits.take(3)? + 2;
    Some((width.div_ceil(1 << size), height.div_ceil(1 << size)))
}

/// Entries of the colour cache.
fn colour_cache(bits: &mut Bits) -> Option<usize> {
    if !bits.flag()? {
        return Some(0);
    }
    let size = bits.take(4)?;
    (1..=11).contains(&size).then_some(1 << size)
}

/// The five codes of a group.
fn codes(bits: &mut Bits, cache: usize) -> Option<[Code; 5]> {
    let sizes = ALPHABETS.iter().zip([cache, 0, 0, 0, 0]);
    let codes: Option<Vec<Code>> = sizes
        .map(|(size, more)| Code::read(bits, size + more))
        .collect();
    codes?.try_into().ok()
}

/// Reads through a side picture; the largest number that red and green make in one of its pixels.
///
/// Pixels that repeat earlier ones, or come from the colour cache, bring nothing larger than what was
/// written out before, so none needs to be kept.
fn side_picture(bits: &mut Bits, width: u32, height: u32) -> Option<u32> {
    let cache = colour_cache(bits)?;
    let [green, red, blue, alpha, distance] = codes(bits, cache)?;
    let mut left = u64::from(width) * u64::from(height);
    let mut largest = 0;
    while left > 0 {
        let symbol = u32::from(green.next(bits)?);
        match symbol {
            0..256 => {
                let number = u32::from(red.next(bits)?) << 8 | symbol;
                blue.next(bits)?;
                alpha.next(bits)?;
                largest = largest.max(number);
                left -= 1;
            }
            256..280 => {
                let length = number(bits, symbol - 256)?;
                let symbol = distance.next(bits)?;
                number(bits, symbol.into())?;
                left = left.checked_sub(length.into())?;
            }
            _ => left -= 1,
        }
    }
    Some(largest)
}

/// A length or distance: a prefix that says how many bits follow.
fn number(bits: &mut Bits, prefix: u32) -> Option<u32> {
    if prefix < 4 {
        return Some(prefix + 1);
    }
    let extra = (prefix - 2) >> 1;
    Some(((2 + (prefix & 1)) << extra) + bits.take(extra)? + 1)
}

/// A canonical prefix code.
struct Code {
    /// How many symbols have a code of this many bits.
    counts: [u16; LONGEST + 1],
    /// The symbols, by length of their code, then by value. A single one needs no bits.
    symbols: Vec<u16>,
}

impl Code {
    fn read(bits: &mut Bits, alphabet: usize) -> Option<Self> {
        if bits.flag()? {
            return Self::read_simple(bits, alphabet);
        }
        let mut lengths = [0; 19];
        let count = 4 + bits.take(4)? as usize;
        for at in &ORDER[..count] {
            lengths[*at] = bits.take(3)? as u8;
        }
        let lengths = read_lengths(bits, &Self::of(&lengths)?, alphabet)?;
        Self::of(&lengths)
    }

    /// One or two symbols, written out.
    fn read_simple(bits: &mut Bits, alphabet: usize) -> Option<Self> {
        let two = bits.flag()?;
        let wide = bits.flag()?;
        let first = bits.take(if wide { 8 } else { 1 })? as u16;
        let mut code = Self {
            counts: [0; LONGEST + 1],
            symbols: vec![first],
        };
        if two {
            code.symbols.push(bits.take(8)? as u16);
            code.counts[1] = 2;
        }
        let known = |symbol: &u16| usize::from(*symbol) < alphabet;
        code.symbols.iter().all(known).then_some(code)
    }

    /// The code with these lengths; `None` if some codes would be left over or missing.
    fn of(lengths: &[u8]) -> Option<Self> {
        let mut counts = [0; LONGEST + 1];
        for length in lengths.iter().filter(|l| **l > 0) {
            *counts.get_mut(usize::from(*length))? += 1;
        }
        let mut symbols: Vec<u16> = (0..lengths.len() as u16)
            .filter(|s| lengths[usize::from(*s)] > 0)
            .collect();
        symbols.sort_by_key(|s| lengths[usize::from(*s)]);
        match symbols.len() {
            0 => return None,
            1 => counts = [0; LONGEST + 1],
            _ => {
                let used = (1..=LONGEST).map(|l| u32::from(counts[l]) << (LONGEST - l));
                if used.sum::<u32>() != 1 << LONGEST {
                    return None;
                }
            }
        }
        Some(Self { counts, symbols })
    }

    /// Bytes that the library makes of it.
    fn memory(&self) -> u64 {
        let longest = self.counts.iter().rposition(|c| *c > 0).unwrap_or(0);
        let long: u64 = self.counts[LOOKED_UP + 1..]
            .iter()
            .map(|c| u64::from(*c))
            .sum();
        (ENTRY << longest.min(LOOKED_UP)) + 2 * NODE * long.max(2)
    }

    /// Reads one symbol; `None` at the end.
    fn next(&self, bits: &mut Bits) -> Option<u16> {
        if let [symbol] = self.symbols[..] {
            return Some(symbol);
        }
        // Codes of one length follow each other; the next length goes on where they end.
        let (mut code, mut first, mut index) = (0, 0, 0);
        for count in &self.counts[1..] {
            let count = usize::from(*count);
            code |= bits.take(1)? as usize;
            if code < first + count {
                return self.symbols.get(index + code - first).copied();
            }
            index += count;
            first = (first + count) << 1;
            code <<= 1;
        }
        None
    }
}

/// Reads the lengths of a code's symbols, themselves written in a code.
fn read_lengths(bits: &mut Bits, code: &Code, alphabet: usize) -> Option<Vec<u8>> {
    let mut written = if bits.flag()? {
        let size = 2 + 2 * bits.take(3)?;
        2 + bits.take(size)? as usize
    } else {
        alphabet
    };
    if written > alphabet {
        return None;
    }
    let mut lengths = Vec::with_capacity(alphabet);
    let mut before = 8;
    while lengths.len() < alphabet && written > 0 {
        written -= 1;
        let (length, times) = match code.next(bits)? {
            16 => (before, 3 + bits.take(2)?),
            17 => (0, 3 + bits.take(3)?),
            18 => (0, 11 + bits.take(7)?),
            length => (length as u8, 1),
        };
        if length > 0 {
            before = length;
        }
        lengths.extend((0..times).map(|_| length));
    }
    (lengths.len() <= alphabet).then_some(lengths)
}

/// Reads bits, the lowest of each byte first.
struct Bits<'a> {
    bytes: &'a [u8],
    window: u64,
    held: u32,
}

impl<'a> Bits<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            window: 0,
            held: 0,
        }
    }

    /// The next `count` bits, at most 24, as a number.
    fn take(&mut self, count: u32) -> Option<u32> {
        while self.held < count {
            let (&byte, rest) = self.bytes.split_first()?;
            self.window |= u64::from(byte) << self.held;
            self.held += 8;
            self.bytes = rest;
        }
        let value = self.window & ((1 << count) - 1);
        self.window >>= count;
        self.held -= count;
        Some(value as u32)
    }

    fn flag(&mut self) -> Option<bool> {
        self.take(1).map(|bit| bit == 1)
    }
}
