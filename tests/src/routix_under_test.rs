//! The program as the tests start and kill it: the same main as `routix`, whose generator writes its calls down where
//! `ROUTIX_TEST_CALLS` names a file.

mod counted;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use providers::ImageGenerator;

fn main() -> ExitCode {
    let calls = std::env::var_os("ROUTIX_TEST_CALLS").map(PathBuf::from);
    let counted = calls.map(|file| Arc::new(counted::CountedStudio::new(file)) as Arc<dyn ImageGenerator>);
    routix::run_with(std::env::args_os(), counted.into_iter().collect())
}
