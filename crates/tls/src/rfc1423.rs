//! Password-protected private keys as OpenSSL and Go write them in PEM headers.
//!
//! `Proc-Type: 4,ENCRYPTED` with `DEK-Info: <cipher>,<IV in hex>` (RFC 1421 and
//! RFC 1423): the key file is encrypted in CBC mode with PKCS #7 padding under a
//! key that OpenSSL's `EVP_BytesToKey` derives from the password with MD5, one
//! round, salted with the first eight bytes of the IV. It is weak by today's
//! measure and here because existing key files and `kes identity new --encrypt`
//! have this form; PBES2 (RFC 8018) is the better choice.

use aes::{Aes128, Aes192, Aes256};
use cbc::cipher::block_padding::Pkcs7;
use cbc::cipher::{
    Block, BlockCipherDecrypt, BlockModeDecrypt, BlockModeEncrypt, Key, KeyInit, KeyIvInit,
    KeySizeUser,
};
use cbc::{Decryptor, Encryptor};
use data_encoding::{HEXUPPER, HEXUPPER_PERMISSIVE};
use des::{Des, TdesEde3};
use keystead_crypto::{Random, Secret};
use md5::{Digest, Md5};
use pem::{EncodeConfig, LineEnding, Pem};
use zeroize::Zeroizing;

use crate::Error;

const PROC_TYPE: &str = "Proc-Type";
const DEK_INFO: &str = "DEK-Info";
const SALT_LEN: usize = 8;

/// Writes a PKCS #8 private key (DER) as a PEM block `PRIVATE KEY` under a
/// password: AES-256-CBC with a random IV.
///
/// # Errors
///
/// [`Error::Crypto`] when there is no randomness.
pub fn encrypt_private_key(
    pkcs8: &[u8],
    password: &Secret,
    random: &dyn Random,
) -> Result<String, Error> {
    let mut iv = [0; 16];
    random.fill(&mut iv)?;
    let key = derive_key::<Aes256>(password, &iv);
    let ciphertext = Encryptor::<Aes256>::new(&key, &iv.into()).encrypt_padded_vec::<Pkcs7>(pkcs8);

    let mut pem = Pem::new("PRIVATE KEY", ciphertext);
    let dek_info = format!("AES-256-CBC,{}", HEXUPPER.encode(&iv));
    for (name, value) in [(PROC_TYPE, "4,ENCRYPTED"), (DEK_INFO, &dek_info)] {
        let added = pem.headers_mut().add(name, value);
        added.map_err(|error| Error::Encode(error.to_string()))?;
    }
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF);
    Ok(pem::encode_config(&pem, config))
}

/// Whether a PEM block is encrypted in this way.
pub(crate) fn is_encrypted(pem: &Pem) -> bool {
    pem.headers()
        .get(PROC_TYPE)
        .is_some_and(|value| value.split(',').any(|part| part.trim() == "ENCRYPTED"))
}

/// Opens a PEM block for which [`is_encrypted`] holds; gives the DER inside.
pub(crate) fn decrypt(pem: &Pem, password: &Secret) -> Result<Zeroizing<Vec<u8>>, Error> {
    let dek_info = pem.headers().get(DEK_INFO).unwrap_or_default();
    let (cipher, iv) = dek_info.split_once(',').unwrap_or((dek_info, ""));
    let open = match cipher.trim() {
        "AES-128-CBC" => open::<Aes128>,
        "AES-192-CBC" => open::<Aes192>,
        "AES-256-CBC" => open::<Aes256>,
        "DES-CBC" => open::<Des>,
        "DES-EDE3-CBC" => open::<TdesEde3>,
        _ => return Err(Error::UnknownKeyEncryption(dek_info.to_owned())),
    };
    let iv = HEXUPPER_PERMISSIVE
        .decode(iv.trim().as_bytes())
        .unwrap_or_default();
    open(pem.contents(), &iv, password)
}

fn open<C>(ciphertext: &[u8], iv: &[u8], password: &Secret) -> Result<Zeroizing<Vec<u8>>, Error>
where
    C: BlockCipherDecrypt + KeyInit,
{
    let block: &Block<C> = iv
        .try_into()
        .map_err(|_| Error::UnknownKeyEncryption(HEXUPPER.encode(iv)))?;
    let plaintext = Decryptor::<C>::new(&derive_key::<C>(password, iv), block)
        .decrypt_padded_vec::<Pkcs7>(ciphertext)
        .map(Zeroizing::new)
        .map_err(|_| Error::IncorrectPassword)?;
    // One wrong password in 256 leaves valid padding; it does not leave a DER SEQUENCE.
    if plaintext.first() == Some(&0x30) {
        Ok(plaintext)
    } else {
        Err(Error::IncorrectPassword)
    }
}

/// `EVP_BytesToKey` with MD5 and one round, salted with the first eight bytes of the IV:
/// `D1 = MD5(password || salt)`, `Dn = MD5(Dn-1 || password || salt)`.
fn derive_key<C: KeySizeUser>(password: &Secret, iv: &[u8]) -> Zeroizing<Key<C>> {
    let mut key = Zeroizing::new(Key::<C>::default());
    let mut previous = Zeroizing::new(Vec::new());
    for chunk in key.chunks_mut(Md5::output_size()) {
        let mut hash = Md5::new();
        hash.update(&*previous);
        hash.update(password.expose());
        hash.update(iv.get(..SALT_LEN).unwrap_or(iv));
        *previous = hash.finalize().to_vec();
        for (to, from) in chunk.iter_mut().zip(previous.iter()) {
            *to = *from;
        }
    }
    key
}
