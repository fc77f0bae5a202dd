//! Compiles anew when a migration is added: they are embedded in the program.

#[allow(clippy::print_stdout, reason = "this is how a build script speaks")]
fn main() {
    println!("cargo:rerun-if-changed=../migrations");
}
