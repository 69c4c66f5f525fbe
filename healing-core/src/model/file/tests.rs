//! Tests of every kind of malformed file, and of random damage.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::cast_possible_truncation
)]

use super::*;
use crate::model::builtin::ORIGINAL_FIVE;
use crate::model::forest::TreeError;
use crate::model::inference::MAX_TABLE_BYTES;
use crate::rng::Rng;

/// Returns a file with this header text, this body and a matching checksum.
fn file(header: &str, body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("healing-model 1\n{header}\n").into_bytes();
    bytes.extend(body);
    let sum = checksum(&bytes);
    bytes.extend(sum.to_le_bytes());
    bytes
}

/// Returns a header for one feature and this many trees, nodes and bytes of body.
fn header(trees: usize, nodes: usize, body: usize) -> String {
    format!(
        r#"{{"name":"tiny","features":[{{"name":"error_count","min":0,"max":1}}],"classes":["no_action","reset_errors","restart_service"],"trees":{trees},"nodes":{nodes},"self_check_rows":0,"body_bytes":{body},"provenance":{{"learner":"","data":"","data_hash":"","rows":0,"seed":0,"min_leaf":1,"max_depth":1,"scores":{{}}}}}}"#
    )
}

/// Returns a file with one threshold, 0.5, and one tree of these bytes.
fn one_tree(nodes: usize, tree: &[u8]) -> Vec<u8> {
    let mut body = vec![1];
    body.extend(0.5_f32.to_le_bytes());
    body.push(nodes as u8);
    body.extend(tree);
    file(&header(1, nodes, body.len()), &body)
}

fn error(bytes: &[u8]) -> ModelError {
    Model::from_bytes(bytes).unwrap_err()
}

/// A split at the first threshold.
const SPLIT: [u8; 4] = [0, 0, 1, 2];
const SOFT: [u8; 2] = [0xf1, 7];
const HARD: [u8; 2] = [0xf2, 5];

#[test]
fn handwritten_model_is_read() {
    let model = Model::from_bytes(&one_tree(3, &[&SPLIT[..], &SOFT, &HARD].concat())).unwrap();
    assert_eq!(model.row_votes(&[0.5]).unwrap().0, [0, 1, 0]);
    assert_eq!(model.row_votes(&[0.500_001]).unwrap().0, [0, 0, 1]);
    assert!(model.row_votes(&[f32::NAN]).is_err());
    assert!(model.row_votes(&[f32::INFINITY]).is_err());
    assert!(model.row_votes(&[]).is_err());
}

#[test]
fn malformed_files_are_rejected_with_their_error() {
    assert_eq!(error(b""), ModelError::Empty);
    assert!(matches!(
        error(b"<!doctype html>"),
        ModelError::Magic { .. }
    ));
    assert!(matches!(
        error(b"healing-mod"),
        ModelError::Truncated { .. }
    ));
    assert!(matches!(
        error(b"healing-model 2\n"),
        ModelError::Version { .. }
    ));
    assert!(matches!(
        error(b"healing-model 1\n{}\n"),
        ModelError::Header { .. }
    ));
    assert!(matches!(
        error(&vec![b'x'; MAX_BYTES + 1]),
        ModelError::TooLarge { .. }
    ));

    let good = one_tree(3, &[&SPLIT[..], &SOFT, &HARD].concat());
    assert!(matches!(
        error(&good[..good.len() - 1]),
        ModelError::Truncated { needed: 1, .. }
    ));
    assert!(matches!(
        error(&[&good[..], b"x"].concat()),
        ModelError::Trailing { bytes: 1, .. }
    ));
    let mut altered = good.clone();
    let at = altered.len() - 9;
    altered[at] ^= 1;
    assert!(matches!(error(&altered), ModelError::Checksum { .. }));

    let tree = |tree: &[&[u8]]| error(&one_tree(3, &tree.concat()));
    let is = |error: ModelError, kind: fn(&TreeError) -> bool| match &error {
        ModelError::Tree(tree) => assert!(kind(tree), "{error}"),
        _ => panic!("{error}"),
    };
    is(tree(&[&[0, 0, 0, 2], &SOFT, &HARD]), |e| {
        matches!(e, TreeError::Cycle { .. })
    });
    is(tree(&[&[0, 0, 1, 3], &SOFT, &HARD]), |e| {
        matches!(e, TreeError::DanglingChild { .. })
    });
    is(tree(&[&[0, 0, 1, 1], &SOFT, &HARD]), |e| {
        matches!(e, TreeError::SharedChild { .. })
    });
    is(tree(&[&SOFT, &SOFT, &HARD]), |e| {
        matches!(e, TreeError::Unreachable { .. })
    });
    is(tree(&[&[3, 0, 1, 2], &SOFT, &HARD]), |e| {
        matches!(e, TreeError::Feature { .. })
    });
    is(tree(&[&SPLIT, &SOFT, &[0xf3, 1]]), |e| {
        matches!(e, TreeError::Class { .. })
    });
    assert!(matches!(
        tree(&[&[0, 1, 1, 2], &SOFT, &HARD]),
        ModelError::ThresholdRank {
            rank: 1,
            count: 1,
            ..
        }
    ));
    assert!(matches!(
        tree(&[&[0, 0xff, 0xff, 0xff, 0xff, 0x7f, 1, 2], &SOFT, &HARD]),
        ModelError::NumberTooLarge { .. }
    ));
}

#[test]
fn header_that_contradicts_body_is_rejected() {
    let mut body = vec![1];
    body.extend(0.5_f32.to_le_bytes());
    body.extend([&[3][..], &SPLIT, &SOFT, &HARD].concat());
    let read = |header: String| Model::from_bytes(&file(&header, &body)).map(|_| ());
    assert_eq!(read(header(1, 3, body.len())), Ok(()));
    assert!(matches!(
        read(header(1, 4, body.len())),
        Err(ModelError::CountMismatch { what: "nodes", .. })
    ));
    assert!(matches!(
        read(header(2, 3, body.len())),
        Err(ModelError::Truncated { .. })
    ));
    assert!(matches!(
        read(header(0, 0, body.len())),
        Err(ModelError::Tree(TreeError::TreeCount { .. }))
    ));
    assert!(matches!(
        read(header(1, 3, usize::MAX)),
        Err(ModelError::Truncated { .. })
    ));
    let good = header(1, 3, body.len());
    let with = |from: &str, to: &str| read(good.replace(from, to)).unwrap_err();
    assert!(matches!(
        with("restart_service", "reboot"),
        ModelError::Classes { .. }
    ));
    assert!(matches!(
        with(r#""max":1"#, r#""max":-1"#),
        ModelError::InvalidField {
            field: "features",
            ..
        }
    ));
    assert!(matches!(
        with("error_count", "mood"),
        ModelError::UnknownFeature { name, .. } if name == "mood"
    ));
    assert!(matches!(
        with("tiny", ""),
        ModelError::InvalidField { field: "name", .. }
    ));
    assert!(matches!(
        with(r#""trees""#, r#""tree""#),
        ModelError::Header { .. }
    ));
    assert!(matches!(
        with(r#""min":0"#, r#""min":1e999"#),
        ModelError::Header { .. }
    ));
    let twice = r#"{"name":"error_count","min":0,"max":1},{"name":"error_count","#;
    let twice = with(r#"{"name":"error_count","#, twice);
    assert!(matches!(twice, ModelError::DuplicateFeature { .. }));
}

#[test]
fn unsorted_thresholds_and_failed_self_checks_are_rejected() {
    let mut body = vec![2];
    body.extend([0.5_f32, 0.5].iter().flat_map(|value| value.to_le_bytes()));
    let found = error(&file(&header(1, 1, body.len()), &body));
    assert!(matches!(found, ModelError::Thresholds { index: 1, .. }));

    let mut body = vec![0, 1];
    body.extend(SOFT);
    body.extend(0.5_f32.to_le_bytes());
    body.extend([1, 0, 0]);
    let header =
        header(1, 1, body.len()).replace(r#""self_check_rows":0"#, r#""self_check_rows":1"#);
    let found = error(&file(&header, &body));
    let expected = ModelError::SelfCheck {
        row: 0,
        found: [0, 1, 0],
        expected: [1, 0, 0],
    };
    assert_eq!(found, expected);
}

/// Checks that damaged files cause no panic, no endless loop and no model with invalid votes. The number
/// of inputs is 20,000 or `HEALING_FUZZ_INPUTS`.
#[test]
fn damaged_files_are_rejected_or_read_as_valid_models() {
    let inputs = std::env::var("HEALING_FUZZ_INPUTS")
        .ok()
        .and_then(|n| n.parse().ok());
    let mut rng = Rng::new(1);
    let mut read = 0;
    for _ in 0..inputs.unwrap_or(20_000_u64) {
        let mut bytes = if rng.below(2) == 0 {
            one_tree(3, &[&SPLIT[..], &SOFT, &HARD].concat())
        } else {
            ORIGINAL_FIVE.to_vec()
        };
        for _ in 0..=rng.below(4) {
            damage(&mut bytes, &mut rng);
        }
        // Most inputs get a matching checksum, because otherwise reading stops at the checksum.
        if rng.below(8) > 0 && bytes.len() > 8 {
            let end = bytes.len() - 8;
            let sum = checksum(&bytes[..end]);
            bytes[end..].copy_from_slice(&sum.to_le_bytes());
        }
        let mut model = None;
        let allocated = allocation_counter::measure(|| model = Model::from_bytes(&bytes).ok());
        // The tables are bounded; everything else is proportional to the size of the file.
        let most = 2 * MAX_TABLE_BYTES + 64 * bytes.len();
        assert!(allocated.bytes_max <= most as u64, "{allocated:?}");
        if let Some(model) = model {
            read += 1;
            let row = vec![0.25; model.header().features.len()];
            let votes = model.row_votes(&row).unwrap();
            assert_eq!(votes.trees() as usize, model.header().trees);
        }
    }
    assert!(
        read > 0,
        "damage to a cover or a threshold leaves a valid model"
    );
}

/// Applies one random change.
fn damage(bytes: &mut Vec<u8>, rng: &mut Rng) {
    if bytes.is_empty() {
        return;
    }
    let at = rng.index(bytes.len());
    match rng.below(6) {
        0 => bytes[at] = rng.bits() as u8,
        1 => bytes[at] ^= 1 << rng.below(8),
        2 => bytes.truncate(at),
        3 => {
            bytes.remove(at);
        }
        4 => bytes.insert(at, rng.bits() as u8),
        _ => {
            let end = (at + rng.index(64)).min(bytes.len());
            let piece = bytes[at..end].to_vec();
            let to = rng.index(bytes.len());
            bytes.splice(to..to, piece);
        }
    }
}
