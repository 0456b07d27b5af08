//! HMAC-SHA-256: a hash that nobody can make without the key.
//!
//! Formula: H((K ⊕ opad) ‖ H((K ⊕ ipad) ‖ message)), K filled with zeros to a block. Source: RFC 2104, section 2. Reference
//! values: RFC 4231, sections 4.2 to 4.5. Keys here are shorter than a block, so none is ever hashed first.

use sha2::{Digest, Sha256};

const BLOCK_BYTES: usize = 64;
const INNER: u8 = 0x36;
const OUTER: u8 = 0x5c;

/// A key whose two blocks have been taken in, so that each message costs two blocks less.
#[derive(Clone)]
pub(super) struct Keyed {
    inner: Sha256,
    outer: Sha256,
}

impl Keyed {
    /// `None` for a key that is longer than a block.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        let mut block = [0_u8; BLOCK_BYTES];
        block.get_mut(..key.len())?.copy_from_slice(key);
        let padded = |pad: u8| Sha256::new_with_prefix(block.map(|byte| byte ^ pad));
        Some(Self { inner: padded(INNER), outer: padded(OUTER) })
    }

    /// The code of a message that is given in parts.
    pub(super) fn code(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        outer.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::hex;

    #[test]
    fn the_values_of_rfc_4231() {
        let cases: [(&[u8], &[u8], &str); 4] = [
            (&[0x0b; 20], b"Hi There", "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
            (
                b"Jefe",
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (&[0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
            (
                &std::array::from_fn::<u8, 25, _>(|at| u8::try_from(at).unwrap() + 1),
                &[0xcd; 50],
                "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
            ),
        ];
        for (key, message, code) in cases {
            let keyed = Keyed::new(key).unwrap();
            assert_eq!(hex(&keyed.code(&[message])), code);
            let (first, rest) = message.split_at(3);
            assert_eq!(hex(&keyed.code(&[first, rest])), code);
        }
        assert!(Keyed::new(&[0; 65]).is_none());
    }
}
