//! What the servers are put through.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::page::{Page, now};
use crate::pages::{self, Quantiles, Readers, median, medians, quantiles};
use crate::process::Server;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Pages with a stream of their own, and pages that share one.
const OWN: usize = 1_000;
const SHARED: usize = 2_000;
/// Between two messages of a sweep: 500 messages a second, which Rails can do as well.
const PAUSE: Duration = Duration::from_millis(2);
const SWEEPS: usize = 3;
const SHOUTS: usize = 15;
/// How long messages may take before they count as lost.
const MESSAGE_TIMEOUT: Duration = Duration::from_secs(30);

/// What one server did in one turn.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Round {
    /// Connections welcomed in a second, of [`OWN`].
    pub(crate) rate: f64,
    /// Resident bytes for each connection: welcomed, and subscribed as well.
    pub(crate) connected: f64,
    pub(crate) subscribed: f64,
    /// One message to each of [`OWN`] streams with one page, evenly and all at once.
    pub(crate) own: Quantiles,
    pub(crate) burst: Quantiles,
    /// One message to one stream with [`SHARED`] pages.
    pub(crate) shared: Quantiles,
    /// Messages that did not come.
    pub(crate) lost: usize,
}

/// The turn of one server. If it `must` deliver everything, a lost message is an error.
pub(crate) async fn round(server: &Server, must: bool) -> Result<Round> {
    // The first connections and messages make the server load what it needs.
    warm_up(server).await?;
    let before = server.rss();
    let (pages, rate) = pages::connect(server.address, OWN, false).await?;
    let connected = grown(server, before, OWN).await;
    let pages = pages::subscribe(pages, |at| format!("p{at}")).await?;
    let subscribed = grown(server, before, OWN).await;
    let mut lost = 0;
    let mut readers = Readers::new(pages);
    let mut own = Vec::new();
    let mut burst = Vec::new();
    for _ in 0..SWEEPS {
        for (pause, runs) in [(PAUSE, &mut own), (Duration::ZERO, &mut burst)] {
            server
                .request("POST", &format!("/sweep/{OWN}/{}/0", pause.as_micros()))
                .await?;
            match readers.collect(OWN, MESSAGE_TIMEOUT).await {
                Ok(latencies) => runs.push(quantiles(latencies)),
                Err(missing) => lost += missing,
            }
        }
    }
    let there = readers.all_there();
    drop(readers);
    let (pages, _) = pages::connect(server.address, SHARED, false).await?;
    let pages = pages::subscribe(pages, |_| "all".to_owned()).await?;
    let mut readers = Readers::new(pages);
    let mut shared = Vec::new();
    for _ in 0..SHOUTS {
        server.request("POST", "/broadcast/all/0").await?;
        match readers.collect(SHARED, MESSAGE_TIMEOUT).await {
            Ok(latencies) => shared.push(quantiles(latencies)),
            Err(missing) => lost += missing,
        }
        sleep(Duration::from_millis(50)).await;
    }
    if must && (lost > 0 || !there || !readers.all_there()) {
        return Err(format!("{lost} messages are missing, or pages were dropped").into());
    }
    Ok(Round {
        rate,
        connected,
        subscribed,
        own: medians(&own),
        burst: medians(&burst),
        shared: medians(&shared),
        lost,
    })
}

async fn warm_up(server: &Server) -> Result<()> {
    let (pages, _) = pages::connect(server.address, 50, false).await?;
    let pages = pages::subscribe(pages, |_| "warm".to_owned()).await?;
    let readers = Readers::new(pages);
    for _ in 0..5 {
        server.request("POST", "/broadcast/warm/0").await?;
        readers
            .collect(50, MESSAGE_TIMEOUT)
            .await
            .map_err(|missing| format!("{missing} of the first messages are missing"))?;
    }
    drop(readers);
    sleep(Duration::from_millis(500)).await;
    Ok(())
}

/// By how many bytes the server has grown for each of so many connections.
async fn grown(server: &Server, before: u64, count: usize) -> f64 {
    sleep(Duration::from_secs(1)).await;
    server.rss().saturating_sub(before) as f64 / count as f64
}

/// What the generator does with a server that only sends back what it gets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Echo {
    /// There and back, for each of [`OWN`] pages once, as evenly as in a sweep.
    pub(crate) even: Quantiles,
    /// Messages there and back in a second, as many as can be.
    pub(crate) rate: f64,
}

pub(crate) async fn echo(server: &Server) -> Result<Echo> {
    let (mut pages, _) = pages::connect(server.address, OWN, false).await?;
    let mut latencies = Vec::new();
    let start = Instant::now();
    for (at, page) in (0u32..).zip(&mut pages) {
        tokio::time::sleep_until(start + PAUSE * at).await;
        latencies.push(there_and_back(page).await?);
    }
    let even = quantiles(latencies);
    let span = Duration::from_secs(2);
    let tasks: Vec<_> = pages
        .drain(..64)
        .map(|mut page| {
            tokio::spawn(async move {
                let (start, mut count) = (Instant::now(), 0u64);
                while start.elapsed() < span && there_and_back(&mut page).await.is_ok() {
                    count += 1;
                }
                count
            })
        })
        .collect();
    let mut count = 0;
    for task in tasks {
        count += task.await?;
    }
    let rate = count as f64 / span.as_secs_f64();
    Ok(Echo { even, rate })
}

async fn there_and_back(page: &mut Page) -> std::io::Result<u64> {
    page.send(&format!(r#"{{"t":{}}}"#, now())).await?;
    page.latency().await
}

/// Messages to a crowd, and their size in bytes: more than sockets and queues of a page take that
/// does not read.
const TALK: usize = 80;
const TALK_BYTES: usize = 8 * 1024;
/// Of a crowd, so many pages are measured and so many may stop reading.
const HALF: usize = 1_000;

/// What half of a crowd heard, and what became of the other half.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MixedReaders {
    pub(crate) heard: Quantiles,
    /// By how many bytes the server grew at most.
    pub(crate) grown: u64,
    /// Pages that were dropped for reading too slowly.
    pub(crate) dropped: u64,
}

/// One stream with 2,000 pages, half of which read or do not.
pub(crate) async fn mixed_readers(server: &Server, stopped: bool) -> Result<MixedReaders> {
    warm_up(server).await?;
    let before = server.rss();
    let (others, _) = pages::connect(server.address, HALF, stopped).await?;
    let others = pages::subscribe(others, |_| "all".to_owned()).await?;
    let (pages, _) = pages::connect(server.address, HALF, false).await?;
    let pages = pages::subscribe(pages, |_| "all".to_owned()).await?;
    let mut readers = Readers::new(pages);
    let (idle, reading) = match stopped {
        true => (others, None),
        false => (Vec::new(), Some(Readers::new(others))),
    };
    let mut runs = Vec::new();
    for _ in 0..TALK {
        server
            .request("POST", &format!("/broadcast/all/{TALK_BYTES}"))
            .await?;
        let latencies = readers.collect(HALF, MESSAGE_TIMEOUT).await;
        let latencies = latencies.map_err(|missing| format!("{missing} messages are missing"))?;
        runs.push(quantiles(latencies));
        sleep(Duration::from_millis(20)).await;
    }
    if !readers.all_there() {
        return Err("a page that reads was dropped".into());
    }
    let dropped = dropped(server).await?;
    drop((idle, reading));
    Ok(MixedReaders {
        heard: medians(&runs),
        grown: server.peak().saturating_sub(before),
        dropped,
    })
}

async fn dropped(server: &Server) -> Result<u64> {
    let stats = server.request("GET", "/stats").await?;
    let line = stats
        .lines()
        .find_map(|line| line.strip_prefix("cable_slow_readers_total "));
    Ok(line.ok_or("no such number")?.parse()?)
}

/// A thousand pages that do not read, each with a stream and messages of its own, so that
/// nothing is shared: by how many bytes the server grew, and how many pages it dropped.
pub(crate) async fn stalled_readers(server: &Server) -> Result<(u64, u64)> {
    warm_up(server).await?;
    let before = server.rss();
    let (pages, _) = pages::connect(server.address, HALF, true).await?;
    let pages = pages::subscribe(pages, |at| format!("p{at}")).await?;
    for _ in 0..TALK {
        server
            .request("POST", &format!("/sweep/{HALF}/0/{TALK_BYTES}"))
            .await?;
    }
    let result = (server.peak().saturating_sub(before), dropped(server).await?);
    drop(pages);
    Ok(result)
}

/// Many connections that only hear pings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Idle {
    pub(crate) count: usize,
    pub(crate) rate: f64,
    pub(crate) connected: f64,
    pub(crate) subscribed: f64,
    /// Share of one core: the program's and the kernel's for it.
    pub(crate) user: f64,
    pub(crate) kernel: f64,
}

pub(crate) async fn idle(server: &Server, count: usize) -> Result<Idle> {
    /// Five rounds of pings.
    const SPAN: Duration = Duration::from_secs(15);
    const RUNS: usize = 3;
    warm_up(server).await?;
    let before = server.rss();
    let (pages, rate) = pages::connect(server.address, count, false).await?;
    let connected = grown(server, before, count).await;
    let pages = pages::subscribe(pages, |at| format!("p{at}")).await?;
    let mut readers = Readers::new(pages);
    sleep(Duration::from_secs(6)).await;
    let subscribed = grown(server, before, count).await;
    let mut runs = Vec::new();
    for _ in 0..RUNS {
        let (start, used) = (Instant::now(), server.cpu());
        sleep(SPAN).await;
        let (now, span) = (server.cpu(), start.elapsed().as_secs_f64());
        runs.push(((now.0 - used.0) / span, (now.1 - used.1) / span));
    }
    if !readers.all_there() {
        return Err("an idle connection was lost".into());
    }
    Ok(Idle {
        count,
        rate,
        connected,
        subscribed,
        user: median(runs.iter().map(|run| run.0).collect()),
        kernel: median(runs.iter().map(|run| run.1).collect()),
    })
}
