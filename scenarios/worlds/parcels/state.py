"""The records of the parcel carrier: customers, parcels, depots, pickup points, claims, refunds and collections."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Address",
    "Claim",
    "Collection",
    "Customer",
    "Depot",
    "ParcelState",
    "PickupPoint",
    "Place",
    "Postcode",
    "Problem",
    "Refund",
    "Rules",
    "Shipment",
    "Status",
    "Weekday",
]

Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
Status = Literal["announced", "accepted", "loaded", "waiting", "delivered", "returned", "lost", "cancelled"]
Problem = Literal["damaged", "missing", "late"]
Place = Literal["porch", "garage", "shed", "reception"]
Postcode = Annotated[str, Field(description="postcode of four digits", pattern=r"^\d{4}$", examples=["2950"])]


class Stored(BaseModel):
    """A record that tools may change."""

    model_config = ConfigDict(extra="forbid")


class Address(Stored):
    """Where somebody lives or works."""

    street: str = Field(description="house number and street", min_length=4, examples=["16 Harbour View"])
    postcode: Postcode
    city: str = Field(description="town or city", min_length=2, examples=["Saltmere"])


class Customer(Stored):
    """Somebody with an account. Phone and address are nobody else's business."""

    name: str
    email: str
    phone: str
    address: Address


class Shipment(Stored):
    """One parcel. `announced`: still with its sender; `accepted`: at the depot; `loaded`: on the van today;
    `waiting`: at a pickup point."""

    customer: str
    items: list[str]
    weight_kg: float
    value: float = Field(description="declared value in euros; no more than this is ever paid back")
    status: Status
    depot: str
    address: Address
    day: Weekday | None = Field(None, description="planned day of delivery")
    window: str = "09:00-13:00"
    pickup_point: str | None = None
    safe_place: Place | None = None
    note: str | None = None
    signature: bool = Field(False, description="must be signed for")
    delivered_on: date | None = None
    left_with: str | None = Field(None, description="the neighbour who took it in, as a customer id")
    refund_approved: float = Field(0, description="the highest refund that the supervisor has approved")


class Depot(Stored):
    """Where vans start. `area` is how the postcodes it serves begin; `free` counts the stops left per day."""

    area: tuple[str, ...]
    free: dict[Weekday, int]


class PickupPoint(Stored):
    """A shop that keeps parcels."""

    name: str
    address: Address
    closes: str
    heaviest_kg: float
    free: int = Field(description="parcels it can still take")


class Claim(Stored):
    """A customer's complaint about a parcel."""

    order: str
    problem: Problem
    items: list[str]
    filed_on: date
    status: Literal["open", "accepted", "rejected"] = "open"


class Refund(Stored):
    """Money paid back for a parcel."""

    order: str
    amount: float
    paid_on: date


class Collection(Stored):
    """A driver's visit to fetch parcels."""

    customer: str
    day: Weekday
    parcels: int
    bulky: bool


class Rules(Stored):
    """The figures that the tools hold to."""

    agent_limit: float = Field(description="euros that an agent may pay back without a recorded approval")
    claim_days: int = Field(description="days after delivery in which a claim may be filed")
    most_bulky: int = Field(description="bulky parcels that one collection takes")


class ParcelState(Stored):
    """All of it. Records are keyed by id, so that a path reads `orders.A1042.day`."""

    today: date
    rules: Rules
    customers: dict[str, Customer]
    orders: dict[str, Shipment]
    depots: dict[str, Depot]
    pickup_points: dict[str, PickupPoint]
    claims: dict[str, Claim]
    refunds: dict[str, Refund]
    collections: dict[str, Collection]
