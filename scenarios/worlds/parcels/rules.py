"""The rules of the parcel carrier that several tools share; each refuses with a plain reason."""

from datetime import timedelta

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.parcels.state import ParcelState, Problem, Shipment, Weekday
from tertulia.worlds.toolkit import Toolkit

__all__ = ["CarrierRules"]

FIXED = {
    "loaded": "is already on the van",
    "waiting": "is already waiting at a pickup point",
    "delivered": "was already delivered",
    "returned": "was sent back to its sender",
    "lost": "is reported lost",
    "cancelled": "was cancelled",
}
CLAIMABLE = {
    "damaged": ("delivered", "returned"),
    "missing": ("delivered", "lost"),
    "late": ("accepted", "loaded", "waiting", "delivered"),
}


class CarrierRules(Toolkit):
    """Finds records, and keeps count of the stops that vans still have free."""

    state: ParcelState

    def customer_with(self, email: str) -> str:
        for number, customer in self.state.customers.items():
            if customer.email == email.lower():
                return number
        raise ToolError(f"No account uses the email address {email}.")

    def parcel_numbered(self, order: str) -> Shipment:
        if order not in self.state.orders:
            raise ToolError(f"There is no parcel {order}.")
        return self.state.orders[order]

    def check_owner(self, order: str, email: str) -> None:
        if self.parcel_numbered(order).customer != self.customer_with(email):
            raise ToolError(f"Parcel {order} does not belong to the account {email}.")

    def still_movable(self, order: str) -> Shipment:
        parcel = self.parcel_numbered(order)
        if parcel.status in FIXED:
            raise ToolError(f"Parcel {order} {FIXED[parcel.status]}, so this can no longer be changed.")
        return parcel

    def depot_for(self, postcode: str) -> str:
        for name, depot in self.state.depots.items():
            if postcode.startswith(depot.area):
                return name
        raise ToolError(f"We don't deliver to the postcode {postcode}.")

    def take_stop(self, depot: str, day: Weekday) -> None:
        free = self.state.depots[depot].free
        if not free.get(day):
            others = ", ".join(other for other, stops in free.items() if stops)
            raise ToolError(f"There is no room left on {day}. There is still room on: {others or 'no day'}.")
        free[day] -= 1

    def give_back_stop(self, parcel: Shipment) -> None:
        if parcel.day:
            free = self.state.depots[parcel.depot].free
            free[parcel.day] = free.get(parcel.day, 0) + 1

    def check_claimable(self, order: str, parcel: Shipment, problem: Problem) -> None:
        for number, claim in self.state.claims.items():
            if claim.order == order:
                raise ToolError(f"There already is a claim for parcel {order}, number {number}.")
        if parcel.status not in CLAIMABLE[problem]:
            raise ToolError(f"Parcel {order} is {parcel.status}, so it can't be claimed as {problem}.")
        days = self.state.rules.claim_days
        if parcel.delivered_on and self.state.today - parcel.delivered_on > timedelta(days=days):
            raise ToolError(f"Parcel {order} came on {parcel.delivered_on}; claims end {days} days after delivery.")
