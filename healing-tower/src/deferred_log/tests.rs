#![allow(clippy::unwrap_used, clippy::panic)]

use std::io::Write;
use std::sync::{Mutex, mpsc};

use super::*;

/// Log sink whose writes each wait for a permit and are then passed to the test.
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
fn blocked_subscriber_does_not_block_emit_and_dropped_lines_are_counted() {
    let (permits, wait) = mpsc::channel();
    let (output, written) = mpsc::channel();
    let pipe = Pipe(Arc::new(Mutex::new(wait)), output);
    let subscriber = tracing_subscriber::fmt()
        .with_writer(move || pipe.clone())
        .with_ansi(false)
        .finish();
    let logger = Logger::start(2);
    let next = || written.recv_timeout(Duration::from_secs(20)).unwrap();

    // The first line is taken from the queue before the queue is filled.
    let (started, wait) = mpsc::channel();
    tracing::subscriber::with_default(subscriber, || {
        logger.emit(move || {
            started.send(()).unwrap();
            tracing::info!("line 0");
        });
        wait.recv().unwrap();
        for number in 1..=5 {
            logger.emit(move || tracing::info!("line {number}"));
        }
    });
    for _ in 0..4 {
        permits.send(()).unwrap();
    }
    assert!(next().contains("line 0"));
    let warning = next();
    assert!(
        warning.contains("dropped") && warning.contains("lines=3"),
        "{warning}"
    );
    assert!(next().contains("line 1"));
    assert!(next().contains("line 2"));
}

#[test]
fn log_continues_after_a_subscriber_panics() {
    let logger = Logger::start(2);
    let (written, wait) = mpsc::channel();
    logger.emit(|| panic!("a panicking subscriber"));
    logger.emit(move || written.send(()).unwrap());
    wait.recv_timeout(Duration::from_secs(20)).unwrap();
}
