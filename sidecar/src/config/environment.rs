//! Access to environment variables.

use std::ffi::OsString;

/// Read access to environment variables, so that tests can inject variables.
pub trait Environment {
    /// Returns the value of a variable, if it is set.
    fn get(&self, name: &str) -> Option<OsString>;
}

/// Environment of this process.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Environment for Process {
    fn get(&self, name: &str) -> Option<OsString> {
        std::env::var_os(name)
    }
}

impl<F: Fn(&str) -> Option<OsString>> Environment for F {
    fn get(&self, name: &str) -> Option<OsString> {
        self(name)
    }
}
