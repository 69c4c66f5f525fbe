//! The operator's command.

fn main() -> std::process::ExitCode {
    healing_cli::commands::main()
}
