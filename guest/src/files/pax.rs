//! Records of a PAX header. Each tells its length: values may hold any byte, line ends among them.

use std::io;

/// Keys and values, in their order.
pub type Records = Vec<(Vec<u8>, Vec<u8>)>;

/// The records of a header's content (POSIX pax, "pax Extended Header").
///
/// # Errors
/// For what is no list of records.
pub fn records(bytes: &[u8]) -> io::Result<Records> {
    let mut found = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (key, value, length) = first(rest).ok_or_else(|| io::Error::other("malformed pax extension"))?;
        found.push((key.to_vec(), value.to_vec()));
        rest = &rest[length..];
    }
    Ok(found)
}

/// Key, value, and the length of it all.
fn first(bytes: &[u8]) -> Option<(&[u8], &[u8], usize)> {
    let space = bytes.iter().position(|byte| *byte == b' ')?;
    let length = usize::try_from(number(&bytes[..space])?).ok()?;
    let record = bytes.get(space + 1..length)?.strip_suffix(b"\n")?;
    let equals = record.iter().position(|byte| *byte == b'=')?;
    Some((&record[..equals], &record[equals + 1..], length))
}

/// A decimal number and nothing else.
pub fn number(text: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text).ok()?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_hold_any_byte() {
        let found = records(b"9 a=b\nc=\n13 path=x=\ny\n5 k=\n").unwrap();
        let expected: [(&[u8], &[u8]); 3] = [(b"a", b"b\nc="), (b"path", b"x=\ny"), (b"k", b"")];
        assert_eq!(found, expected.map(|(key, value)| (key.to_vec(), value.to_vec())));
    }

    #[test]
    fn what_is_no_record_is_refused() {
        for bad in [
            "a",
            "5 k=",
            "6 k=\n",
            "4 k=\n",
            "+5 k=\n",
            "5 kk\n",
            "99999999999999999999 k=\n",
            "1 k=\n",
        ] {
            assert!(records(bad.as_bytes()).is_err(), "{bad:?}");
        }
    }
}
