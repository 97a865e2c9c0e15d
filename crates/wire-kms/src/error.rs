/// What this crate cannot read. The texts go to the client.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A body without a frame, or that ends inside one.
    #[error("invalid request body: {reason}")]
    Frames {
        /// What is wrong with it.
        reason: &'static str,
    },
    /// More frames than [`MAX_FRAMES`](crate::MAX_FRAMES).
    #[error("too many commands in one request")]
    TooManyFrames,
    /// A frame with a code that means nothing.
    #[error("invalid command code {code}")]
    CommandCode {
        /// The code.
        code: u16,
    },
    /// A text that names no command.
    #[error("invalid command '{text}'")]
    CommandName {
        /// The text.
        text: String,
    },
    /// A payload that is not the message of its command.
    #[error("invalid {command} message")]
    Payload {
        /// The name of the command.
        command: &'static str,
    },
    /// A name of an enclave, key or policy that breaks a rule (decision D15).
    #[error("invalid name")]
    Name,
    /// A text that is no privilege.
    #[error("invalid privilege '{text}'")]
    Privilege {
        /// The text.
        text: String,
    },
    /// Tags of an identity that break a rule (decision D25).
    #[error("invalid tags")]
    Tags,
    /// A server's answer of another shape.
    #[error("invalid server response: {reason}")]
    Response {
        /// What is wrong with it, without its content.
        reason: &'static str,
    },
}
