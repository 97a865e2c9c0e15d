use bytes::Bytes;
use zeroize::Zeroizing;

use crate::base64;

/// The characters around name and value of a field: `{"":""` or `,"":""`.
const PUNCTUATION: usize = 6;

/// Writes `{"name":"<base64>",…}` for the hot path: one allocation of the exact
/// size, so that no copy of a secret is left behind, and wiped when the last handle
/// to the bytes is dropped.
pub(crate) struct ObjectWriter {
    out: Zeroizing<Vec<u8>>,
}

// === impl ObjectWriter ===

impl ObjectWriter {
    /// An empty document with room for `capacity` bytes.
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self {
            out: Zeroizing::new(Vec::with_capacity(capacity)),
        }
    }

    /// The length of an object of these fields.
    pub(crate) fn object_len(fields: &[(&str, &[u8])]) -> usize {
        let fields: usize = fields
            .iter()
            .map(|(name, bytes)| PUNCTUATION + name.len() + base64::encoded_len(bytes.len()))
            .sum();
        fields + 1
    }

    /// An array of objects of byte fields.
    pub(crate) fn array<'a, const N: usize>(
        objects: impl Iterator<Item = [(&'a str, &'a [u8]); N]> + Clone,
    ) -> Self {
        let len: usize = objects
            .clone()
            .map(|fields| Self::object_len(&fields) + 1)
            .sum();
        // One comma too many, the brackets and a newline.
        let mut writer = Self::with_capacity(len + 3).raw(b"[");
        for (index, fields) in objects.enumerate() {
            if index > 0 {
                writer = writer.raw(b",");
            }
            writer = writer.object(&fields);
        }
        writer.raw(b"]")
    }

    /// Appends an object whose fields are bytes. The names need no escaping.
    pub(crate) fn object(self, fields: &[(&str, &[u8])]) -> Self {
        self.open_object(fields).raw(b"}")
    }

    /// Appends an object without its closing brace.
    pub(crate) fn open_object(mut self, fields: &[(&str, &[u8])]) -> Self {
        for (index, (name, bytes)) in fields.iter().enumerate() {
            self.out.push(if index == 0 { b'{' } else { b',' });
            self.out.push(b'"');
            self.out.extend_from_slice(name.as_bytes());
            self.out.extend_from_slice(b"\":\"");
            base64::encode_into(&mut self.out, bytes);
            self.out.push(b'"');
        }
        self
    }

    /// Appends text that is JSON already.
    pub(crate) fn raw(mut self, json: &[u8]) -> Self {
        self.out.extend_from_slice(json);
        self
    }

    /// The document.
    pub(crate) fn finish(self) -> Bytes {
        Bytes::from_owner(self.out)
    }
}

/// One object of byte fields, without a newline: a request.
pub(crate) fn request(fields: &[(&str, &[u8])]) -> Bytes {
    ObjectWriter::with_capacity(ObjectWriter::object_len(fields))
        .object(fields)
        .finish()
}

/// One object of byte fields and a newline: a response.
pub(crate) fn response(fields: &[(&str, &[u8])]) -> Bytes {
    ObjectWriter::with_capacity(ObjectWriter::object_len(fields) + 1)
        .object(fields)
        .raw(b"\n")
        .finish()
}
