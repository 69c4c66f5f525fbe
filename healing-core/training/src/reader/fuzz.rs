//! Fuzz test of the readers by seeded mutations of valid texts. `READER_FUZZ_INPUTS` sets the
//! number of inputs.
//!
//! For any text a reader terminates without panic, stores no more data than the text contains, and reports
//! the location of an error.

use super::{Limits, ReadError, read_csv, read_jsonl};
use crate::dataset::Dataset;
use healing_core::rng::Rng;

/// Number of inputs for each reader.
const INPUTS: u64 = 20_000;

/// Valid CSV texts.
const CSV: &[&str] = &[
    "a,b,label\n1,2,no_action\n-3.5,1e10,restart_service\n",
    "time,\"x, \"\"y\"\"\",label,group\r\n9,0.1,1,g\r\n3,0.2,2,\"h,i\"\r\n\r\n4,5,0,j\r\n",
    "\u{feff}runtime_lag,label\n0.5,reset_errors\n",
];
/// Valid JSON lines.
const JSONL: &[&str] = &[
    "{\"a\":1,\"b\":-2.5,\"label\":\"no_action\"}\n{\"b\":1e3,\"a\":0,\"label\":2}\n",
    "{\"time\":9,\"x\":0.1,\"group\":\"\\u00e4 \\\"q\\\"\",\"label\":1}\n\n{\"x\":1,\"time\":3,\"group\":7,\"label\":0}\n",
];
/// Tokens that mutations insert.
const TOKENS: &[&str] = &[
    "\"",
    ",",
    "\n",
    "\r\n",
    "{",
    "}",
    "[",
    "]",
    ":",
    "null",
    "true",
    "NaN",
    "inf",
    "-",
    "1e999",
    "1e39",
    "-0",
    "\0",
    "label",
    "group",
    "time",
    "\u{feff}",
    "\\u",
    "\\ud800",
    "9999999999999999999999",
];

/// Returns one of the texts after a few random edits.
fn mutate(rng: &mut Rng, seeds: &[&str]) -> Vec<u8> {
    let mut text = seeds[rng.index(seeds.len())].as_bytes().to_vec();
    let edits = [0, 1, 1, 1, 2, 5][rng.index(6)];
    for _ in 0..edits {
        let at = rng.index(text.len() + 1);
        let end = (at + rng.index(12)).min(text.len());
        match rng.below(7) {
            0 if at < text.len() => text[at] ^= 1 << rng.below(8),
            1 => drop(text.drain(at..end)),
            2 => {
                let part = text[at..end].to_vec();
                for _ in 0..rng.below(40) {
                    text.splice(at..at, part.iter().copied());
                }
            }
            3 => drop(text.splice(at..end, TOKENS[rng.index(TOKENS.len())].bytes())),
            4 => text.truncate(at),
            5 => {
                let other = seeds[rng.index(seeds.len())].as_bytes();
                text.splice(at..end, other[rng.index(other.len())..].iter().copied());
            }
            6 => {
                let nest = [b"[".as_slice(), b"{\"a\":"][rng.index(2)];
                text.splice(at..at, nest.repeat(rng.index(300)));
            }
            _ => {}
        }
    }
    text
}

/// Checks the invariants of a reader's result.
fn check_result(text: &[u8], result: Result<Dataset, ReadError>) {
    match result {
        Ok(data) => {
            // Each value and each name takes at least one byte of the text.
            assert!(data.len() * data.features().len() <= text.len());
            let groups: usize = data.groups().iter().map(String::len).sum();
            assert!(groups <= text.len() + 24 * data.len());
            assert!(data.rows().flatten().all(|value| value.is_finite()));
        }
        Err(error) => {
            let lines = text.split(|byte| *byte == b'\n').count();
            assert!(error.line <= lines, "{error} in {lines} lines");
            let message = error.to_string();
            assert!(message.len() < 1000 && !message.contains('\n'), "{message}");
        }
    }
}

#[test]
fn readers_neither_panic_nor_store_more_than_any_text_contains() {
    let inputs = std::env::var("READER_FUZZ_INPUTS")
        .map_or(INPUTS, |count| count.parse().expect("a number of inputs"));
    let limits = Limits {
        line_bytes: 2000,
        rows: 100,
        name_bytes: 50,
    };
    let mut valid = [0_u64; 2];
    for input in 0..inputs {
        let mut rng = Rng::new(7).part(input);
        let csv = mutate(&mut rng, CSV);
        let result = read_csv(&csv[..], limits);
        valid[0] += u64::from(result.is_ok());
        check_result(&csv, result);
        let jsonl = mutate(&mut rng, JSONL);
        let result = read_jsonl(&jsonl[..], limits);
        valid[1] += u64::from(result.is_ok());
        check_result(&jsonl, result);
    }
    // A sixth of the inputs is unchanged. If only those are valid, the mutations are too strong. If most
    // inputs are valid, the mutations are too weak.
    assert!(
        valid
            .iter()
            .all(|valid| (inputs / 6..inputs / 2).contains(valid)),
        "{valid:?} of {inputs}"
    );
}
