"""Rows with plausible and implausible damage: a seeded supply for comparing two judges."""

import random

GOOD = {
    "first_name": "Thandi",
    "last_name": "O'Brien",
    "title": "MS",
    "birth_city": "Durban",
    "birth_country": "za",
    "currency": "ZAR",
    "gender": "F",
    "language": "EN",
    "marital_status": "s",
    "user_type_id": "1",
    "industry": "",
    "middle_name": "",
}
VALUES = [
    *(
        "",
        " ",
        "-",
        "0",
        "x",
        "\u00a0",
        "NULL",
        "n/a",
        "\x00",
        "\ufffd",
        "a\x00b",
        "Jos\ufffd",
        "\ufeffAnna",
        "a\u200bb",
        "a\nb",
        "a\rb",
        "a\tb",
    ),
    *(
        "José",
        "Jose\u0301",
        "ﬁona",
        "Ⅷ",
        "علی\u200cرضا",
        "ශ්\u200dරී",
        "क्\u200dष",
        "a\u200db",
        "\u3164",
        "a\u2028b",
        "李",
        "Nguyễn",
        "🙂",
        "a\u00adb",
    ),
    *(
        "0821234567",
        "27821234567",
        "+27 82 123 4567",
        "082-123-4567",
        "(082) 123 4567",
        "+27 (0)82 123 4567",
        "0027821234567",
        "2.782E+10",
    ),
    *(
        "27821234567.0",
        "082123456",
        "08212345678",
        "O821234567",
        "٠٨٢١٢٣٤٥٦٧",
        "０８２１２３４５６７",
        "＋27821234567",
        "\u202a+27821234567\u202c",
        "0821234567x12",
    ),
    *(
        "+254712345678",
        "254712345678",
        "0112345678",
        "0800123456",
        "tel:0821234567",
        "082/1234567",
        "0821234567/0831234567",
        "'0821234567",
    ),
    *(
        "a@b.co",
        "a@b",
        "a.b@example.com",
        "a..b@example.com",
        ".a@example.com",
        "a@-example.com",
        "a@example-.com",
        "a@exam_ple.com",
    ),
    *(
        "a b@example.com",
        "a@example.c",
        "a@example.123",
        "ü@exämple.com",
        f"{'l' * 65}@example.com",
        f"{'l' * 64}@example.com",
        f"a@{'d' * 64}.com",
        "a@example.com.",
        "a@@example.com",
    ),
    *(
        "900101 5009 087",
        "9001015009086",
        "9001015009087",
        "900101-5009-086",
        "0001015009087",
        "A1234567",
        "1234",
        "9E12345",
        "9E123",
        "9,0E+12",
    ),
    *(
        "1" * 21,
        "９００１０１５００９０８６",
        "123456/78/1",
        "9913015009087",
        "0002295009087",
        "900101500908",
        "9001015009386",
    ),
    *(
        "1990-01-31",
        "1990-02-30",
        "1900-02-29",
        "2000-02-29",
        "90-01-31",
        "1990-1-5",
        "31/01/1990",
        "-1990-01-31",
        "1899-12-31",
        "1900-01-01",
        "2026-11-21",
        "2026-11-22",
        "1990-01-31 ",
    ),
    *("5001;5002", "5001;5001", "ZAR;usd", "ZAR;ZAR", "ZAR;", ";", "XAU", "EUR"),
    *("zar", "ZARR", "r", "+1", "1.0", "1e3", "1234567890", "mr", "M", "male", "za", "ZAF", "ß", "İ"),
    *(
        "cust-1",
        "cust1",
        "k" * 100,
        "k" * 101,
        "key with space",
        "schlüssel",
        "r" * 200,
        "r" * 201,
        "=1+1",
        '"quoted"',
        "a;b",
        "a,b",
        "n" * 60,
    ),
]


def corrupted(count: int, seed: int, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """`count` rows of `columns`; about a quarter is untouched, the others have one to four values replaced or bent."""
    chance = random.Random(seed)
    return [_one(number, chance, columns) for number in range(count)]


def _one(number: int, chance: random.Random, columns: tuple[str, ...]) -> dict[str, str]:
    day = f"{chance.randrange(50, 100)}{chance.randrange(1, 13):02d}{chance.randrange(1, 29):02d}"
    row = {column: GOOD.get(column, "") for column in columns}
    row |= {"row_ref": f"R{number}", "phone": f"08{chance.randrange(2, 5)}{chance.randrange(10**7):07d}"}
    row |= {
        "email": f"c{number}@example.com",
        "national_id": f"{day}{chance.randrange(10**4):04d}08{chance.randrange(10)}",
    }
    row["date_of_birth"] = f"19{day[:2]}-{day[2:4]}-{day[4:]}"
    for _ in range(chance.choice((0, 1, 1, 2, 4))):
        column = chance.choice(columns)
        row[column] = chance.choice(VALUES) if chance.random() < 0.7 else _bent(row[column], chance)
    return row


def _bent(value: str, chance: random.Random) -> str:
    place = chance.randrange(len(value) + 1)
    sign = chance.choice(
        (" ", "\u00a0", "-", "–", ".", "0", "9", "e", "\u200e", "\t", "\n", "@", "é", "\u0301", "", "\x1f", "\x85")
    )
    cut = chance.randrange(2)
    return value[:place] + sign + value[place + cut :]
