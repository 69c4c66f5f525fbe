//! The operator's command.

fn main() -> std::process::ExitCode {
    healing_sidecar::commands::main()
}
