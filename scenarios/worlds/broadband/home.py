"""What customers do at home with their own router. The tools act on the same state as the agent's."""

from typing import Annotated

from pydantic import BaseModel, Field

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.broadband.state import Cable, Lights, Line, Router, State, find, mend
from tertulia.worlds.toolkit import Toolkit, tool

RouterId = Annotated[
    str, Field(description="the number on the router's sticker", pattern=r"^R\d{3}$", examples=["R999"])
]
WifiChannel = Annotated[int, Field(description="the new wifi channel", ge=1, le=13, examples=[11])]
WhichCable = Annotated[Cable, Field(description="which cable to plug in")]
Seconds = Annotated[int, Field(description="how many seconds to leave it switched off", ge=10, le=300)]

MEANING: dict[Lights, str] = {
    "green": "The router is connected.",
    "orange": "The router is connected, but something slows it down.",
    "red": "The router has no connection.",
    "off": "The router has no power.",
}


class RouterSeen(BaseModel):
    """What somebody standing in front of the router sees."""

    router: str
    lights: Lights
    meaning: str


class WifiSet(BaseModel):
    """The wifi after its channel was changed."""

    router: str
    channel: int
    lights: Lights


class AtHome(Toolkit):
    """The customer's own hands."""

    state: State

    @tool(owner="user")
    def check_router_lights(self, router: RouterId) -> RouterSeen:
        """Look at the lights on the router at home and say what colour they are."""
        return seen(self._box(router)[0])

    @tool(writes=True, owner="user")
    def restart_router(self, router: RouterId, seconds: Seconds = 30) -> RouterSeen:
        """Restart the router at home by switching it off and on again."""
        box, line = self._powered(router)
        box.restarted_on = self.state.today
        if line.cause == "hung_router":
            mend(line, box)
        return seen(box)

    @tool(writes=True, owner="user")
    def change_wifi_channel(self, router: RouterId, channel: WifiChannel) -> WifiSet:
        """Change the wifi channel of the router at home to a less crowded one."""
        box, line = self._powered(router)
        if box.wifi_channel == channel:
            raise ToolError(f"The wifi of router {router} is already on channel {channel}.")
        box.wifi_channel = channel
        if line.cause == "crowded_wifi" and channel not in box.busy_channels:
            mend(line, box)
        return WifiSet(router=router, channel=channel, lights=box.lights)

    @tool(writes=True, owner="user")
    def plug_in_cable(self, router: RouterId, cable: WhichCable) -> RouterSeen:
        """Plug a loose cable of the router at home back in."""
        box, line = self._box(router)
        if box.loose_cable != cable:
            raise ToolError(f"The {cable} cable of router {router} is already plugged in firmly.")
        box.loose_cable = "none"
        if line.cause == "loose_cable":
            mend(line, box)
        elif cable == "power":
            box.lights = "green" if line.status == "working" else "red"
        return seen(box)

    def _box(self, router: str) -> tuple[Router, Line]:
        box = find(self.state.routers, router, "router")
        return box, self.state.lines[box.line]

    def _powered(self, router: str) -> tuple[Router, Line]:
        box, line = self._box(router)
        if box.lights == "off":
            raise ToolError(f"Router {router} has no power, so first its power cable must be plugged in.")
        return box, line


def seen(box: Router) -> RouterSeen:
    """The router as it looks now."""
    return RouterSeen(router=box.router, lights=box.lights, meaning=MEANING[box.lights])
