//! What the black-box tests share: building the programs, starting them in a folder and
//! an environment of their own, and waiting for what they print.
//!
//! Tests never sleep. A server is up when its banner says so, on the port that it
//! printed; everything else is waited for by its line of output.

pub mod drill;
pub mod guide;
mod kms;
mod process;
mod program;
mod site;

pub use kms::KmsSite;
pub use process::{Finished, Process, Signal};
pub use program::Folder;
pub use site::Site;
