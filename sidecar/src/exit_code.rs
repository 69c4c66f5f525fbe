//! Exit codes of the programs.

/// Request of the sidecar to restart all containers. It has no other use.
///
/// It is an `i32`, as [`ExitStatus::code`](std::process::ExitStatus::code) returns it, and not a
/// `u8`, so that it can be compared but not used to exit. Only a completed hard heal converts into
/// this exit code.
pub const RESTART_ALL: i32 = 88;

/// Invalid configuration, as `EX_CONFIG` in `sysexits.h`.
pub const CONFIG: u8 = 78;

/// Internal error before the doctor runs, as `EX_SOFTWARE` in `sysexits.h`.
pub const SOFTWARE: u8 = 70;

/// Invalid usage of the command line.
pub const USAGE: u8 = 2;
