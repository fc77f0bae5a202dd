//! The program as the tests start and kill it: the same main as `routix`.

fn main() -> std::process::ExitCode {
    routix::main()
}
