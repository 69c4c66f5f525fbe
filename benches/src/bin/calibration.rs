//! `cargo calibration`. See [`healing_benches::calibration`].

fn main() -> std::process::ExitCode {
    healing_benches::calibration::main()
}
