"""Metrics for Prometheus: counts, gauges and times over the whole server, and nothing of a single account.

No label names an account, a voucher, a token or an address. Even so, how many vouchers opened tells whoever can read it
from moment to moment, and send a voucher himself, whether that one matched: the endpoint is off by default, and then
for this machine alone.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from tpsi_server.errors import OperatorError, RefusedError, StoreError
from tpsi_server.ingest import Outcome
from tpsi_server.matching import Tally
from tpsi_server.reasons import Reason
from tpsi_server.store import Store

#: Seconds for which figures that the store is asked for are good.
FRESH = 5.0
_TIMES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60)


class Figures(Protocol):
    """What is looked up when somebody asks."""

    @property
    def store(self) -> Store:
        """The store."""

    @property
    def tally(self) -> Tally:
        """What matching has done since the process began."""


class Metrics:
    """The metrics of one server. Thread-safe."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._calls = Counter(
            "tpsi_calls", "Calls that ended, by what they were told.", ["method", "reason"], registry=self.registry
        )
        self._call_seconds = Histogram(
            "tpsi_call_seconds", "How long calls took.", ["method"], buckets=_TIMES, registry=self.registry
        )
        self._vouchers = Counter(
            "tpsi_vouchers",
            "Vouchers that were answered: stored, already (stored before), or the reason of their refusal.",
            ["outcome"],
            registry=self.registry,
        )
        self._acknowledging = Histogram(
            "tpsi_acknowledgement_seconds",
            "From a batch's arrival to its acknowledgement.",
            buckets=_TIMES,
            registry=self.registry,
        )

    @contextmanager
    def call(self, method: str) -> Iterator[None]:
        """A block that is a call; what it raises is what the call is told."""
        begun, reason = time.monotonic(), "OK"
        try:
            yield
        except RefusedError as refusal:
            reason = refusal.reason.value
            raise
        except StoreError:
            reason = Reason.STORE_UNAVAILABLE.value
            raise
        except Exception:
            reason = Reason.INTERNAL_ERROR.value
            raise
        except BaseException:
            reason = "CANCELLED"
            raise
        finally:
            name = method.rpartition("/")[2]
            self._calls.labels(name, reason).inc()
            self._call_seconds.labels(name).observe(time.monotonic() - begun)

    def acknowledged(self, outcomes: Iterable[Outcome], seconds: float) -> None:
        """A batch was acknowledged."""
        self._acknowledging.observe(seconds)
        for outcome in outcomes:
            self._vouchers.labels(_outcome(outcome)).inc()

    def watch(self, figures: Figures, gauges: Sequence[tuple[str, str, Callable[[], float]]]) -> None:
        """Show what the store and matching say, and some gauges: name, what it is, and how to learn it."""
        self.registry.register(_Looked(figures, gauges))

    def serve(self, host: str, port: int) -> tuple[int, Callable[[], None]]:
        """Answer over HTTP; the port, and what ends it. OperatorError if that is not possible."""
        try:
            server, thread = start_http_server(port, host, self.registry)
        except (OSError, OverflowError) as error:
            said = error.strerror if isinstance(error, OSError) else str(error)
            raise OperatorError(f"metrics cannot be served on port {port} of {host}: {said}") from None

        def end() -> None:
            server.shutdown()
            server.server_close()
            thread.join()

        return int(server.server_port), end


def _outcome(outcome: Outcome) -> str:
    if outcome.reason is not None:
        return outcome.reason.value
    return "already" if outcome.already else "stored"


class _Looked(Collector):
    """Figures that are looked up for each scrape; those of the store not more often than it bears."""

    def __init__(self, figures: Figures, gauges: Sequence[tuple[str, str, Callable[[], float]]]) -> None:
        self._figures, self._gauges = figures, gauges
        self._known: tuple[float, float] | None = None
        self._until = 0.0

    def describe(self) -> Iterable[Metric]:
        """Nothing is looked up to know the names."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """All of them; those of a store that does not answer are missing."""
        tally = self._figures.tally
        matched = CounterMetricFamily(
            "tpsi_matched_vouchers",
            "Vouchers that were matched, by result, synthetic ones among them.",
            labels=["result"],
        )
        for result, count in (("opened", tally.matched), ("not_opened", tally.unmatched), ("failed", tally.failed)):
            matched.add_metric([result], count)
        yield matched
        yield CounterMetricFamily("tpsi_detections", "Detections that were run.", value=tally.examined)
        yield CounterMetricFamily("tpsi_revealed_vouchers", "Vouchers that were revealed.", value=tally.revealed)
        retries = self._figures.store.retries
        yield CounterMetricFamily("tpsi_store_retries", "Transactions that were run again.", value=retries)
        for name, text, look in self._gauges:
            yield GaugeMetricFamily(name, text, value=look())
        if (found := self._stored()) is not None:
            yield GaugeMetricFamily("tpsi_waiting_vouchers", "Vouchers that wait to be matched.", value=found[0])
            yield GaugeMetricFamily("tpsi_queue_age_seconds", "How long the oldest of them waits.", value=found[1])

    def _stored(self) -> tuple[float, float] | None:
        now = time.monotonic()
        if now >= self._until:
            vouchers = self._figures.store.vouchers
            try:
                oldest = vouchers.oldest_waiting()
                age = 0.0 if oldest is None else max(0.0, time.time() - oldest)
                self._known = float(vouchers.count_waiting()), age
            except StoreError:
                self._known = None
            self._until = now + FRESH
        return self._known
