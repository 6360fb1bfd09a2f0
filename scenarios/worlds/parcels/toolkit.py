"""The tools of the parcels world, each with the rules of its own that make a request impossible."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.parcels.answers import (
    AddressChanged,
    Cancelled,
    ClaimFiled,
    ClaimState,
    CollectionBooked,
    CustomerFound,
    DaysFound,
    DeliveryRecord,
    Neighbour,
    OrderLine,
    OrdersFound,
    PickupPointLine,
    PickupPointsFound,
    PlaceSet,
    Postage,
    Redirected,
    RefundApproved,
    RefundPaid,
    Rescheduled,
    Tracked,
)
from tertulia.scenarios.worlds.parcels.rules import CarrierRules
from tertulia.scenarios.worlds.parcels.state import (
    Address,
    Claim,
    Collection,
    Place,
    Postcode,
    Problem,
    Refund,
    Weekday,
)
from tertulia.worlds.toolkit import tool

__all__ = ["Parcels"]

Order = Annotated[str, Field(description="number of the parcel", pattern=r"^A\d{4}$", examples=["A1999"])]
Email = Annotated[
    str,
    Field(
        description="email address of the customer's account",
        pattern=r"^[\w.+-]+@[\w-]+(\.[\w-]+)+$",
        examples=["robin.west@example.com"],
    ),
]
Day = Annotated[Weekday, Field(description="day of this week")]
PointId = Annotated[str, Field(description="number of the pickup point", pattern=r"^P\d{2}$", examples=["P99"])]
ClaimId = Annotated[str, Field(description="number of the claim", pattern=r"^K\d{3}$", examples=["K999"])]
Amount = Annotated[float, Field(description="amount of money in euros", gt=0, le=2000, examples=[19.5])]


class Parcels(CarrierRules):
    """What the customer service of a parcel carrier can look up and do."""

    # --- looking things up ---------------------------------------------------------------------------------------

    @tool()
    def find_customer(self, email: Email) -> CustomerFound:
        """Find a customer's account by email address."""
        customer = self.customer_with(email)
        return CustomerFound(customer=customer, **self.state.customers[customer].model_dump())

    @tool()
    def find_orders(
        self,
        email: Email,
        open_only: Annotated[bool, Field(description="leave out parcels that have already arrived")] = False,
    ) -> OrdersFound:
        """List a customer's parcels by email address, when the number of the parcel is lost or forgotten."""
        customer = self.customer_with(email)
        lines = [
            OrderLine(order=order, items=parcel.items, status=parcel.status, day=parcel.day)
            for order, parcel in self.state.orders.items()
            if parcel.customer == customer and not (open_only and parcel.status in ("delivered", "cancelled"))
        ]
        return OrdersFound(customer=customer, orders=lines)

    @tool()
    def track_parcel(self, order: Order) -> Tracked:
        """Tell where a parcel is now and on which day it will arrive."""
        parcel = self.parcel_numbered(order)
        return Tracked(order=order, **parcel.model_dump(include={"status", "day", "window", "pickup_point"}))

    @tool()
    def find_free_days(self, order: Order) -> DaysFound:
        """Show on which days there is still room for a parcel on a van."""
        free = self.state.depots[self.parcel_numbered(order).depot].free
        return DaysFound(order=order, days=[day for day, stops in free.items() if stops])

    @tool()
    def find_pickup_points(
        self,
        postcode: Postcode,
        open_late: Annotated[bool, Field(description="only those that close at eight in the evening or later")] = False,
    ) -> PickupPointsFound:
        """List the pickup points near a postcode with their closing times."""
        depot = self.depot_for(postcode)
        near = [
            PickupPointLine(
                pickup_point=number,
                name=point.name,
                street=point.address.street,
                postcode=point.address.postcode,
                closes=point.closes,
                has_room=point.free > 0,
            )
            for number, point in self.state.pickup_points.items()
            if self.depot_for(point.address.postcode) == depot and (point.closes >= "20:00" or not open_late)
        ]
        return PickupPointsFound(pickup_points=sorted(near, key=lambda line: line.postcode != postcode))

    @tool()
    def show_delivery_record(self, order: Order) -> DeliveryRecord:
        """Show when a parcel was delivered and who took it in, the recipient or a neighbour."""
        parcel = self.parcel_numbered(order)
        if parcel.delivered_on is None:
            raise ToolError(f"Parcel {order} has not been delivered yet.")
        neighbour = None
        if parcel.left_with:
            record = self.state.customers[parcel.left_with].model_dump(exclude={"email"})
            neighbour = Neighbour(customer=parcel.left_with, **record)
        return DeliveryRecord(
            order=order,
            delivered_on=parcel.delivered_on,
            received_by="neighbour" if neighbour else "recipient",
            neighbour=neighbour,
        )

    @tool()
    def quote_postage(
        self,
        weight_kg: Annotated[float, Field(description="weight in kilograms", gt=0, le=30, examples=[2.5])],
        express: Annotated[bool, Field(description="whether it must arrive the next day")] = False,
    ) -> Postage:
        """Work out the price of sending a new parcel."""
        price = 4.5 + 1.2 * weight_kg
        return Postage(price=round(price * 1.6 if express else price, 2), arrives_in_days=1 if express else 3)

    @tool()
    def check_claim(self, claim: ClaimId) -> ClaimState:
        """Tell how far a claim has got that was filed earlier."""
        if claim not in self.state.claims:
            raise ToolError(f"There is no claim {claim}.")
        return ClaimState(claim=claim, **self.state.claims[claim].model_dump(include={"order", "problem", "status"}))

    # --- changing a delivery -------------------------------------------------------------------------------------

    @tool(writes=True)
    def reschedule_delivery(self, order: Order, day: Day) -> Rescheduled:
        """Move the delivery of a parcel to another day, because the customer was missed or will be out."""
        parcel = self.still_movable(order)
        if parcel.day == day:
            raise ToolError(f"Parcel {order} is already planned for {day}.")
        self.take_stop(parcel.depot, day)
        self.give_back_stop(parcel)
        parcel.day = day
        return Rescheduled(order=order, day=day, window=parcel.window)

    @tool(writes=True)
    def redirect_to_pickup_point(self, order: Order, pickup_point: PointId) -> Redirected:
        """Redirect a parcel to a pickup point, so that the customer can fetch it at the shop."""
        parcel = self.still_movable(order)
        point = self.state.pickup_points.get(pickup_point)
        if point is None:
            raise ToolError(f"There is no pickup point {pickup_point}.")
        if parcel.pickup_point == pickup_point:
            raise ToolError(f"Parcel {order} already goes to {point.name}.")
        if parcel.weight_kg > point.heaviest_kg:
            raise ToolError(f"Parcel {order} is too heavy for {point.name}, which takes up to {point.heaviest_kg} kg.")
        if point.free == 0:
            raise ToolError(f"The pickup point {point.name} is full.")
        point.free -= 1
        if parcel.pickup_point:
            self.state.pickup_points[parcel.pickup_point].free += 1
        parcel.pickup_point = pickup_point
        return Redirected(order=order, pickup_point=pickup_point, name=point.name, closes=point.closes)

    @tool(writes=True)
    def change_address(
        self, order: Order, email: Email, address: Annotated[Address, Field(description="the new address")]
    ) -> AddressChanged:
        """Send a parcel to a different address, such as a new flat or an office, before it goes on the van."""
        self.check_owner(order, email)
        parcel = self.still_movable(order)
        depot = self.depot_for(address.postcode)
        if depot != parcel.depot and parcel.day:
            self.take_stop(depot, parcel.day)
            self.give_back_stop(parcel)
        parcel.depot, parcel.address = depot, address
        return AddressChanged(order=order, address=address, day=parcel.day)

    @tool(writes=True)
    def set_safe_place(
        self,
        order: Order,
        place: Annotated[Place, Field(description="where to leave it")],
        note: Annotated[str | None, Field(description="a hint for the driver", max_length=80)] = None,
    ) -> PlaceSet:
        """Tell the driver a safe place to leave a parcel when nobody is at home, such as the porch or the shed."""
        parcel = self.still_movable(order)
        if parcel.signature:
            raise ToolError(f"Parcel {order} must be signed for, so it can't be left anywhere.")
        parcel.safe_place, parcel.note = place, note
        return PlaceSet(order=order, place=place, note=note)

    @tool(writes=True)
    def cancel_order(self, order: Order, email: Email) -> Cancelled:
        """Cancel a parcel that its sender still has, so that it is never sent."""
        self.check_owner(order, email)
        parcel = self.still_movable(order)
        if parcel.status != "announced":
            raise ToolError(f"Parcel {order} was already handed over to us, so it can't be cancelled.")
        self.give_back_stop(parcel)
        parcel.status, parcel.day = "cancelled", None
        return Cancelled(order=order, status=parcel.status)

    @tool(writes=True)
    def book_collection(
        self,
        email: Email,
        day: Day,
        parcels: Annotated[int, Field(description="how many parcels to collect", ge=1, le=10)],
        bulky: Annotated[bool, Field(description="whether one is too large for a car boot")] = False,
    ) -> CollectionBooked:
        """Book a driver to come and collect parcels that the customer wants to send."""
        customer = self.customer_with(email)
        if bulky and parcels > self.state.rules.most_bulky:
            raise ToolError(f"One collection takes at most {self.state.rules.most_bulky} bulky parcels.")
        self.take_stop(self.depot_for(self.state.customers[customer].address.postcode), day)
        number = _next("V", self.state.collections)
        self.state.collections[number] = Collection(customer=customer, day=day, parcels=parcels, bulky=bulky)
        return CollectionBooked(collection=number, day=day, parcels=parcels)

    # --- making good ---------------------------------------------------------------------------------------------

    @tool(writes=True)
    def file_claim(
        self,
        order: Order,
        email: Email,
        problem: Annotated[Problem, Field(description="what went wrong")],
        items: Annotated[
            list[str], Field(description="the items of the parcel it is about", min_length=1, examples=[["egg cups"]])
        ],
    ) -> ClaimFiled:
        """File a claim for a parcel that arrived damaged or late, or of which something is missing."""
        self.check_owner(order, email)
        parcel = self.parcel_numbered(order)
        self.check_claimable(order, parcel, problem)
        if strange := [item for item in items if item not in parcel.items]:
            raise ToolError(f"Parcel {order} did not contain {strange[0]!r}; it contained {', '.join(parcel.items)}.")
        number = _next("K", self.state.claims)
        today = self.state.today
        self.state.claims[number] = Claim(order=order, problem=problem, items=items, filed_on=today)
        answer_by = today + timedelta(days=10)
        return ClaimFiled(claim=number, order=order, problem=problem, items=items, answer_by=answer_by)

    @tool(writes=True)
    def issue_refund(self, order: Order, amount: Amount) -> RefundPaid:
        """Pay a refund, so that the customer gets money back for a parcel."""
        parcel = self.parcel_numbered(order)
        claimed = any(claim.order == order and claim.status != "rejected" for claim in self.state.claims.values())
        if not claimed and parcel.status not in ("lost", "returned", "cancelled"):
            raise ToolError(f"There is no claim for parcel {order}, so nothing can be paid back for it yet.")
        limit = self.state.rules.agent_limit
        if amount > limit and amount > parcel.refund_approved:
            raise ToolError(f"A refund above {limit:g} euros must first be approved by the supervisor.")
        left = parcel.value - sum(paid.amount for paid in self.state.refunds.values() if paid.order == order)
        if amount > left:
            raise ToolError(f"At most {left:g} euros can still be paid back for parcel {order}.")
        number = _next("R", self.state.refunds)
        self.state.refunds[number] = Refund(order=order, amount=amount, paid_on=self.state.today)
        return RefundPaid(refund=number, order=order, amount=amount)

    @tool(writes=True, owner="colleague")
    def approve_refund(self, order: Order, amount: Amount) -> RefundApproved:
        """Approve a refund that is too high for an agent to pay alone."""
        parcel = self.parcel_numbered(order)
        if amount > parcel.value:
            raise ToolError(f"Parcel {order} is worth {parcel.value:g} euros, so no more can be approved.")
        parcel.refund_approved = amount
        return RefundApproved(order=order, amount=amount)


def _next(letter: Literal["K", "R", "V"], records: dict[str, Claim] | dict[str, Refund] | dict[str, Collection]) -> str:
    """The number after the highest one in use."""
    return f"{letter}{max(int(number[1:]) for number in records) + 1}"
