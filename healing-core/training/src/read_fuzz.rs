//! Readers under fire: seeded mutations of good texts. `READER_FUZZ_INPUTS=1000000` runs a million.
//!
//! Whatever the text, a reader ends, does not panic, keeps no more than the text held, and names
//! the place of what it refuses.

use super::dataset::Dataset;
use super::read::{Limits, ReadError};
use super::read_csv::read_csv;
use super::read_jsonl::read_jsonl;
use healing_core::rng::Rng;

const INPUTS: u64 = 20_000;

const CSV: &[&str] = &[
    "a,b,label\n1,2,no_action\n-3.5,1e10,restart_service\n",
    "time,\"x, \"\"y\"\"\",label,group\r\n9,0.1,1,g\r\n3,0.2,2,\"h,i\"\r\n\r\n4,5,0,j\r\n",
    "\u{feff}runtime_lag,label\n0.5,reset_errors\n",
];
const JSONL: &[&str] = &[
    "{\"a\":1,\"b\":-2.5,\"label\":\"no_action\"}\n{\"b\":1e3,\"a\":0,\"label\":2}\n",
    "{\"time\":9,\"x\":0.1,\"group\":\"\\u00e4 \\\"q\\\"\",\"label\":1}\n\n{\"x\":1,\"time\":3,\"group\":7,\"label\":0}\n",
];
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

fn check(text: &[u8], result: Result<Dataset, ReadError>) {
    match result {
        Ok(data) => {
            // Each figure and each name takes at least a byte of the text.
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
fn no_text_makes_a_reader_panic_or_hoard() {
    let inputs = std::env::var("READER_FUZZ_INPUTS")
        .map_or(INPUTS, |count| count.parse().expect("a number of inputs"));
    let limits = Limits {
        line_bytes: 2000,
        rows: 100,
        name_bytes: 50,
    };
    let mut read = [0_u64; 2];
    for input in 0..inputs {
        let mut rng = Rng::new(7).part(input);
        let csv = mutate(&mut rng, CSV);
        let result = read_csv(&csv[..], limits);
        read[0] += u64::from(result.is_ok());
        check(&csv, result);
        let jsonl = mutate(&mut rng, JSONL);
        let result = read_jsonl(&jsonl[..], limits);
        read[1] += u64::from(result.is_ok());
        check(&jsonl, result);
    }
    // A sixth is unchanged: more than that must be read, else the mutations are too wild, and most
    // must not, else they are too tame.
    assert!(
        read.iter()
            .all(|read| (inputs / 6..inputs / 2).contains(read)),
        "{read:?} of {inputs}"
    );
}
