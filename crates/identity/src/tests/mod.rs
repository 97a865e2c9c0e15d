//! Tests across the whole crate.

mod certificates;
mod kms;
mod kms_vectors;
mod pem_files;
mod vectors;
