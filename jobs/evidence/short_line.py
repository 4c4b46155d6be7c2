"""Events as short lines: what all events of a run share is said once, in the header; what many share, by a word.

`{"ms":561,"row":7,"event":"result customer done 200"}`: a word stands for all that an event says but its time, its row
and its own values. The first line that has it also has `is`, which says what it means. A row's key is said by its
first line; a row of which the last `KEYS` rows took the place says it again. `body` is the event's `fingerprint`, and
`"write_key":true` says that it is the row's key.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jobs.clock import from_milliseconds, iso, milliseconds
from jobs.errors import MusterError
from jobs.evidence.canonical import canonical, canonical_text

FORM = 2
"""1 had all of an event in its line, and its hash and that of the line before it (`linked_line.py`)."""

KEYS = 50_000
"""Rows whose keys are held at a time (chosen: 10 MB); part of the form."""

WORDS = 1000
"""Words of a log, at most (chosen: a run has some thirty). What finds none is spelt out."""

LONGEST_WORD = 100
"""Characters; what would be longer is spelt out."""

READING = (
    "ms: milliseconds since `at`; row: source_row; event: a word, whose meaning stands in `is` where it is first used;"
    " key: of the row, said once; body: SHA-256 of the request's body; write_key true: the row's key;"
    " seal: the lines from..to have the SHA-256 `sha256` (the seal before them is the first of them)"
)
"""What a person who opens the file has to know; it stands in its first line."""

_OWN = frozenset({"at", "run_id", "source_row", "key", "fingerprint", "write_key", "trace_id"})
"""What is the event's own, and part of no word."""

RESERVED = frozenset({"ms", "row", "event", "is", "body", "seal", "form", "n", "prev", "hash"})
"""What lines call things; no event may have members of these names."""

_PLAIN = frozenset({str, int})
"""Values that a word may stand for."""

_USUAL = frozenset({"ms", "row"})
"""Where nearly every line is placed."""

_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")
_FIRST = ("kind", "step", "verdict", "http_status", "error_code", "detail")
"""The order in a word; what else an event says follows by name."""


class _Keys:
    """The keys of the rows that were named last."""

    def __init__(self) -> None:
        self._of: dict[object, object] = {}

    def get(self, row: object) -> object:
        """What the row's line before said; None: nothing, or it is long ago."""
        return self._of.get(row)

    def note(self, row: object, key: object) -> None:
        """A line has said it."""
        if len(self._of) >= KEYS:
            self._of.clear()
        self._of[row] = key


@dataclass(slots=True)
class _Word:
    text: str
    spelt: bytes
    """It in quotes, as JSON."""
    told: bool = False
    """Whether a line has said what it means."""
    body: object = None
    """The fingerprint of the last event that was told by it."""
    again: "tuple[object, _Word] | None" = None
    """A fingerprint that came twice in a row, and the word that says it too."""


class Shortener:
    """Makes lines of the events of one log, in their order."""

    def __init__(self) -> None:
        self.header: dict[str, object] = {}
        """The first line; empty until an event is told."""
        self._words: dict[tuple[tuple[str, object], ...], _Word] = {}
        self._texts: set[str] = set()
        self._keys = _Keys()
        self._moments = _Moments()
        self._since_ms: int | None = None

    def line(self, event: Mapping[str, object]) -> bytes:
        """The line that tells `event`. Raises MusterError when it names something as lines do."""
        if not RESERVED.isdisjoint(event):
            raise MusterError("an event may not name its own place in the log")
        if not self.header:
            self._begin(event)
        common = tuple([pair for pair in event.items() if pair[0] not in _OWN])
        word = None if bool in map(type, event.values()) else self._word(common)  # True is 1 to a dictionary
        body = event.get("fingerprint")
        if word is not None and body is not None:
            word, body = self._repeated(common, word, body)
        place, own = self._place(event), self._values(event, body)
        if word is not None and word.told and not own and place.keys() == _USUAL and type(place["row"]) is int:
            return b'{"ms":%d,"row":%d,"event":%b}\n' % (place["ms"], place["row"], word.spelt)  # half of the time
        return canonical({**place, **self._said(event, common, word, body), **own}, by_name=False) + b"\n"

    def _said(
        self, event: Mapping[str, object], common: Iterable[tuple[str, object]], word: _Word | None, body: object
    ) -> dict[str, object]:
        """The word, with its meaning where no line has told it; else what it would stand for."""
        if word is None:
            return dict(common)
        if word.told:
            return {"event": word.text}
        word.told = True
        fingerprint = event.get("fingerprint")
        more = {} if body == fingerprint else {"fingerprint": fingerprint}
        return {"event": word.text, "is": {**dict(common), **more}}

    def _begin(self, event: Mapping[str, object]) -> None:
        at = event.get("at")
        self._since_ms = self._moments.ms(at)
        known = {"at": None if self._since_ms is None else at, "run_id": event.get("run_id")}
        self.header = {"form": FORM, **{name: each for name, each in known.items() if each is not None}}
        self.header["reading"] = READING

    def _place(self, event: Mapping[str, object]) -> dict[str, Any]:
        """When, which run, which row."""
        line: dict[str, Any] = {}
        at = event.get("at")
        ms = None if self._since_ms is None else self._moments.ms(at)
        if ms is not None and self._since_ms is not None:
            line["ms"] = ms - self._since_ms
        elif "at" in event:
            line["at"] = at
        run_id = event.get("run_id")
        if run_id != self.header.get("run_id"):
            line["run_id"] = run_id
        if "source_row" in event:
            line["row"] = event["source_row"]
        return line

    def _values(self, event: Mapping[str, object], body: object) -> dict[str, object]:
        """What is the event's own. `body`: its fingerprint; None: there is none, or a word says it."""
        own: dict[str, object] = {}
        key, row = event.get("key"), event.get("source_row")
        if key != self._keys.get(row):
            own["key"] = key
            self._keys.note(row, key)
        if body is not None:
            own["body"] = body
        if (write_key := event.get("write_key")) is not None:
            own["write_key"] = True if write_key == key else write_key
        if (trace_id := event.get("trace_id")) is not None:
            own["trace_id"] = trace_id
        return own

    def _word(self, common: tuple[tuple[str, object], ...]) -> _Word | None:
        try:
            known = self._words.get(common)
        except TypeError:  # a value that holds others
            return None
        return known or self._new(common)

    def _new(self, common: tuple[tuple[str, object], ...]) -> _Word | None:
        """A word that nobody used yet; None where what it would stand for is long, or said once."""
        if len(self._texts) >= WORDS or ("kind", "decision") in common:
            return None
        text = in_words(dict(common))
        if (
            not 0 < len(text) <= LONGEST_WORD
            or text in self._texts
            or any(type(each) not in _PLAIN for _, each in common)
        ):
            return None
        self._texts.add(text)
        return self._words.setdefault(common, _Word(text, canonical_text(text)))

    def _repeated(self, common: tuple[tuple[str, object], ...], word: _Word, body: object) -> tuple[_Word, object]:
        """The word to tell by and the fingerprint that is left to say; None: the word says it."""
        if word.again is not None and word.again[0] == body:
            return word.again[1], None
        if word.body == body and word.again is None:
            made = self._new((*common, ("fingerprint", body)))
            if made is not None:
                word.again = (body, made)
                return made, None
        word.body = body
        return word, body


def in_words(said: Mapping[str, object]) -> str:
    """How people read it: `result customer done 200`, `intent wallet, attempt 2`; None is not said."""
    known = [str(said[name]) for name in _FIRST if said.get(name) is not None]
    known.append(str(said.get("fingerprint") or "")[:8])
    told = {*_FIRST, "fingerprint"}
    more = [f"{name} {value}" for name, value in said.items() if name not in told and value is not None]
    return ", ".join(filter(None, [" ".join(filter(None, known)), *(each for each in more if each != "attempt 1")]))


class _Moments:
    """ISO times as milliseconds; most are of the second before."""

    def __init__(self) -> None:
        self._second, self._ms = "", 0

    def ms(self, at: object) -> int | None:
        """Milliseconds since 1970; None where `at` is spelt otherwise than muster spells times."""
        if type(at) is not str or len(at) != 24:
            return None
        if at[:19] != self._second:
            if not _MOMENT.fullmatch(at):
                return None
            try:
                whole = milliseconds(datetime.fromisoformat(at[:19] + "+00:00"))
            except ValueError:
                return None
            self._second, self._ms = at[:19], whole
        rest = at[20:23]
        return self._ms + int(rest) if at[19] == "." and at[23] == "Z" and rest.isascii() and rest.isdigit() else None


class Lengthener:
    """Makes events of the lines of one log again, in their order."""

    def __init__(self, header: Mapping[str, Any]) -> None:
        self._run = {"run_id": header["run_id"]} if "run_id" in header else {}
        self._since_ms = _Moments().ms(header.get("at"))
        self._words: dict[object, Mapping[str, Any]] = {}
        self._keys = _Keys()
        self._second, self._text = -1, ""

    def event(self, line: Mapping[str, Any]) -> dict[str, Any]:
        """The event of a line. Raises KeyError when a word has no meaning, TypeError when a member is none."""
        word = line.get("event")
        if "is" in line:
            self._words[word] = line["is"]
        event: dict[str, Any] = {**self._run, **(self._words[word] if word is not None else {})}
        if "ms" in line:
            event["at"] = self._at(line["ms"])
        if "row" in line:
            event["source_row"] = line["row"]
        if "body" in line:
            event["fingerprint"] = line["body"]
        event.update([pair for pair in line.items() if pair[0] not in RESERVED])
        self._with_key(line, event)
        return event

    def _with_key(self, line: Mapping[str, Any], event: dict[str, Any]) -> None:
        row = line.get("row")
        if "key" in line:
            self._keys.note(row, event.pop("key"))
        key = self._keys.get(row)
        if key is not None:
            event["key"] = key
        if event.get("write_key") is True:
            event["write_key"] = key

    def _at(self, ms: int) -> str:
        second, rest = divmod((self._since_ms or 0) + ms, 1000)
        if second != self._second:
            self._second, self._text = second, iso(from_milliseconds(second * 1000))[:20]
        return f"{self._text}{rest:03d}Z"
