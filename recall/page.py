"""The results as a page of the documentation."""

from recall.report import caveat, tables
from recall.run import Results

_HEAD = """# What perceptual hashes find

`make recall` (or `python recall`, after `pip install -e '.[recall]'`) measures it: on regions of the photographs
that scikit-image ships, or on your own pictures with `python recall DIR`. `--json FILE` writes the results for
programs, and `tpsi-plan --measured FILE` plans with them; `--document docs` writes this page.

Every picture's hash is taken for listed. Nineteen harmless changes are made to the picture, each to a file of its
own, and a copy counts as found if its first P probes hold the listed hash: one slot of a voucher for each. A
voucher grows by 216 octets a probe (16 rows), so 16 probes make one of 3.5 kB without a small picture.

*Degrees of freedom* says how many fair coins would scatter the distances between different pictures alike. *No
hash* are pictures that the gate refuses, as too little is to be seen. Times are for hashing with 16 probes, without
decoding.
"""
_PACKAGED = """
**These are few pictures**: {pictures}, cut from {origins} photographs of unusual kinds (microscopy, textures,
stars), whose regions are small. They show that the measurement works, and how the hashes compare. Measure on
pictures like those of your users.
"""
_OWN = """
Measured on {pictures} pictures.
"""
_TAIL = """
![Recall by number of probes](recall-by-probes.png)

![Recall by change](recall-by-change.png)

## False matches

Pairs of a picture on a device and another picture's listed hash; pairs cut from one photograph do not count. The
degenerate pictures ({hard}) are drawn by code: night skies, cut-outs on white, pages of text, gradients, frames and
the like, another series than the one that screening knows. *Screened* is what is left if every listed hash is
dropped that one of screening's own drawings matches within 64 probes. The bounds are those of Clopper and Pearson,
for independent pairs.

**{caveat}**

## What was chosen, and why

- **`dct80` with 16 probes; 64 for high recall.** It finds nearly what 64 bits find, with sixteen bits more between
  unrelated pictures: at a list of a million hashes, a rate that is small enough for a pair is not small enough for
  a picture. Beyond 64 probes recall grows slowly, and each probe costs bytes, time and false matches.
- **Balanced flips only.** A hash that compares with its median has half of its bits set, in the picture and in
  every copy; so single flips never match. Probes flip as many ones as zeros, in the exact order of the sum of
  distances from the median.
- **`pdq` is no token for exact matching**: of 256 bits some always flip, and it depends on the size of its input.
  Of a reduced picture (`pdq64`) it serves as the second hash after a reveal, compared by distance.
- **The gate is not enough, nor is screening with drawn pictures.** The gate refuses what is plain; of drawn night
  skies and pages many have a hash all the same. Drawn references take out what they happen to match, which is
  little of another series: harmless pictures like those of your users (`--innocent`) take out what matters.
- **Weak spots**: brightening that clips highlights, and watermarks, cost more than compression does.
- **Out of reach**: crops of 3 % and more, rotations, and mirror images, which `tpsi-device scan --mirrored` finds
  for twice the cost.
- Audio and text have no hash here.
"""


def page(results: Results, *, packaged: bool) -> str:
    """The whole page in Markdown."""
    note = (_PACKAGED if packaged else _OWN).format(pictures=results.pictures, origins=results.origins)
    lines = list(tables(results))
    cut = max(place for place, line in enumerate(lines) if not line)
    recall, false = "\n".join(lines[:cut]), "\n".join(lines[cut + 1 :])
    head, _, tail = _TAIL.format(hard=results.hard, caveat=caveat(results)).partition("**A zero")
    return f"{_HEAD}{note}\n{recall}\n{head}{false}\n\n**A zero{tail}"
