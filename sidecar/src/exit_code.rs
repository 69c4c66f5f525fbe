//! Exit codes of the programs.

/// Request of the sidecar to restart all containers, used for nothing else.
///
/// An `i32`, as [`ExitStatus::code`](std::process::ExitStatus::code) returns it, so that comparing
/// is possible and exiting is not: only a completed hard heal converts into this exit code.
pub const RESTART_ALL: i32 = 88;

/// Invalid configuration, as `EX_CONFIG` in `sysexits.h`.
pub const CONFIG: u8 = 78;

/// Internal error before the doctor runs, as `EX_SOFTWARE` in `sysexits.h`.
pub const SOFTWARE: u8 = 70;

/// Invalid usage of the command line.
pub const USAGE: u8 = 2;
