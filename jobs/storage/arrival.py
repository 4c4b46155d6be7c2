"""An input that lies in a cloud: it is fetched once, into the command's private folder, and read there."""

from pathlib import Path

from jobs.disk import unusable
from jobs.errors import NotPermitted, Unusable
from jobs.privacy import file_names
from jobs.storage.address import Address, address_of, is_address
from jobs.storage.bucket import Absent, Seen
from jobs.storage.web import fetch_page
from jobs.value import value

CONTROLS = (".control.json", ".control.toml")
"""How records that come beside an input end; they are fetched with it."""


@value
class Arrival:
    """A file that was fetched, and the object as it was."""

    address: Address
    seen: Seen

    def facts(self) -> dict[str, object]:
        """What the run and its manifest say of the object."""
        found = {"address": str(self.address), "size": self.seen.size, "etag": self.seen.etag}
        return found | ({"version": self.seen.version} if self.seen.version else {})


_ARRIVED: dict[Path, Arrival] = {}
"""What files of private folders are copies of."""


def arrived(path: Path, work: Path, query: str | None = None) -> Path:
    """`path` itself, or the file in `work` to which the object that it names was fetched; once a command.

    `query`: the secret that an https address has behind its `?`. Raises Unusable where there is no such object,
    NotPermitted, Unreachable.
    """
    if not is_address(path):
        return path
    address = address_of(path)
    if file_names.shown(address.key) != address.key:
        raise Unusable(f"{file_names.shown(str(address))} shows a person's number or address", hint="rename the object")
    if not address.name:
        raise Unusable(f"{address} names no object", hint="s3://BUCKET/KEY")
    folder = work / "input"  # apart from the files on the way: documents of rows are looked for beside an input
    folder.mkdir(mode=0o700, exist_ok=True)
    local = folder / address.name
    if not local.exists():
        _ARRIVED[local] = Arrival(address, _fetched(address, local, query))
        if query is None:
            _with_controls(address, local)
    return local


def arrival_of(path: Path) -> Arrival | None:
    """What the file was fetched from; None: it lies here."""
    return _ARRIVED.get(path)


def recorded(path: Path) -> str:
    """What the ledger calls a file: its address, or that it was fetched from, or its whole path."""
    return _address(path) or file_names.shown(path.resolve())


def called(path: Path) -> str:
    """What messages and reports call a file: its address, or that it was fetched from, or its path."""
    return _address(path) or file_names.shown(path)


def _address(path: Path) -> str | None:
    """The address that a path is, or that its file was fetched from."""
    found = arrival_of(path)
    if found is None:
        return str(address_of(path)) if is_address(path) else None
    return str(found.address)


def _with_controls(address: Address, local: Path) -> None:
    for ending in CONTROLS:
        beside = address_of(f"{address}{ending}")
        path = local.with_name(beside.name)
        try:
            _ARRIVED[path] = Arrival(beside, _fetched(beside, path, None))
        except Absent:
            path.unlink(missing_ok=True)
        except NotPermitted as error:
            if not address.scheme.startswith("http"):  # a bucket that may not be listed says so of all that is absent
                hint = "allow to list the bucket: else nobody knows whether there is one"
                raise NotPermitted(f"whether there is a control record: {error.message}", hint=hint) from None


def _fetched(address: Address, local: Path, query: str | None) -> Seen:
    try:
        if address.scheme.startswith("http"):
            return fetch_page(address, local, query)
        from jobs.storage.bucket import opened

        return opened(address).get("", local)
    except OSError as error:
        raise unusable(error, local.parent) or error from None
    except Absent as error:
        raise Absent(error.message, hint="look at the name, and whether it is complete already") from None
