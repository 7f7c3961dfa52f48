//! A stream of JPEG files one after the other, as ffmpeg writes it.

use std::io::{self, Read};

/// Takes files off a stream.
pub(crate) struct Stream<R> {
    from: R,
    /// What was read and not given yet.
    held: Vec<u8>,
    /// How much of it was looked through for an end.
    seen: usize,
}

/// Bytes read at a time.
const CHUNK: usize = 64 << 10;
/// What ends a file. Within one these two bytes do not occur.
const END: [u8; 2] = [0xFF, 0xD9];

impl<R: Read> Stream<R> {
    pub(crate) fn of(from: R) -> Self {
        Self {
            from,
            held: Vec::new(),
            seen: 0,
        }
    }

    /// The next file; `None` at the end of the stream, whatever is left over there.
    pub(crate) fn next(&mut self, most: usize) -> io::Result<Option<Vec<u8>>> {
        loop {
            let from = self.seen.saturating_sub(1);
            if let Some(at) = self.held[from..].windows(2).position(|two| two == END) {
                let rest = self.held.split_off(from + at + 2);
                self.seen = 0;
                return Ok(Some(std::mem::replace(&mut self.held, rest)));
            }
            self.seen = self.held.len();
            if self.seen > most {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
            self.held.resize(self.seen + CHUNK, 0);
            let read = self.from.read(&mut self.held[self.seen..])?;
            self.held.truncate(self.seen + read);
            if read == 0 {
                return Ok(None);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives so many bytes at a time.
    struct Drip<'a>(&'a [u8], usize);

    impl Read for Drip<'_> {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            let few = self.1.min(into.len());
            self.0.read(&mut into[..few])
        }
    }

    #[test]
    fn files_come_one_by_one_however_the_stream_flows() {
        let stream = [1, 2, 0xFF, 0xD9, 3, 0xFF, 0xD9, 0xFF, 0xD9, 7];
        for flow in [1, 2, 3, 64] {
            let mut stream = Stream::of(Drip(&stream, flow));
            let mut files = Vec::new();
            while let Some(file) = stream.next(64).unwrap() {
                files.push(file);
            }
            let expected: [&[u8]; 3] = [&[1, 2, 0xFF, 0xD9], &[3, 0xFF, 0xD9], &[0xFF, 0xD9]];
            assert_eq!(files, expected, "{flow} at a time");
        }
    }

    #[test]
    fn a_file_that_does_not_end_is_not_held() {
        let mut stream = Stream::of(io::repeat(7));
        assert!(stream.next(1_000_000).is_err());
        assert!(stream.held.len() < 2_000_000);
    }
}
