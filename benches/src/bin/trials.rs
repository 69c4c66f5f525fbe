//! `cargo trials`. See [`healing_benches::trials`].

fn main() -> std::process::ExitCode {
    healing_benches::trials::main()
}
