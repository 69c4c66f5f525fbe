//! `cargo bench --bench classifier`: comparison of the compiled forest with smartcore's one-row predict.
//!
//! Both sides classify the same rows with the same forests; rounds are interleaved and the best of seven
//! counts, so that a busy machine affects both alike. Ours is timed with everything that a decision needs:
//! the check for finite features, the votes, and the probabilities.

#![allow(missing_docs)]
#![allow(clippy::unwrap_used)] // a bench must stop on a failure

mod forests;
mod step;
mod timing;

use std::hint::black_box;

use forests::{BenchForest, full_depth, original, wide};
use healing_core::model::Model;
use healing_core::model::inference::Compiled;
use timing::{best_of_7, cold};

fn main() {
    // `cargo bench NAME` runs every bench with NAME as a filter. Return unless it names this bench.
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

    for (name, forest) in [
        ("100x5", &small),
        ("500x5", &large),
        ("100x15", &wide),
        ("full depth", &full),
    ] {
        let compiled = forest.model.compiled();
        eprintln!(
            "{name}: {} nodes, at most {} leaves per tree, {}, {} bytes",
            forest.model.header().nodes,
            forest.model.forest().most_leaves(),
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

/// Returns nanoseconds per row, of ours and of smartcore's forest.
fn compare(forest: &BenchForest) -> [f64; 2] {
    let (mut ours, mut theirs) = (0, 0);
    best_of_7([
        &mut || {
            ours = (ours + 1) % forest.rows.len();
            black_box(
                forest
                    .model
                    .row_votes(black_box(&forest.rows[ours]))
                    .unwrap()
                    .probabilities(),
            );
        },
        &mut || {
            theirs = (theirs + 1) % forest.matrices.len();
            black_box(
                forest
                    .smartcore
                    .predict(black_box(&forest.matrices[theirs]))
                    .unwrap(),
            );
        },
    ])
}

/// Returns the result of [`compare`] with vectors of this width, or `None` if this CPU lacks them.
fn compare_path(forest: &BenchForest, bits: u32) -> Option<[f64; 2]> {
    let path = Compiled::all_backends(forest.model.forest())
        .into_iter()
        .find(|path| path.simd_bits() == bits)?;
    let (mut ours, mut theirs) = (0, 0);
    Some(best_of_7([
        &mut || {
            ours = (ours + 1) % forest.rows.len();
            let row = black_box(&forest.rows[ours]);
            assert!(row.iter().all(|value| value.is_finite()));
            black_box(path.votes(row).probabilities());
        },
        &mut || {
            theirs = (theirs + 1) % forest.matrices.len();
            black_box(
                forest
                    .smartcore
                    .predict(black_box(&forest.matrices[theirs]))
                    .unwrap(),
            );
        },
    ]))
}

/// Counts the heap allocations of one prediction per row.
fn allocations(forest: &BenchForest) -> u64 {
    let counted = allocation_counter::measure(|| {
        for row in &forest.rows {
            black_box(forest.model.row_votes(row).unwrap().probabilities());
        }
    });
    counted.count_total
}
