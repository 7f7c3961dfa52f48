//! How much is read.

/// Frames taken from each second of a video.
pub const RATE: u32 = 10;

/// How much of a recording is read.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Most frames.
    pub frames: usize,
    /// Most bytes of a video's file.
    pub video: u64,
    /// Most bytes of all frames together.
    pub memory: usize,
    /// Longest side of a frame in pixels, where larger ones are to be shrunk.
    pub side: Option<u32>,
}
