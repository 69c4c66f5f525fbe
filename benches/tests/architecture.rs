//! Existence of the paths and symbols that `ARCHITECTURE.md` and `CONTRIBUTING.md` name.

use std::fs;
use std::path::{Path, PathBuf};

/// Folders at the repository's root that a documented path begins with.
const ROOTS: [&str; 7] = [
    ".ci/",
    "benches/",
    "examples/",
    "healing-core/",
    "healing-tower/",
    "k8s/",
    "sidecar/",
];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Returns the text between single backticks of one line.
fn code_spans(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

fn is_path(span: &str) -> bool {
    ROOTS.iter().any(|root| span.starts_with(root)) && !span.contains([' ', '*'])
}

/// Returns `true` if `source` defines `name` as an item.
fn defines(source: &str, name: &str) -> bool {
    [
        "fn", "struct", "enum", "trait", "const", "static", "type", "mod",
    ]
    .iter()
    .any(|keyword| {
        source
            .match_indices(&format!("{keyword} {name}"))
            .any(|(at, found)| {
                let next = source[at + found.len()..].chars().next();
                !next.is_some_and(|next| next.is_alphanumeric() || next == '_')
            })
    })
}

/// Returns the faults of one document: paths that do not exist, and symbols that their file does not
/// define.
///
/// In a table row `| | path | symbol | … |` the cell after a path names symbols of that file.
fn faults(document: &str) -> Vec<String> {
    let mut faults = Vec::new();
    for (number, line) in (1..).zip(document.lines()) {
        for span in code_spans(line).filter(|span| is_path(span)) {
            if !repository().join(span).exists() {
                faults.push(format!("line {number}: {span} does not exist"));
            }
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        for pair in cells.windows(2) {
            let (Some(path), symbols) = (code_spans(pair[0]).next(), code_spans(pair[1])) else {
                continue;
            };
            if !is_path(path) || !path.ends_with(".rs") {
                continue;
            }
            let source = fs::read_to_string(repository().join(path)).unwrap_or_default();
            let is_stop = cells[1].parse::<u32>().is_ok();
            if is_stop && !pair[1].contains('`') {
                faults.push(format!("line {number}: the stop at {path} names no symbol"));
            }
            for name in symbols.flat_map(|symbol| symbol.split("::")) {
                if !defines(&source, name) {
                    faults.push(format!("line {number}: {path} does not define {name}"));
                }
            }
        }
    }
    faults
}

#[test]
fn documented_paths_and_symbols_exist() {
    for name in ["ARCHITECTURE.md", "CONTRIBUTING.md"] {
        let document = fs::read_to_string(repository().join(name)).unwrap();
        assert_eq!(faults(&document), Vec::<String>::new(), "{name}");
        let paths = document
            .lines()
            .flat_map(code_spans)
            .filter(|span| is_path(span));
        assert!(
            paths.count() >= 8,
            "{name} names hardly any path: is the format still understood?"
        );
    }
}

#[test]
fn missing_paths_and_symbols_are_reported() {
    let document = "\
| 1 | `benches/tests/architecture.rs` | `faults`, `Nowhere::at_all` | here |
| 2 | `benches/no_such_file.rs` | | |";
    assert_eq!(
        faults(document),
        [
            "line 1: benches/tests/architecture.rs does not define Nowhere",
            "line 1: benches/tests/architecture.rs does not define at_all",
            "line 2: benches/no_such_file.rs does not exist",
            "line 2: the stop at benches/no_such_file.rs names no symbol",
        ]
    );
}
