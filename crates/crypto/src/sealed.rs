//! The one ciphertext layout: `sealed || iv || nonce` (KES protocol, section 5.2;
//! MinIO KMS protocol, section 5.5).

use std::array;

use zeroize::Zeroizing;

use crate::cipher::{NONCE_LEN, TAG_LEN};
use crate::ciphertext::Ciphertext;
use crate::key::IV_LEN;
use crate::{Cipher, Error, Random, SecretKey};

/// Bytes that a ciphertext is longer than its plaintext.
pub(crate) const OVERHEAD: usize = TAG_LEN + IV_LEN + NONCE_LEN;

/// What one ciphertext needs of chance.
pub(crate) struct Drawn {
    iv: [u8; IV_LEN],
    nonce: [u8; NONCE_LEN],
}

impl Drawn {
    /// Bytes that are drawn, the iv before the nonce.
    pub(crate) const LEN: usize = IV_LEN + NONCE_LEN;

    pub(crate) fn draw(random: &dyn Random) -> Result<Self, Error> {
        let mut drawn = [0; Self::LEN];
        random.fill(&mut drawn)?;
        Ok(Self::take(&mut drawn.into_iter()))
    }

    /// The next [`LEN`](Self::LEN) of bytes drawn for several purposes.
    pub(crate) fn take(drawn: &mut impl Iterator<Item = u8>) -> Self {
        Self {
            iv: take(drawn),
            nonce: take(drawn),
        }
    }
}

/// `seal[key](plaintext, context)` under the sub-key of a drawn iv.
pub(crate) fn seal(
    key: &SecretKey,
    cipher: Cipher,
    Drawn { iv, nonce }: Drawn,
    plaintext: &[u8],
    context: &[u8],
) -> Result<Vec<u8>, Error> {
    let mut tag = [0; TAG_LEN];
    let mut out = Vec::with_capacity(plaintext.len().saturating_add(OVERHEAD));
    out.resize(plaintext.len(), 0);
    let subkey = key.subkey(cipher, &iv);
    cipher.seal(&subkey, nonce, context, plaintext, &mut out, &mut tag)?;
    out.extend_from_slice(&tag);
    out.extend_from_slice(&iv);
    out.extend_from_slice(&nonce);
    Ok(out)
}

/// The inverse of [`seal`], whichever cipher the ciphertext names.
pub(crate) fn open(
    key: &SecretKey,
    cipher: Cipher,
    ciphertext: &Ciphertext<'_>,
    context: &[u8],
) -> Result<Zeroizing<Vec<u8>>, Error> {
    let (encrypted, tag) = ciphertext
        .sealed
        .split_last_chunk::<TAG_LEN>()
        .ok_or(Error::NotAuthentic)?;
    let mut plaintext = Zeroizing::new(vec![0; encrypted.len()]);
    let subkey = key.subkey(cipher, &ciphertext.iv);
    let nonce = ciphertext.nonce;
    cipher.open(&subkey, nonce, context, encrypted, tag, &mut plaintext)?;
    Ok(plaintext)
}

/// The next `N` of drawn bytes.
pub(crate) fn take<const N: usize>(drawn: &mut impl Iterator<Item = u8>) -> [u8; N] {
    array::from_fn(|_| drawn.next().unwrap_or_default())
}
