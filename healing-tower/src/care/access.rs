//! Who may heal: a peer on this machine that is no browser page, and knows the token if there is
//! one.
//!
//! Four rules, all of which must hold: the connection's own peer address is loopback (IPv4-mapped
//! too); the `Host` is loopback (a page whose name was re-bound to 127.0.0.1 has its own name
//! there); there is no `Origin` (a page of another site sends one with a POST); `X-Healing: 1` is
//! set (no page can send it across origins without being allowed to). Where a token file is
//! configured, `Authorization: Bearer TOKEN` as well, compared in constant time.
//!
//! # Hazards
//! Loopback is not identity. A service mesh or a proxy *in the same pod* hands every stranger's
//! request on from 127.0.0.1: exclude the care port from the mesh, and use a token file.

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use http::request::Parts;

use super::log;

/// The header that no browser page can send across origins.
pub(crate) const HEADER: &str = "x-healing";

/// The token is short; a file that is longer is the wrong file.
const MOST_TOKEN_BYTES: u64 = 4096;

/// Whether `X-Healing: 1` is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeaderRule {
    Required,
    Waived,
}

/// The rule that was broken, as a sentence for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Denied(pub(crate) &'static str);

/// What is asked for beside the four rules.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    token_file: Option<PathBuf>,
}

impl Access {
    pub(crate) fn new(token_file: Option<PathBuf>) -> Self {
        Self { token_file }
    }

    /// Fails at start-up rather than at the first heal.
    pub(crate) fn check_token_file(&self) -> Result<(), String> {
        match &self.token_file {
            Some(path) => read_token(path).map(drop),
            None => Ok(()),
        }
    }

    /// All rules.
    pub(crate) fn may_heal(
        &self,
        request: &Parts,
        peer: Option<SocketAddr>,
        header: HeaderRule,
    ) -> Result<(), Denied> {
        is_local(request, peer)?;
        if header == HeaderRule::Required && !single(&request.headers, HEADER).is_some_and(is_one) {
            return Err(Denied("the header `X-Healing: 1` is missing"));
        }
        self.knows_token(&request.headers)
    }

    /// The file is read each time: it may be rotated, and heals are rare.
    fn knows_token(&self, headers: &HeaderMap) -> Result<(), Denied> {
        let Some(path) = &self.token_file else {
            return Ok(());
        };
        let expected = read_token(path).map_err(|error| {
            log::say(move || {
                tracing::error!(error, "no heal is allowed: the token cannot be read");
            });
            Denied("the token file cannot be read")
        })?;
        let given = single(headers, AUTHORIZATION.as_str())
            .and_then(|value| value.strip_prefix(b"Bearer "))
            .ok_or(Denied(
                "the header `Authorization: Bearer TOKEN` is missing",
            ))?;
        if same(given, expected.as_bytes()) {
            Ok(())
        } else {
            Err(Denied("the token is wrong"))
        }
    }
}

/// A peer on this machine that is not a browser page: the first three rules. What shows more than
/// the original's five fields asks for these.
pub(crate) fn is_local(request: &Parts, peer: Option<SocketAddr>) -> Result<(), Denied> {
    if !peer.is_some_and(|peer| is_loopback(peer.ip())) {
        return Err(Denied("the peer is not on loopback"));
    }
    if !has_loopback_host(request) {
        return Err(Denied("the Host is not loopback"));
    }
    if request.headers.contains_key(ORIGIN) {
        return Err(Denied("requests with an Origin are refused"));
    }
    Ok(())
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// HTTP/1 has `Host`, HTTP/2 the authority; where there are both, both must be loopback.
fn has_loopback_host(request: &Parts) -> bool {
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let host = match request.headers.get_all(HOST).iter().count() {
        0 => None,
        1 => match single(&request.headers, HOST.as_str()).map(std::str::from_utf8) {
            Some(Ok(host)) => Some(host),
            _ => return false,
        },
        _ => return false,
    };
    let mut named = [authority, host].into_iter().flatten().peekable();
    named.peek().is_some() && named.all(names_loopback)
}

/// `localhost`, `127.0.0.1`, `[::1]`, each with or without a port.
fn names_loopback(host: &str) -> bool {
    if let Ok(address) = host.parse::<SocketAddr>() {
        return is_loopback(address.ip());
    }
    if let Some(v6) = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        return v6
            .parse::<std::net::Ipv6Addr>()
            .is_ok_and(|v6| is_loopback(v6.into()));
    }
    let name = match host.split_once(':') {
        Some((name, port)) if port.parse::<u16>().is_ok() => name,
        Some(_) => return false,
        None => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name
            .parse::<std::net::Ipv4Addr>()
            .is_ok_and(|v4| v4.is_loopback())
}

/// The value of a header that is there exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

fn is_one(value: &[u8]) -> bool {
    value == b"1"
}

fn read_token(path: &Path) -> Result<String, String> {
    let told = |what: &str| format!("token file {}: {what}", path.display());
    let size = std::fs::metadata(path)
        .map_err(|error| told(&error.to_string()))?
        .len();
    if size > MOST_TOKEN_BYTES {
        return Err(told(&format!(
            "{size} bytes; a token has at most {MOST_TOKEN_BYTES}"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|error| told(&error.to_string()))?;
    match text.trim() {
        "" => Err(told(
            "it is empty; put a token into it or leave the setting out",
        )),
        token => Ok(token.to_owned()),
    }
}

/// Takes as long for a near miss as for a far one; only the length shows.
fn same(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && std::hint::black_box(
            given
                .iter()
                .zip(expected)
                .fold(0_u8, |differ, (a, b)| differ | (a ^ b)),
        ) == 0
}

#[cfg(test)]
mod tests;
