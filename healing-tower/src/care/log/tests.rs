#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::sync::{Mutex, mpsc};

use super::*;

/// Where a log goes: each write waits for leave, then shows.
#[derive(Clone)]
struct Pipe(Arc<Mutex<mpsc::Receiver<()>>>, mpsc::Sender<String>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().recv().unwrap();
        let text = String::from_utf8_lossy(bytes).into_owned();
        self.1.send(text).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_log_that_blocks_holds_nobody_up_and_what_was_lost_is_said() {
    let (leave, wait) = mpsc::channel();
    let (show, shown) = mpsc::channel();
    let pipe = Pipe(Arc::new(Mutex::new(wait)), show);
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || pipe.clone())
        .with_ansi(false)
        .finish();
    let lines = Lines::start(2);
    let next = || shown.recv_timeout(Duration::from_secs(20)).unwrap();

    // The first is in the pipe, for certain, before the queue is filled.
    let (tell, told) = mpsc::channel();
    tracing::subscriber::with_default(subscriber, || {
        lines.say(move || {
            tell.send(()).unwrap();
            tracing::info!("line 0");
        });
        told.recv().unwrap();
        for number in 1..=5 {
            lines.say(move || tracing::info!("line {number}"));
        }
    });
    for _ in 0..4 {
        leave.send(()).unwrap();
    }
    assert!(next().contains("line 0"));
    let said = next();
    assert!(
        said.contains("dropped") && said.contains("lines=3"),
        "{said}"
    );
    assert!(next().contains("line 1"));
    assert!(next().contains("line 2"));
}

#[test]
fn a_subscriber_that_panics_is_not_the_end_of_the_log() {
    let lines = Lines::start(2);
    let (tell, told) = mpsc::channel();
    lines.say(|| panic!("as a subscriber might"));
    lines.say(move || tell.send(()).unwrap());
    told.recv_timeout(Duration::from_secs(20)).unwrap();
}
