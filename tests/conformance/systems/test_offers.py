"""What only some systems offer: it works there, and is refused with 2 before a call everywhere else."""

import pytest

from jobs.systems import capabilities

from .bench import Bench

REFUSED = "refused"


def offered(bench: Bench) -> dict[str, str]:
    """What the system's capabilities say of each item, in the words of the table."""
    able = capabilities(bench.subject.name)
    return {
        "exported": ", ".join(able.exports) or REFUSED,
        "in full": "shown" if able.profiles else REFUSED,
        "downloaded": ", ".join(able.downloads) or REFUSED,
        "employees": "listed" if able.staff else REFUSED,
        "told": "received once its proof is set" if able.notices else REFUSED,
        "where": "sent once its form is set" if able.predicates else REFUSED,
    }


def test_the_table_says_what_the_system_offers(bench: Bench) -> None:
    ends = bench.subject.ends

    assert offered(bench) == {item: ends[item] for item in offered(bench)}


@pytest.mark.parametrize(
    ("item", "arguments"),
    [
        ("exported", ("export", "--what", "customers", "--to", "out.ndjson")),
        ("employees", ("employees",)),
        ("told", ("webhook", "serve", "--port", "0")),
        ("where", ("lookup", "--i-know", "--where", "city=Lagos")),
    ],
)
def test_it_works_or_is_refused_before_a_call(bench: Bench, item: str, arguments: tuple[str, ...]) -> None:
    ended = bench.muster(*arguments)

    works = bench.subject.ends[item] not in {REFUSED, offered(bench)["told"], "sent once its form is set"}
    assert ended.code == (0 if works else 2), ended.stderr
    assert works or bench.arrived == 0
    assert works or capabilities(bench.subject.name).title in ended.stderr or "secret" in ended.stderr
    assert bench.writes() == []
