//! A private key of P-256 from key material.

use zeroize::Zeroizing;

/// Bytes of key material: 128 bits more than the scalar, so that its bias is below
/// 2^-64 (FIPS 186-5, section A.2.1).
pub(crate) const OKM_LEN: usize = 48;

/// 256 bits in limbs, the lowest first.
type Limbs = [u64; 4];

/// The order of the group less 1.
const ORDER_LESS_1: Limbs = [
    0xf3b9_cac2_fc63_2550,
    0xbce6_faad_a717_9e84,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
];

/// `(okm mod (n - 1)) + 1`, big-endian, so never 0 and never the order or more. The
/// time depends on nothing.
pub(crate) fn p256_scalar(okm: &[u8; OKM_LEN]) -> Zeroizing<[u8; 32]> {
    let mut rest = Zeroizing::new([0; 4]);
    for byte in okm {
        for bit in (0..8).rev() {
            let carry = shift_in(&mut rest, u64::from((byte >> bit) & 1));
            reduce(&mut rest, carry);
        }
    }
    increment(&mut rest);
    let mut scalar = Zeroizing::new([0; 32]);
    for (bytes, limb) in scalar.chunks_exact_mut(8).zip(rest.iter().rev()) {
        bytes.copy_from_slice(&limb.to_be_bytes());
    }
    scalar
}

/// Doubles `value` and adds `bit`; gives what falls out at the top.
fn shift_in(value: &mut Limbs, bit: u64) -> u64 {
    value.iter_mut().fold(bit, |carry, limb| {
        let top = *limb >> 63;
        *limb = (*limb << 1) | carry;
        top
    })
}

/// Subtracts the modulus once if `carry || value` is not below it.
fn reduce(value: &mut Limbs, carry: u64) {
    let mut less = Zeroizing::new(*value);
    let mut borrow = false;
    for (limb, modulus) in less.iter_mut().zip(ORDER_LESS_1) {
        (*limb, borrow) = limb.borrowing_sub(modulus, borrow);
    }
    let take = 0_u64.wrapping_sub(carry | u64::from(!borrow));
    for (limb, less) in value.iter_mut().zip(less.iter()) {
        *limb = (less & take) | (*limb & !take);
    }
}

fn increment(value: &mut Limbs) {
    let mut carry = true;
    for limb in value {
        (*limb, carry) = limb.carrying_add(0, carry);
    }
}
