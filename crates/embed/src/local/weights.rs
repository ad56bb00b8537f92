//! Given a `model.safetensors`, gives its tensors as 32-bit floats, one after the other, so that no copy of the whole file
//! is held.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{Read, Seek, SeekFrom},
    path::{Path, PathBuf},
};

use domain::{Error, Result};
use serde::Deserialize;
use sha2::{Digest, Sha256};

/// The largest file of weights, in bytes: a model of half a billion numbers.
pub const WEIGHTS_BYTES_MAX: u64 = 2 << 30;
/// The largest header: a BERT of 24 layers has 50 kB.
const HEADER_BYTES_MAX: u64 = 8 << 20;
/// What is read at once while the digest is made.
const BLOCK_BYTES: usize = 1 << 20;

pub struct Weights {
    path: PathBuf,
    file: File,
    /// Where the tensors begin.
    begin: u64,
    length: u64,
    tensors: BTreeMap<String, Tensor>,
    /// `bert.` where the file holds more than the encoder.
    prefix: &'static str,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

impl Weights {
    /// Reads the header.
    pub fn open(path: &Path) -> Result<Self> {
        let wrong = |why: String| wrong(path, &why);
        let mut file = File::open(path).map_err(|error| wrong(format!("cannot be read: {error}")))?;
        let unread = |error: std::io::Error| wrong(format!("cannot be read: {error}"));
        let length = file.metadata().map_err(unread)?.len();
        if length > WEIGHTS_BYTES_MAX {
            return Err(wrong(format!(
                "has {length} bytes; at most {WEIGHTS_BYTES_MAX} are read"
            )));
        }
        let mut size = [0; 8];
        file.read_exact(&mut size).map_err(unread)?;
        let size = u64::from_le_bytes(size);
        if size > HEADER_BYTES_MAX || size + 8 > length {
            return Err(wrong("is damaged or no safetensors file".into()));
        }
        let mut header = vec![0; size as usize];
        file.read_exact(&mut header).map_err(unread)?;
        let damaged = |error: serde_json::Error| wrong(format!("has a damaged header ({error})"));
        let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&header).map_err(damaged)?;
        header.remove("__metadata__");
        let tensors: BTreeMap<String, Tensor> = header
            .into_iter()
            .map(|(name, value)| Ok((name, serde_json::from_value(value)?)))
            .collect::<std::result::Result<_, _>>()
            .map_err(damaged)?;
        let prefix = match tensors.keys().any(|name| name.starts_with("bert.embeddings.")) {
            true => "bert.",
            false => "",
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            begin: size + 8,
            length,
            tensors,
            prefix,
        })
    }

    /// SHA-256 of the whole file.
    pub fn digest(&mut self) -> Result<Vec<u8>> {
        let mut digest = Sha256::new();
        let mut block = vec![0; BLOCK_BYTES];
        self.file
            .seek(SeekFrom::Start(0))
            .map_err(|error| self.unread(&error))?;
        loop {
            match self.file.read(&mut block).map_err(|error| self.unread(&error))? {
                0 => return Ok(digest.finalize().to_vec()),
                read => digest.update(&block[..read]),
            }
        }
    }

    /// The tensor's numbers, row by row; its shape must be this one.
    pub fn tensor(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
        let name = format!("{}{name}", self.prefix);
        let tensor = self
            .tensors
            .get(&name)
            .ok_or_else(|| wrong(&self.path, &format!("has no {name}")))?;
        if tensor.shape != shape {
            let why = format!(
                "has a {name} of the shape {:?}; config.json says {shape:?}",
                &tensor.shape
            );
            return Err(wrong(&self.path, &why));
        }
        let (size, convert): (u64, fn(&[u8]) -> f32) = match tensor.dtype.as_str() {
            "F32" => (4, |b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])),
            "F16" => (2, |b| half(u16::from_le_bytes([b[0], b[1]]))),
            "BF16" => (2, |b| f32::from_bits(u32::from(u16::from_le_bytes([b[0], b[1]])) << 16)),
            other => {
                let why = format!("has a {name} of the type {other:?}; Circuit reads F32, F16 and BF16");
                return Err(wrong(&self.path, &why));
            }
        };
        // Shapes are those of the configuration, which has bounds: no product is too large.
        let bytes = shape.iter().product::<usize>() as u64 * size;
        let (from, to) = tensor.data_offsets;
        if to.checked_sub(from) != Some(bytes) || to > self.length - self.begin {
            return Err(wrong(
                &self.path,
                &format!("has no room for {name}: it is cut or damaged"),
            ));
        }
        let mut data = vec![0; bytes as usize];
        let read = self
            .file
            .seek(SeekFrom::Start(self.begin + from))
            .and_then(|_| self.file.read_exact(&mut data));
        read.map_err(|error| self.unread(&error))?;
        Ok(data.chunks_exact(size as usize).map(convert).collect())
    }

    fn unread(&self, error: &std::io::Error) -> Error {
        wrong(&self.path, &format!("cannot be read: {error}"))
    }
}

fn wrong(path: &Path, why: &str) -> Error {
    Error::invalid(format!("{} {why}; fetch the model's files again", path.display()))
}

/// A 16-bit float.
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let exponent = i32::from(bits >> 10 & 0x1f);
    let fraction = f32::from(bits & 0x3ff);
    sign * match exponent {
        0 => fraction * 2.0_f32.powi(-24),
        0x1f if fraction == 0.0 => f32::INFINITY,
        0x1f => f32::NAN,
        exponent => (1.0 + fraction / 1024.0) * 2.0_f32.powi(exponent - 15),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(header: &str, data: &[u8]) -> Result<Weights> {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend_from_slice(header.as_bytes());
        bytes.extend_from_slice(data);
        raw(&bytes)
    }

    fn raw(bytes: &[u8]) -> Result<Weights> {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        Weights::open(file.path())
    }

    #[test]
    fn numbers_of_each_type_are_read() {
        let header = r#"{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
            "b": {"dtype": "F16", "shape": [2, 3], "data_offsets": [4, 16]},
            "c": {"dtype": "BF16", "shape": [2], "data_offsets": [16, 20]}}"#;
        let mut data = 1.5_f32.to_le_bytes().to_vec();
        for bits in [0x3c00_u16, 0xc000, 0x0001, 0x7c00, 0x0000, 0x3555, 0x3fc0, 0xc0a0] {
            data.extend_from_slice(&bits.to_le_bytes());
        }
        let mut weights = opened(header, &data).unwrap();
        assert_eq!(weights.tensor("a", &[1]).unwrap(), [1.5]);
        assert_eq!(
            weights.tensor("b", &[2, 3]).unwrap(),
            [1.0, -2.0, 2.0_f32.powi(-24), f32::INFINITY, 0.0, 0.333_251_95]
        );
        assert_eq!(weights.tensor("c", &[2]).unwrap(), [1.5, -5.0]);
    }

    #[test]
    fn a_file_that_lies_is_refused_and_named() {
        for bytes in [
            &b""[..],
            b"1234567",
            &u64::MAX.to_le_bytes(),
            &[9, 0, 0, 0, 0, 0, 0, 0, b'{'],
            b"<html>.....",
        ] {
            assert!(raw(bytes).is_err());
        }
        assert!(opened("{\"a\": 1}", &[]).is_err());
        let read = |entry: &str| {
            opened(&format!("{{\"a\": {entry}}}"), &[0; 16])
                .unwrap()
                .tensor("a", &[4])
                .unwrap_err()
        };
        for (entry, said) in [
            (
                r#"{"dtype": "F32", "shape": [5], "data_offsets": [0, 20]}"#,
                "shape [5]",
            ),
            (
                r#"{"dtype": "F32", "shape": [4], "data_offsets": [4, 20]}"#,
                "cut or damaged",
            ),
            (
                r#"{"dtype": "F32", "shape": [4], "data_offsets": [16, 0]}"#,
                "cut or damaged",
            ),
            (
                r#"{"dtype": "F32", "shape": [4], "data_offsets": [0, 8]}"#,
                "cut or damaged",
            ),
            (r#"{"dtype": "I64", "shape": [4], "data_offsets": [0, 16]}"#, "I64"),
        ] {
            let why = read(entry).message;
            assert!(
                why.contains(said) && why.contains("fetch the model's files again"),
                "{why}"
            );
        }
        assert!(
            opened("{}", &[])
                .unwrap()
                .tensor("a", &[1])
                .unwrap_err()
                .message
                .contains("has no a")
        );
    }
}
