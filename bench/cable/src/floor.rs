//! The least a server can do: it sends back every text frame, and on demand writes the same bytes
//! to every socket of a stream. What pages measure against it is the machine's and their own
//! time, which no server can beat.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::page::now;

type Streams = Arc<Mutex<HashMap<String, Vec<Arc<TcpStream>>>>>;

/// Serves until it is killed.
pub(crate) async fn serve(address: SocketAddr) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind(address).await?;
    let streams = Streams::default();
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        tokio::spawn(one(socket, Arc::clone(&streams)));
    }
}

async fn one(mut socket: TcpStream, streams: Streams) -> io::Result<()> {
    let mut request = Vec::new();
    while !request.windows(4).any(|four| four == b"\r\n\r\n") {
        if socket.read_buf(&mut request).await? == 0 {
            return Ok(());
        }
    }
    let request = String::from_utf8_lossy(&request);
    let path = request.split(' ').nth(1).unwrap_or_default();
    let words: Vec<&str> = path.split('/').skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|word| word.parse::<u64>().ok());
    match words[0] {
        "cable" => return echo(socket, streams).await,
        "broadcast" => write_to(&streams, words[1], number(2).unwrap_or(0)),
        "sweep" => {
            let start = Instant::now();
            let pause = Duration::from_micros(number(2).unwrap_or(0));
            for at in 0..u32::try_from(number(1).unwrap_or(0)).unwrap_or(0) {
                tokio::time::sleep_until(start + pause * at).await;
                write_to(&streams, &format!("p{at}"), number(3).unwrap_or(0));
            }
        }
        _ => {}
    }
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    socket.write_all(answer).await
}

fn write_to(streams: &Streams, stream: &str, size: u64) {
    let sockets = streams.lock().unwrap_or_else(PoisonError::into_inner);
    let pad = "x".repeat(usize::try_from(size).unwrap_or(0));
    let identifier = format!(r#"{{\"channel\":\"BenchChannel\",\"stream\":\"{stream}\"}}"#);
    let time = now();
    let text = format!(r#"{{"identifier":"{identifier}","message":{{"t":{time},"pad":"{pad}"}}}}"#);
    let frame = frame(text.as_bytes());
    for socket in sockets.get(stream).into_iter().flatten() {
        // What does not fit is not the floor's concern: its pages read.
        let _ = socket.try_write(&frame);
    }
}

fn frame(text: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x81];
    match u16::try_from(text.len()) {
        Ok(short @ 0..126) => frame.push(short as u8),
        Ok(medium) => {
            frame.push(126);
            frame.extend(medium.to_be_bytes());
        }
        Err(_) => return Vec::new(),
    }
    frame.extend(text);
    frame
}

/// Echoes frames of less than 64 KiB; a subscription is confirmed.
async fn echo(mut socket: TcpStream, streams: Streams) -> io::Result<()> {
    let answer =
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    socket.write_all(answer).await?;
    socket.write_all(&frame(br#"{"type":"welcome"}"#)).await?;
    let socket = Arc::new(socket);
    let mut buffer = Vec::new();
    loop {
        socket.readable().await?;
        match socket.try_read_buf(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => continue,
            Err(error) => return Err(error),
        }
        while let Some((start, end)) = payload(&buffer) {
            let text = &buffer[start..end];
            let answer = match stream_of(text) {
                Some(stream) => {
                    let mut streams = streams.lock().unwrap_or_else(PoisonError::into_inner);
                    streams.entry(stream).or_default().push(Arc::clone(&socket));
                    frame(br#"{"type":"confirm_subscription"}"#)
                }
                None => frame(text),
            };
            let _ = socket.try_write(&answer);
            buffer.drain(..end);
        }
    }
}

/// Where the payload of the first frame is; clients mask, ours with zeros.
fn payload(buffer: &[u8]) -> Option<(usize, usize)> {
    let (start, length) = match buffer.get(1)? & 0x7f {
        126 => {
            let bytes = buffer.get(2..4)?.try_into().ok()?;
            (8, usize::from(u16::from_be_bytes(bytes)))
        }
        short => (6, usize::from(short)),
    };
    (buffer.len() >= start + length).then_some((start, start + length))
}

/// The stream that a frame subscribes to.
fn stream_of(frame: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(frame).ok()?;
    let (_, rest) = text.split_once(r#"\"stream\":\""#)?;
    Some(rest.split_once('\\')?.0.to_owned())
}
