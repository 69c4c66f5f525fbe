//! Instructions of a request, counted by callgrind. This binary runs itself under valgrind with few and
//! with many requests. The difference is the cost of the requests, without start-up.

use crate::variants::{PerVariant, Variant, app};
use std::io;
use std::process::Command;

/// Argument that makes this binary a child that only makes requests.
pub(crate) const COMMAND: &str = "requests";
/// Number of requests of the short run.
const FEW: u32 = 1_000;
/// Number of requests of the long run.
const MANY: u32 = 6_000;

/// Reason that instructions cannot be counted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CountError {
    /// The path of this binary is unknown.
    #[error("the path of this binary is unknown: {0}")]
    CurrentExe(#[source] io::Error),
    /// Valgrind is not installed, or cannot be started.
    #[error("valgrind could not be run ({0}); install it to count instructions")]
    Valgrind(#[source] io::Error),
    /// The output of callgrind, which contains no count.
    #[error("callgrind printed no count:\n{0}")]
    NoCount(String),
}

/// Makes `count` requests of one variant.
pub(crate) fn child(variant: &str, count: &str) {
    let variant = Variant::ALL[variant.parse::<usize>().unwrap()];
    let mut app = app(variant);
    (0..count.parse::<u32>().unwrap()).for_each(|_| app.call());
}

/// Returns the instructions per request of each variant.
pub(crate) fn measure() -> Result<PerVariant, CountError> {
    let mut counts = PerVariant::from_fn(|_| f64::INFINITY);
    for variant in Variant::ALL {
        let spent = run(variant, MANY)? - run(variant, FEW)?;
        counts.keep_best(variant, spent / f64::from(MANY - FEW));
    }
    Ok(counts)
}

fn run(variant: Variant, count: u32) -> Result<f64, CountError> {
    let binary = std::env::current_exe().map_err(CountError::CurrentExe)?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(binary)
        .args([COMMAND, &(variant as usize).to_string(), &count.to_string()])
        .output()
        .map_err(CountError::Valgrind)?;
    let log = String::from_utf8_lossy(&output.stderr);
    let collected = log
        .lines()
        .find_map(|line| line.split("Collected :").nth(1)?.trim().parse().ok());
    collected.ok_or_else(|| CountError::NoCount(log.into_owned()))
}
