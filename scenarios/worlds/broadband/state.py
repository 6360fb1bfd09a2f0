"""What the provider keeps: accounts, lines, routers, invoices, visits and outages, linked by their numbers.

accounts  A101 ...  a customer, its private details and its plan       -> plan, line
lines     L301 ...  a connection, how it works and why it does not     -> account, router
routers   R501 ...  the box at the customer's home                     -> line
invoices  I701 ...  one month's bill                                   -> account
visits    V801 ...  an engineer's visit                                -> line
outages   O901 ...  a fault of a whole area, the first word of the postcodes it covers
tickets   T601 ...  a fault that the network team looks into           -> line
shipments S401 ...  a router on its way                                -> line
"""

from collections.abc import Mapping
from datetime import date
from typing import Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tertulia.errors import ToolError

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
TimeOfDay = Literal["morning", "afternoon"]
PlanName = Literal["starter", "family", "turbo", "giga"]
Symptom = Literal["slow", "dropping", "dead", "noisy"]
Cable = Literal["power", "phone", "network"]
RouterModel = Literal["standard", "mesh"]
LineStatus = Literal["working", "slow", "unstable", "down"]
Cause = Literal["none", "hung_router", "loose_cable", "crowded_wifi", "stuck_profile", "broken_wire", "outage"]
Lights = Literal["green", "orange", "red", "off"]

Found = TypeVar("Found")


class Kept(BaseModel):
    """A record of the state; its values are checked again whenever they are set."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)


class Address(Kept):
    street: str = Field(description="house number and street", examples=["99 Sample Street"])
    postcode: str = Field(pattern=r"^[A-Z]{2}\d [0-9][A-Z]{2}$", examples=["ZZ9 9ZZ"])


class Contact(Kept):
    name: str = Field(min_length=2, description="whom the engineer should ask for", examples=["Robin West"])
    phone: str = Field(pattern=r"^07\d{9}$", description="a mobile number", examples=["07700900123"])


class Account(Kept):
    account: str
    name: str
    email: str
    phone: str
    address: Address
    house_number: str
    pin: str = Field(description="the customer's secret for the telephone, never read out")
    plan: PlanName
    minimum_term_until: date
    line: str = Field(description="the main line")
    credit: float = Field(0, ge=0, description="comes off the next invoice")
    credit_approved: float = Field(0, ge=0, description="the highest credit that a supervisor has put on record")


class Line(Kept):
    line: str
    account: str
    router: str
    address: Address
    house_number: str
    most_mbit: int
    status: LineStatus
    cause: Cause = Field(description="why it does not work; found out by a test, told to nobody")
    tested_on: date | None = None
    profile_reset_on: date | None = None


class Router(Kept):
    router: str
    line: str
    model: RouterModel
    installed: date
    lights: Lights
    wifi_channel: int = Field(ge=1, le=13)
    busy_channels: tuple[int, ...] = Field((), description="wifi channels that neighbours use")
    loose_cable: Cable | Literal["none"] = "none"
    restarted_on: date | None = None
    wifi_password: str


class Plan(Kept):
    plan: PlanName
    mbit: int
    monthly_price: float
    minimum_months: int


class Invoice(Kept):
    invoice: str
    account: str
    month: str
    amount: float
    status: Literal["paid", "open", "overdue"]


class Visit(Kept):
    visit: str
    line: str
    day: Weekday
    date: date
    time: TimeOfDay
    status: Literal["booked", "cancelled", "done"] = "booked"
    contact: Contact | None = None


class Outage(Kept):
    outage: str
    area: str
    status: Literal["active", "planned", "over"]
    reason: str
    started: date
    expected_end: date
    texts_to: tuple[str, ...] = ()


class Ticket(Kept):
    ticket: str
    line: str
    symptoms: tuple[Symptom, ...]
    since: date
    status: Literal["open", "closed"] = "open"


class Shipment(Kept):
    shipment: str
    line: str
    model: RouterModel
    address: Address
    return_old: bool
    arrives: date


class State(Kept):
    today: date
    visits_per_slot: int
    plans: dict[str, Plan]
    accounts: dict[str, Account]
    lines: dict[str, Line]
    routers: dict[str, Router]
    invoices: dict[str, Invoice]
    visits: dict[str, Visit]
    outages: dict[str, Outage]
    tickets: dict[str, Ticket] = {}
    shipments: dict[str, Shipment] = {}

    def outage_at(self, postcode: str) -> Outage | None:
        """The outage that is going on where this postcode lies."""
        area = postcode.split(" ")[0]
        return next((o for o in self.outages.values() if o.area == area and o.status == "active"), None)


def find(records: Mapping[str, Found], number: str, what: str) -> Found:
    """The record of that number.

    Raises:
        ToolError: if there is none."""
    if number not in records:
        raise ToolError(f"There is no {what} {number}.")
    return records[number]


def next_number(records: Mapping[str, object], letter: str, first: int) -> str:
    """The number for a new record: one above the highest."""
    return f"{letter}{max([first - 1, *(int(number[1:]) for number in records)]) + 1}"


def mend(line: Line, router: Router) -> None:
    """The line works again."""
    line.status, line.cause = "working", "none"
    router.lights = "green"
