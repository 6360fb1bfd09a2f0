"""Classes of tools in the ways of other libraries, small enough to read: for whoever tests worlds made of them."""

from collections.abc import Callable
from typing import Any, Literal

from pydantic import BaseModel

__all__ = ["Abacus", "Depot", "DepotApi", "Home", "HomeTools", "Shop", "ShopEnvironment", "ShopTools"]

Size = Literal["small", "large"]


def is_tool(*, mutates: bool) -> Callable[[Any], Any]:
    """Marks a method in the way of tau2-bench."""

    def mark(method: Any) -> Any:
        method.__tool__, method.__mutates_state__ = True, mutates
        return method

    return mark


class Order(BaseModel):
    status: str = "open"
    size: Size = "small"


class Shop(BaseModel):
    orders: dict[str, Order]


class Home(BaseModel):
    parcels: list[str] = []
    door: str = "shut"


class Kit:
    """What tau2-bench's toolkits have in common."""

    _func_tools: dict[str, Any] = {}  # noqa: RUF012  the way of that library

    def __init__(self, db: Any) -> None:
        self.db = db

    def use_tool(self, tool_name: str, **kwargs: Any) -> Any:
        return getattr(self, tool_name)(**kwargs)


class ShopTools(Kit):
    db: Shop

    @is_tool(mutates=False)
    def look_up(self, order_id: str) -> Order:
        """Look an order up.

        Args:
            order_id: the number of the order, such as '#7',
                with its sign

        Returns:
            The order.
        """
        if order_id not in self.db.orders:
            raise ValueError("Order not found")
        return self.db.orders[order_id]

    @is_tool(mutates=True)
    def cancel(self, order_id: str, size: Size | None = None) -> Order:
        """Cancel an order."""
        order = self.look_up(order_id)
        before, order.status = order.status, "cancelled"
        if before == "cancelled":
            raise ValueError("It is cancelled already")
        order.size = size or order.size
        return order

    def is_cancelled(self, order_id: str) -> bool:
        """What an assertion asks; no tool."""
        return self.look_up(order_id).status == "cancelled"

    def reopen(self, order_id: str) -> None:
        """What an initialization does; no tool."""
        self.db.orders[order_id].status = "reopened"


class HomeTools(Kit):
    db: Home

    @is_tool(mutates=True)
    def open_door(self) -> str:
        """Open the door."""
        self.db.door = "open"
        return "open"


class ShopEnvironment:
    """Keeps shop and home in step: what is cancelled is on no doorstep."""

    tools: ShopTools
    user_tools: HomeTools

    def __init__(self, domain_name: str, policy: str, tools: ShopTools, user_tools: HomeTools) -> None:
        self.tools, self.user_tools = tools, user_tools

    def sync_tools(self) -> None:
        orders = self.tools.db.orders
        self.user_tools.db.parcels = [name for name, order in orders.items() if order.status != "cancelled"]

    def make_tool_call(self, tool_name: str, requestor: str = "assistant", **kwargs: Any) -> Any:
        kit: Kit = self.user_tools if requestor == "user" else self.tools
        return kit.use_tool(tool_name, **kwargs)


class Depot:
    """A thing of a BFCL class: it points back at what holds it."""

    def __init__(self, name: str, parent: "Depot | None" = None) -> None:
        self.name, self.parent = name, parent
        self.inside: dict[str, Depot] = {}


class DepotApi:
    def __init__(self) -> None:
        self.root: Depot
        self._here: Depot

    def _load_scenario(self, scenario: dict[str, Any], long_context: bool = False) -> None:
        self.root = Depot(scenario.get("root", "yard"))
        for name in scenario.get("inside", []):
            self.root.inside[name] = Depot(name, self.root)
        self.long_context, self._here = long_context, self.root

    def enter(self, name: str) -> dict[str, str]:
        """Go in.

        Args:
            name (str): where to
        """
        if name not in self._here.inside:
            return {"error": f"there is no {name}"}
        self._here = self._here.inside[name]
        return {"here": name}

    def build(self, name: str, times: int = 1) -> dict[str, Any]:
        """Build something here."""
        for nth in range(times):
            self._here.inside[f"{name}{nth}"] = Depot(f"{name}{nth}", self._here)
        return {"built": times}


class BeadError(Exception):
    """An error of that module's own."""


class Abacus:
    """Without any library."""

    def __init__(self, rows: int = 2) -> None:
        self.beads = [0] * rows

    def push(self, row: int) -> list[int]:
        if row < 0:
            raise BeadError("no such row")
        self.beads[row] += 1
        return self.beads
