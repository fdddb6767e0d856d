"""The verb `account limit`, and the limits in `server.json`."""

import json

import pytest

from tests.server.command import Run, is_one_line, parsed
from tests.server.site import Site
from tpsi_server import DataError
from tpsi_server.config import DEFAULT_ALLOWANCE
from tpsi_server.store import Allowance


@pytest.fixture(autouse=True)
def alice(run: Run) -> None:
    assert run("account", "add", "alice")[0] == 0


def settings(site: Site, **limits: object) -> None:
    """Write limits into `server.json`."""
    value = json.loads(site.folder.server_file.read_bytes())
    site.folder.server_file.write_text(json.dumps(value | {"limits": limits}))


def test_what_is_set_holds_and_the_rest_is_what_the_server_says(run: Run, site: Site) -> None:
    settings(site, vouchers=500, octets_a_day=0)
    before = parsed(run("account", "limit", "alice", "--json"))
    assert before == {"vouchers": 500, "octets_a_day": 0, "vouchers_a_second": DEFAULT_ALLOWANCE.vouchers_a_second}
    after = parsed(run("account", "limit", "alice", "--vouchers", 7, "--vouchers-a-second", 0, "--json"))
    assert after == {"vouchers": 7, "octets_a_day": 0, "vouchers_a_second": 0}
    assert parsed(run("account", "limit", "alice", "--vouchers", 8, "--json"))["vouchers_a_second"] == 0
    assert "no limit" in run("account", "limit", "alice")[1]
    assert parsed(run("account", "limit", "alice", "--default", "--json")) == before


def test_what_cannot_be_is_refused_in_one_line(run: Run) -> None:
    for arguments in (("nobody",), ("nobody", "--vouchers", "1"), ("alice", "--default", "--vouchers", "1")):
        status, output, errors = run("account", "limit", *arguments)
        assert (status, output, is_one_line(errors)) == (1, "", True), arguments
    assert run("account", "limit", "alice", "--vouchers", "-1")[0] == 2


@pytest.mark.parametrize(
    "limits", [{"vouchers": -1}, {"vouchers": "many"}, {"vouchers": True}, {"octets": 1}, {"vouchers": 1.5}]
)
def test_limits_in_the_settings_that_mean_nothing_are_refused(site: Site, limits: dict[str, object]) -> None:
    settings(site, **limits)
    with pytest.raises(DataError, match='"limits" has whole numbers for vouchers, octets_a_day'):
        site.folder.allowance()


def test_without_limits_in_the_settings_there_are_generous_ones(site: Site) -> None:
    assert site.folder.allowance() == DEFAULT_ALLOWANCE != Allowance()
