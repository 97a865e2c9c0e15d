//! Configuration files and the environment, turned into typed settings.
//!
//! A file is read into one tree in which every value knows its line and column.
//! Readers take typed values from the tree by key: they put in environment
//! variables and the contents of secret files, note where each value came from,
//! and note which keys they asked for, so that every other key is one warning.
//! A fault names its place, its origin and what to write instead.
//!
//! The settings of each program have a module of their own.

mod environment;
mod error;
pub mod kes;
pub mod kms;
mod level;
mod origin;
mod read;
mod secret_source;
mod text_file;
mod tree;

pub use self::environment::{Environment, ProcessEnvironment};
pub use self::error::{Diagnostic, Error, Warning};
pub use self::level::{Level, LevelError};
pub use self::origin::{Origin, Position};
pub use self::secret_source::SecretSource;
pub use keystead_duration::{DurationError, GoDuration};
