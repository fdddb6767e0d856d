//! Strings of octets as Python has them.

use numpy::{PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use crate::python::in_rows;

/// Rows of one length, or `bytes` of any.
#[derive(FromPyObject)]
pub enum Strings<'py> {
    Rows(PyReadonlyArray2<'py, u8>),
    Each(Vec<PyBackedBytes>),
}

impl Strings<'_> {
    pub fn all(&self) -> PyResult<Vec<&[u8]>> {
        match self {
            Self::Each(strings) => Ok(strings.iter().map(|string| &**string).collect()),
            Self::Rows(rows) => split(rows),
        }
    }
}

/// The rows of a contiguous array, however short they are.
fn split<'a>(rows: &'a PyReadonlyArray2<'_, u8>) -> PyResult<Vec<&'a [u8]>> {
    in_rows(rows)?;
    let (octets, count, width) = (rows.as_slice()?, rows.shape()[0], rows.shape()[1]);
    Ok((0..count).map(|i| &octets[i * width..(i + 1) * width]).collect())
}
