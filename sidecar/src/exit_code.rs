//! Exit codes of the programs.

/// Request of the sidecar to restart all containers. Used for nothing else.
pub const RESTART_ALL: u8 = 88;

/// Invalid configuration, as `EX_CONFIG` in `sysexits.h`.
pub const CONFIG: u8 = 78;

/// Invalid usage of the command line.
pub const USAGE: u8 = 2;
