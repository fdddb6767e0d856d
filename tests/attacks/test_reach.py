"""Parameters that a manifest may have are ones that the decoder can decide within its default bound on work."""

import pytest

from tpsi import CallerError, Sharing
from tpsi.decoding import WORK_LIMIT, work


@pytest.mark.parametrize(("threshold", "rows"), [(1000, 128), (1000, 255), (800, 255)])
def test_a_threshold_that_could_never_be_decided_is_refused(threshold: int, rows: int) -> None:
    with pytest.raises(CallerError, match="decoded in time"):
        Sharing(threshold, rows)


@pytest.mark.parametrize(("threshold", "rows"), [(1000, 16), (1000, 32), (900, 64), (450, 255)])
def test_twice_the_least_pool_that_reveals_is_within_the_bound(threshold: int, rows: int) -> None:
    sharing = Sharing(threshold, rows)
    assert work(2 * (sharing.threshold + 1), sharing.rows, sharing.threshold) <= WORK_LIMIT
