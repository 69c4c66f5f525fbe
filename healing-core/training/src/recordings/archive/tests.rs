use super::*;

const CASE: &str = r#"{"name": "x", "base": 1, "phases": [], "timeout": 1, "faults": []}"#;
const SAMPLE: &str = r#"{"t": 1.0, "care": "refused", "care_s": 0.0}"#;

/// Returns a tar archive of the files.
fn pack(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in files {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, path, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn read(files: &[(&str, &[u8])]) -> Result<Archive, RecordingError> {
    Archive::read_unpacked("a", pack(files).as_slice())
}

#[test]
fn archive_yields_its_runs_and_ignores_other_files() {
    let archive = read(&[
        ("a/x/rec.jsonl", SAMPLE.as_bytes()),
        ("a/x/app.log", b"\xff"),
        ("a/x/load.log", br#"5.0 20:80 {"200": 100}"#),
        ("a/x/case.json", CASE.as_bytes()),
    ])
    .unwrap();
    assert_eq!(archive.recordings.len(), 1);
    assert_eq!(archive.recordings[0].case.name, "x");
    assert_eq!(archive.recordings[0].archive, "a");
    assert_eq!(archive.recordings[0].load[0].served, 100);
}

#[test]
fn malformed_archives_name_the_file() {
    let case = ("a/x/case.json", CASE.as_bytes());
    let samples = ("a/x/rec.jsonl", SAMPLE.as_bytes());
    for (files, expected) in [
        (&[][..], "a: the first run is missing"),
        (&[case], "a/x: `rec.jsonl` is missing"),
        (&[samples], "a/x: `case.json` is missing"),
        (&[case, case], "a/x/case.json: duplicate `a/x/case.json`"),
        (
            &[("a/y/case.json", case.1), ("a/y/rec.jsonl", samples.1)],
            "a/y/case.json: found `x`; expected the name of the folder as `name`",
        ),
        (
            &[case, ("a/x/rec.jsonl", b"{}\n\xff")],
            "a/x/rec.jsonl, line 2: found `other bytes`; expected UTF-8 text",
        ),
    ] {
        assert_eq!(read(files).unwrap_err().to_string(), expected);
    }
}

#[test]
fn file_above_its_limit_is_an_error() {
    let large = vec![b' '; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
    let error = read(&[("a/x/rec.jsonl", &large)]).unwrap_err();
    assert_eq!(error.to_string(), "a/x/rec.jsonl: more than 8388608 bytes");
}

#[test]
fn archive_above_its_limit_is_an_error() {
    let tar = pack(&[("a/x/case.json", CASE.as_bytes())]);
    let limited = Limited {
        input: tar.as_slice(),
        remaining: 600,
    };
    let error = Archive::read_unpacked("a", limited).unwrap_err();
    assert!(error.to_string().contains("exceeds its limit"), "{error}");
}

#[test]
fn input_without_xz_compression_is_an_error() {
    let error = Archive::read("a", &b"not an archive"[..]).unwrap_err();
    assert!(
        error.to_string().contains("expected a .tar.xz archive"),
        "{error}"
    );
}

#[test]
fn missing_archive_is_an_error() {
    let error = Archive::open(Path::new("absent.tar.xz")).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("absent.tar.xz: cannot be read"),
        "{error}"
    );
}
