//! Service under test in the trials. See [`healing_benches::service`].

fn main() -> std::process::ExitCode {
    healing_benches::service::main()
}
