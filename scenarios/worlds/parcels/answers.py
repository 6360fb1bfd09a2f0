"""What the tools of the parcels world return."""

from datetime import date

from pydantic import BaseModel, Field

from tertulia.scenarios.worlds.parcels.state import Address, Place, Problem, Status, Weekday

__all__ = [
    "AddressChanged",
    "Cancelled",
    "ClaimFiled",
    "ClaimState",
    "CollectionBooked",
    "CustomerFound",
    "DaysFound",
    "DeliveryRecord",
    "Neighbour",
    "OrderLine",
    "OrdersFound",
    "PickupPointLine",
    "PickupPointsFound",
    "PlaceSet",
    "Postage",
    "Redirected",
    "RefundApproved",
    "RefundPaid",
    "Rescheduled",
    "Tracked",
]


class CustomerFound(BaseModel):
    customer: str
    name: str
    email: str
    phone: str
    address: Address


class OrderLine(BaseModel):
    order: str
    items: list[str]
    status: Status
    day: Weekday | None


class OrdersFound(BaseModel):
    customer: str
    orders: list[OrderLine]


class Tracked(BaseModel):
    order: str
    status: Status
    day: Weekday | None = Field(description="planned day of delivery, if there still is one")
    window: str = Field(description="hours between which the driver comes")
    pickup_point: str | None


class DaysFound(BaseModel):
    order: str
    days: list[Weekday]


class PickupPointLine(BaseModel):
    pickup_point: str
    name: str
    street: str
    postcode: str
    closes: str
    has_room: bool


class PickupPointsFound(BaseModel):
    pickup_points: list[PickupPointLine]


class Neighbour(BaseModel):
    customer: str
    name: str
    phone: str
    address: Address


class DeliveryRecord(BaseModel):
    order: str
    delivered_on: date
    received_by: str = Field(description="the recipient or a neighbour")
    neighbour: Neighbour | None = Field(description="another customer's private record: not to be passed on")


class Postage(BaseModel):
    price: float = Field(description="euros")
    arrives_in_days: int


class ClaimState(BaseModel):
    claim: str
    order: str
    problem: Problem
    status: str


class Rescheduled(BaseModel):
    order: str
    day: Weekday
    window: str


class Redirected(BaseModel):
    order: str
    pickup_point: str
    name: str
    closes: str


class AddressChanged(BaseModel):
    order: str
    address: Address
    day: Weekday | None


class PlaceSet(BaseModel):
    order: str
    place: Place
    note: str | None


class Cancelled(BaseModel):
    order: str
    status: Status


class ClaimFiled(BaseModel):
    claim: str
    order: str
    problem: Problem
    items: list[str]
    answer_by: date


class RefundPaid(BaseModel):
    refund: str
    order: str
    amount: float


class RefundApproved(BaseModel):
    order: str
    amount: float


class CollectionBooked(BaseModel):
    collection: str
    day: Weekday
    parcels: int
