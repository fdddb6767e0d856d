//! What vouchers need of symmetric cryptography, on whole batches (specification, section 2.2).

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{ChaCha20Poly1305, Nonce};
use hkdf::Hkdf;
use sha2::Sha256;

use crate::chunk::Octets;
use crate::threads::{CHUNK, each_chunk};

/// HKDF-SHA-256 with the info `label ‖ info`: `count` keys, of as many secrets and infos, or of one of either.
pub fn derive<T: AsRef<[u8]> + Sync>(
    label: &[u8],
    secrets: &[T],
    salt: &[u8],
    infos: &[T],
    count: usize,
) -> Vec<Octets> {
    let mut keys = vec![[0; 32]; count];
    let shared = (secrets.len() == 1).then(|| extract(salt, secrets[0].as_ref()));
    each_chunk(&mut keys, |chunk, keys| {
        for (i, key) in (chunk * CHUNK..).zip(keys) {
            let info = infos[i % infos.len()].as_ref();
            match &shared {
                Some(shared) => expand(shared, label, info, key),
                None => expand(&extract(salt, secrets[i].as_ref()), label, info, key),
            }
        }
    });
    keys
}

fn extract(salt: &[u8], secret: &[u8]) -> Hkdf<Sha256> {
    Hkdf::new(Some(salt), secret)
}

fn expand(extracted: &Hkdf<Sha256>, label: &[u8], info: &[u8], key: &mut Octets) {
    extracted.expand_multi_info(&[label, info], key).expect("HKDF-SHA-256 gives 32 octets");
}

/// ChaCha20-Poly1305 under one-time keys, hence with the zero nonce; None for a text beyond the cipher's 256 GiB.
pub fn seal<T: AsRef<[u8]> + Sync>(keys: &[Octets], texts: &[T], associated: &[T]) -> Vec<Option<Vec<u8>>> {
    each(keys, |i, cipher| cipher.encrypt(&Nonce::default(), payload(&texts[i], &associated[i])).ok())
}

/// Inverse of `seal`; None for a text that was not sealed under this key with this associated data.
pub fn open<T: AsRef<[u8]> + Sync>(keys: &[Octets], texts: &[T], associated: &[T]) -> Vec<Option<Vec<u8>>> {
    each(keys, |i, cipher| cipher.decrypt(&Nonce::default(), payload(&texts[i], &associated[i])).ok())
}

fn each(keys: &[Octets], work: impl Fn(usize, ChaCha20Poly1305) -> Option<Vec<u8>> + Sync) -> Vec<Option<Vec<u8>>> {
    let mut results = vec![None; keys.len()];
    each_chunk(&mut results, |chunk, results| {
        for (i, result) in (chunk * CHUNK..).zip(results) {
            *result = work(i, ChaCha20Poly1305::new(&keys[i].into()));
        }
    });
    results
}

fn payload<'a, T: AsRef<[u8]>>(text: &'a T, associated: &'a T) -> Payload<'a, 'a> {
    Payload { msg: text.as_ref(), aad: associated.as_ref() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hkdf_gives_the_first_vector_of_rfc_5869() {
        let salt: Vec<u8> = (0..=0x0c).collect();
        let info: Vec<u8> = (0xf0..=0xf9).collect();
        let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf";
        for split in 0..info.len() {
            let keys = derive(&info[..split], &[vec![0x0b; 22]], &salt, &[info[split..].to_vec()], 1);
            assert_eq!(keys[0].iter().map(|b| format!("{b:02x}")).collect::<String>(), expected);
        }
    }

    #[test]
    fn one_secret_or_one_info_stands_for_many() {
        let (secrets, infos) = (vec![vec![1], vec![2], vec![3]], vec![vec![4], vec![5], vec![6]]);
        let each = derive(b"l", &secrets, b"s", &infos, 3);
        for i in 0..3 {
            assert_eq!(each[i], derive(b"l", &secrets[i..=i], b"s", &infos, 3)[i]);
            assert_eq!(each[i], derive(b"l", &secrets, b"s", &infos[i..=i], 3)[i]);
        }
    }

    #[test]
    fn what_is_sealed_opens_under_its_own_key_and_data_alone() {
        let count = 3 * CHUNK + 1;
        let keys: Vec<Octets> = (0..count).map(|i| [i as u8; 32]).collect();
        let texts: Vec<Vec<u8>> = (0..count).map(|i| vec![7; i % 50]).collect();
        let data: Vec<Vec<u8>> = (0..count).map(|i| vec![i as u8; i % 9]).collect();
        let sealed: Vec<Vec<u8>> = seal(&keys, &texts, &data).into_iter().map(Option::unwrap).collect();
        assert_eq!(open(&keys, &sealed, &data), texts.iter().cloned().map(Some).collect::<Vec<_>>());
        let mut others = data.clone();
        others.iter_mut().for_each(|one| one.push(0));
        assert!(open(&keys, &sealed, &others).iter().all(Option::is_none));
        let cut: Vec<Vec<u8>> = sealed.iter().map(|one| one[..15].to_vec()).collect();
        assert!(open(&keys, &cut, &data).iter().all(Option::is_none));
    }
}
