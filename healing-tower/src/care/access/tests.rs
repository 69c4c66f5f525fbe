use super::*;
use http::Request;

fn request(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::post("/heal");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("valid").into_parts().0
}

fn ask(peer: &str, headers: &[(&str, &str)]) -> Result<(), Denied> {
    let peer = Some(peer.parse().expect("address"));
    Access::default().may_heal(&request(headers), peer, HeaderRule::Required)
}

const GOOD: [(&str, &str); 2] = [("host", "127.0.0.1:5002"), ("x-healing", "1")];

#[test]
fn loopback_peers_in_every_notation() {
    for peer in [
        "127.0.0.1:9",
        "127.8.8.8:9",
        "[::1]:9",
        "[::ffff:127.0.0.1]:9",
    ] {
        assert_eq!(ask(peer, &GOOD), Ok(()), "{peer}");
    }
    for peer in [
        "10.0.0.1:9",
        "[::ffff:10.0.0.1]:9",
        "[fe80::1]:9",
        "0.0.0.0:9",
        "[::]:9",
    ] {
        assert!(ask(peer, &GOOD).is_err(), "{peer}");
    }
    let unknown = Access::default().may_heal(&request(&GOOD), None, HeaderRule::Required);
    assert!(unknown.is_err(), "a peer that nobody vouches for");
}

#[test]
fn forwarded_headers_are_no_evidence() {
    let forged = [
        GOOD[0],
        GOOD[1],
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "::1"),
    ];
    assert!(ask("10.0.0.1:9", &forged).is_err());
}

#[test]
fn the_host_must_be_loopback() {
    for host in [
        "localhost",
        "LOCALHOST:5002",
        "127.0.0.1",
        "[::1]",
        "[::1]:5002",
    ] {
        assert_eq!(
            ask("127.0.0.1:9", &[("host", host), GOOD[1]]),
            Ok(()),
            "{host}"
        );
    }
    for host in [
        "evil.example",
        "evil.example:5002",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "user@127.0.0.1",
        "localhost:",
        "localhost:x",
        "",
        "[::1",
        "127.1",
    ] {
        assert!(
            ask("127.0.0.1:9", &[("host", host), GOOD[1]]).is_err(),
            "{host}"
        );
    }
    assert!(ask("127.0.0.1:9", &[GOOD[1]]).is_err(), "no host at all");
    assert!(
        ask("127.0.0.1:9", &[GOOD[0], GOOD[0], GOOD[1]]).is_err(),
        "two hosts"
    );
}

#[test]
fn an_authority_counts_as_a_host() {
    let ask = |uri: &str, host: Option<&str>| {
        let mut request = Request::post(uri).header(HEADER, "1");
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let parts = request.body(()).expect("valid").into_parts().0;
        Access::default().may_heal(
            &parts,
            Some("127.0.0.1:9".parse().expect("address")),
            HeaderRule::Required,
        )
    };
    assert_eq!(ask("http://localhost:5002/heal", None), Ok(()));
    assert!(ask("http://evil.example/heal", None).is_err());
    assert!(ask("http://evil.example/heal", Some("localhost")).is_err());
    assert!(ask("http://localhost/heal", Some("evil.example")).is_err());
}

#[test]
fn an_origin_is_refused_even_a_local_one() {
    for origin in ["https://evil.example", "http://127.0.0.1:5000", "null"] {
        let refused = ask("127.0.0.1:9", &[GOOD[0], GOOD[1], ("origin", origin)]);
        assert!(refused.is_err(), "{origin}");
    }
}

#[test]
fn the_header_is_exact_and_only_it_may_be_waived() {
    for value in ["", "0", "true", "1, 1", "11"] {
        assert!(
            ask("127.0.0.1:9", &[GOOD[0], ("x-healing", value)]).is_err(),
            "{value}"
        );
    }
    let waived = |peer: &str, headers: &[(&str, &str)]| {
        let peer = Some(peer.parse().expect("address"));
        Access::default().may_heal(&request(headers), peer, HeaderRule::Waived)
    };
    assert_eq!(waived("127.0.0.1:9", &[GOOD[0]]), Ok(()));
    assert!(waived("10.0.0.1:9", &[GOOD[0]]).is_err());
    assert!(waived("127.0.0.1:9", &[("host", "evil.example")]).is_err());
    assert!(waived("127.0.0.1:9", &[GOOD[0], ("origin", "null")]).is_err());
}

#[test]
fn a_token_must_match_and_may_be_rotated() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("token");
    std::fs::write(&path, "s3cret\n").expect("write");
    let access = Access::new(Some(path.clone()));
    assert_eq!(access.check_token_file(), Ok(()));
    let ask = |token: Option<&str>| {
        let mut headers = GOOD.to_vec();
        headers.extend(token.map(|token| ("authorization", token)));
        let peer = Some("127.0.0.1:9".parse().expect("address"));
        access.may_heal(&request(&headers), peer, HeaderRule::Required)
    };
    assert_eq!(ask(Some("Bearer s3cret")), Ok(()));
    for wrong in [
        "Bearer s3creT",
        "Bearer s3cre",
        "Bearer s3crets",
        "Bearer ",
        "s3cret",
    ] {
        assert!(ask(Some(wrong)).is_err(), "{wrong}");
    }
    assert!(ask(None).is_err());

    std::fs::write(&path, "rotated").expect("write");
    assert!(ask(Some("Bearer s3cret")).is_err());
    assert_eq!(ask(Some("Bearer rotated")), Ok(()));

    std::fs::write(&path, " \n").expect("write");
    assert!(ask(Some("Bearer ")).is_err(), "an empty file is no token");
    assert!(
        access
            .check_token_file()
            .is_err_and(|told| told.contains("empty"))
    );
    std::fs::remove_file(&path).expect("remove");
    assert!(ask(Some("Bearer rotated")).is_err());
}
