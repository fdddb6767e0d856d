//! What Python sees of the symmetric parts.

use numpy::{IntoPyArray, PyArrayMethods, PyReadonlyArray2, PyUntypedArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::chunk::Octets;
use crate::python::{Rows, in_rows, octets_of, require, rows_of};
use crate::python_strings::Strings;
use crate::{shares as field, symmetric};

/// Add the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(derive_keys, module)?)?;
    module.add_function(wrap_pyfunction!(hash_texts, module)?)?;
    module.add_function(wrap_pyfunction!(seal_texts, module)?)?;
    module.add_function(wrap_pyfunction!(open_texts, module)?)?;
    module.add_function(wrap_pyfunction!(shares, module)?)
}

#[pyfunction]
fn derive_keys<'py>(
    py: Python<'py>,
    label: &[u8],
    secrets: Strings<'py>,
    salt: &[u8],
    infos: Strings<'py>,
) -> PyResult<Rows<'py>> {
    let (secrets, infos) = (secrets.all()?, infos.all()?);
    let count = if secrets.len() == 1 { infos.len() } else { secrets.len() };
    require(secrets.len() == count || secrets.len() == 1, "as many secrets, or one")?;
    require(infos.len() == count || infos.len() == 1, "as many infos, or one")?;
    rows_of(py, py.detach(|| symmetric::derive(label, &secrets, salt, &infos, count)))
}

#[pyfunction]
fn hash_texts<'py>(
    py: Python<'py>,
    size: usize,
    key: &[u8],
    person: &[u8],
    texts: Strings<'py>,
) -> PyResult<Rows<'py>> {
    let texts = texts.all()?;
    require((1..=64).contains(&size) && key.len() <= 64 && person.len() <= 16, "lengths that BLAKE2b has")?;
    wide_rows(py, py.detach(|| symmetric::hash(size, key, person, &texts)), size)
}

#[pyfunction]
fn seal_texts<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray2<'py, u8>,
    texts: PyReadonlyArray2<'py, u8>,
    associated: Strings<'py>,
) -> PyResult<Rows<'py>> {
    let width = texts.shape()[1];
    let (texts, associated) = (Strings::Rows(texts), associated.all()?);
    let texts = texts.all()?;
    let keys = keys_of(&keys, texts.len(), associated.len())?;
    wide_rows(py, py.detach(|| symmetric::seal(keys, &texts, width, &associated)), width + symmetric::TAG)
}

#[pyfunction]
fn open_texts<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray2<'py, u8>,
    texts: Strings<'py>,
    associated: Strings<'py>,
) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
    let (texts, associated) = (texts.all()?, associated.all()?);
    let keys = keys_of(&keys, texts.len(), associated.len())?;
    let opened = py.detach(|| symmetric::open(keys, &texts, &associated));
    Ok(opened.iter().map(|text| text.as_ref().map(|text| PyBytes::new(py, text))).collect())
}

#[pyfunction]
fn shares<'py>(
    py: Python<'py>,
    polynomials: PyReadonlyArray2<'py, u64>,
    hashes: PyReadonlyArray2<'py, u8>,
) -> PyResult<Rows<'py>> {
    let (rows, length) = (polynomials.shape()[0], polynomials.shape()[1]);
    require(length > 0 && hashes.shape()[1] == field::HASH, "coefficients, and rows of 16 octets")?;
    in_rows(&polynomials)?;
    in_rows(&hashes)?;
    let (polynomials, hashes) = (polynomials.as_slice()?, hashes.as_slice()?.as_chunks().0);
    require(polynomials.iter().all(|&value| value < field::P), "coefficients below p")?;
    wide_rows(py, py.detach(|| field::shares(polynomials, length, hashes)), field::ELEMENT * (1 + rows))
}

/// The keys, if there is one for each text, and data for as many texts each.
fn keys_of<'a>(keys: &'a PyReadonlyArray2<'_, u8>, texts: usize, associated: usize) -> PyResult<&'a [Octets]> {
    let keys = octets_of(keys)?;
    let shared = texts == associated || associated > 0 && texts.is_multiple_of(associated);
    require(keys.len() == texts && shared, "a key for each text, and data for as many texts each")?;
    Ok(keys)
}

fn wide_rows(py: Python<'_>, octets: Vec<u8>, width: usize) -> PyResult<Rows<'_>> {
    let count = octets.len() / width;
    octets.into_pyarray(py).reshape([count, width])
}
