"""The play: photographs, list, server, devices, days, reveals, one after the other."""

import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TypeVar

from examples.demo import albums, photos
from examples.demo.albums import Album
from examples.demo.auditor import Auditor
from examples.demo.cast import CAST, SYNTHETIC_RATE, listed_needed, pictures_needed
from examples.demo.certification import Certification
from examples.demo.console import Console
from examples.demo.errors import DemoError
from examples.demo.figures import Account, Figures
from examples.demo.hashlists import HashList, write_lists
from examples.demo.host import PER_MILLION, Host, Table
from examples.demo.messenger import Messenger
from examples.demo.narration import Narrator
from examples.demo.outcome import Seen, Sizes, judge, wrong_day
from examples.demo.phone import Phone
from examples.demo.photos import Photo
from examples.demo.processes import Processes
from examples.demo.settings import Settings
from examples.demo.specimen import take_apart
from examples.demo.stopwatch import Stopwatch
from examples.demo.wording import spelled
from tpsi.pictures import Picture, derivative
from tpsi_client.configuration import DEFAULT_SIZE_CLASS
from tpsi_client.examining import preview_room

LIST_NAME = "demonstration list"

#: Octets of the table that are shown.
_SHOWN = 96

_T = TypeVar("_T")
_R = TypeVar("_R")


class Play:
    """One run, in a work folder of its own; `run` is called once."""

    def __init__(self, settings: Settings, work: Path, narrator: Narrator, processes: Processes) -> None:
        self._settings, self._work = settings, work
        self._narrator, self._processes = narrator, processes
        self._watch = Stopwatch()
        self._random = random.Random(settings.seed)  # noqa: S311 - it deals pictures; no secret comes from it
        self._host = Host(work / "server", processes)
        self._auditor = Auditor(work / "auditor", processes)
        self._certification = Certification(self._auditor, self._host, work, narrator)
        self._messenger = Messenger(work / "messenger", processes, narrator)
        self._phones = [Phone(member.name, work / "devices" / member.name, processes) for member in CAST]

    def run(self) -> Figures:
        """Play it all. Raises DemoError if a step fails; what differs from the promise is in the figures."""
        try:
            return self._run()
        except DemoError as error:
            raise self._host.explain(error) from None

    def _run(self) -> Figures:
        self._narrator.open(self._settings.threshold)
        pictures, origins = self._photographs()
        listed, others = albums.choose_listed(pictures, listed_needed(self._settings.threshold), self._random)
        lists, table = self._list(listed)
        self._certification.certify(lists)
        self._enrol(table)
        dealt = self._deal(listed, others)
        with self._host.reviewer() as console:
            voucher, days = self._days(dealt, console)
            accounts = self._reveals(dealt, days, console)
        self._certification.slip_in(lists, self._phones)
        # with the user's own pictures nobody could say beforehand which copies must be found
        copies = self._messenger.play(pictures) if self._settings.photos is None else None
        return Figures(
            threshold=self._settings.threshold,
            rate=SYNTHETIC_RATE,
            photos=len(pictures),
            origins=origins,
            lists=lists,
            listed_pictures=len(listed),
            canary=table.canary,
            sizes=Sizes(table.hashes, table.octets, len(voucher)),
            cells=table.cells,
            table_start=_start(table.file),
            voucher=take_apart(voucher),
            accounts=accounts,
            timings=self._watch.timings,
            seconds=self._watch.seconds,
            commands=self._processes.commands,
            seed=self._settings.seed,
            messenger=copies,
        )

    def _photographs(self) -> tuple[list[Photo], str]:
        self._narrator.step("Photographs")
        folder, source = self._work / "pictures", self._settings.photos
        pictures: list[Photo] = []
        with self._narrator.waiting("preparing pictures") as progress:

            def prepare() -> None:
                if source is None:
                    pictures.extend(photos.sample_photos(folder, self._random, progress))
                else:
                    pictures.extend(photos.own_photos(source, folder, progress))

            self._all([prepare, partial(self._host.set_up, LIST_NAME)])
        photos.require(pictures, pictures_needed(self._settings.threshold), source)
        sources = len({photo.origin for photo in pictures})
        origins = f"regions of {sources} photographs that scikit-image ships" if source is None else f"from {source}"
        self._narrator.photographs(len(pictures), origins, photos.LEAST_DISTANCE)
        return pictures, origins

    def _list(self, listed: Sequence[Photo]) -> tuple[Sequence[HashList], Table]:
        self._narrator.step("The server blinds its list")
        self._work.joinpath("lists").mkdir()
        digests = [photo.hash.digest for photo in listed]
        lists = write_lists(self._work / "lists", digests, self._settings.hashes, self._random)
        entries = sum(one.entries for one in lists)
        with self._narrator.waiting("importing hash lists"), self._watch.step("import both lists", entries, "hash"):
            self._together(self._host.take_in, lists)
        with (
            self._narrator.waiting("blinding the list"),
            self._watch.step("blind the list", self._settings.hashes, "hash"),
        ):
            table = self._host.build(self._settings.threshold)
        _check_size(table, self._settings.hashes)
        took = self._watch.timings[-1].seconds
        self._narrator.blinded(lists, len(listed), table, took, _start(table.file))
        return lists, table

    def _enrol(self, table: Table) -> None:
        self._narrator.step("Five devices enrol")
        with self._narrator.waiting("starting the server"):
            self._host.serve()
        joining = [partial(self._join, phone) for phone in self._phones]
        with self._narrator.waiting("enrolling"), self._watch.step("enrol the devices", len(self._phones), "device"):
            self._all([self._host.admit_reviewer, *joining])
        self._narrator.enrolled(self._host.address, [phone.name for phone in self._phones], table)

    def _join(self, phone: Phone) -> None:
        """The operator adds an account, and gives its owner a file; the owner's device enrols with it."""
        file = self._work / f"{phone.name}.json"
        self._host.add_account(phone.name, file)
        phone.enrol(file, self._auditor.key)

    def _deal(self, listed: Sequence[Photo], others: Sequence[Photo]) -> list[Album]:
        """Done after enrolment, as only then it is decided which vouchers a device replaces by synthetic ones."""
        settings = self._settings
        return [
            albums.deal(
                member,
                listed,
                others,
                threshold=settings.threshold,
                days=settings.days,
                replaces=phone.replaces(settings.threshold, PER_MILLION),
                rng=self._random,
            )
            for member, phone in zip(CAST, self._phones, strict=True)
        ]

    def _days(self, dealt: Sequence[Album], console: Console) -> tuple[bytes, list[dict[str, Seen]]]:
        """Every device hashes, seals and sends its pictures, day after day; what the operator sees in the evenings."""
        settings, narrator = self._settings, self._narrator
        narrator.step(f"{spelled(settings.days).capitalize()} days of photographs")
        folders = [albums.write_album(album, self._work / "albums" / album.member.name) for album in dealt]
        files = sum(len(album.until(settings.days)) for album in dealt)
        narrator.holdings(dealt)
        days: list[dict[str, Seen]] = []
        with self._watch.step("hash, seal, send, match", files, "photograph"):
            for day in range(1, settings.days + 1):
                with narrator.waiting(f"day {day}: devices hash, seal and send"):
                    sent = self._send([pages[day - 1] for pages in folders], first=day == 1)
                    days.append(self._evening(dealt, console, day))
                if day == 1:
                    voucher = sent
                    narrator.voucher(self._phones[0].name, take_apart(voucher))
                    narrator.evenings(SYNTHETIC_RATE, days[0])
                narrator.evening(day, days[-1].values())
        return voucher, days

    def _send(self, folders: Sequence[Path], *, first: bool) -> bytes:
        """Every device scans a folder and uploads; the first time, one does it in single steps and shows a voucher."""
        kept = self._work / "export.tpsi"

        def send(pair: tuple[Phone, Path]) -> bytes:
            phone, pictures = pair
            if first and phone is self._phones[0]:
                return phone.sync_keeping_one(pictures, kept)
            phone.sync(pictures)
            return b""

        return self._together(send, zip(self._phones, folders, strict=True))[0]

    def _evening(self, dealt: Sequence[Album], console: Console, day: int) -> dict[str, Seen]:
        """What the operator sees when the server has matched the day's vouchers."""

        def is_as_promised(seen: Mapping[str, Seen]) -> bool:
            return all(not wrong_day(album, self._settings.threshold, day, seen[album.member.name]) for album in dealt)

        return console.accounts_when(is_as_promised)

    def _reveals(self, dealt: Sequence[Album], days: list[dict[str, Seen]], console: Console) -> list[Account]:
        """Let all be examined that may not have been yet, and ask for the reveal of every account."""
        self._narrator.step("The reviewer asks for what was revealed")
        with self._narrator.waiting("asking for reveals"):
            revealed = [album.member.name for album in dealt if days[-1][album.member.name].revealed]
            folders = {name: self._work / "reveals" / name for name in revealed}
            exports = [partial(self._host.export, name, folder) for name, folder in folders.items()]
            self._all([self._host.match_rest, *exports])
            days[-1] = console.accounts()
            shown = {name: console.reveal(name) for name in days[-1]}
        for name, folder in folders.items():
            _compare(shown[name], folder)
        accounts = []
        for album in dealt:
            name = album.member.name
            seen = [day[name] for day in days]
            expected = _expected(album, self._settings.threshold)
            outcome = judge(album, self._settings.threshold, seen, shown[name], expected)
            accounts.append(Account(album, outcome, tuple(seen), tuple(shown[name])))
        self._narrator.verdict(accounts)
        return accounts

    def _all(self, tasks: Iterable[Callable[[], object]]) -> None:
        """Do all tasks at a time."""
        self._together(lambda task: task(), tasks)

    def _together(self, function: Callable[[_T], _R], values: Iterable[_T]) -> list[_R]:
        """Call a function that runs processes for all values at a time."""
        with ThreadPoolExecutor(len(CAST) + 1) as pool:
            try:
                return list(pool.map(function, values))
            except BaseException:
                self._processes.stop_all()  # or the pool would wait for them
                raise


def _expected(album: Album, threshold: int) -> dict[bytes, str]:
    """The small pictures that must be revealed of an account, made as its device makes them, with the files' names."""
    if len(album.matches(len(album.days))) <= threshold:
        return {}
    listed = [shot for shot in album.until(len(album.days)) if shot.listed]
    room = preview_room(DEFAULT_SIZE_CLASS)
    return {derivative(Picture.read(shot.photo.path), room): shot.name for shot in listed}


def _check_size(table: Table, wanted: int) -> None:
    """The list has exactly the hashes that both sources name, and perhaps the canary, which neither has."""
    if table.hashes != wanted + table.canary:
        raise DemoError(f"the table was built of {table.hashes} hashes instead of {wanted + table.canary}")


def _compare(shown: Sequence[bytes], folder: Path) -> None:
    """Raise DemoError if the exported files are not what the server shows over the network."""
    if sorted(path.read_bytes() for path in folder.glob("*.jpg")) != sorted(shown):
        raise DemoError("the files of an exported reveal are not what the server shows of it")


def _start(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_SHOWN).hex()
