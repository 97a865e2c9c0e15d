//! Sealed streams: a plaintext of any length in frames of 16 KiB (sealed IAM and
//! configuration data, section 4.1; backups of MinIO KMS, section 0.4).

mod channel;
mod reader;
mod writer;

pub use reader::ChannelReader;
pub use writer::ChannelWriter;
