import re

from jobs.model import Outcome
from jobs.reports.markdown import code, plain, render_markdown
from jobs.reports.summary import Cause, Equation

from .made import MIXED, summary


def test_it_says_what_a_ticket_needs() -> None:
    causes = (Cause("conflict", "phone_taken", 1, (7,)), Cause("quarantined", "missing:email", 3, (2, 4, 9)))
    text = render_markdown(summary(MIXED, causes=causes, exit_code=1, next_command="muster resume x"))
    assert text.startswith("# The run finished, and 4 of 14 rows need attention.\n")
    assert "Exit code 1: finished, but rows need attention." in text
    assert "Next: `muster resume x`" in text
    assert "| quarantined, `missing:email` | 3 | 2, 4, 9 | Fill the field" in text
    assert "- ok: rows read = quarantined \\+ accepted: 14 = 14" in text
    assert "| onboarded | 7 | 50.0 % |" in text


def test_it_is_short_however_much_went_wrong() -> None:
    everything = {outcome.value: 1000 for outcome in Outcome}
    text = render_markdown(
        summary(
            everything,
            causes=tuple(Cause("failed", f"http_{number}", number) for number in range(500)),
            equations=tuple(Equation(f"e{number}", number, 20) for number in range(40)),
            notes=tuple(f"note {number}" for number in range(50)),
            pending_ageing={"under 1 hour": 3},
            reconciliation={"match": 3, "partial": 1},
            next_command="muster resume x",
        )
    )
    assert len(text.splitlines()) <= 60
    assert "**not ok**: e0: 0 ≠ 20" in text
    assert "28 more are in report.html." in text


def test_text_of_others_makes_no_markup() -> None:
    evil = "a|b`c`\n# big [x](http://evil) @channel <img> *b*\x1b[31m"
    text = render_markdown(summary({"failed": 1}, tenant=evil, causes=(Cause("failed", evil, 1),), notes=(evil,)))
    assert "http://" not in re.sub("`[^`]*`", "", text)
    assert not re.search(r"(?<!\\)[\[<*]|@|^# big", re.sub("`[^`]*`", "", text.partition("Exit")[0][2:]), re.MULTILINE)
    assert all(character.isprintable() for character in text.replace("\n", ""))
    assert code("a`b") == "`a'b`"
    assert plain("a_b|c") == "a\\_b\\|c"


def test_an_empty_run_has_one_too() -> None:
    assert "nothing to do" in render_markdown(summary({}, causes=(), equations=()))
