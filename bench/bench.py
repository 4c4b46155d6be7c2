"""What a row costs, beside others and beside itself: `make bench` (half an hour), `make bench QUICK=1` (five minutes).

    python bench/bench.py [--quick] [--json bench.json]

Competitors run in turn, round after round, against one stand-in (`stand_in.py`); each is a process of its own, and its
CPU is what the kernel says of it (getrusage), never the clock on the wall. Of the rounds the median counts, with the
smallest and the largest beside it; a ratio is of one round. No test asserts any of it.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from stand_in import Target, asked, stand_in

ROOT = Path(__file__).resolve().parent.parent
PEERS = {"drt-core": "1.2.1", "polars-api": "0.4.0"}
"""Versions that were tried."""

REQUESTS = 5
"""Of the script, for a row."""

AT_ONCE = "64"
QUOTAS = ((20, 2), (1000, 1))
"""60 in 180 s takes half an hour; tests/transport/test_quota.py has it on a clock of its own."""

WINDOWS = 12


@dataclass(frozen=True)
class Used:
    """What one process used. `seconds` on the wall, CPU with that of its children, `mib` at its peak."""

    cpu: float
    seconds: float
    mib: float
    code: int


def used(command: Sequence[str | Path], folder: Path, url: str = "", **more: str) -> Used:
    """Runs it to its end."""
    given = {
        "MUSTER_BASE_URL": url,
        "MUSTER_TENANT": "1001",
        "MUSTER_IDENTITY": "operator",
        "MUSTER_PASSWORD": "secret",
    }
    environment = {**os.environ, **(given if url else {}), "PYTHONPATH": f"{as_installed(folder)}:{ROOT}", **more}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    began = time.perf_counter()
    with (folder / "said.txt").open("ab") as said:
        process = subprocess.Popen(
            [str(part) for part in command], cwd=folder, env=environment, stdout=said, stderr=said
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - began
    return Used(usage.ru_utime + usage.ru_stime, seconds, usage.ru_maxrss / 1024, os.waitstatus_to_exitcode(status))


def as_installed(folder: Path) -> Path:
    """A folder before all others in which the tests' own libraries are not there: pandera would load hypothesis."""
    place = folder / "as-installed"
    place.mkdir(exist_ok=True)
    (place / "hypothesis.py").write_text("raise ImportError\n")
    return place


def muster(folder: Path, url: str, *arguments: str) -> Used:
    """One command; a run at no limit and with 64 rows at once."""
    run = ["--rate", "1000000/1", "--concurrency", AT_ONCE] if arguments[0] in {"run", "resume"} else []
    return used([sys.executable, "-m", "jobs", *arguments, *run], folder, url)


def rows_file(folder: Path, rows: int, *, dirty: float = 0.0) -> Path:
    """Made-up customers."""
    path = folder / f"customers-{rows}.csv"
    with path.open("wb") as file:
        generate = [sys.executable, ROOT / "sample_data/generate.py", "--rows", rows, "--seed", 7, "--dirty", dirty]
        subprocess.run([str(part) for part in generate], stdout=file, check=True)
    return path


@dataclass(frozen=True)
class Bench:
    """Where it is measured, and how much."""

    folder: Path
    target: Target
    quick: bool

    def fresh(self) -> Path:
        """A folder of its own; the stand-in forgets everybody."""
        asked(self.url, "reset")
        return Path(tempfile.mkdtemp(dir=self.folder))

    @property
    def url(self) -> str:
        """Where the target answers at once."""
        return self.target.url

    @property
    def rounds(self) -> int:
        """How often each competitor runs."""
        return 3 if self.quick else 5

    def competitors(self) -> dict[str, Callable[[], float | str]]:
        """By name what runs once and gives milliseconds of CPU a row; in words why it can't."""
        rows = 1000 if self.quick else 2000
        path = rows_file(self.folder, rows)

        def a_row(command: Sequence[str | Path], **more: str) -> float | str:
            found = used(command, self.fresh(), **more)
            return found.cpu * 1000 / rows if found.code == 0 else f"ended with {found.code}: see {self.folder}"

        def run(url: str, *more: str) -> float | str:
            if not url:
                return "not there: nginx and openssl"
            found = muster(self.fresh(), url, "run", str(path), "-q", *more)
            return found.cpu * 1000 / rows if found.code == 0 else f"ended with {found.code}"

        def peer(name: str) -> Callable[[], float | str]:
            python = self.environment(name)
            if python is None:
                return lambda: "not there: it could not be installed"
            return lambda: a_row([python, ROOT / "bench/peers.py", name, self.url, path])

        def wrk() -> float | str:
            if shutil.which("wrk") is None:
                return "not there: apt install wrk"
            return self.wrk()

        return {
            "muster, all of it": lambda: run(self.url),
            "muster, over TLS": lambda: run(self.target.tls_url, "--ca-file", str(self.target.authorities)),
            "the script, 5 requests": lambda: a_row(
                [sys.executable, ROOT / "bench/script.py", self.url, path, AT_ONCE]
            ),
            **{f"{name}, the create alone": peer(name) for name in PEERS},
            "wrk, 10 requests": wrk,
        }

    def environment(self, name: str) -> Path | None:
        """The Python of an environment that has a peer; None when it can't be made."""
        python = ROOT / f".venv/bench/{name}/bin/python"
        if not python.exists():
            made = subprocess.run([sys.executable, "-m", "venv", python.parent.parent], check=False).returncode
            wanted = f"{name}=={PEERS[name]}"
            pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted]
            if made or subprocess.run(pip, check=False, capture_output=True).returncode:
                shutil.rmtree(python.parent.parent, ignore_errors=True)
                return None
        return python

    def wrk(self) -> float | str:
        """Ten requests a row by a C program that reads no reply: the floor."""
        self.fresh()
        before = sum(dict(asked(self.url, "counts")).values())  # type: ignore[call-overload]
        found = used(
            ["wrk", "-t1", f"-c{AT_ONCE}", "-d2s", "-s", ROOT / "bench/wrk.lua", self.url], self.folder, MIX="ten"
        )
        calls = sum(dict(asked(self.url, "counts")).values()) - before  # type: ignore[call-overload]
        return found.cpu * 1000 / (calls / 10) if calls else f"ended with {found.code}"

    def sending(self) -> dict[str, object]:
        """Ten requests a row by muster's sender alone, and by wrk, in turn; the ratio is of one round."""
        rows = 640 if self.quick else 6400
        command = [sys.executable, ROOT / "bench/sending.py", self.url, str(rows), AT_ONCE]
        ours, floor = list[float](), list[float]()
        for _ in range(self.rounds):
            wrk = "not there: apt install wrk" if shutil.which("wrk") is None else self.wrk()
            if isinstance(wrk, str):
                return {"wrk, 10 requests": wrk}
            self.fresh()
            path = {**os.environ, "PYTHONPATH": str(ROOT)}
            ours.append(float(subprocess.run(command, env=path, check=True, capture_output=True, text=True).stdout))
            floor.append(wrk)
        ratios = [one / other for one, other in zip(ours, floor, strict=True)]
        return {
            "the sender, 10 requests": {"cpu_ms_a_row": spread(ours), "of_wrk": spread(ratios)},
            "wrk, 10 requests": {"cpu_ms_a_row": spread(floor)},
        }

    def side_by_side(self) -> dict[str, object]:
        """The competitors, in turn."""
        chosen = self.competitors()
        found: dict[str, list[float]] = {name: [] for name in chosen}
        words: dict[str, str] = {}
        for _ in range(self.rounds):
            for name, once in chosen.items():
                result = words.get(name) or once()
                if isinstance(result, str):
                    words[name] = result
                else:
                    found[name].append(result)
        mine = found["muster, all of it"]
        return {name: words.get(name) or compared(results, mine) for name, results in found.items()}

    def stages(self) -> dict[str, object]:
        """One run, and each command after it: milliseconds of CPU a row, the start of the program included."""
        rows, folder = 500 if self.quick else 5000, self.fresh()
        path = rows_file(folder, rows)
        half = muster(folder, self.url, "run", path.name, "-q", "--run-id", "r1", "--limit", str(rows // 2))
        steps = {
            "a run of the first half (--limit)": half,
            "resume, the other half": muster(folder, self.url, "resume", "r1", "-q", "--run-id", "r2"),
            "the finished file again": muster(folder, self.url, "run", path.name, "-q", "--run-id", "r3"),
            "and again, none of it read": muster(folder, self.url, "run", path.name, "-q", "--reread", "0"),
            "reconcile": muster(folder, self.url, "reconcile", "r2", "-q"),
            "report": muster(folder, self.url, "report", "r2", "-q"),
            "verify": muster(folder, self.url, "verify", "r2", "-q"),
        }
        calls = dict(asked(self.url, "counts"))  # type: ignore[call-overload]
        return {
            **{name: {"ms": round(each.cpu * 1000 / rows, 3), "code": each.code} for name, each in steps.items()},
            "calls of a row, all commands": {name: round(number / rows, 2) for name, number in calls.items()},
            "ledger, bytes a row": round(sum(one.stat().st_size for one in folder.glob("muster.db*")) / rows),
            "events.ndjson, bytes a row": round((folder / "runs/r2/events.ndjson").stat().st_size / rows),
        }

    def validation(self) -> dict[str, object]:
        """At two sizes: microseconds of CPU a row, MiB at the peak."""
        sizes = (50_000, 200_000) if self.quick else (200_000, 1_000_000)
        found: dict[str, object] = {}
        for rows in sizes:
            folder = self.fresh()
            each = muster(folder, "", "validate", str(rows_file(folder, rows, dirty=0.02)), "-q")
            found[f"{rows:,} rows"] = {"us": round(each.cpu * 1e6 / rows, 1), "mib": round(each.mib)}
            shutil.rmtree(folder)
        return found

    def start(self) -> dict[str, object]:
        """Seconds of CPU before anything is done."""
        folder = self.fresh()
        one = rows_file(folder, 1)
        commands: Mapping[str, Callable[[], Used]] = {
            "--help": lambda: muster(folder, "", "--help"),
            "a run of one row": lambda: muster(folder, self.url, "run", one.name, "-q"),
            "status": lambda: muster(folder, "", "status"),
            "validate, one row": lambda: muster(folder, "", "validate", one.name, "-q"),
        }
        return {name: {"s": spread([once().cpu for _ in range(self.rounds)])} for name, once in commands.items()}

    def quota(self) -> dict[str, object]:
        """How many of the permitted calls were made, and the most in any window by the target's own clock."""
        found: dict[str, object] = {}
        for calls, seconds in QUOTAS[:1] if self.quick else QUOTAS:
            windows, folder = 6 if self.quick else WINDOWS, self.fresh()
            path = rows_file(folder, calls * windows // 3)
            with_log(self.url)
            limit = ["--rate", f"{calls}/{seconds}", "--concurrency", AT_ONCE]
            used([sys.executable, "-m", "jobs", "run", path.name, "-q", *limit], folder, self.url)
            times = sorted(asked(self.url, "arrived"))  # type: ignore[call-overload]
            most = max(bisect_left(times, at + seconds) - place for place, at in enumerate(times))
            used_up = bisect_left(times, times[0] + (windows - 2) * seconds) / ((windows - 2) * calls)
            shown = {"used": round(used_up, 3), "most_in_a_window": most, "permitted": calls}
            found[f"{calls} in {seconds} s, {windows - 2} windows"] = shown
        return found

    def latency(self) -> dict[str, object]:
        """Rows a second at 50 ms a reply, and what six calls a row would allow."""
        rows = 640 if self.quick else 2560
        folder = self.fresh()
        each = muster(folder, self.target.slow_url, "run", rows_file(folder, rows).name, "-q", "--run-id", "r1")
        summary = json.loads((folder / "runs/r1/summary.json").read_bytes())
        ceiling = int(AT_ONCE) / (6 * 0.05)
        return {
            "50 ms a reply": {"rows_a_second": round(rows / each.seconds, 1), "six calls allow": round(ceiling, 1)},
            "requests": summary["requests"],
        }


def compared(results: Sequence[float], mine: Sequence[float]) -> dict[str, object]:
    """One competitor beside muster, round by round."""
    ratios = [one / ours for one, ours in zip(results, mine, strict=True)]
    return {"cpu_ms_a_row": spread(results), "of_muster": spread(ratios)}


def with_log(url: str) -> None:
    """The stand-in notes when writes come."""
    asked(url, "log?on=1")


def spread(results: Sequence[float]) -> list[float]:
    """The smallest, the median and the largest."""
    return [round(each, 3) for each in (min(results), median(results), max(results))] if results else []


def shown(name: str, part: Mapping[str, object]) -> str:
    """One part of what was found, a line for each thing."""
    return "\n".join([f"\n{name}", *(f"  {each:<32} {said(value)}" for each, value in part.items())])


def said(value: object) -> str:
    """A value as people read it."""
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {said(each)}" for name, each in value.items())
    if isinstance(value, list) and len(value) == 3:
        return f"{value[1]:g} ({value[0]:g} to {value[2]:g})"
    return str(value)


def main() -> None:
    """Measures, prints, and writes the same as JSON."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="Five minutes instead of thirty.")
    parser.add_argument("--json", type=Path, default=Path("bench.json"), help="Where the numbers are written.")
    parser.add_argument("--only", help="One part.")
    given = parser.parse_args()
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory() as name, stand_in(Path(name)) as target:
        bench = Bench(Path(name), target, given.quick)
        print(f"stand-in: {target.kind}; {os.cpu_count()} cores; median (smallest to largest) of {bench.rounds} rounds")
        for part in ("side_by_side", "sending", "stages", "validation", "start", "quota", "latency"):
            if given.only in (None, part):
                found[part] = getattr(bench, part)()
                print(shown(part.replace("_", " "), found[part]), flush=True)  # type: ignore[arg-type]
    given.json.write_text(json.dumps({"stand_in": target.kind, "quick": given.quick, **found}, indent=1) + "\n")
    print(f"\n{given.json}: the same as JSON")


if __name__ == "__main__":
    main()
