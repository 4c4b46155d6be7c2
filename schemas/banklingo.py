"""The input columns of BankLingo, as the vendor's page of CreateContactCommand gives them."""

from schemas import usual
from schemas.column import Column, InputModel, given

ENCODED_KEY = r"^[A-Za-z0-9_-]{1,64}$"
"""A key that the bank gave out, of a branch or a client."""

FURTHER = "further_documents"
"""The column of the documents after the first."""

BANKLINGO: tuple[Column, ...] = (
    usual.ROW_REF.at(
        None, description="The source's own stable key of the row; recommended, the ledger's key is derived from it."
    ),
    usual.EXTERNAL_UNIQUE_ID.at(
        None,
        description="The ledger's key of the row, 6 to 100 printable ASCII characters; derived when absent, not sent.",
    ),
    usual.FIRST_NAME.at("firstName", "firstName", example="Adaeze"),
    usual.MIDDLE_NAME.at("middleName", "middleName"),
    usual.LAST_NAME.at("lastName", "lastName", example="Okafor"),
    usual.EMAIL.at(
        "emailAddress",
        "emailAddress",
        description="E-mail address, sent in lower case; with the phone, what a client is recognised by.",
        case="lower",
        example="adaeze.okafor@example.com",
    ),
    usual.PHONE.at(
        "phoneNumber",
        "phoneNumber",
        required=True,
        description="Phone number in any spelling; sent with + and country code.",
        example="+2348012345678",
    ),
    usual.NATIONAL_ID.at(
        "identificationNumber",
        "identificationNumber",
        required=True,
        description="Number of the document, 5 to 20 letters or digits; spaces and dashes are dropped, zeros kept.",
        example="12345678901",
    ),
    given(
        "id_type",
        "identificationType",
        "Kind of the document, in the bank's words.",
        "National ID",
        aliases=("identificationType",),
        required=True,
        personal=False,
    ),
    usual.DATE_OF_BIRTH.at("dateOfBirth", "dateOfBirth", required=True, example="1990-01-31"),
    given(
        "gender",
        "gender",
        "Male, Female or Other, in any case, or the first letter.",
        "Female",
        "code",
        required=True,
        pattern=r"^(?:M|MALE|F|FEMALE|O|OTHER)$",
        case="upper",
    ),
    given("address", "address", "Street and number.", "1 Broad Street", required=True, aliases=("line1", "street")),
    given("city", "city", "City.", "Lagos", required=True),
    given("state", "state", "State or province.", "Lagos", required=True),
    given(
        "country",
        "country",
        "Country as the bank spells it, a name or an ISO code; sent as it is.",
        "Nigeria",
        required=True,
    ),
    given(
        "branch",
        "branchEncodedKey",
        "Key of the branch; the setting applies when absent.",
        "branch-1",
        "code",
        aliases=("branchEncodedKey",),
        personal=False,
        pattern=ENCODED_KEY,
    ),
    given(
        "document_file",
        None,
        "KYC document of the client, relative to the input file; sent when the settings name a command for it.",
        "",
        "file",
        aliases=("document_1_file",),
    ),
    given(
        "document_type",
        None,
        "Kind of the document, in the bank's words; id_type when absent.",
        "",
        aliases=("document_1_type",),
        personal=False,
    ),
    given(
        FURTHER,
        None,
        "Further documents: document_2_file, document_2_type and so on, as many as there are.",
        gathers="document_",
        numbered=(
            given("file", None, "Document, relative to the input file.", "", "file", required=True),
            given("type", None, "Its kind, in the bank's words; id_type when absent.", "", personal=False),
        ),
    ),
    given(
        "customer_kind",
        None,
        "individual; what a corporate client is called is on no page, so that those are refused here.",
        "individual",
        "code",
        aliases=("customerType",),
        personal=False,
        pattern=r"^individual$",
        case="lower",
    ),
)
"""In the order of documents and of the accepted frame."""

INPUT = InputModel(BANKLINGO, distinct=("external_unique_id", "email", "phone", "national_id"))
