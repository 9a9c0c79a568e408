//! The program: see the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    ma_register::run()
}
