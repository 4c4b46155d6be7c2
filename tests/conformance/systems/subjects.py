"""The systems of the battery. A further one is one entry here."""

from collections.abc import Callable
from typing import Any

from jobs.model import Rate
from jobs.sandbox.listing import ORDERS
from jobs.systems.messages import CallClass
from tests.flow import people
from tests.flow.people import Row
from tests.systems import azakaw, banklingo, blink, omnumi

from . import ends
from .bench import NAME
from .subject import Counts, Subject, Target


def eclipse_counts(snapshot: dict[str, Any]) -> Counts:
    held = snapshot["customers"]
    twice = sum(max(0, each["verifications"] - 1) + max(0, len(each["wallets"]) - 1) for each in held)
    return Counts(len(held), len(held) - len({each["externalUniqueId"] for each in held}) + twice)


def counted(snapshot: dict[str, Any]) -> Counts:
    found = snapshot["counts"]
    return Counts(found["customers"], found["doubles"])


def blink_counts(snapshot: dict[str, Any]) -> Counts:
    """Customers are there already: a record is a person of a row with contacts."""
    made = [each for each in snapshot["persons"] if each["personIdentification"].startswith("P-9") and each["contacts"]]
    return Counts(len(made), snapshot["counts"]["doubleContacts"])


def blink_row(number: int, last_name: str) -> Row:
    """One write: the e-mail address of a customer that `blink_customer` made."""
    return blink.only(9000 + number, "bank_person_id", "email")


def blink_change(target: Target, row: Row) -> None:
    """Another e-mail address."""
    wanted = row["customer_id"].replace("C-", "P-")
    person = next(each for each in target.snapshot()["persons"] if each["personIdentification"] == wanted)
    contact = person["contacts"][0]["contactIdentification"]
    target.amend("contacts", contact, contactContent="another@example.org")


def blink_customer(target: Target, number: int, last_name: str) -> None:
    name = f"{9000 + number:04d}"
    target.plant(
        customerIdentification=f"C-{name}",
        persons=[{"personIdentification": f"P-{name}", "lastName": last_name}],
    )


def blink_respelling(target: Target, given: Row, ended: Row) -> None:
    wanted = ended["customer_id"].replace("C-", "P-")
    person = next(each for each in target.snapshot()["persons"] if each["personIdentification"] == wanted)
    target.amend("contacts", person["contacts"][0]["contactIdentification"], contactContent=wide(given["email"]))


def blink_spelt(target: Target, row: Row) -> Row:
    """The bank keeps the reference in small letters and without dash."""
    target.amend("customers", row["bank_customer_id"], externalReference="refx9001")
    return {name: value for name, value in row.items() if name != "bank_customer_id"} | {
        "external_reference": "REF-X 9001"
    }


def eclipse_spelt(target: Target, row: Row) -> Row:
    """There in small letters, with a blank in its number."""
    ours = row | {"national_id": "ZN-1234567", "external_unique_id": "CRM-KEY-1"}
    there = {"national_id": "zn1234567", "email": wide(row["email"])}
    target.plant(**people.record(row | there, externalUniqueId="crm-key-1"))
    return ours


def banklingo_spelt(target: Target, row: Row) -> Row:
    """In capitals, which a search finds; of what is at full width it finds nothing."""
    there = {"email": row["email"].upper(), "national_id": row["national_id"].lower(), "phone": f"00{row['phone'][1:]}"}
    target.plant(**banklingo.record(row | there))
    return row


def azakaw_spelt(target: Target, row: Row) -> Row:
    target.plant(customerEmail=wide(row["email"]).upper())
    return row


def wide(text: str) -> str:
    """The same with one letter at full width."""
    return chr(ord(text[0]) + 0xFEE0) + text[1:]


def respelt(**members: Callable[[Row], str]) -> Callable[[Target, Row, Row], None]:
    def respell(target: Target, given: Row, ended: Row) -> None:
        target.amend("customers", ended["customer_id"], **{name: of(given) for name, of in members.items()})

    return respell


def amended(**changes: Any) -> Any:
    def amend(target: Target, row: Row) -> None:
        target.amend("customers", row["customer_id"], **changes)

    return amend


SUBJECTS: tuple[Subject, ...] = (
    Subject(
        name="eclipse",
        row=lambda number, last_name: people.person(number, last_name),
        environment={"TENANT": "1001", "IDENTITY": "operator", "PASSWORD": "operator-password"},
        write="create_customer",
        counts=eclipse_counts,
        ends=ends.ECLIPSE,
        refusal=lambda words: [{"type": "BUSINESS", "code": "VAL001", "description": words, "traceId": "trace-1"}],
        settings="",
        setting="currency",
        otherwise="user_type_id = 2",
        stranger_answers=(200, lambda row: {"customerId": int(row["customer_id"]), "status": "ACTIVE"}),
        secrets=("operator-password",),
        waits=("Kycstuck", ""),
        decide=amended(kyc="PASSED"),
        change=amended(email="another@example.org"),
        delete=amended(deleted=True),
        respell=respelt(
            nationalIdentityNumber=lambda given: f"{given['national_id'][:6]} {given['national_id'][6:]}",
            email=lambda given: wide(given["email"]),
        ),
        spelt=eclipse_spelt,
        find=lambda given, ended: ("--identity", given["national_id"]),
        stranger="blink",
        harmless=frozenset({"login", "renew"}),
    ),
    Subject(
        name="omnumi",
        row=lambda number, last_name: omnumi.person(number, last_name),
        environment={"TENANT": omnumi.TENANT, "TOKEN": "omnumi-access-token"},
        write="create_customer",
        counts=counted,
        ends=ends.OMNUMI,
        refusal=lambda words: {"errors": [{"type": "Rule Error", "message": words}]},
        settings="",
        repeating="resend_unknown = true",
        otherwise='resend_unknown = true\nleave_out = "fullName"\ngenerate_namespace = true',
        stranger_answers=(201, lambda row: {"data": {"customerAccountId": row["customer_id"]}}),
        files={"id.png": omnumi.PICTURE},
        spelt_answer=(
            201,
            lambda given: {
                "data": {
                    "customerAccountId": "90001",
                    "complianceStatus": "PENDING",
                    "email": wide(given["email"]).upper(),
                    "phoneNumber": f"+{given['phone']}",
                }
            },
        ),
        secrets=("omnumi-access-token",),
        waits=(NAME, ""),
    ),
    Subject(
        name="banklingo",
        row=lambda number, last_name: banklingo.client(number, last_name),
        environment={"TENANT": "bank-1", "TOKEN": banklingo.MAKER, "REGION": "NG"},
        write="create_contact",
        counts=counted,
        ends=ends.BANKLINGO,
        refusal=lambda words: {"isSuccessful": False, "statusCode": "CBS_400", "message": words, "data": None},
        orders=ORDERS,
        repeating="settle_seconds = 0.4\nresend_unknown = true",
        otherwise='settle_seconds = 0.4\nresend_unknown = true\nbranch = "b-2"\nphone_plus = false',
        stranger_answers=(
            200,
            lambda row: {
                "isSuccessful": True,
                "statusCode": "00",
                "data": {"contactEncodedKey": row["customer_id"]},
            },
        ),
        secrets=(banklingo.MAKER,),
        waits=(NAME, ""),
        decide=amended(clientState="Approved"),
        change=amended(emailAddress="another@example.org"),
        delete=amended(deleted=True),
        respell=respelt(
            identificationNumber=lambda given: given["national_id"].lower(),
            emailAddress=lambda given: wide(given["email"]),
        ),
        spelt=banklingo_spelt,
        find=lambda given, ended: ("--phone", given["phone"]),
        harmless=frozenset({"list_contacts", "retrieve_contact"}),
    ),
    Subject(
        name="azakaw",
        row=lambda number, last_name: azakaw.person(number, last_name),
        environment={"TENANT": "1001", "IDENTITY": "app", "PASSWORD": "app-secret"},
        write="add_customer",
        counts=counted,
        ends=ends.AZAKAW,
        refusal=lambda words: {"statusCode": 400, "messages": [words], "result": None},
        settings=azakaw.FORMS + "settle_seconds = 0.4",
        switches={
            "limits": azakaw.UNLIMITED,
            "forms": dict.fromkeys(("form-individual", "form-other"), "IndividualCustomer")
            | {"form-legal": "LegalCustomer"},
            "employees": dict.fromkeys((azakaw.EMPLOYEE, "employee-2"), "Employee Name"),
        },
        orders=ORDERS,
        otherwise='form_id_individual = "form-other"\nemployee_id = "employee-2"\nsettle_seconds = 0.4',
        stranger_answers=(200, lambda row: {"statusCode": 200, "result": {"submissionId": row["customer_id"]}}),
        patches={"jobs.systems.azakaw.system.LIMITS": {CallClass.WRITE: Rate(10, 60.0)}},
        secrets=("app-secret",),
        waits=(NAME, "await_decision = true"),
        decide=amended(kycState="Approved"),
        change=amended(kycState="Rejected"),
        delete=amended(deleted=True),
        respell=respelt(customerEmail=lambda given: wide(given["email"]).upper()),
        spelt=azakaw_spelt,
        find=lambda given, ended: ("--email", given["email"]),
        harmless=frozenset({"get_app_token"}),
    ),
    Subject(
        name="blink",
        row=blink_row,
        environment={"TENANT": "bank-1", "IDENTITY": "muster", "PASSWORD_FILE": "refresh-token", "REGION": "CH"},
        write="create_contact",
        counts=blink_counts,
        ends=ends.BLINK,
        refusal=lambda words: {"type": "invalidPayload", "title": "invalidPayload", "detail": words},
        files={"refresh-token": blink.REFRESH.encode()},
        orders=ORDERS,
        otherwise='settle_seconds = 0.4\ncontact_type = "business"',
        stranger_answers=(201, lambda row: {"contactIdentification": "1", "contactContent": "another@example.org"}),
        secrets=(blink.REFRESH,),
        more=lambda number: {"phone": blink.row(9000 + number)["phone"]},
        handle=lambda call: call["customerId"].replace("P-", "C-"),
        prepare=blink_customer,
        change=blink_change,
        delete=amended(deleted=True),
        respell=blink_respelling,
        spelt=blink_spelt,
        find=lambda given, ended: ("--customer-id", ended["customer_id"]),
        harmless=frozenset({"token"}),
    ),
)
