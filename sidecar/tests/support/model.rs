//! Model files that cannot be used.

use std::path::Path;

/// Writes broken variants of `model` into `dir`, and returns their names. The file `missing` is not
/// written.
pub(crate) fn write_broken_models(dir: &Path, model: &[u8]) -> [&'static str; 6] {
    let mut altered = model.to_vec();
    *altered.last_mut().unwrap() ^= 1;
    let cyclic = with_cycle(model);
    let cases: [(&str, Option<&[u8]>); 6] = [
        ("cyclic", Some(&cyclic)),
        ("missing", None),
        ("empty", Some(b"")),
        ("truncated", Some(&model[..model.len() / 2])),
        ("altered", Some(&altered)),
        ("foreign", Some(b"\x80\x04\x95 a pickle")),
    ];
    for (name, content) in &cases {
        if let Some(content) = content {
            std::fs::write(dir.join(name), content).unwrap();
        }
    }
    cases.map(|(name, _)| name)
}

/// Returns the model with the first tree's root as its own child, and a correct checksum.
fn with_cycle(model: &[u8]) -> Vec<u8> {
    let mut lines = model.splitn(3, |byte| *byte == b'\n');
    let (magic, header) = (lines.next().unwrap(), lines.next().unwrap());
    let features = serde_json::from_slice::<serde_json::Value>(header).unwrap()["features"]
        .as_array()
        .unwrap()
        .len();
    let number = |at: &mut usize| {
        let (mut value, mut shift) = (0, 0);
        loop {
            let byte = usize::from(model[*at]);
            *at += 1;
            value |= (byte & 0x7f) << shift;
            shift += 7;
            if byte < 0x80 {
                return value;
            }
        }
    };
    let mut at = magic.len() + header.len() + 2;
    for _ in 0..features {
        let thresholds = number(&mut at);
        at += 4 * thresholds;
    }
    number(&mut at); // nodes of the first tree
    at += 1; // the root's feature
    number(&mut at); // its threshold
    assert_eq!(model[at], 1, "the root's first child");
    let mut cyclic = model[..model.len() - 8].to_vec();
    cyclic[at] = 0;
    let checksum = healing_core::model::file::checksum(&cyclic);
    cyclic.extend_from_slice(&checksum.to_le_bytes());
    cyclic
}
