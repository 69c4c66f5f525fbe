//! The program `healing-sidecar`.

fn main() -> std::process::ExitCode {
    healing_sidecar::sidecar::main()
}
