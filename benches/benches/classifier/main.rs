//! `cargo bench --bench classifier`: the compiled forest against smartcore's one-row predict.
//!
//! Both sides answer for the very same forests and rows; rounds are interleaved and the best of
//! seven counts, so that a busy machine disturbs both alike. Ours is timed with all that a decision
//! needs: the check for finite figures, the votes, and the probabilities made of them.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // a bench: what fails should stop it

mod forests;
mod step;
mod timing;

use std::hint::black_box;

use forests::{Case, full_depth, original, wide};
use healing_core::model::Model;
use healing_core::model::inference::Compiled;
use timing::{best_of_7, cold};

fn main() {
    // `cargo bench NAME` runs every bench with NAME as a filter: only ours is for us.
    if std::env::args()
        .skip(1)
        .any(|arg| !arg.starts_with('-') && !"classifier".contains(&arg))
    {
        return;
    }
    let small = original(100);
    let large = original(500);
    let wide = wide(100);
    let full = full_depth(100);

    let [small_ns, small_smartcore] = compare(&small);
    let portable = compare_path(&small, 0).unwrap();
    let narrower = compare_path(&small, 256);
    let [large_ns, large_smartcore] = compare(&large);
    let [wide_ns, wide_smartcore] = compare(&wide);
    let [full_ns, full_smartcore] = compare(&full);
    let cold_ns = cold(|round| {
        let row = &small.rows[round % small.rows.len()];
        black_box(small.model.row_votes(row).unwrap().probabilities());
    });
    let allocations = allocations(&small) + allocations(&wide) + allocations(&full);
    let file = wide.model.to_bytes();
    let load = best_of_7([&mut || {
        black_box(Model::from_bytes(&file).unwrap());
    }])[0];

    for (name, case) in [
        ("100x5", &small),
        ("500x5", &large),
        ("100x15", &wide),
        ("full depth", &full),
    ] {
        let compiled = case.model.compiled();
        eprintln!(
            "{name}: {} nodes, at most {} leaves a tree, {}, {} bytes",
            case.model.header().nodes,
            case.model.forest().most_leaves(),
            if compiled.is_bitvector() {
                "one bit vector per tree"
            } else {
                "packed nodes"
            },
            compiled.bytes(),
        );
    }
    let result = |name: &str, value: f64, unit: &str| println!("RESULT {name} {value:.1} {unit}");
    result("classifier_100x5_ns", small_ns, "ns");
    result(
        "classifier_simd_bits",
        small.model.compiled().simd_bits().into(),
        "bits",
    );
    result(
        "classifier_vs_smartcore_100x5",
        small_smartcore / small_ns,
        "x",
    );
    result(
        "classifier_vs_smartcore_100x5_portable",
        portable[1] / portable[0],
        "x",
    );
    if let Some([ours, theirs]) = narrower {
        result("classifier_vs_smartcore_100x5_avx2", theirs / ours, "x");
    }
    result(
        "classifier_vs_smartcore_500x5",
        large_smartcore / large_ns,
        "x",
    );
    result(
        "classifier_vs_smartcore_100x15",
        wide_smartcore / wide_ns,
        "x",
    );
    result("classifier_500x5_ns", large_ns, "ns");
    result("classifier_100x15_ns", wide_ns, "ns");
    result("classifier_cold_100x5_ns", cold_ns, "ns");
    result("classifier_full_depth_100x5_ns", full_ns, "ns");
    result(
        "classifier_vs_smartcore_full_depth_100x5",
        full_smartcore / full_ns,
        "x",
    );
    #[allow(clippy::cast_precision_loss)] // small counts
    {
        result("classifier_allocations", allocations as f64, "allocations");
        result(
            "classifier_table_bytes",
            wide.model.compiled().bytes() as f64,
            "bytes",
        );
        result("model_file_bytes", file.len() as f64, "bytes");
    }
    result("policy_step_15_ns", step::nanoseconds(wide.model), "ns");
    result("model_load_us", load / 1000.0, "us");
}

/// Nanoseconds a row: ours, smartcore's.
fn compare(case: &Case) -> [f64; 2] {
    let (mut ours, mut theirs) = (0, 0);
    best_of_7([
        &mut || {
            ours = (ours + 1) % case.rows.len();
            black_box(
                case.model
                    .row_votes(black_box(&case.rows[ours]))
                    .unwrap()
                    .probabilities(),
            );
        },
        &mut || {
            theirs = (theirs + 1) % case.matrices.len();
            black_box(
                case.smartcore
                    .predict(black_box(&case.matrices[theirs]))
                    .unwrap(),
            );
        },
    ])
}

/// As [`compare`], counting with vectors of this width; absent where this machine has no such way.
fn compare_path(case: &Case, bits: u32) -> Option<[f64; 2]> {
    let path = Compiled::all_backends(case.model.forest())
        .into_iter()
        .find(|path| path.simd_bits() == bits)?;
    let (mut ours, mut theirs) = (0, 0);
    Some(best_of_7([
        &mut || {
            ours = (ours + 1) % case.rows.len();
            let row = black_box(&case.rows[ours]);
            assert!(row.iter().all(|value| value.is_finite()));
            black_box(path.votes(row).probabilities());
        },
        &mut || {
            theirs = (theirs + 1) % case.matrices.len();
            black_box(
                case.smartcore
                    .predict(black_box(&case.matrices[theirs]))
                    .unwrap(),
            );
        },
    ]))
}

/// Heap allocations of one prediction for each row.
fn allocations(case: &Case) -> u64 {
    let counted = allocation_counter::measure(|| {
        for row in &case.rows {
            black_box(case.model.row_votes(row).unwrap().probabilities());
        }
    });
    counted.count_total
}
