//! `cargo demo`: see [`healing_benches::demo`].

use std::process::ExitCode;

use clap::Parser;
use healing_benches::demo;

fn main() -> ExitCode {
    // A child that the demo started plays its part and knows no flags.
    if let Some(code) = demo::play_part() {
        return code;
    }
    let args = demo::Args::parse();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(demo::play(args)),
        Err(error) => {
            eprintln!("cargo demo: no runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
