use std::mem;

use prost::Message;
use zeroize::Zeroizing;

use crate::{Command, Error};

/// The most frames of one request (decision D19).
pub const MAX_FRAMES: usize = 10_000;

/// Code and length.
const HEADER: usize = 6;

/// One command of a request body, or one answer of a response body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Frame<'a> {
    /// The number of the command.
    pub code: u16,
    /// A protobuf message, possibly empty.
    pub payload: &'a [u8],
}

/// Writes frames one after the other.
#[derive(Default)]
pub struct FrameWriter {
    /// May hold plaintext, so that nothing of it stays behind when the buffer grows.
    body: Zeroizing<Vec<u8>>,
}

/// Splits a body into its frames, looking at their shape alone.
///
/// A body without frames is an error: the official client repeats a request whose
/// body it has used up, and must not take the answer for success.
///
/// # Errors
///
/// [`Error::Frames`] and [`Error::TooManyFrames`].
pub fn split_frames(body: &[u8]) -> Result<Vec<Frame<'_>>, Error> {
    let mut frames = Vec::new();
    let mut rest = body;
    while !rest.is_empty() {
        if frames.len() == MAX_FRAMES {
            return Err(Error::TooManyFrames);
        }
        let (frame, tail) = split_frame(rest)?;
        frames.push(frame);
        rest = tail;
    }
    match frames.is_empty() {
        true => Err(Error::Frames {
            reason: "no command",
        }),
        false => Ok(frames),
    }
}

fn split_frame(body: &[u8]) -> Result<(Frame<'_>, &[u8]), Error> {
    let Some((&[c0, c1, n0, n1, n2, n3], rest)) = body.split_first_chunk::<HEADER>() else {
        return Err(Error::Frames {
            reason: "incomplete command header",
        });
    };
    let length = usize::try_from(u32::from_be_bytes([n0, n1, n2, n3]));
    let split = length.ok().and_then(|length| rest.split_at_checked(length));
    let (payload, rest) = split.ok_or(Error::Frames {
        reason: "incomplete command",
    })?;
    let code = u16::from_be_bytes([c0, c1]);
    Ok((Frame { code, payload }, rest))
}

/// Reads the answers to requests of one command, in their order.
///
/// # Errors
///
/// [`Error::Response`] if the body is not exactly frames of that command.
pub fn decode_answers<M: Message + Default>(
    command: Command,
    body: &[u8],
) -> Result<Vec<M>, Error> {
    let broken = |reason| Error::Response { reason };
    let frames = split_frames(body).map_err(|_| broken("the body is not made of commands"))?;
    frames
        .into_iter()
        .map(|frame| {
            if frame.code != command.code() {
                return Err(broken("the answer is to another command"));
            }
            M::decode(frame.payload).map_err(|_| broken("the answer is not the message expected"))
        })
        .collect()
}

// === impl FrameWriter ===

impl FrameWriter {
    /// A body without frames.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a frame. Messages are below 4 GiB by the limits on requests.
    pub fn write(&mut self, command: Command, message: &impl Message) {
        let length = message.encoded_len();
        self.reserve(HEADER + length);
        self.body.extend_from_slice(&command.code().to_be_bytes());
        let announced = u32::try_from(length).unwrap_or(u32::MAX);
        self.body.extend_from_slice(&announced.to_be_bytes());
        message.encode_raw(&mut *self.body);
    }

    /// The body, to be wiped when it has been sent: it may hold plaintext.
    #[must_use]
    pub fn into_body(self) -> Zeroizing<Vec<u8>> {
        self.body
    }

    fn reserve(&mut self, more: usize) {
        let needed = self.body.len().saturating_add(more);
        if needed > self.body.capacity() {
            let capacity = needed.max(self.body.capacity().saturating_mul(2));
            let mut larger = Zeroizing::new(Vec::with_capacity(capacity));
            larger.extend_from_slice(&self.body);
            // What is dropped here is wiped.
            drop(mem::replace(&mut self.body, larger));
        }
    }
}
