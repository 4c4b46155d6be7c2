"""The input columns of Omnumi: all members of the request example of the Partner API v1.5.0, flat.

No member is marked as required; what is here is chosen. `api` is the member's path, a number in it a place in a list.
"""

import polars as pl

from schemas import usual
from schemas.column import Column, InputModel, Rule, given
from schemas.usual import COUNTRY, DAY, TRUTH

SHOWN_DOCUMENTS = 20
"""Documents with columns of their own (chosen); the note has a list without a bound, and a row any number of them."""

NUMBER = r"^[A-Za-z0-9][A-Za-z0-9 ./-]{0,49}$"
"""A number of a document or a register; its dashes are kept, as the example sends them."""


def _number(name: str, api: str, description: str, example: str) -> Column:
    return given(name, api, description, example, "code", pattern=NUMBER)


def _coming_day(name: str, api: str, description: str) -> Column:
    return given(name, api, f"{description}, yyyy-mm-dd.", "2034-03-31", "code", pattern=DAY)


def _document(prefix: str, api: str, words: str) -> tuple[Column, ...]:
    """One document: its file and what is said of it."""
    return (
        given(
            f"{prefix}_file", f"{api}.content", f"{words}: JPEG, PNG or PDF, sent as base64.", f"{prefix}.png", "file"
        ),
        given(
            f"{prefix}_file_name",
            f"{api}.fileName",
            f"{words}: name that the target is told; the file's own when empty.",
            "document.png",
        ),
        given(f"{prefix}_type", f"{api}.type", f"{words}: kind, such as DriversLicense.", "DriversLicense"),
        given(f"{prefix}_side", f"{api}.side", f"{words}: side, such as front.", "front"),
        given(f"{prefix}_description", f"{api}.description", f"{words}: description.", "national id card of user"),
        _number(f"{prefix}_number", f"{api}.number", f"{words}: number.", "123455"),
        given(f"{prefix}_issued_country", f"{api}.issuedCountry", f"{words}: issuing country.", "ZA"),
        given(
            f"{prefix}_expired",
            f"{api}.expired",
            f"{words}: has it expired, true or false.",
            "false",
            "code",
            pattern=TRUTH,
            case="lower",
        ),
        given(
            f"{prefix}_valid_from_date",
            f"{api}.validFromDate",
            f"{words}: first day.",
            "2024-04-01",
            "date",
        ),
        _coming_day(f"{prefix}_valid_till_date", f"{api}.validTillDate", f"{words}: last day"),
    )


def _device_data(prefix: str, api: str, words: str) -> Column:
    return given(f"{prefix}_device_data", f"{api}.deviceData", f"{words}: data of the device.", "example")


def _evidence(prefix: str, api: str, words: str) -> tuple[Column, ...]:
    """Evidence of a place."""
    return (
        given(f"{prefix}_declared_address", f"{api}.declaredAddress", f"{words}: declared address.", "Cape Town"),
        given(f"{prefix}_phone_number", f"{api}.phoneNumber", f"{words}: phone number.", "+27-82-1234567"),
        given(f"{prefix}_ip_address", f"{api}.iPAddress", f"{words}: IP address.", "127.0.0.1"),
    )


META = given(
    "meta_data",
    "customerMetaData",
    "Whatever the tenant wants to keep of a customer: each column meta_NAME is sent as the member NAME.",
    "campaign-7",
    gathers="meta_",
)

KEYS = (
    usual.ROW_REF.at(None, description=f"{usual.ROW_REF.description[:-1]}; sent as customerMetaData."),
    usual.EXTERNAL_UNIQUE_ID,
    usual.NATIONAL_ID.at(
        None,
        "nationalIdentityNumber",
        description="National identity number, for comparisons and masks only. "
        "Not sent: see ssn, tin and tax_id_number.",
    ),
)

PERSON = (
    usual.FIRST_NAME.at("firstName"),
    usual.MIDDLE_NAME.at("middleName"),
    usual.LAST_NAME.at("lastName"),
    given("full_name", "fullName", "Full name; first, middle and last name when empty.", "Thandi Grace Nkosi", "name"),
    usual.PHONE.at(
        "phoneNumber",
        "phoneNumber",
        "phone1",
        required=True,
        description="Mobile number, sent as digits with country code.",
        pattern=None,
        example="+27 82 123 4567",
    ),
    usual.EMAIL.at("email", description="E-mail address; the target takes each once."),
    usual.DATE_OF_BIRTH.at("dateOfBirth", required=True, description="Date of birth, yyyy-mm-dd.", pattern=None),
    given("gender", "gender", "Gender; the note shows unknown and male.", "female", case="lower"),
    given("marital_status", "maritalStatus", "Such as married or unmarried.", "unmarried", case="lower"),
    given("nationality", "nationality", "Nationality.", "ZA"),
    given("ip_address", "ip_address", "IP address.", "127.0.0.1", "code", pattern=r"^[0-9A-Fa-f.:]{2,45}$"),
    _number("ssn", "ssn", "Social security number.", "122-22-2332"),
    _number("state_license_id", "stateLicenseId", "Number of a state licence.", "S-123455"),
    _number("tin", "tin", "Tax identification number.", "122-22-2332"),
    given("tax_country", "tax.country", "Tax: country.", "ZA"),
    _number("tax_id_number", "tax.idNumber", "Tax: number.", "122-22-2332"),
    given("tax_state", "tax.state", "Tax: state.", "WC"),
)

WALLET = (
    given(
        "account_address",
        "accountAddress",
        "Address on the chain; unique.",
        "0x52908400098527886e0f7030069857d2e4169ee7",
        "code",
        pattern=r"^[!-~]{1,200}$",
    ),
    given(
        "custom_namespace",
        "customNamespace",
        "Namespace of the wallet, seen by its user; unique.",
        "thandinkosi",
        "code",
        pattern=r"^[!-~]{1,200}$",
        case="lower",
    ),
    given("namespace_provider", "provider", "Provider of the namespace, such as ens.", "ens", aliases=("provider",)),
    given("ul_namespace", "ulNamespace", "Namespace of the platform, such as a.b.ul.", "thandi.nkosi.ul"),
)

ADDRESS = (
    given("address_line1", "address.address1", "Address: line.", "Flat 2", aliases=("address1",)),
    given("address_street", "address.street", "Address: street, or a line.", "Long Street 1", aliases=("street",)),
    given("address_city", "address.city", "Address: city.", "Cape Town", required=True, aliases=("city",)),
    given(
        "address_state",
        "address.state",
        "Address: code of the state or province, without the country (ISO 3166-2), such as WC.",
        "WC",
        "code",
        required=True,
        aliases=("state",),
        pattern=r"^[A-Z0-9]{1,3}$",
        case="upper",
    ),
    given(
        "address_postal_code",
        "address.postalCode",
        "Address: postal code.",
        "8001",
        required=True,
        aliases=("postalCode",),
    ),
    given(
        "address_country",
        "address.country",
        "Address: country, two letters (ISO 3166-1).",
        "ZA",
        "code",
        required=True,
        aliases=("country",),
        pattern=COUNTRY,
        case="upper",
    ),
    given(
        "address_iso_country_code",
        "address.isoCountryCode",
        "Address: country once more, two letters; that of address_country when empty.",
        "ZA",
        "code",
        aliases=("isoCountryCode",),
        pattern=COUNTRY,
        case="upper",
    ),
)

DOCUMENTS = (
    *(
        column
        for number in range(1, SHOWN_DOCUMENTS + 1)
        for column in _document(f"document_{number}", f"governmentDocuments.{number - 1}", f"Document {number}")
    ),
    given(
        "further_documents",
        None,
        "Further documents: document_21_file, document_21_type and so on, as many as there are.",
        gathers="document_",
        numbered=tuple(
            column.at(
                (column.api or "").removeprefix("governmentDocuments."),
                name=column.name.removeprefix("document_"),
                required=column.name in ("document_file", "document_type"),
            )
            for column in _document("document", "governmentDocuments", "Further document")
        ),
    ),
    *_document("passport", "passport", "Passport"),
    given("selfie_file", "selfieContent", "Picture of the face: JPEG, PNG or PDF, sent as base64.", "face.png", "file"),
    given("state_id_license", "others.stateIdLicense", "Other proof: state licence.", "321"),
    given("proof_of_address", "others.proofOfAddress", "Other proof: of the address.", "321"),
    given("alien_id_card", "others.alienIdCard", "Other proof: card of a foreigner.", "321"),
)

NOT_TAKEN = given(
    "geo_location_device_data",
    None,
    "Not taken: the note has no such member there; metro_area_device_data and country_evidence_device_data have one.",
)
"""A column of older files: a row that fills it is refused, because what it says could not be sent."""

PLACE = (
    given("lat_long_data", "lat_long.lat_long_data", "Position.", "-33.92,18.42"),
    given("lat_long_country", "lat_long.lat_long_country", "Position: country.", "ZA"),
    given("lat_long_city", "lat_long.lat_long_city", "Position: city.", "Cape Town"),
    given("metro_location_short_name", "metroLocationDetails.shortName", "Metropolis: short name.", "Cape Town"),
    given("metro_location_full_name", "metroLocationDetails.fullName", "Metropolis: full name.", "Cape Town, ZA"),
    given("metro_location_code", "metroLocationDetails.code", "Metropolis: code.", "ZAF-CPT"),
    given("additional_lat", "additionalLatLong.lat", "Second position: latitude.", "-33.92"),
    given("additional_long", "additionalLatLong.long", "Second position: longitude.", "18.42"),
    given("additional_address_full_name", "additionalAddress.fullName", "Second address: country.", "South Africa"),
    given("additional_address_name_iso3", "additionalAddress.nameISO3", "Second address: three letters.", "ZAF"),
    NOT_TAKEN,
    *_evidence("geo_location", "geoLocationDetails", "Geographic evidence"),
    _device_data("metro_area", "metroAreaDetails", "Evidence of the area"),
    *_evidence("metro_area", "metroAreaDetails", "Evidence of the area"),
    _device_data("country_evidence", "countryDetails", "Evidence of the country"),
    *_evidence("country_evidence", "countryDetails", "Evidence of the country"),
)

DIGITAL_ID = (
    given("gid_name", "gidName", "Digital identity: name.", "Thandi Nkosi", "name"),
    given("gid_dob", "gidDOB", "Digital identity: date of birth, yyyy-mm-dd.", "1990-01-01", "date"),
    given(
        "gid_photo_file",
        "gidPhoto",
        "Digital identity: photo, JPEG, PNG or PDF, sent as base64.",
        "photo.png",
        "file",
    ),
    _number("gid_id_number", "gidIdNumber", "Digital identity: number.", "123455"),
    given("gid_country", "gidCountry", "Digital identity: country.", "ZA"),
    given("gid_state", "gidState", "Digital identity: state.", "WC"),
    given("gid_issue_date", "gidIssueDate", "Digital identity: first day, yyyy-mm-dd.", "2024-04-01", "date"),
    _coming_day("gid_expiration_date", "gidExpirationDate", "Digital identity: last day"),
    given("gid_full_address", "gidAddress.fullAddress", "Digital identity: address.", "1 Long Street, Cape Town"),
    given("gid_gender", "gidGender", "Digital identity: gender.", "female"),
)

BANK = (
    given(
        "bank_account",
        "bankAccount",
        "Is there a bank account, true or false; sent as text.",
        "false",
        "code",
        pattern=TRUTH,
        case="lower",
    ),
    given("bank_name", "bankAccountDetails.bankName", "Bank: name.", "US Bank"),
    given("bank_account_holder_name", "bankAccountDetails.accountHolderName", "Bank: holder.", "Thandi Nkosi", "name"),
    given("bank_account_type", "bankAccountDetails.accountType", "Bank: kind of account.", "Savings"),
)

OMNUMI: tuple[Column, ...] = (*KEYS, META, *PERSON, *WALLET, *ADDRESS, *DOCUMENTS, *PLACE, *DIGITAL_ID, *BANK)
"""In the order of documents and of the accepted frame."""


def _real_day(column: str) -> Rule:
    """A day that exists; unlike one of kind `date` it may lie ahead."""
    day = pl.col(column).str.to_date("%Y-%m-%d", strict=False)
    return Rule(f"date_invalid:{column}", pl.col(column).is_null() | day.is_not_null())


def _complete(prefix: str, needed: str) -> Rule:
    """Whoever says anything of a document gives `needed` too."""
    said = [pl.col(column.name).is_not_null() for column in DOCUMENTS if column.name.startswith(f"{prefix}_")]
    return Rule(f"missing:{prefix}_{needed}", ~pl.any_horizontal(said) | pl.col(f"{prefix}_{needed}").is_not_null())


RULES = (
    Rule("missing:address_street", pl.col("address_street").is_not_null() | pl.col("address_line1").is_not_null()),
    Rule(f"value_invalid:{NOT_TAKEN.name}", pl.col(NOT_TAKEN.name).is_null()),
    *(
        _complete(f"document_{number}", needed)
        for number in range(1, SHOWN_DOCUMENTS + 1)
        for needed in ("file", "type")
    ),
    _complete("passport", "file"),
    *(_real_day(column.name) for column in OMNUMI if column.kind == "code" and column.pattern == DAY),
)

INPUT = InputModel(
    OMNUMI,
    seeds=("row_ref", "email"),
    distinct=("external_unique_id", "email", "account_address", "custom_namespace"),
    rules=RULES,
)
