//! Where the data of sparse files is, in every form that GNU tar has given it (GNU tar manual, "Storing Sparse Files").

use std::collections::VecDeque;
use std::io::{self, Read};
use std::ops::Range;

use tar::{GnuExtSparseHeader, Header};

use super::pax::{Records, number};

const BLOCK: usize = 512;
/// Pieces of data in one file.
const MAX_PIECES: usize = 1 << 20;

/// A file with holes.
pub struct Sparse {
    /// Of the file, its holes included.
    pub size: u64,
    pub data: VecDeque<Range<u64>>,
    /// Bytes of the content that told of this.
    pub map: u64,
}

/// What PAX records say; format 1.0 has its map at the beginning of the content, which has `stored` bytes.
///
/// # Errors
/// For a map that makes no sense.
pub fn of_records(records: &Records, source: &mut impl Read, stored: u64) -> io::Result<Option<Sparse>> {
    let value = |key: &str| {
        let found = records.iter().rev().find(|(name, _)| name == key.as_bytes());
        found.map(|(_, value)| value.as_slice())
    };
    if value("GNU.sparse.major").is_some_and(|major| major != b"0") {
        let is_known = (value("GNU.sparse.major"), value("GNU.sparse.minor")) == (Some(b"1"), Some(b"0"));
        let size = value("GNU.sparse.realsize").and_then(number);
        let size = size.filter(|_| is_known).ok_or_else(unsound)?;
        let (numbers, map) = numbers_of(source, stored)?;
        return sparse(&numbers, size, map).map(Some);
    }
    let Some(size) = value("GNU.sparse.size") else {
        return Ok(None);
    };
    let mut numbers = Vec::new();
    for (key, value) in records {
        match key.as_slice() {
            b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => numbers.push(number(value).ok_or_else(unsound)?),
            b"GNU.sparse.map" => {
                let each = value.split(|byte| *byte == b',').filter(|text| !text.is_empty());
                numbers = each.map(number).collect::<Option<_>>().ok_or_else(unsound)?;
            }
            _ => {}
        }
    }
    sparse(&numbers, number(size).ok_or_else(unsound)?, 0).map(Some)
}

/// What a header of GNU's own says, and the blocks that go on with it.
///
/// # Errors
/// For a map that makes no sense.
pub fn of_header(header: &Header, source: &mut impl Read) -> io::Result<Sparse> {
    let gnu = header.as_gnu().ok_or_else(unsound)?;
    let mut numbers = Vec::new();
    let mut add = |part: &tar::GnuSparseHeader| {
        if !part.is_empty() {
            numbers.extend([part.offset()?, part.length()?]);
        }
        Ok::<_, io::Error>(numbers.len() / 2)
    };
    for part in &gnu.sparse {
        add(part)?;
    }
    let mut goes_on = gnu.is_extended();
    while goes_on {
        let mut more = GnuExtSparseHeader::new();
        source.read_exact(more.as_mut_bytes())?;
        for part in more.sparse() {
            if add(part)? > MAX_PIECES {
                return Err(unsound());
            }
        }
        goes_on = more.is_extended();
    }
    sparse(&numbers, gnu.real_size()?, 0)
}

/// How many there are, then so many pairs, a line each, in whole blocks.
fn numbers_of(source: &mut impl Read, stored: u64) -> io::Result<(Vec<u64>, u64)> {
    let mut text = Vec::new();
    let mut lines = 0;
    let mut wanted = 1;
    while lines < wanted {
        if (text.len() + BLOCK) as u64 > stored {
            return Err(unsound());
        }
        let start = text.len();
        text.resize(start + BLOCK, 0);
        source.read_exact(&mut text[start..])?;
        lines += text[start..].split(|byte| *byte == b'\n').count() - 1;
        if wanted == 1 && lines > 0 {
            let count = text.split(|byte| *byte == b'\n').next().and_then(number);
            let count = count.and_then(|count| usize::try_from(count).ok());
            wanted += 2 * count.filter(|count| *count <= MAX_PIECES).ok_or_else(unsound)?;
        }
    }
    let told = text.split(|byte| *byte == b'\n').take(wanted).skip(1);
    let numbers = told.map(number).collect::<Option<_>>().ok_or_else(unsound)?;
    Ok((numbers, text.len() as u64))
}

fn sparse(numbers: &[u64], size: u64, map: u64) -> io::Result<Sparse> {
    let mut data = VecDeque::new();
    let mut last = 0;
    for pair in numbers.chunks(2) {
        let [start, length] = pair else { return Err(unsound()) };
        let end = start.checked_add(*length).filter(|end| *end <= size);
        let end = end.filter(|_| *start >= last).ok_or_else(unsound)?;
        last = end;
        if *start < end {
            data.push_back(*start..end);
        }
    }
    Ok(Sparse { size, data, map })
}

fn unsound() -> io::Error {
    io::Error::other("a sparse file whose map makes no sense")
}
