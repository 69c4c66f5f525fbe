//! The program of `cargo demo`; see [`healing_benches::demo`].

use std::process::ExitCode;

use clap::Parser;
use healing_benches::demo;

fn main() -> ExitCode {
    // Subprocesses have no flags.
    if let Some(code) = demo::run_subprocess() {
        return code;
    }
    let args = demo::Args::parse();
    match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(demo::run(args)),
        Err(error) => {
            eprintln!("cargo demo: cannot start the async runtime: {error}");
            ExitCode::FAILURE
        }
    }
}
