//! A page: the client's end of one WebSocket, as small as it can be, so that thousands of them
//! cost the machine little beside the server.

use std::io::{self, IoSliceMut};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::sys::socket::sockopt::{ReceiveTimestampns, TcpMaxSeg};
use nix::sys::socket::{ControlMessageOwned, MsgFlags, recvmsg, setsockopt};
use nix::sys::time::TimeSpec;
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::{TcpSocket, TcpStream};

/// Source addresses 127.0.0.2 and up: each gives some 28,000 ports, and those of closed
/// connections rest for a minute.
const SOURCES: u32 = 200;

/// Text and close frames of RFC 6455, section 5.2, and the bit of a whole message.
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
/// The bit of a masked frame. The mask is zero, so that nothing has to be changed.
const MASKED: u8 = 0x80;

/// Bytes that a narrow page receives without reading, and its largest segment (that of IPv4 over
/// Ethernet).
const NARROW_BUFFER: u32 = 4096;
const NARROW_SEGMENT: u32 = 1460;

pub(crate) struct Page {
    stream: TcpStream,
    /// What has been read; frames up to `read` have been handed out.
    buffer: Vec<u8>,
    read: usize,
    /// When the kernel received what was read last, in nanoseconds since the Unix epoch.
    received: u64,
}

/// Nanoseconds since the Unix epoch.
pub(crate) fn now() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    u64::try_from(now.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}

/// When the server stamped a message, if the frame has one.
fn stamp(frame: &[u8]) -> Option<u64> {
    const MARK: &[u8] = br#""t":"#;
    let at = frame.windows(MARK.len()).position(|part| part == MARK)? + MARK.len();
    let digits = frame[at..].iter().take_while(|byte| byte.is_ascii_digit());
    Some(digits.fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
}

impl Page {
    /// Connects and waits for the answer to the upgrade. A `narrow` page has a small receive
    /// buffer and, as over a real network, small segments; on loopback the kernel would otherwise
    /// take megabytes for a page that does not read, before its server notices.
    pub(crate) async fn connect(server: SocketAddr, narrow: bool) -> io::Result<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let source = 2 + NEXT.fetch_add(1, Relaxed) % SOURCES;
        let socket = TcpSocket::new_v4()?;
        if narrow {
            socket.set_recv_buffer_size(NARROW_BUFFER)?;
            setsockopt(&socket, TcpMaxSeg, &NARROW_SEGMENT)?;
        }
        let source = Ipv4Addr::from_bits(Ipv4Addr::new(127, 0, 0, 0).to_bits() + source);
        setsockopt(&socket, ReceiveTimestampns, &true)?;
        socket.bind(SocketAddr::new(source.into(), 0))?;
        let mut stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        let request = format!(
            "GET /cable HTTP/1.1\r\nHost: {server}\r\nUpgrade: websocket\r\n\
             Connection: Upgrade\r\nSec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: actioncable-v1-json\r\n\r\n"
        );
        stream.write_all(request.as_bytes()).await?;
        let mut page = Self {
            stream,
            buffer: Vec::with_capacity(512),
            read: 0,
            received: 0,
        };
        loop {
            let end = page.buffer.windows(4).position(|four| four == b"\r\n\r\n");
            if let Some(end) = end {
                if !page.buffer.starts_with(b"HTTP/1.1 101") {
                    return Err(io::Error::other("the upgrade was refused"));
                }
                page.read = end + 4;
                return Ok(page);
            }
            page.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        loop {
            self.stream.readable().await?;
            let (stream, buffer) = (&self.stream, &mut self.buffer);
            match stream.try_io(Interest::READABLE, || receive(stream, buffer)) {
                Ok(received) => {
                    self.received = received.unwrap_or_else(now);
                    return Ok(());
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// How long the next message with a [`stamp`] took from there to this socket, in nanoseconds:
    /// until the kernel had it, not until this program came to read it.
    pub(crate) async fn latency(&mut self) -> io::Result<u64> {
        loop {
            if let Some(sent) = self.next(stamp).await? {
                return Ok(self.received.saturating_sub(sent));
            }
        }
    }

    /// Calls `look` on the payload of the next text frame.
    async fn next<T>(&mut self, look: impl FnOnce(&[u8]) -> T) -> io::Result<T> {
        loop {
            let Some((kind, start, end)) = frame(&self.buffer[self.read..]) else {
                self.buffer.drain(..self.read);
                self.read = 0;
                self.fill().await?;
                continue;
            };
            let (start, end) = (self.read + start, self.read + end);
            self.read = end;
            match kind {
                TEXT => return Ok(look(&self.buffer[start..end])),
                CLOSE => return Err(io::ErrorKind::ConnectionReset.into()),
                _ => {}
            }
        }
    }

    /// Reads until a frame has this text.
    pub(crate) async fn until(&mut self, text: &str) -> io::Result<()> {
        let found = |frame: &[u8]| {
            frame
                .windows(text.len())
                .any(|part| part == text.as_bytes())
        };
        while !self.next(found).await? {}
        Ok(())
    }

    pub(crate) async fn send(&mut self, text: &str) -> io::Result<()> {
        let mut frame = vec![TEXT];
        match u16::try_from(text.len()) {
            Ok(short @ 0..126) => frame.push(MASKED | short as u8),
            Ok(medium) => {
                frame.push(MASKED | 126);
                frame.extend(medium.to_be_bytes());
            }
            Err(_) => return Err(io::Error::other("nothing that long is sent here")),
        }
        frame.extend([0; 4]);
        frame.extend(text.as_bytes());
        self.stream.write_all(&frame).await
    }

    /// Subscribes to a stream and waits until that is confirmed.
    pub(crate) async fn subscribe(&mut self, stream: &str) -> io::Result<()> {
        let identifier = format!(r#"{{\"channel\":\"BenchChannel\",\"stream\":\"{stream}\"}}"#);
        self.send(&format!(
            r#"{{"command":"subscribe","identifier":"{identifier}"}}"#
        ))
        .await?;
        self.until("confirm_subscription").await
    }
}

/// Reads what is there, and when the kernel received (the last of) it.
fn receive(stream: &TcpStream, buffer: &mut Vec<u8>) -> io::Result<Option<u64>> {
    let mut bytes = [0; 16 * 1024];
    let mut control = nix::cmsg_space!(TimeSpec);
    let mut parts = [IoSliceMut::new(&mut bytes)];
    let flags = MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<()>(stream.as_raw_fd(), &mut parts, Some(&mut control), flags)?;
    let count = message.bytes;
    let time = message.cmsgs()?.find_map(|control| match control {
        ControlMessageOwned::ScmTimestampns(time) => {
            let seconds = u64::try_from(time.tv_sec()).ok()?;
            Some(seconds * 1_000_000_000 + u64::try_from(time.tv_nsec()).ok()?)
        }
        _ => None,
    });
    if count == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    buffer.extend_from_slice(&bytes[..count]);
    Ok(time)
}

/// The first frame in a buffer: its first byte, where its payload starts and where it ends.
/// Servers do not mask (RFC 6455, section 5.1).
fn frame(buffer: &[u8]) -> Option<(u8, usize, usize)> {
    let length = usize::from(*buffer.get(1)?);
    let (start, length) = match length {
        126 => {
            let bytes = buffer.get(2..4)?.try_into().ok()?;
            (4, usize::from(u16::from_be_bytes(bytes)))
        }
        127 => {
            let bytes = buffer.get(2..10)?.try_into().ok()?;
            (10, usize::try_from(u64::from_be_bytes(bytes)).ok()?)
        }
        short => (2, short),
    };
    (buffer.len() >= start + length).then_some((buffer[0], start, start + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_found_when_they_are_whole() {
        assert_eq!(frame(b"\x81"), None);
        assert_eq!(frame(b"\x81\x02a"), None);
        assert_eq!(frame(b"\x81\x02ab\x81"), Some((TEXT, 2, 4)));
        let mut long = vec![TEXT, 126, 1, 0];
        long.extend([b'x'; 256]);
        assert_eq!(frame(&long), Some((TEXT, 4, 260)));
        assert_eq!(frame(&long[..259]), None);
    }

    #[test]
    fn stamps_are_read() {
        let frame = br#"{"identifier":"x","message":{"t":1234,"pad":""}}"#;
        assert_eq!(stamp(frame), Some(1234));
        assert_eq!(stamp(br#"{"type":"ping","message":7}"#), None);
    }
}
