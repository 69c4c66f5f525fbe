//! Path of the `healing-sidecar` program, for the tests of both packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

/// Returns the program under test. Builds it if Cargo did not, as in the tests of `healing-cli`.
pub(crate) fn sidecar_program() -> &'static Path {
    static PROGRAM: LazyLock<PathBuf> = LazyLock::new(|| {
        // Cargo sets this variable in the tests of the package that has the binary.
        match option_env!("CARGO_BIN_EXE_healing-sidecar") {
            Some(path) => path.into(),
            None => built_in(std::env::current_exe().unwrap().ancestors().nth(2).unwrap()),
        }
    });
    &PROGRAM
}

/// Returns the program in `directory`, the profile's output directory. Builds it if it is missing or
/// outdated.
fn built_in(directory: &Path) -> PathBuf {
    let program = directory.join("healing-sidecar");
    if is_up_to_date(&program) {
        return program;
    }
    let profile = match directory.file_name().unwrap().to_str().unwrap() {
        "debug" => "dev",
        profile => profile,
    };
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--package",
            "healing-sidecar",
            "--profile",
            profile,
        ])
        .arg("--manifest-path")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .arg("--target-dir")
        .arg(directory.parent().unwrap())
        .status()
        .unwrap();
    assert!(
        status.success(),
        "healing-sidecar cannot be built: {status}"
    );
    program
}

/// Returns `true` if `program` exists and none of the sources in Cargo's dependency file is newer.
fn is_up_to_date(program: &Path) -> bool {
    let modified = |path: &Path| path.metadata().and_then(|file| file.modified()).ok();
    let (Some(built), Ok(rule)) = (
        modified(program),
        std::fs::read_to_string(program.with_extension("d")),
    ) else {
        return false;
    };
    let (_, sources) = rule.split_once(": ").unwrap();
    // A space within a path is written as `\ `.
    sources
        .replace("\\ ", "\0")
        .split_whitespace()
        .map(|source| PathBuf::from(source.replace('\0', " ")))
        .all(|source| modified(&source).is_some_and(|modified| modified <= built))
}
