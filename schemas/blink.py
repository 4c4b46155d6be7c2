"""The input columns of bLink: which customer of the bank is meant, and what its contacts and address shall be.

`api` is the member of the OpenWealth specification 1.2.1. No column creates a customer, because bLink can't.
"""

import polars as pl

from schemas import usual
from schemas.column import Column, InputModel, Rule, given

IDENTIFICATION = r"^[!-~]*[A-Za-z0-9][!-~]*$"
"""Printable ASCII without blanks, and not dots alone, which mean something else in a path (chosen)."""

LONGEST_TEXT = 35
"""Characters of identifications and of the texts of an address."""

LONGEST_CONTACT = 70
CONTACTS = ("email", "phone", "fax", "website", "social_media")
"""The columns of contacts; each has `…_type` and `…_information` beside it."""

PLACE = ("street", "building_number", "postal_code", "town", "country")
NEEDED_PLACE = ("postal_code", "town", "country")


def _identification(name: str, api: str, aliases: tuple[str, ...], description: str, example: str) -> Column:
    return given(
        name,
        api,
        description,
        example,
        "code",
        aliases=aliases,
        personal=False,
        pattern=IDENTIFICATION,
        longest=LONGEST_TEXT,
    )


def _beside(contact: str) -> tuple[Column, Column]:
    """What a contact has beside its content."""
    return (
        given(
            f"{contact}_type",
            "contactMediumType",
            f"Type of the {contact.replace('_', ' ')}: private or business; the setting contact_type when absent.",
            "",
            "code",
            personal=False,
            pattern=r"^(?:private|business)$",
            case="lower",
        ),
        given(
            f"{contact}_information",
            "additionalContactInformation",
            f"Additional information on the {contact.replace('_', ' ')}; given to a contact that is made.",
            "",
            longest=LONGEST_CONTACT,
        ),
    )


SECOND = "second_"
"""What the columns of a second address begin with."""

MEMBERS = (
    ("street", "streetName", "Street; may hold the number too.", "Bahnhofstrasse"),
    ("building_number", "buildingNumber", "Number of the building.", "1"),
    ("postal_code", "postCode", "Postal code; needed with an address.", "8001"),
    ("town", "townName", "Town; needed with an address.", "Zürich"),
    ("care_of", "careOf", "Who receives the mail for the person.", ""),
    ("attention_of", "toTheAttentionOf", "Whose attention the mail is for.", ""),
    ("post_box", "postBox", "Post box.", ""),
    ("address_suffix", "addressSuffix", "Addition to the address.", ""),
    ("country_subdivision", "countrySubDivision", "Canton, state or province.", ""),
    ("organisation_name", "organisationName", "Organisation that the mail is for.", ""),
    ("address_given_name", "givenName", "Given name on the address.", ""),
    ("address_middle_name", "middleName", "Middle name on the address.", ""),
    ("address_last_name", "lastName", "Family name on the address.", ""),
    ("address_name_suffix", "nameSuffix", "Suffix of the name on the address.", ""),
    ("address_name", "addressName", "What the address is called; for one that is made.", ""),
    ("mailing_instruction", "mailingInstruction", "How mail is to be sent; for an address that is made.", ""),
)
"""The texts of an address: column, the specification's member, meaning, example."""


NAMES = frozenset({"givenName", "middleName", "lastName", "nameSuffix"})
"""Members that a file may well have of the person, and not of an address: no headers are taken for these."""


def _address(prefix: str) -> tuple[Column, ...]:
    """The columns of an address as a new one may have them, each with `prefix` in front."""
    second = "Second address. " if prefix else ""
    texts = tuple(
        given(
            prefix + name,
            member,
            second + words,
            "" if prefix else example,
            aliases=() if prefix or member in NAMES else (member,),
            longest=LONGEST_TEXT,
        )
        for name, member, words, example in MEMBERS
    )
    country = given(
        prefix + "country",
        "country",
        second + "Country, two letters (ISO 3166-1); needed with an address.",
        "" if prefix else "CH",
        "code",
        pattern=usual.COUNTRY,
        case="upper",
    )
    return (*texts[:4], country, *texts[4:])


def _use(name: str, member: str, description: str, pattern: str) -> Column:
    return given(
        name,
        member,
        description,
        "",
        "code",
        aliases=(member,) if member != "language" else (),
        personal=False,
        pattern=pattern,
        case="lower",
    )


USE = (
    _use("dispatch_type", "dispatchType", "postal, electronical or other.", r"^(?:postal|electronical|other)$"),
    _use("is_domicile", "isDomicile", "true or false: whether the address is the domicile.", usual.TRUTH),
    _use("is_mailing_address", "isMailingAddress", "true or false: whether mail goes there.", usual.TRUTH),
    _use("address_language", "language", "Language of the mail, two letters (ISO 639-1).", r"^[a-z]{2}$"),
)
"""What only an address that is there can have: a first one that is made is changed once more for it."""


BLINK: tuple[Column, ...] = (
    usual.ROW_REF.at(None, description=f"{usual.ROW_REF.description} Not sent."),
    usual.EXTERNAL_UNIQUE_ID.at(
        None,
        description="Our own key of the row, 6 to 100 printable ASCII characters; derived when absent. Not sent.",
    ),
    _identification(
        "bank_customer_id",
        "customerIdentification",
        ("customerIdentification", "customerId"),
        "The bank's identification of the customer; this or external_reference is needed.",
        "C-0001",
    ),
    given(
        "external_reference",
        "externalReference",
        "The reference that the bank keeps for the customer; alone it must lead to exactly one.",
        "X-0001",
        "reference",
        aliases=("externalReference",),
        personal=False,
        longest=LONGEST_TEXT,
    ),
    _identification(
        "bank_person_id",
        "personIdentification",
        ("personIdentification", "personId"),
        "The bank's identification of the person whose contacts are given; the customer's one person when empty.",
        "P-0001",
    ),
    usual.EMAIL.at(
        "contactContent",
        required=False,
        description="E-mail address that the person shall have; added when it is missing.",
        longest=LONGEST_CONTACT,
        example="anna.meier@example.com",
    ),
    usual.PHONE.at(
        "contactContent",
        description="Mobile number that the person shall have, in any spelling; sent as + and digits.",
        example="+41791234567",
    ),
    given(
        "fax",
        "contactContent",
        "Fax number that the person shall have, with + and country code; sent as it is.",
        "",
        "code",
        pattern=r"^\+[0-9 ()/.-]{6,30}$",
        longest=LONGEST_CONTACT,
    ),
    given(
        "website",
        "contactContent",
        "Website that the person shall have.",
        "",
        longest=LONGEST_CONTACT,
    ),
    given(
        "social_media",
        "contactContent",
        "Profile in a social medium that the person shall have.",
        "",
        longest=LONGEST_CONTACT,
    ),
    *(column for name in CONTACTS for column in _beside(name)),
    *_address(""),
    *USE,
    *_address(SECOND),
    usual.NATIONAL_ID.at(None, description="National identity number. Not sent, and not looked for.", example=""),
)
"""In the order of documents and of the accepted frame."""


def _any(*names: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(name).is_not_null() for name in names)


def _needed(prefix: str, *besides: str) -> list[Rule]:
    """A place with whatever a row says of an address."""
    asked = _any(*(prefix + name for name in (*(name for name, *_ in MEMBERS), "country")), *besides)
    return [Rule(f"missing:{prefix}{name}", pl.col(prefix + name).is_not_null() | ~asked) for name in NEEDED_PLACE]


INPUT = InputModel(
    BLINK,
    seeds=("row_ref", "bank_customer_id", "external_reference"),
    distinct=("external_unique_id", "bank_customer_id", "external_reference", "bank_person_id"),
    needs=(("bank_customer_id", "external_reference"),),
    rules=(
        Rule("missing:bank_customer_id", _any("bank_customer_id", "external_reference")),
        *(
            Rule(f"missing:{name}", pl.col(name).is_not_null() | ~_any(f"{name}_type", f"{name}_information"))
            for name in CONTACTS
        ),
        *_needed("", *(column.name for column in USE)),
        *_needed(SECOND),
    ),
)
