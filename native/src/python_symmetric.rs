//! What Python sees of the symmetric parts.

use numpy::PyReadonlyArray2;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::PyBytes;

use crate::chunk::Octets;
use crate::python::{Rows, octets_of, require, rows_of};
use crate::symmetric;

/// Add the functions to the module.
pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(derive_keys, module)?)?;
    module.add_function(wrap_pyfunction!(seal_texts, module)?)?;
    module.add_function(wrap_pyfunction!(open_texts, module)?)
}

#[pyfunction]
fn derive_keys<'py>(
    py: Python<'py>,
    label: &[u8],
    secrets: Vec<PyBackedBytes>,
    salt: &[u8],
    infos: Vec<PyBackedBytes>,
) -> PyResult<Rows<'py>> {
    let count = if secrets.len() == 1 { infos.len() } else { secrets.len() };
    require(secrets.len() == count || secrets.len() == 1, "as many secrets, or one")?;
    require(infos.len() == count || infos.len() == 1, "as many infos, or one")?;
    rows_of(py, py.detach(|| symmetric::derive(label, &secrets, salt, &infos, count)))
}

#[pyfunction]
fn seal_texts<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray2<'py, u8>,
    texts: Vec<PyBackedBytes>,
    associated: Vec<PyBackedBytes>,
) -> PyResult<Vec<Bound<'py, PyBytes>>> {
    let keys = keys_of(&keys, &texts, &associated)?;
    let sealed = py.detach(|| symmetric::seal(keys, &texts, &associated));
    let whole: Option<Vec<Vec<u8>>> = sealed.into_iter().collect();
    let whole = whole.ok_or_else(|| PyValueError::new_err("a text is too long"))?;
    Ok(whole.iter().map(|text| PyBytes::new(py, text)).collect())
}

#[pyfunction]
fn open_texts<'py>(
    py: Python<'py>,
    keys: PyReadonlyArray2<'py, u8>,
    texts: Vec<PyBackedBytes>,
    associated: Vec<PyBackedBytes>,
) -> PyResult<Vec<Option<Bound<'py, PyBytes>>>> {
    let keys = keys_of(&keys, &texts, &associated)?;
    let opened = py.detach(|| symmetric::open(keys, &texts, &associated));
    Ok(opened.iter().map(|text| text.as_ref().map(|text| PyBytes::new(py, text))).collect())
}

fn keys_of<'a>(
    keys: &'a PyReadonlyArray2<'_, u8>,
    texts: &[PyBackedBytes],
    associated: &[PyBackedBytes],
) -> PyResult<&'a [Octets]> {
    let keys = octets_of(keys)?;
    require(keys.len() == texts.len() && keys.len() == associated.len(), "a key and data for each text")?;
    Ok(keys)
}
