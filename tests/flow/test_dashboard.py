"""All nights on one page, out of a ledger that runs have written."""

import json
import stat

from .muster import Muster
from .people import person
from .test_report import Filed


def test_all_nights_of_a_tenant_are_on_one_page(muster: Muster, file_of: Filed) -> None:
    path = file_of([person(1), person(2, "Kycfail"), person(3, phone="1")])
    muster("run", path)
    muster("run", path)
    made = muster("dashboard", "--to", "pages/nights.html")
    page = muster.folder / "pages" / "nights.html"
    text = page.read_text("utf-8")

    assert (made.code, made.stdout.strip()) == (0, "pages/nights.html: 2 runs, 2 rows open")
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert '<a href="../runs/run-2/report.html">run-2</a>' in text
    assert "<code>kyc_failed</code>" in text
    assert person(1)["national_id"] not in text
    assert person(3)["email"] not in text
    shown = json.loads(muster("dashboard", "--to", "pages/nights.html", "--output", "json").stdout)
    assert shown["tenants"] == [{"system": "eclipse", "tenant": "1001", "runs": 2, "open": 2}]


def test_what_is_no_such_page_is_not_written_over(muster: Muster, file_of: Filed) -> None:
    muster("run", file_of([person(1)]))
    refused = muster("dashboard", "--to", "customers.csv")

    assert refused.code == 2
    assert "is no dashboard" in refused.stderr
    assert (muster.folder / "customers.csv").read_text("utf-8").startswith("row_ref")
