//! The program itself, as systemd and Docker handle it.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
    os::unix::net::UnixDatagram,
    time::{Duration, Instant},
};

use testkit::networks;

use crate::served::{Served, axiam, until};

#[test]
fn a_server_tells_systemd_takes_up_settings_and_stops_in_time() {
    let sockets = tempfile::tempdir().unwrap();
    let path = sockets.path().join("notify");
    let systemd = UnixDatagram::bind(&path).unwrap();
    systemd
        .set_read_timeout(Some(Duration::from_secs(30)))
        .unwrap();
    let heard = || {
        let mut buffer = [0; 64];
        let length = systemd.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let mut served = Served::start(|command| {
        command.env("NOTIFY_SOCKET", &path);
    });
    assert_eq!(heard(), "READY=1");
    // A mistake in the file changes nothing; what can be taken up is, and nothing ends the program.
    for (text, words) in [
        (
            "[log]\nlevel = \"info\"\ncolour = 1",
            "the settings stay as they are",
        ),
        ("[log]\nlevel = \"debug\"", "were read again"),
    ] {
        fs::write(served.data.join("axiam.toml"), text).unwrap();
        served.signal("HUP");
        assert!(served.logged(words), "{words}");
    }
    // Nobody reads its standard output any more, and it goes on.
    assert!(served.url.starts_with("http://127.0.0.1:") && !served.url.ends_with(":0"));
    let asked = Instant::now();
    served.signal("TERM");
    assert_eq!(heard(), "STOPPING=1");
    assert_eq!(served.child.wait().unwrap().code(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
}

#[test]
fn a_broken_file_of_places_starts_nothing_and_stops_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("places.mmdb");
    let record = r#"{"country":{"names":{"en":"Iceland"}}}"#;
    let good = networks("Test-City", &[("203.0.113.0/24", record)]);
    fs::write(&file, &good).unwrap();
    let served = Served::start(|command| {
        command.env("AXIAM_SIGN_ON_PLACES", &file);
    });
    let refused = || {
        let log = fs::read_to_string(&served.log).unwrap();
        log.matches("the settings stay as they are").count()
    };
    let broken = [good[..90].to_vec(), Vec::new(), vec![0xAB; 5000]];
    for (turn, bytes) in broken.iter().enumerate() {
        fs::write(&file, bytes).unwrap();
        served.signal("HUP");
        assert!(until(|| refused() == turn + 1), "{}", refused());
        let answer = TcpStream::connect(served.url.trim_start_matches("http://"));
        assert!(answer.is_ok());
    }
    let output = axiam(folder.path())
        .args(["serve", "--listen", "127.0.0.1:0"])
        .env("AXIAM_SIGN_ON_PLACES", &file)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && said.contains("sign_on.places: "),
        "{said}"
    );
    fs::write(&file, &good).unwrap();
    served.signal("HUP");
    assert!(served.logged("were read again"));
    assert_eq!(refused(), broken.len());
}

#[test]
fn asked_twice_a_server_does_not_wait() {
    let mut served = Served::start(|_| {});
    // A request that stays half sent is what the server would wait for.
    let address = served.url.trim_start_matches("http://");
    let mut half = TcpStream::connect(address).unwrap();
    half.write_all(
        b"POST /api/v1/facial_sign_on/application_auth HTTP/1.1\r\nHost: a\r\n\
        Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    )
    .unwrap();
    let mut taken = [0; 12];
    half.read_exact(&mut taken).unwrap();
    assert_eq!(&taken, b"HTTP/1.1 100");
    served.signal("INT");
    assert!(served.logged("stopping"));
    served.signal("TERM");
    let asked = Instant::now();
    assert_eq!(served.child.wait().unwrap().code(), Some(143));
    assert!(
        asked.elapsed() < Duration::from_secs(5),
        "{:?}",
        asked.elapsed()
    );
}
