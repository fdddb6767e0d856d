"""The demonstration itself: one small run from end to end, one that is interrupted, one that can't begin."""

import json
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

from examples.demo.waiting import until

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("--hashes", "1000", "--days", "2", "--threshold", "3")


def start(out: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start `python examples/demo`, somewhere else than in its repository."""
    return subprocess.Popen(
        [sys.executable, str(ROOT / "examples" / "demo"), "--out", str(out), *arguments],
        cwd=out.parent,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_whole_run_reveals_exactly_what_is_over_the_threshold(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said, complaint = start(out, *SMALL).communicate()
    assert (out / "summary.json").exists(), said[-2000:] + complaint
    summary = json.loads((out / "summary.json").read_text("utf-8"))
    assert summary["ok"] is True, said + complaint
    assert complaint == ""
    accounts = {account["name"]: account for account in summary["accounts"]}
    assert [account["distinct_listed_hashes"] for account in accounts.values()][:4] == [0, 3, 9, 1]
    assert [accounts[name]["revealed"] for name in ("alice", "bob", "carol", "dave")] == [0, 0, 9, 0]
    assert accounts["erin"]["revealed"] == accounts["erin"]["distinct_listed_hashes"] > 3
    assert (accounts["dave"]["listed_items"], summary["list_hashes"]) == (40, 1001)
    assert sorted(path.name for path in out.iterdir()) == ["report.html", "summary.json"]
    assert "As promised: nothing about alice, bob and dave" in said
    assert "The auditor refuses: the manifest says that north hotline names 1101 hashes; its" in " ".join(said.split())
    assert "All 5 devices refuse it, too" in said
    assert "found by its own hash" in said
    assert re.search(r"found by probe \d", said)
    assert "found by none" in said
    page = (out / "report.html").read_text("utf-8")
    assert "Copies that went through a messenger" in page
    assert page.count("<td>shown</td>") > 5


def test_an_interrupted_run_stops_its_server_and_leaves_nothing(tmp_path: Path) -> None:
    out = tmp_path / "out"
    demo = start(out, *SMALL)
    try:
        assert until(lambda: bool(list(out.glob("work-*/server/port"))) or demo.poll() is not None)
        port = int(next(out.glob("work-*/server/port")).read_text("ascii"))
        with socket.create_connection(("localhost", port), 5):
            pass
        demo.send_signal(signal.SIGINT)
        _, complaint = demo.communicate(timeout=120)
    finally:
        demo.kill()
        demo.wait()
    assert demo.returncode == 130
    assert complaint.splitlines() == ["demo: interrupted; all processes are stopped"]
    assert list(out.iterdir()) == []
    with socket.socket() as probe:
        assert probe.connect_ex(("localhost", port)) != 0


def test_a_folder_without_pictures_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    out = tmp_path / "out"
    demo = start(out, "--photos", str(tmp_path / "photos"))
    _, complaint = demo.communicate()
    assert demo.returncode == 1
    assert len(complaint.splitlines()) == 1
    assert "holds 0 pictures" in complaint
    assert list(out.iterdir()) == []
