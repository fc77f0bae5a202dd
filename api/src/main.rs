//! The binary `routix`.

fn main() -> std::process::ExitCode {
    api::main()
}
