"""Which column of a file may be which of ours: a proposal for people, never acted on."""

import re
from collections.abc import Mapping, Sequence

from schemas.columns import folded

WORDS: Mapping[str, Sequence[str]] = {
    "first_name": ["vorname", "prenom", "prénom", "nombre", "nome", "givenname", "forename", "first", "voornaam"],
    "last_name": [
        "nachname",
        "familienname",
        "nom",
        "apellido",
        "apellidos",
        "cognome",
        "sobrenome",
        "surname",
        "last",
        "familyname",
        "van",
    ],
    "phone": [
        "telefon",
        "handy",
        "mobil",
        "mobile",
        "mobilenumber",
        "cell",
        "cellphone",
        "cellnumber",
        "msisdn",
        "tel",
        "telephone",
        "telefono",
        "telefone",
        "celular",
        "phonenumber",
        "contactnumber",
        "selfoon",
    ],
    "email": ["mail", "emailaddress", "correo", "courriel", "epos"],
    "national_id": [
        "idnumber",
        "idno",
        "id",
        "identity",
        "identitynumber",
        "nationalid",
        "said",
        "rsaid",
        "ausweis",
        "passport",
        "passportnumber",
        "cedula",
        "dni",
        "cpf",
        "nin",
        "bvn",
        "idnommer",
    ],
    "date_of_birth": ["dob", "birthdate", "geburtsdatum", "datedenaissance", "fechadenacimiento", "birthday"],
}
"""What people call columns, folded; chosen from exports in several languages."""

SHAPES: Mapping[str, re.Pattern[str]] = {
    "email": re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+"),
    "national_id": re.compile(r"[0-9]{13}|[A-Z]{1,3}[0-9]{5,12}"),
    "phone": re.compile(r"\+?[0-9][0-9 ().\-]{7,16}"),
}
"""What cells look like, the surest first."""


def columns_block(header: Sequence[str], missing: Sequence[str], rows: Sequence[Sequence[str]]) -> str | None:
    """A `[columns]` table for `missing` from the unknown columns of `header` and cells of some rows; None: no idea.

    `rows` have the cells of `header` in its order.
    """
    free = [place for place, name in enumerate(header) if name]
    found: dict[str, str] = {}
    for column in missing:
        named = next((place for place in free if folded(header[place]) in WORDS.get(column, ())), None)
        if named is not None:
            found[column] = header[named]
            free.remove(named)
    for column, shape in SHAPES.items():
        fits = (place for place in free if column in missing and column not in found and _all(rows, place, shape))
        if (place := next(fits, None)) is not None:
            found[column] = header[place]
            free.remove(place)
    if not found:
        return None
    return "\n".join(
        ["[columns]", *(f"{_key(found[column])} = {_key(column)}" for column in missing if column in found)]
    )


def _all(rows: Sequence[Sequence[str]], place: int, shape: re.Pattern[str]) -> bool:
    cells = [cell for row in rows if place < len(row) and (cell := row[place].strip())]
    return bool(cells) and all(shape.fullmatch(cell) for cell in cells)


def _key(text: str) -> str:
    """A TOML string."""
    plain = "".join(sign if sign.isprintable() else f"\\U{ord(sign):08x}" for sign in text.replace("\\", "\\\\"))
    return '"' + plain.replace('"', '\\"') + '"'
