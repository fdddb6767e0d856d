"""The results as tables (Markdown, which also reads well in a terminal) and as JSON for programs."""

from collections.abc import Iterable, Iterator
from typing import Any

from recall.measure import MIRROR_PROBED
from recall.run import Results
from recall.summary import COUNTS, FalseMatches, Summary
from recall.transformations import BENIGN, MIRROR
from tpsi.plan import Measurement

FORMAT = 1


def tables(results: Results) -> Iterator[str]:
    """All tables, line by line."""
    yield from _recall_table(results)
    yield ""
    yield from _change_table(results.summaries[0])
    yield ""
    yield from _false_table(results)


def caveat(results: Results) -> str:
    """What these numbers do not show."""
    pairs = results.summaries[0].innocent.pairs
    bound = Measurement(results.summaries[0].type, 1, pairs, 0).upper
    return (
        f"A zero among {pairs:,} pairs bounds the rate of a pair by {bound:.1g} at best (95 %), and only if pairs were "
        "independent, which pairs that share a picture are not. A picture on a device is compared with every hash of a "
        f"list: at a list of a million, a rate of {bound:.1g} would be {bound * 1e6:,.0f} false matches a picture. So "
        "a rate measured on thousands of pictures certifies nothing about a list of a million: it can only show that a "
        "hash is bad. Plan with more than it shows (`tpsi-plan`, off by ten), and screen the list."
    )


def document(results: Results) -> dict[str, Any]:
    """The results for programs. `measurements` is what `tpsi-plan --measured` reads."""
    return {
        "format": FORMAT,
        "pictures": results.pictures,
        "cut_from": results.origins,
        "degenerate_pictures": results.hard,
        "caveat": caveat(results),
        "measurements": [
            _measurement(summary.innocent.measurement(summary.type, count), "pictures")
            for summary in results.summaries
            for count in COUNTS
        ],
        "degenerate": [
            _measurement(one.measurement(summary.type, count), what)
            for summary in results.summaries
            for what, one in (("unscreened", summary.degenerate), ("screened", summary.screened))
            for count in COUNTS
        ],
        "types": [_summary(summary) for summary in results.summaries],
    }


def _measurement(one: Measurement, what: str) -> dict[str, Any]:
    return {
        "hash": one.hash,
        "probes": one.probes,
        "pairs": one.pairs,
        "false_matches": one.false_matches,
        "lower": one.lower,
        "upper": one.upper,
        "confidence": one.confidence,
        "corpus": what,
    }


def _summary(summary: Summary) -> dict[str, Any]:
    return {
        "hash": summary.type,
        "hashed": summary.hashed,
        "refused": summary.refused,
        "degrees_of_freedom": summary.entropy,
        "microseconds_a_picture": summary.seconds * 1e6,
        "mean_recall": {str(count): summary.mean(count) for count in COUNTS},
        "mean_recall_without_crops": {str(count): summary.mean(count, crops=False) for count in COUNTS},
        "found": {
            name: {str(count): list(cases) for count, cases in counts.items()}
            for name, counts in summary.recall.items()
        },
        "false_match_examples": [list(example) for example in summary.innocent.examples],
    }


def _recall_table(results: Results) -> Iterator[str]:
    yield row(
        "token", *(f"P = {count}" for count in COUNTS), "without crops, 1 / 64", "no hash", "degrees of freedom", "ms"
    )
    yield row(*["---"] * 10)
    for one in results.summaries:
        yield row(
            one.type,
            *(f"{one.mean(count):.3f}" for count in COUNTS),
            f"{one.mean(1, crops=False):.3f} / {one.mean(64, crops=False):.3f}",
            f"{one.refused} of {one.refused + one.hashed}",
            f"{one.entropy:.0f}",
            f"{one.seconds * 1000:.1f}",
        )


def _change_table(summary: Summary) -> Iterator[str]:
    yield row(f"{summary.type}: share of copies found", *(f"P = {count}" for count in COUNTS))
    yield row(*["---"] * 6)
    for name in (*BENIGN, MIRROR, MIRROR_PROBED):
        shares = summary.recall[name]
        yield row(name, *(f"{found / max(1, cases):.3f}" for found, cases in (shares[count] for count in COUNTS)))


def _false_table(results: Results) -> Iterator[str]:
    yield row("token", "corpus", "pairs", *(f"P = {count}" for count in COUNTS), "upper bound at P = 16 (95 %)")
    yield row(*["---"] * 9)
    for one in results.summaries:
        for what, found in _corpora(one):
            bound = found.measurement(one.type, 16).upper
            yield row(one.type, what, f"{found.pairs:,}", *(found.matches[count] for count in COUNTS), f"{bound:.1e}")


def _corpora(one: Summary) -> Iterable[tuple[str, FalseMatches]]:
    return (("pictures", one.innocent), ("degenerate", one.degenerate), ("degenerate, screened", one.screened))


def row(*cells: object) -> str:
    """A line of a table."""
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
