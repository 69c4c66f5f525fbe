//! The program `healing`.

fn main() -> std::process::ExitCode {
    healing_cli::commands::main()
}
