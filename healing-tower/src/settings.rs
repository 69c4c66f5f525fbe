//! What was set, by code, environment or default, and whether it can be used.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use crate::builder::Builder;
use crate::checks::Check;
use crate::hooks::Hook;

/// Where the care port binds unless told otherwise.
const CARE_BIND: &str = "127.0.0.1:5002";

impl Builder {
    /// By code, environment or default.
    pub(crate) fn resolved_care_bind(&self) -> Result<SocketAddr, String> {
        match self.care_bind {
            Some(addr) => Ok(addr),
            None => care_bind(std::env::var_os("HEALING_CARE_BIND")),
        }
    }

    pub(crate) fn resolved_token_file(&self) -> Option<PathBuf> {
        self.token_file.clone().or_else(|| {
            std::env::var_os("HEALING_TOKEN_FILE")
                .filter(|path| !path.is_empty())
                .map(Into::into)
        })
    }

    /// Names are labels: each must be there once.
    pub(crate) fn check_names(&self) -> Result<(), String> {
        let hooks = self.hooks.iter().map(Hook::name);
        let checks = self.checks.iter().map(Check::name);
        match (repeated(hooks), repeated(checks)) {
            (Some(name), _) => Err(format!("two recovery hooks are named {name:?}")),
            (_, Some(name)) => Err(format!("two checks are named {name:?}")),
            (None, None) => Ok(()),
        }
    }
}

/// From the environment; empty is as good as absent.
fn care_bind(value: Option<OsString>) -> Result<SocketAddr, String> {
    let value = value.unwrap_or_default();
    let text = match value.to_string_lossy() {
        text if text.is_empty() => CARE_BIND.into(),
        text => text,
    };
    text.parse().map_err(|_| {
        format!("HEALING_CARE_BIND is {text:?}; it takes ADDRESS:PORT, such as {CARE_BIND}")
    })
}

fn repeated<'a>(names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().find(|name| !seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_care_port_by_environment() {
        let bind = |text: &str| care_bind(Some(text.into()));
        let default = CARE_BIND.parse();
        assert_eq!(care_bind(None).ok(), default.clone().ok());
        assert_eq!(bind("").ok(), default.ok());
        assert_eq!(bind("0.0.0.0:0").map(|addr| addr.port()), Ok(0));
        assert!(bind("[::]:5002").is_ok_and(|addr| addr.is_ipv6()));
        for wrong in [
            "5002",
            "localhost:5002",
            "127.0.0.1",
            "127.0.0.1:99999",
            "x",
        ] {
            let told = bind(wrong).expect_err(wrong);
            assert!(
                told.contains(wrong) && told.contains("ADDRESS:PORT"),
                "{told}"
            );
        }
    }
}
