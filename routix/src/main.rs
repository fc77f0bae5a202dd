//! The binary `routix`.

fn main() -> std::process::ExitCode {
    routix::main()
}
