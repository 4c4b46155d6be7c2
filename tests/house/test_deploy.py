"""The files of deploy/: they parse, each muster command, option, setting and exit code in them is one of muster's."""

import ast
import configparser
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from jobs.errors import ExitCode
from jobs.model import ATTENTION, DIFFERING
from jobs.settings.option import PREFIX
from jobs.settings.secrets import SECRETS
from jobs.settings.settings import BY_NAME

from .test_docs import ROOT
from .test_pages import understood

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
MANIFESTS = [path for path in FILES if path.suffix == ".yaml"]
PROGRAMS = [path for path in FILES if path.suffix == ".py"]
SCRIPTS = [path for path in FILES if path.suffix == ".sh"]
OTHERS = {"MUSTER", "MUSTER_CONFIG", "MUSTER_RUN", "MUSTER_LOOK"}
"""Variables of the files' own, and the one that names the settings file."""
CODES = {int(code) for code in ExitCode}
LEAST, NEWEST = "1.33", "1.37"
"""Kubernetes with `backoffLimitPerIndex` for everybody, and the newest whose schemas there are."""


def name(path: Path) -> str:
    return path.relative_to(DEPLOY).as_posix()


def documents(path: Path) -> list[dict[str, Any]]:
    """The objects of a file of YAML; those of a List one by one."""
    found = [each for each in yaml.safe_load_all(path.read_text(encoding="utf-8")) if each]
    return [item for each in found for item in (each["items"] if each.get("kind") == "List" else [each])]


def mappings(node: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a document."""
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from mappings(each)


def commands(path: Path) -> list[str]:
    """Every `muster …` that a file runs."""
    text = path.read_text(encoding="utf-8").replace("\\\n", " ").replace("\\%", "%")
    if path in PROGRAMS:
        lists = [node.elts for node in ast.walk(ast.parse(text)) if isinstance(node, ast.List)]
        words = [[each.value if isinstance(each, ast.Constant) else "MUSTER" for each in given] for given in lists]
        told = [each[each[0] == "MUSTER" :] for each in words]
        return [shlex.join(["muster", *each]) for each in told if each and each[0] != "MUSTER"]
    found = [
        line.strip(" '`") for line in re.findall(r"(?:^\s*|&& |exec |; do |`)(muster [^`;&|>#\n]+)", text, re.MULTILINE)
    ]
    if path in MANIFESTS:
        nodes = [each for document in documents(path) for each in mappings(document)]
        found += [
            shlex.join(["muster", *map(str, each["args"])])
            for each in nodes
            if "args" in each and "command" not in each
        ]
        found += [
            words
            for each in nodes
            for words in [*each.get("args", ()), each.get("entrypoint")]
            if "muster " in str(words)
        ]
    return [re.search(r"muster [a-z].*", line)[0] for line in found if re.search(r"muster [a-z]", line)]  # type: ignore[index]


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_command_of_a_file_is_one_of_musters(path: Path) -> None:
    for line in commands(path):
        understood(re.split(r"[;&|]| \\", line)[0].replace("$((", "").replace("))", "").rstrip("' "))


def test_commands_are_found() -> None:
    without = {
        "systemd/muster.timer",
        "kubernetes/settings.yaml",
        "container/Containerfile",
        "container/compose.yaml",
        "dagster/muster_night.py",
        "prefect/muster_night.py",
    }

    assert {name(path) for path in FILES if not commands(path)} <= without


@pytest.mark.parametrize("path", FILES, ids=name)
def test_every_variable_of_a_file_is_a_setting_or_a_secret(path: Path) -> None:
    known = {option.variable for option in BY_NAME.values()} | OTHERS
    known |= {PREFIX + each.upper() + suffix for each in SECRETS for suffix in ("", "_FILE")}

    assert set(re.findall(r"\bMUSTER(?:_[A-Z]+)*\b", path.read_text(encoding="utf-8"))) - known == set()


def test_the_page_leads_to_every_file() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#:]+?)\)", page)

    assert [link for link in links if not (DEPLOY / link).exists()] == []
    assert [name(path) for path in FILES if name(path) != "README.md" and name(path) not in links] == []


def test_the_page_says_of_every_code_what_a_scheduler_does_with_it() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (\w+)", (DEPLOY / "README.md").read_text(encoding="utf-8"), re.MULTILINE)
    found = [(int(code), what) for codes, what in rows for code in codes.split(",")]

    assert sorted(code for code, _ in found) == sorted(CODES)
    assert {what for _, what in found} == {"done", "again", "never"}


@pytest.mark.parametrize("path", MANIFESTS, ids=name)
def test_a_policy_maps_each_code_once(path: Path) -> None:
    policies = [
        each["podFailurePolicy"]
        for document in documents(path)
        for each in mappings(document)
        if "podFailurePolicy" in each
    ]

    for policy in policies:
        mapped = [code for rule in policy["rules"] if "onExitCodes" in rule for code in rule["onExitCodes"]["values"]]
        assert sorted(mapped) == sorted(CODES - {0} - ({5} if 5 not in mapped else set()))


def test_decisions_that_are_outstanding_end_with_0_where_that_is_the_one_good_end() -> None:
    [settings] = [each for each in documents(DEPLOY / "kubernetes" / "settings.yaml") if each["kind"] == "ConfigMap"]
    document = tomllib.loads(settings["data"]["muster.toml"])

    assert set(document["fail_on"].split(",")) == {*map(str, ATTENTION), *map(str, DIFFERING)}
    assert all(BY_NAME[each].parse(str(value)) is not None for each, value in document.items())


def test_airflow_makes_something_of_every_code() -> None:
    tree = ast.parse((DEPLOY / "airflow" / "muster_night.py").read_text(encoding="utf-8"))
    sets = {
        node.targets[0].id: ast.literal_eval(node.value.args[0])
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Call)
        if isinstance(node.value.func, ast.Name) and node.value.func.id == "frozenset"
    }

    assert sorted(code for codes in sets.values() for code in codes) == sorted(CODES)


@pytest.mark.parametrize("path", SCRIPTS, ids=name)
def test_a_script_is_one_and_makes_something_of_every_code(path: Path) -> None:
    subprocess.run(["bash", "-n", path], check=True)
    cases = re.findall(r"^\s+([\d |]+)\)", path.read_text(encoding="utf-8"), re.MULTILINE)

    assert {int(code) for case in cases for code in case.split("|")} <= CODES
    assert os.access(path, os.X_OK)


@pytest.mark.parametrize("path", PROGRAMS, ids=name)
def test_a_program_is_one(path: Path) -> None:
    compile(path.read_text(encoding="utf-8"), path, "exec")


def test_the_units_are_units_and_start_what_they_say() -> None:
    units = {}
    for path in sorted((DEPLOY / "systemd").iterdir()):
        units[path.name] = configparser.ConfigParser(strict=False, interpolation=None)
        units[path.name].optionxform = str  # type: ignore[assignment,method-assign]
        units[path.name].read_string(path.read_text(encoding="utf-8"))
    service, timer = units["muster.service"], units["muster.timer"]
    good, final = (set(service["Service"][each].split()) for each in ("SuccessExitStatus", "RestartPreventExitStatus"))

    assert (good, service["Service"]["Restart"]) == ({"5"}, "on-failure")
    assert set(map(str, CODES)) - good - final == {"0", "6", "75"}
    assert int(service["Service"]["TimeoutStopSec"]) > 30
    assert re.fullmatch(r"\*-\*-\* \d\d:\d\d:\d\d", timer["Timer"]["OnCalendar"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_takes_the_units_as_they_stand() -> None:
    told = subprocess.run(
        [str(shutil.which("systemd-analyze")), "verify", "--man=no", *sorted((DEPLOY / "systemd").iterdir())],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (told.returncode, [line for line in told.stderr.splitlines() if "muster." in line]) == (0, [])


def test_the_lines_of_cron_escape_what_cron_would_eat() -> None:
    table = (DEPLOY / "cron" / "muster").read_text(encoding="utf-8")
    lines = [line for line in table.splitlines() if not re.match(r"[A-Z_]+=", line)]

    assert lines
    for line in lines:
        minute, hour, *_, command = line.split(None, 6)
        assert re.fullmatch(r"[0-9]+", minute)
        assert re.fullmatch(r"[0-9-]+", hour)
        assert not re.search(r"(?<!\\)%", command)


def test_the_image_holds_extras_that_there_are_and_what_the_build_copies() -> None:
    text = (DEPLOY / "container" / "Containerfile").read_text(encoding="utf-8")
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    [wanted] = re.findall(r"muster-onboarding\[([\w,]+)", text)
    kept = re.findall(r"^!(.+)$", (ROOT / ".dockerignore").read_text(encoding="utf-8"), re.MULTILINE)

    assert set(wanted.split(",")) <= set(extras)
    assert all(list(ROOT.glob(each)) for each in kept)
    assert {"jobs", "schemas", "docs", "deploy", "LICENSE", "pyproject.toml", "sbom.cdx.json"} <= set(kept)


def test_what_is_proven_at_scale_is_proven_with_what_the_suite_runs_with() -> None:
    def pinned(lock: str) -> set[str]:
        text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
        return {" ".join(line.split()) for line in text.splitlines() if line and not line.startswith("#")}

    assert pinned("requirements.lock") - pinned("requirements-scale.lock") == set()


def program(of: str) -> str:
    """A linter of requirements-scale.lock."""
    found = shutil.which(of, path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if found is None and not os.environ.get("TESTS_AT_SCALE"):
        pytest.skip(f"NOT TESTED: there is no {of}; make test-scale brings it")
    assert found, of
    return found


@pytest.mark.slow
def test_linters_have_nothing_to_say() -> None:
    shellcheck, hadolint = program("shellcheck"), program("hadolint")

    subprocess.run([shellcheck, "--norc", *SCRIPTS], check=bool(SCRIPTS))
    subprocess.run([hadolint, "--no-color", DEPLOY / "container" / "Containerfile"], check=True)


@pytest.mark.slow
@pytest.mark.parametrize("version", [LEAST, NEWEST])
def test_kubernetes_knows_every_field(version: str) -> None:
    if not os.environ.get("TESTS_AT_SCALE"):
        pytest.importorskip("kubernetes_validate", reason="NOT TESTED: make test-scale brings its schemas")
    schemas = importlib.import_module("kubernetes_validate")
    ours = [
        each for path in MANIFESTS for each in documents(path) if not each.get("apiVersion", "ray").startswith("ray")
    ]

    assert len(ours) >= 3
    for each in ours:
        schemas.validate(each, version, strict=True)
    for cluster in [each for path in MANIFESTS for each in documents(path) if each.get("kind") == "RayJob"]:
        for each in [node for node in mappings(cluster) if isinstance(node.get("template"), dict)]:
            pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "pod"}, "spec": each["template"]["spec"]}
            schemas.validate(pod, version, strict=True)
