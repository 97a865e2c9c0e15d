//! Tests across the whole crate.

mod certificates;
mod pem_files;
mod vectors;
