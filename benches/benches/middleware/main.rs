//! Cost of the layer per request, compared with a no-op layer and common axum alternatives.
//!
//! Run by `cargo bench --bench middleware`. All variants run in one process, in alternating rounds, on
//! CPU time of the thread; the best round of each variant counts, because a disturbance can only make a
//! round longer. If valgrind is installed, callgrind counts the instructions of the same binary.
#![allow(missing_docs)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod allocations;
mod instructions;
mod render;
mod threads;
mod times;
mod variants;

use std::env;
use variants::Variant;

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    // axum-prometheus spawns a task, which needs a runtime.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let _guard = runtime.enter();
    if let [command, variant, count] = &args[..]
        && command == instructions::COMMAND
    {
        return instructions::child(variant, count);
    }
    // `cargo bench NAME` runs every bench with NAME as a filter. Return unless it names this bench.
    if args
        .iter()
        .any(|arg| !arg.starts_with('-') && !"middleware".contains(arg.as_str()))
    {
        return;
    }

    println!("CPU time of a request (best of {} rounds)", times::ROUNDS);
    let times = times::measure();
    let over_noop = |variant| times.get(variant) - times.get(Variant::Noop);
    for variant in Variant::ALL {
        let ns = times.get(variant);
        println!(
            "  {:32} {ns:8.0} ns {:+8.0} over no-op",
            variant.name(),
            over_noop(variant)
        );
    }

    println!("Instructions of a request");
    let instructions = instructions::measure();
    match &instructions {
        Err(reason) => println!("  skipped: {reason}"),
        Ok(counts) => {
            for variant in Variant::ALL {
                println!("  {:32} {:8.0}", variant.name(), counts.get(variant));
            }
        }
    }

    let threads = threads::measure();
    let render = render::measure();

    println!();
    if let Ok(counts) = &instructions {
        let over = |variant, base| counts.get(variant) - counts.get(base);
        result(
            "middleware_instructions_over_noop",
            over(Variant::Healing, Variant::Noop),
            "instructions",
        );
        result(
            "middleware_tracked_instructions_over_noop",
            over(Variant::HealingTracked, Variant::NoopRead),
            "instructions",
        );
    }
    let healing = over_noop(Variant::Healing);
    result("middleware_ns_over_noop", healing, "ns");
    for (name, count) in allocations::measure() {
        result(&name, count, "allocations");
    }
    result(
        "middleware_vs_axum_prometheus",
        over_noop(Variant::AxumPrometheus) / healing,
        "x",
    );
    result("middleware_two_threads_vs_one", threads, "x");
    result("metrics_10k_vs_prometheus", render, "x");
}

fn result(name: &str, value: f64, unit: &str) {
    println!("RESULT {name} {value:.2} {unit}");
}
