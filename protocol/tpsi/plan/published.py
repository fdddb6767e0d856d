"""The published setting, as an example.

*Security Threat Model Review of Apple's Child Safety Features* (August 2021) found 3 false matches among 100 million
pictures and the list of one organisation (and none among 500 000 others), plans with a worst case of 10^-6 for *a
picture against the whole list*, wishes for less than 10^-12 for an account, assumes "that every iCloud Photo library
is larger than the actual largest one", and expects to set the threshold to 30. The size of that library is not
published, though the threshold follows from it: with independent pictures 30 is the smallest threshold that meets the
wish for libraries of 5 773 006 to 6 171 985 pictures, and 14 would do for a million.
"""

from dataclasses import replace

from tpsi.parameters import Synthetic
from tpsi.plan.rates import Measurement
from tpsi.plan.setting import HashType, Setting

THRESHOLD = 30
WISHED = 1e-12
RATE = 1e-6
#: The largest library for which the published threshold meets the published wish at the published rate.
LIBRARY = 6_171_985
#: The synthetic rate is not published either; with this one such a library is still decoded.
SYNTHETIC = Synthetic(per_million=500)
#: The size of the list is not published; it does not enter, because the rate is for the whole list.
LISTED = 1
#: What was observed: 3 in 100.5 million, a picture against the whole list being one trial.
OBSERVED = Measurement("neuralhash", 1, 100_500_000, 3)


def published_setting() -> Setting:
    """The published rate, wish and threshold, with the library that they imply."""
    kind = HashType("neuralhash", LISTED, assumed=RATE, per_picture=True)
    return Setting((kind,), LIBRARY, WISHED, threshold=THRESHOLD, synthetic=SYNTHETIC)


def observed_setting() -> Setting:
    """The same with the upper confidence bound of what was observed, instead of the worst case."""
    kind = HashType("neuralhash", LISTED, measurement=OBSERVED, per_picture=True)
    return replace(published_setting(), types=(kind,))
