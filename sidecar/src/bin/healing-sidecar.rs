//! The program that runs beside the app.

fn main() -> std::process::ExitCode {
    healing_sidecar::sidecar::main()
}
