"""Searches by predicates: how they are written is on no page, so the settings say it, and no hit is believed unseen.

A target that does not know the members ignores them and finds everybody. So what a list shows of a hit must agree with
each predicate, and where it shows nothing, a search that finds as many as there are is refused.
"""

import json
from collections.abc import Sequence
from typing import Any

from jobs.errors import Unusable
from jobs.systems.banklingo.contacts import Contact, Contacts
from jobs.systems.banklingo.document import filled
from jobs.systems.messages import Reader, ReadFailed
from jobs.systems.optional import Predicate
from jobs.value import value

SYMBOLS = ("=", "!=", ">", "<", "~")
"""The operators, in the order in which the settings give the target's words for them."""

NO_FORM = "BankLingo's page speaks of filters and dynamic predicates, and says nowhere how one is written"
EXAMPLE = """predicate_form = '{"field": "{field}", "operator": "{operator}", "value": "{value}"}'"""


@value
class Predicates:
    """How predicates are written. `form` None: nobody said it."""

    form: Any
    member: str
    words: tuple[str, ...]

    @classmethod
    def of(cls, form: str, member: str, words: str) -> "Predicates":
        """From the settings. Raises Unusable for a form that is no JSON, and for other than five words."""
        try:
            parsed = json.loads(form) if form else None
        except ValueError:
            raise Unusable("[banklingo] predicate_form is no JSON", hint=EXAMPLE) from None
        given = tuple(word.strip() for word in words.split(","))
        if len(given) != len(SYMBOLS):
            raise Unusable(f"[banklingo] predicate_operators: five words, for {' '.join(SYMBOLS)}")
        return cls(parsed, member, given)

    def written(self, predicates: Sequence[Predicate]) -> dict[str, object]:
        """The members of a list query. Raises Unusable where no form is given."""
        if self.form is None:
            raise Unusable(NO_FORM, hint=f"give it in [banklingo]: {EXAMPLE}")
        words = dict(zip(SYMBOLS, self.words, strict=True))
        told = [{"field": each.member, "operator": words[each.operator], "value": each.value} for each in predicates]
        return {self.member: [filled(self.form, each) for each in told]}

    async def found(self, reader: Reader, contacts: Contacts, predicates: Sequence[Predicate]) -> Sequence[Contact]:
        """The clients that fit all. Raises ReadFailed where the target shows that it ignored a predicate."""
        more = self.written(predicates)
        found = [each async for page in contacts.scan(reader, None, more) for each in page]
        unseen = False
        for each in found:
            shown = [agrees(each, predicate) for predicate in predicates]
            if False in shown:
                raise ReadFailed("list_contacts: a client was found that does not fit: the predicates were ignored")
            unseen = unseen or None in shown
        if unseen and len(found) > 1 and len(found) >= (await contacts.total(reader) or 0):
            raise ReadFailed("list_contacts: everybody was found, so that the predicates may have been ignored")
        return found


def agrees(contact: Contact, predicate: Predicate) -> bool | None:
    """Whether what a list shows of a client fits; None: it shows no such member, or no order of it is known."""
    shown = contact.get(predicate.member)
    if shown is None or predicate.operator in "<>":
        return None
    ours, theirs = predicate.value.strip().casefold(), shown.strip().casefold()
    return {"=": theirs == ours, "!=": theirs != ours, "~": ours in theirs}[predicate.operator]
