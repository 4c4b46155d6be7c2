"""`sbom.cdx.json`: what the lock file pins, as CycloneDX 1.6; `python -m tests.house.sbom` writes it.

Names, versions and hashes are those of the lock file. Licences are what the installed packages say of themselves; one
that this machine does not have keeps the licence that the file knew before.
"""

import json
import re
from importlib import metadata
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
FILE = ROOT / "sbom.cdx.json"

_PIN = re.compile(r"^([a-z0-9][a-z0-9._-]*)==([^ ;\\]+)((?:[^\n]*\\\n)*[^\n]*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def components(lock: str) -> list[dict[str, Any]]:
    """One component a pin."""
    return [
        {
            "type": "library",
            "bom-ref": f"pkg:pypi/{name}@{version}",
            "name": name,
            "version": version,
            "purl": f"pkg:pypi/{name}@{version}",
            "hashes": [{"alg": "SHA-256", "content": found} for found in sorted(_HASH.findall(rest))],
        }
        for name, version, rest in _PIN.findall(lock)
    ]


def document() -> dict[str, Any]:
    """The whole file."""
    before = json.loads(FILE.read_text(encoding="utf-8"))["components"] if FILE.exists() else []
    known = {each["name"]: each["licenses"] for each in before if "licenses" in each}
    listed = components((ROOT / "requirements.lock").read_text(encoding="utf-8"))
    for each in listed:
        told = licence(each["name"]) or known.get(each["name"])
        if told:
            each["licenses"] = told
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "muster-onboarding", "bom-ref": "muster-onboarding"}},
        "components": listed,
    }


def licence(name: str) -> list[dict[str, Any]] | None:
    """What an installed package says of its licence; None: it is not here, or says nothing."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return None
    expression = said.get("License-Expression")
    if expression:
        return [{"expression": expression}]
    classifiers = [text.rpartition(" :: ")[2] for text in said.get_all("Classifier", []) if "License ::" in text]
    named = classifiers or [text for text in [said.get("License") or ""] if text and "\n" not in text]
    return [{"license": {"name": text}} for text in named] or None


if __name__ == "__main__":
    FILE.write_text(json.dumps(document(), indent=1) + "\n", encoding="utf-8")
