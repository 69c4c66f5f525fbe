use super::*;
use http::Request;

fn request(headers: &[(&str, &str)]) -> Parts {
    let mut request = Request::post("/heal");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(()).expect("valid").into_parts().0
}

fn check(peer: &str, headers: &[(&str, &str)]) -> Result<(), Denied> {
    let peer = Some(peer.parse().expect("address"));
    authorize(&request(headers), peer, HeaderRule::Required, None)
}

const GOOD: [(&str, &str); 2] = [("host", "127.0.0.1:5002"), ("x-healing", "1")];

#[test]
fn peer_must_be_loopback_in_any_notation() {
    for peer in [
        "127.0.0.1:9",
        "127.8.8.8:9",
        "[::1]:9",
        "[::ffff:127.0.0.1]:9",
    ] {
        assert_eq!(check(peer, &GOOD), Ok(()), "{peer}");
    }
    for peer in [
        "10.0.0.1:9",
        "[::ffff:10.0.0.1]:9",
        "[fe80::1]:9",
        "0.0.0.0:9",
        "[::]:9",
    ] {
        assert!(check(peer, &GOOD).is_err(), "{peer}");
    }
    let unknown = authorize(&request(&GOOD), None, HeaderRule::Required, None);
    assert!(unknown.is_err(), "a peer whose address is unknown");
}

#[test]
fn forwarded_headers_do_not_make_a_peer_local() {
    let forged = [
        GOOD[0],
        GOOD[1],
        ("x-forwarded-for", "127.0.0.1"),
        ("x-real-ip", "::1"),
    ];
    assert!(check("10.0.0.1:9", &forged).is_err());
}

#[test]
fn host_must_be_loopback() {
    for host in [
        "localhost",
        "LOCALHOST:5002",
        "127.0.0.1",
        "[::1]",
        "[::1]:5002",
    ] {
        assert_eq!(
            check("127.0.0.1:9", &[("host", host), GOOD[1]]),
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
            check("127.0.0.1:9", &[("host", host), GOOD[1]]).is_err(),
            "{host}"
        );
    }
    assert!(check("127.0.0.1:9", &[GOOD[1]]).is_err(), "no host at all");
    assert!(
        check("127.0.0.1:9", &[GOOD[0], GOOD[0], GOOD[1]]).is_err(),
        "two hosts"
    );
}

#[test]
fn authority_is_checked_like_host() {
    let check = |uri: &str, host: Option<&str>| {
        let mut request = Request::post(uri).header(HEADER, "1");
        if let Some(host) = host {
            request = request.header(HOST, host);
        }
        let parts = request.body(()).expect("valid").into_parts().0;
        authorize(
            &parts,
            Some("127.0.0.1:9".parse().expect("address")),
            HeaderRule::Required,
            None,
        )
    };
    assert_eq!(check("http://localhost:5002/heal", None), Ok(()));
    assert!(check("http://evil.example/heal", None).is_err());
    assert!(check("http://evil.example/heal", Some("localhost")).is_err());
    assert!(check("http://localhost/heal", Some("evil.example")).is_err());
}

#[test]
fn origin_is_rejected_even_if_local() {
    for origin in ["https://evil.example", "http://127.0.0.1:5000", "null"] {
        let rejected = check("127.0.0.1:9", &[GOOD[0], GOOD[1], ("origin", origin)]);
        assert!(rejected.is_err(), "{origin}");
    }
}

#[test]
fn header_value_must_be_exact_and_waiver_leaves_other_rules() {
    for value in ["", "0", "true", "1, 1", "11"] {
        assert!(
            check("127.0.0.1:9", &[GOOD[0], ("x-healing", value)]).is_err(),
            "{value}"
        );
    }
    let waived = |peer: &str, headers: &[(&str, &str)]| {
        let peer = Some(peer.parse().expect("address"));
        authorize(&request(headers), peer, HeaderRule::Waived, None)
    };
    assert_eq!(waived("127.0.0.1:9", &[GOOD[0]]), Ok(()));
    assert!(waived("10.0.0.1:9", &[GOOD[0]]).is_err());
    assert!(waived("127.0.0.1:9", &[("host", "evil.example")]).is_err());
    assert!(waived("127.0.0.1:9", &[GOOD[0], ("origin", "null")]).is_err());
}

#[test]
fn token_must_match_and_may_be_rotated() {
    let directory = tempfile::tempdir().expect("temporary directory");
    let path = directory.path().join("token");
    std::fs::write(&path, "s3cret\n").expect("write");
    let file = TokenFile::new(path.clone());
    assert_eq!(file.read().ok().as_deref(), Some("s3cret"));
    let check = |token: Option<&str>| {
        let mut headers = GOOD.to_vec();
        headers.extend(token.map(|token| ("authorization", token)));
        let peer = Some("127.0.0.1:9".parse().expect("address"));
        authorize(&request(&headers), peer, HeaderRule::Required, Some(&file))
    };
    assert_eq!(check(Some("Bearer s3cret")), Ok(()));
    for wrong in [
        "Bearer s3creT",
        "Bearer s3cre",
        "Bearer s3crets",
        "Bearer ",
        "s3cret",
    ] {
        assert!(check(Some(wrong)).is_err(), "{wrong}");
    }
    assert!(check(None).is_err());

    std::fs::write(&path, "rotated").expect("write");
    assert!(check(Some("Bearer s3cret")).is_err());
    assert_eq!(check(Some("Bearer rotated")), Ok(()));

    std::fs::write(&path, " \n").expect("write");
    assert!(
        check(Some("Bearer ")).is_err(),
        "an empty file contains no token"
    );
    assert!(
        file.read()
            .is_err_and(|error| error.to_string().contains("empty"))
    );
    std::fs::remove_file(&path).expect("remove");
    assert!(check(Some("Bearer rotated")).is_err());
}
