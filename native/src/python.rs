//! What Python sees.

use curve25519_dalek::scalar::Scalar;
use numpy::{
    Element, IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2, PyReadwriteArray2,
    PyUntypedArrayMethods,
};
use pyo3::create_exception;
use pyo3::exceptions::{PyImportError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use zeroize::Zeroizing;

use crate::batch::{self, Scalars};
use crate::chunk::{Cells, Octets};
use crate::engine::Engine;
use crate::expand::Tag;
use crate::python_strings::Strings;
use crate::solve::Fault;
use crate::{dalek, threads};

/// Raised with every change that a caller notices.
const INTERFACE: u32 = 3;

create_exception!(tpsi_native, ElementError, PyValueError, "A row is not the canonical encoding of an element.");
create_exception!(tpsi_native, ScalarError, PyValueError, "A scalar is not below the group's order.");

pub type Rows<'py> = Bound<'py, PyArray2<u8>>;
type Flags<'py> = Bound<'py, PyArray1<bool>>;

/// See tpsi_native.pyi, which has the documentation of all functions.
#[pymodule]
fn tpsi_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    Engine::choice().map_err(PyImportError::new_err)?;
    module.add("INTERFACE", INTERFACE)?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("ElementError", module.py().get_type::<ElementError>())?;
    module.add("ScalarError", module.py().get_type::<ScalarError>())?;
    module.add_function(wrap_pyfunction!(engine, module)?)?;
    module.add_function(wrap_pyfunction!(set_threads, module)?)?;
    module.add_function(wrap_pyfunction!(get_threads, module)?)?;
    module.add_function(wrap_pyfunction!(hash_to_group, module)?)?;
    module.add_function(wrap_pyfunction!(blind, module)?)?;
    module.add_function(wrap_pyfunction!(valid, module)?)?;
    module.add_function(wrap_pyfunction!(scalars_from_wide, module)?)?;
    module.add_function(wrap_pyfunction!(multiply, module)?)?;
    module.add_function(wrap_pyfunction!(multiply_base, module)?)?;
    module.add_function(wrap_pyfunction!(combine, module)?)?;
    module.add_function(wrap_pyfunction!(seal, module)?)?;
    module.add_function(wrap_pyfunction!(solve, module)?)?;
    module.add_function(wrap_pyfunction!(weighted_sum, module)?)?;
    crate::python_symmetric::register(module)
}

#[pyfunction]
fn engine() -> &'static str {
    Engine::chosen().name()
}

#[pyfunction]
fn set_threads(count: usize) -> PyResult<()> {
    threads::set(count).then_some(()).ok_or_else(|| PyValueError::new_err("1 to 256 threads"))
}

#[pyfunction]
fn get_threads() -> usize {
    threads::get()
}

#[pyfunction]
fn hash_to_group<'py>(py: Python<'py>, messages: Strings<'py>, dst: &[u8]) -> PyResult<Rows<'py>> {
    let (tag, messages) = (tag_of(dst)?, messages.all()?);
    rows_of(py, py.detach(|| batch::hash(&messages, &tag)))
}

#[pyfunction]
fn blind<'py>(
    py: Python<'py>,
    scalar: PyReadonlyArray2<'py, u8>,
    messages: Strings<'py>,
    dst: &[u8],
) -> PyResult<Rows<'py>> {
    let (tag, scalar, messages) = (tag_of(dst)?, scalars_of(octets_of(&scalar)?, 1)?, messages.all()?);
    rows_of(py, py.detach(|| batch::blind(&scalar[0], &messages, &tag)))
}

#[pyfunction]
fn valid<'py>(py: Python<'py>, elements: PyReadonlyArray2<'py, u8>) -> PyResult<Flags<'py>> {
    let elements = octets_of(&elements)?;
    Ok(py.detach(|| batch::valid(elements)).into_pyarray(py))
}

#[pyfunction]
fn scalars_from_wide<'py>(py: Python<'py>, wide: PyReadonlyArray2<'py, u8>) -> PyResult<Rows<'py>> {
    in_rows(&wide)?;
    require(wide.as_array().ncols() == 64, "rows of 64 octets")?;
    let wide = wide.as_slice()?.as_chunks::<64>().0;
    rows_of(py, py.detach(|| wide.iter().map(|row| Scalar::from_bytes_mod_order_wide(row).to_bytes()).collect()))
}

#[pyfunction]
fn multiply<'py>(
    py: Python<'py>,
    scalars: PyReadonlyArray2<'py, u8>,
    elements: PyReadonlyArray2<'py, u8>,
) -> PyResult<(Rows<'py>, Flags<'py>)> {
    let (scalars, elements) = (octets_of(&scalars)?, octets_of(&elements)?);
    let count = pairs(scalars.len(), elements.len())?;
    let scalars = scalars_of(scalars, count)?;
    let (products, valid) = py.detach(|| batch::multiply(&scalars, &repeated(elements, count)));
    Ok((rows_of(py, products)?, valid.into_pyarray(py)))
}

#[pyfunction]
fn multiply_base<'py>(py: Python<'py>, scalars: PyReadonlyArray2<'py, u8>) -> PyResult<Rows<'py>> {
    let octets = octets_of(&scalars)?;
    let scalars = scalars_of(octets, octets.len())?;
    rows_of(py, py.detach(|| batch::multiply_base(&scalars)))
}

#[pyfunction]
fn combine<'py>(
    py: Python<'py>,
    left: PyReadonlyArray2<'py, u8>,
    right: PyReadonlyArray2<'py, u8>,
    subtract: bool,
) -> PyResult<(Rows<'py>, Flags<'py>)> {
    let (left, right) = (octets_of(&left)?, octets_of(&right)?);
    let count = pairs(left.len(), right.len())?;
    let (sums, valid) = py.detach(|| batch::combine(&repeated(left, count), &repeated(right, count), subtract));
    Ok((rows_of(py, sums)?, valid.into_pyarray(py)))
}

#[pyfunction]
#[allow(clippy::too_many_arguments)] // it is what a slot is made of
fn seal<'py>(
    py: Python<'py>,
    messages: Strings<'py>,
    dst: &[u8],
    cells: PyReadonlyArray2<'py, u8>,
    summed: bool,
    betas: PyReadonlyArray2<'py, u8>,
    gammas: PyReadonlyArray2<'py, u8>,
    key: PyReadonlyArray2<'py, u8>,
) -> PyResult<(Rows<'py>, Rows<'py>, Flags<'py>)> {
    let (messages, octets) = (messages.all()?, octets_of(&cells)?);
    let arity = octets.len().checked_div(messages.len()).unwrap_or(1);
    let cells = Cells { octets, arity, summed };
    let slots = messages.len() * cells.candidates();
    require(arity > 0 && octets.len() == messages.len() * arity, "as many cells for each message")?;
    let (tag, key) = (tag_of(dst)?, element_of(octets_of(&key)?)?);
    let (betas, gammas) = (octets_of(&betas)?, octets_of(&gammas)?);
    require(betas.len() == slots && gammas.len() == slots, "two scalars for each slot")?;
    let (betas, gammas) = (scalars_of(betas, slots)?, scalars_of(gammas, slots)?);
    let sealed = py.detach(|| batch::seal(&messages, &tag, &cells, (&betas, &gammas), key));
    Ok((rows_of(py, sealed.q)?, rows_of(py, sealed.s)?, sealed.good.into_pyarray(py)))
}

#[pyfunction]
fn solve<'py>(
    py: Python<'py>,
    mut cells: PyReadwriteArray2<'py, u8>,
    own: PyReadonlyArray1<'py, u32>,
    others: PyReadonlyArray2<'py, u32>,
    progress: Option<Py<PyAny>>,
) -> PyResult<()> {
    require(cells.as_array().ncols() == 32, "rows of 32 octets")?;
    in_rows(&cells)?;
    in_rows(&others)?;
    let rows = cells.as_slice_mut()?.as_chunks_mut::<32>().0;
    let (others, odd) = others.as_slice()?.as_chunks::<2>();
    let own = own.as_slice()?;
    require(odd.is_empty() && own.len() == others.len(), "two other cells for each equation")?;
    let mut raised = Ok(());
    let mut told = |done: usize, of: usize| {
        if let (Some(report), Ok(())) = (&progress, &raised) {
            raised = Python::attach(|py| report.call1(py, (done, of)).map(drop));
        }
        raised.is_ok()
    };
    let solved = py.detach(|| Engine::chosen().solve(rows, own, others, &mut told));
    raised?;
    solved.map_err(|fault| match fault {
        Fault::Equations => PyValueError::new_err("the equations do not fit the table"),
        Fault::Element => ElementError::new_err(()),
        Fault::Stopped => PyRuntimeError::new_err("stopped"), // `raised` says by what
    })
}

#[pyfunction]
fn weighted_sum<'py>(
    py: Python<'py>,
    scalars: PyReadonlyArray2<'py, u8>,
    elements: PyReadonlyArray2<'py, u8>,
) -> PyResult<Rows<'py>> {
    let (scalars, elements) = (octets_of(&scalars)?, octets_of(&elements)?);
    let count = pairs(scalars.len(), elements.len())?;
    let scalars = scalars_of(scalars, count)?;
    let sum = py.detach(|| batch::weighted_sum(&scalars, &repeated(elements, count)));
    rows_of(py, vec![sum.ok_or_else(|| ElementError::new_err(()))?])
}

pub fn require(sound: bool, expected: &'static str) -> PyResult<()> {
    if sound { Ok(()) } else { Err(PyValueError::new_err(expected)) }
}

fn tag_of(dst: &[u8]) -> PyResult<Tag> {
    Tag::new(dst).ok_or_else(|| PyValueError::new_err("a domain-separation tag is not empty"))
}

/// An array that lies in columns is contiguous too, and would be read as another one.
pub fn in_rows<T: Element>(array: &Bound<'_, PyArray2<T>>) -> PyResult<()> {
    require(array.is_c_contiguous(), "rows that lie one after the other")
}

pub fn octets_of<'a>(rows: &'a PyReadonlyArray2<'_, u8>) -> PyResult<&'a [Octets]> {
    require(rows.as_array().ncols() == 32, "rows of 32 octets")?;
    in_rows(rows)?;
    Ok(rows.as_slice()?.as_chunks().0)
}

fn pairs(left: usize, right: usize) -> PyResult<usize> {
    require(left == right || left == 1 || right == 1, "as many rows, or one")?;
    Ok(if left == 1 { right } else { left })
}

fn repeated(rows: &[Octets], count: usize) -> std::borrow::Cow<'_, [Octets]> {
    if rows.len() == count { rows.into() } else { vec![rows[0]; count].into() }
}

/// `count` scalars, of as many rows or of one.
fn scalars_of(rows: &[Octets], count: usize) -> PyResult<Scalars> {
    let read = |row: &Octets| Option::from(Scalar::from_canonical_bytes(*row));
    let scalars: Option<Vec<Scalar>> = rows.iter().map(read).collect();
    let mut scalars = Zeroizing::new(scalars.ok_or_else(|| ScalarError::new_err(()))?);
    if scalars.len() != count {
        require(scalars.len() == 1, "as many scalars, or one")?;
        *scalars = vec![scalars[0]; count];
    }
    Ok(scalars)
}

fn element_of(rows: &[Octets]) -> PyResult<&Octets> {
    require(rows.len() == 1, "one element")?;
    dalek::decode(&rows[0]).map(|_| &rows[0]).ok_or_else(|| ElementError::new_err(()))
}

pub fn rows_of(py: Python<'_>, rows: Vec<Octets>) -> PyResult<Rows<'_>> {
    let count = rows.len();
    rows.into_flattened().into_pyarray(py).reshape([count, 32])
}
