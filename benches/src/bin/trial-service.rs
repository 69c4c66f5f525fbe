//! The service that the trials treat: see [`healing_benches::service`].

fn main() -> std::process::ExitCode {
    healing_benches::service::main()
}
