//! Runs the program, which is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ma_register::run()
}
