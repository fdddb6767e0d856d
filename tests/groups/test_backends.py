"""Which core computes: found, chosen by argument or environment, or missing with a word on what to do."""

import os
import subprocess
import sys
from collections.abc import Iterator
from types import ModuleType, SimpleNamespace

import pytest

from tests.support.backends import BACKENDS
from tpsi.errors import CallerError
from tpsi.groups import LIBRARY, NATIVE, P256_SHA256, RISTRETTO255_SHA512, SUITES, backends, group, set_threads


@pytest.fixture(autouse=True)
def _forget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What was found of the native core is looked for again, before and after."""
    monkeypatch.delenv(backends.VARIABLE, raising=False)
    for function in (backends.native_fault, backends._unusable):
        function.cache_clear()
    yield
    for function in (backends.native_fault, backends._unusable):
        function.cache_clear()


def install(monkeypatch: pytest.MonkeyPatch, core: object) -> None:
    monkeypatch.setitem(sys.modules, "tpsi_native", core)


@pytest.mark.parametrize("suite", SUITES)
def test_the_library_can_always_be_chosen(suite: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert group(suite, LIBRARY).backend == LIBRARY
    monkeypatch.setenv(backends.VARIABLE, LIBRARY)
    assert group(suite) is group(suite, LIBRARY)


def test_the_best_that_is_there_is_the_default() -> None:
    assert group(RISTRETTO255_SHA512) is group(RISTRETTO255_SHA512, BACKENDS[-1])
    assert group(RISTRETTO255_SHA512).backend == BACKENDS[-1]


def test_the_environment_chooses_and_an_argument_overrides_it(backend: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backends.VARIABLE, backend)
    assert group(RISTRETTO255_SHA512).backend == backend
    assert group(RISTRETTO255_SHA512, LIBRARY).backend == LIBRARY
    monkeypatch.setenv(backends.VARIABLE, "")
    assert group(RISTRETTO255_SHA512).backend == BACKENDS[-1]


def test_the_environment_chooses_for_processes_that_are_started(backend: str) -> None:
    program = (
        "from tpsi.groups import *; g = group(RISTRETTO255_SHA512);"
        "print(g.backend, g.multiply_base(g.encode_scalars([7])).tobytes().hex())"
    )
    environment = {**os.environ, backends.VARIABLE: backend}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=True, capture_output=True, text=True)
    library = group(RISTRETTO255_SHA512, LIBRARY)
    assert done.stdout.split() == [backend, library.multiply_base(library.encode_scalars([7])).tobytes().hex()]


def test_unknown_backends_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CallerError, match="native or library"):
        group(RISTRETTO255_SHA512, "fastest")
    monkeypatch.setenv(backends.VARIABLE, "Native")
    with pytest.raises(CallerError, match="native or library"):
        group(RISTRETTO255_SHA512)


def test_a_native_core_that_is_missing_is_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, None)
    assert group(RISTRETTO255_SHA512).backend == LIBRARY
    with pytest.raises(CallerError, match=r"tpsi-native is not installed; make native"):
        group(RISTRETTO255_SHA512, NATIVE)
    monkeypatch.setenv(backends.VARIABLE, NATIVE)
    with pytest.raises(CallerError, match="not installed"):
        group(RISTRETTO255_SHA512)


@pytest.mark.parametrize("core", [SimpleNamespace(INTERFACE=backends.INTERFACE + 1), ModuleType("tpsi_native")])
def test_a_native_core_of_another_version_is_not_used(core: object, monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, core)
    with pytest.raises(CallerError, match=r"needs \d+; make native"):
        group(RISTRETTO255_SHA512, NATIVE)
    with pytest.warns(RuntimeWarning, match="the libraries compute instead"):
        assert group(RISTRETTO255_SHA512).backend == LIBRARY


def test_p256_is_the_librarys_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(backends.VARIABLE, NATIVE)
    assert group(P256_SHA256).backend == LIBRARY
    with pytest.raises(CallerError, match="has no TPSI-P256-SHA256"):
        group(P256_SHA256, NATIVE)


@pytest.mark.parametrize("count", [0, -1, 257])
def test_numbers_of_threads_that_make_no_sense_are_refused(count: int) -> None:
    with pytest.raises(CallerError):
        set_threads(count)


def test_every_group_says_what_computes(backend: str) -> None:
    assert group(RISTRETTO255_SHA512, backend).engine
    assert group(P256_SHA256).engine == "pycryptodome"


def engine_by(backend: str, engine: str) -> "subprocess.CompletedProcess[str]":
    """A process that tells what computes, with an engine of the native core chosen by its environment."""
    program = "from tpsi.groups import *; print(group(RISTRETTO255_SHA512).engine)"
    environment = {**os.environ, backends.VARIABLE: backend, "TPSI_NATIVE_ENGINE": engine}
    return subprocess.run([sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True)


def test_an_engine_of_the_native_core_is_chosen_by_its_name(backend: str) -> None:
    expected = "curve25519-dalek" if backend == NATIVE else "libsodium"
    assert engine_by(backend, "dalek").stdout.strip() == expected


def test_an_engine_that_nobody_knows_is_refused_in_words(backend: str) -> None:
    done = engine_by(backend, "abacus")
    told = "there are dalek, avx2 and ifma" in done.stderr
    assert (done.returncode != 0, told) == ((True, True) if backend == NATIVE else (False, False))
