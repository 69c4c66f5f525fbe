//! Access rules of `POST /heal`: a local peer, not a browser page, with the token if one is configured.
//!
//! | rule | rejects |
//! |---|---|
//! | the connection's own peer address is loopback (IPv4-mapped too) | remote callers |
//! | the `Host` is loopback | DNS rebinding: a page whose name resolves to 127.0.0.1 sends its own name |
//! | there is no `Origin` | pages of other sites, which send one with a POST |
//! | `X-Healing: 1` is set, unless waived on the app port | cross-origin requests without permission (CORS) |
//! | `Authorization: Bearer TOKEN` is set, if a token file is configured | callers without the token |
//!
//! The token is compared in constant time.
//!
//! # Hazards
//!
//! A loopback address does not authenticate the caller. A service mesh or a proxy *in the same pod*
//! forwards remote requests from 127.0.0.1. Exclude the care port from the mesh, and use a token file.

use std::net::{IpAddr, SocketAddr};

use http::header::{AUTHORIZATION, HOST, HeaderMap, ORIGIN};
use http::request::Parts;

use crate::deferred_log;
use crate::settings::HeaderRule;
use crate::token_file::TokenFile;

/// Header that a browser page cannot send cross-origin without permission.
const HEADER: &str = "x-healing";

/// Reason for denying a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Denied {
    /// The peer address is remote or unknown.
    #[error("the peer address is not loopback")]
    RemotePeer,
    /// `Host` or the authority is missing, repeated, or names another host.
    #[error("the Host is not loopback")]
    RemoteHost,
    /// There is an `Origin`, so the caller is a browser page.
    #[error("requests with the header `Origin` are rejected")]
    Origin,
    /// `X-Healing` is missing or is not `1`.
    #[error("the header `X-Healing: 1` is missing")]
    NoHeader,
    /// There is no bearer token, but a token file is configured.
    #[error("the header `Authorization: Bearer TOKEN` is missing")]
    NoToken,
    /// The bearer token differs from that of the token file.
    #[error("the bearer token does not match the token file")]
    WrongToken,
    /// The token file cannot be read, is too large or is empty.
    #[error("the token file cannot be read; the app's log states the cause")]
    UnreadableTokenFile,
}

/// Checks all rules for a heal request.
///
/// # Errors
///
/// Returns the first rule that is violated.
pub(super) fn authorize(
    request: &Parts,
    peer: Option<SocketAddr>,
    header: HeaderRule,
    token_file: Option<&TokenFile>,
) -> Result<(), Denied> {
    check_local(request, peer)?;
    if header == HeaderRule::Required && single(&request.headers, HEADER) != Some(b"1") {
        return Err(Denied::NoHeader);
    }
    token_file.map_or(Ok(()), |file| check_token(&request.headers, file))
}

/// Checks that a request comes from this machine and not from a browser page. These are the first three
/// rules, which also protect the full `/health` and the error texts of `/readyz?verbose`.
///
/// # Errors
///
/// Returns the first rule that is violated.
pub(super) fn check_local(request: &Parts, peer: Option<SocketAddr>) -> Result<(), Denied> {
    if !peer.is_some_and(|peer| is_loopback(peer.ip())) {
        return Err(Denied::RemotePeer);
    }
    if !has_loopback_host(request) {
        return Err(Denied::RemoteHost);
    }
    if request.headers.contains_key(ORIGIN) {
        return Err(Denied::Origin);
    }
    Ok(())
}

/// Checks the bearer token. The file is read each time, so it may be rotated; heals are rare.
fn check_token(headers: &HeaderMap, file: &TokenFile) -> Result<(), Denied> {
    let expected = file.read().map_err(|error| {
        deferred_log::emit(move || tracing::error!(%error, "cannot read the token file; rejecting `/heal` requests"));
        Denied::UnreadableTokenFile
    })?;
    let given = single(headers, AUTHORIZATION.as_str())
        .and_then(|value| value.strip_prefix(b"Bearer "))
        .ok_or(Denied::NoToken)?;
    if constant_time_eq(given, expected.as_bytes()) {
        Ok(())
    } else {
        Err(Denied::WrongToken)
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Returns `true` if `Host` (HTTP/1) and the authority (HTTP/2), as far as present, are loopback; one of
/// them must be present.
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
    let mut hosts = [authority, host].into_iter().flatten().peekable();
    hosts.peek().is_some() && hosts.all(is_loopback_host)
}

/// Returns `true` for `localhost`, `127.0.0.1` and `[::1]`, each with or without a port.
fn is_loopback_host(host: &str) -> bool {
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

/// Returns the value of a header that is present exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a [u8]> {
    let mut values = headers.get_all(name).iter();
    let value = values.next()?;
    values.next().is_none().then(|| value.as_bytes())
}

/// Compares two texts in a time that depends only on their lengths.
fn constant_time_eq(given: &[u8], expected: &[u8]) -> bool {
    given.len() == expected.len()
        && std::hint::black_box(
            given
                .iter()
                .zip(expected)
                .fold(0_u8, |difference, (a, b)| difference | (a ^ b)),
        ) == 0
}

#[cfg(test)]
mod tests;
