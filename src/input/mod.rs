//! Reads the files that the user names, and the YAML in them.

pub mod file;
pub mod yaml;
