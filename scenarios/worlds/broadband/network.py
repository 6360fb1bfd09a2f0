"""The agent's tools for what is technical: lines, outages, engineer visits and routers sent by post."""

from datetime import date, timedelta
from typing import Annotated, get_args

from pydantic import BaseModel, Field

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.broadband.state import (
    Address,
    Cause,
    Contact,
    Line,
    LineStatus,
    Outage,
    RouterModel,
    Shipment,
    State,
    Symptom,
    Ticket,
    TimeOfDay,
    Visit,
    Weekday,
    find,
    mend,
    next_number,
)
from tertulia.worlds.toolkit import Toolkit, tool

LineId = Annotated[str, Field(description="the number of the line", pattern=r"^L\d{3}$", examples=["L999"])]
VisitId = Annotated[str, Field(description="the number of the visit", pattern=r"^V\d{3}$", examples=["V999"])]
OutageId = Annotated[str, Field(description="the number of the outage", pattern=r"^O\d{3}$", examples=["O999"])]
Postcode = Annotated[
    str,
    Field(description="the postcode of the home", pattern=r"^[A-Z]{2}\d [0-9][A-Z]{2}$", examples=["ZZ9 9ZZ"]),
]
HouseNumber = Annotated[str, Field(description="the number of the house", pattern=r"^\d{1,3}$", examples=["12"])]
Day = Annotated[Weekday, Field(description="the day of the visit, within the next seven days")]
Time = Annotated[TimeOfDay, Field(description="the time of the visit")]
Phone = Annotated[str, Field(description="a mobile number", pattern=r"^07\d{9}$", examples=["07700900123"])]
Symptoms = Annotated[list[Symptom], Field(description="what is wrong with the line", min_length=1, max_length=3)]
Since = Annotated[date | None, Field(description="the first day of the trouble; today when left out")]
Model = Annotated[RouterModel, Field(description="which model of router to send")]
ReturnOld = Annotated[bool, Field(description="whether the customer will send the old router back")]
DeliverTo = Annotated[Address | None, Field(description="where to send it; the home of the line when left out")]
AskFor = Annotated[Contact | None, Field(description="somebody else whom the engineer should ask for")]

FINDING: dict[Cause, str] = {
    "none": "No fault was found.",
    "hung_router": "The signal reaches the home, but the router does not answer.",
    "loose_cable": "Nothing is connected at the end of the line.",
    "crowded_wifi": "The line itself is fast, so the wifi is what slows it down.",
    "stuck_profile": "The line profile holds the speed down.",
    "broken_wire": "The wire is damaged outside the home, so an engineer is needed.",
    "outage": "There is an outage in the area.",
}
SHARE: dict[LineStatus, float] = {"working": 0.95, "slow": 0.1, "unstable": 0.4, "down": 0}


class LineFound(BaseModel):
    """A line and what it hangs on."""

    line: str
    account: str
    router: str
    status: LineStatus


class LineTest(BaseModel):
    """What a test of the line found."""

    line: str
    status: LineStatus
    mbit: int
    finding: str


class VisitSeen(BaseModel):
    """An engineer's visit with the customer whom it is for."""

    visit: str
    line: str
    time: TimeOfDay
    account: str
    name: str
    phone: str
    address: Address


class NetworkDesk(Toolkit):
    """Everything about lines, outages, visits and routers."""

    state: State

    @tool()
    def find_line(self, postcode: Postcode, house_number: HouseNumber) -> LineFound:
        """Find the line, account and router of a home by its postcode and house number."""
        for line in self.state.lines.values():
            if (line.address.postcode, line.house_number) == (postcode, house_number):
                return LineFound(line=line.line, account=line.account, router=line.router, status=line.status)
        raise ToolError(f"There is no line at house number {house_number} in {postcode}.")

    @tool()
    def list_outages(self, postcode: Postcode) -> list[Outage]:
        """List the outages known around a postcode, and when each should be over."""
        area = postcode.split(" ")[0]
        hidden = {"texts_to": ()}
        return [o.model_copy(update=hidden) for o in self.state.outages.values() if o.area == area]

    @tool()
    def list_visits(self, day: Day) -> list[VisitSeen]:
        """List the engineer visits booked for a day, with the customers they are for."""
        booked = [v for v in self.state.visits.values() if v.status == "booked" and v.date == self._date(day)]
        return [self._seen(visit) for visit in booked]

    @tool(writes=True)
    def run_line_test(self, line: LineId) -> LineTest:
        """Run a test of a line to find its fault; the connection stops for a minute."""
        tested = self._line_without_outage(line, "a test would tell nothing")
        tested.tested_on = self.state.today
        mbit = round(tested.most_mbit * SHARE[tested.status])
        return LineTest(line=line, status=tested.status, mbit=mbit, finding=FINDING[tested.cause])

    @tool(writes=True)
    def reset_line_profile(self, line: LineId) -> LineTest:
        """Reset the profile of a line so that it finds its best speed again."""
        reset = self._line_without_outage(line, "a reset would not help")
        router = self.state.routers[reset.router]
        if router.restarted_on != self.state.today:
            raise ToolError(f"Router {router.router} must be restarted today before the profile of {line} is reset.")
        if reset.profile_reset_on == self.state.today:
            raise ToolError(f"The profile of line {line} was already reset today.")
        reset.profile_reset_on = self.state.today
        if reset.cause == "stuck_profile":
            mend(reset, router)
        mbit = round(reset.most_mbit * SHARE[reset.status])
        return LineTest(line=line, status=reset.status, mbit=mbit, finding=FINDING[reset.cause])

    @tool(writes=True)
    def book_engineer(self, line: LineId, day: Day, time: Time, contact: AskFor = None) -> Visit:
        """Book an engineer to come to the home on a day, in the morning or the afternoon."""
        broken = self._line_without_outage(line, "an engineer at home could do nothing")
        if broken.tested_on != self.state.today:
            raise ToolError(f"Line {line} must be tested today before an engineer is booked.")
        if broken.status == "working":
            raise ToolError(f"The test of line {line} found no fault, so no engineer is needed.")
        if any(v.line == line and v.status == "booked" for v in self.state.visits.values()):
            raise ToolError(f"An engineer is already booked for line {line}.")
        self._free(day, time)
        number = next_number(self.state.visits, "V", 801)
        visit = Visit(visit=number, line=line, day=day, date=self._date(day), time=time, contact=contact)
        self.state.visits[number] = visit
        return visit

    @tool(writes=True)
    def move_engineer(self, visit: VisitId, day: Day, time: Time) -> Visit:
        """Move an engineer visit that is already booked to another day or time."""
        booked = self._open_visit(visit)
        self._free(day, time)
        booked.day, booked.date, booked.time = day, self._date(day), time
        return booked

    @tool(writes=True)
    def cancel_engineer(self, visit: VisitId) -> Visit:
        """Cancel an engineer visit that is booked."""
        booked = self._open_visit(visit)
        booked.status = "cancelled"
        return booked

    @tool(writes=True)
    def send_outage_texts(self, outage: OutageId, phone: Phone) -> Outage:
        """Send text messages with news of an outage to a mobile phone until it is over."""
        going = find(self.state.outages, outage, "outage")
        if going.status == "over":
            raise ToolError(f"Outage {outage} is over, so there will be no more news of it.")
        if phone in going.texts_to:
            raise ToolError(f"The phone {phone} already gets the news of outage {outage}.")
        going.texts_to = (*going.texts_to, phone)
        return going.model_copy(update={"texts_to": (phone,)})

    @tool(writes=True)
    def report_fault(self, line: LineId, symptoms: Symptoms, since: Since = None) -> Ticket:
        """Report a fault with its symptoms to the network team, who will look into it."""
        self._line_without_outage(line, "the network team already knows")
        if any(t.line == line and t.status == "open" for t in self.state.tickets.values()):
            raise ToolError(f"A fault of line {line} is already reported.")
        first = since or self.state.today
        if first > self.state.today:
            raise ToolError("A fault cannot be reported before it happens.")
        number = next_number(self.state.tickets, "T", 601)
        ticket = Ticket(ticket=number, line=line, symptoms=tuple(symptoms), since=first)
        self.state.tickets[number] = ticket
        return ticket

    @tool(writes=True)
    def send_router(self, line: LineId, model: Model, return_old: ReturnOld, deliver_to: DeliverTo = None) -> Shipment:
        """Send a new router by post to replace an old one."""
        served = find(self.state.lines, line, "line")
        if any(s.line == line for s in self.state.shipments.values()):
            raise ToolError(f"A router for line {line} is already on its way.")
        old = self.state.routers[served.router]
        if old.installed + timedelta(days=730) > self.state.today:
            raise ToolError(f"Router {old.router} is less than two years old, so it cannot be replaced yet.")
        if model == "mesh" and self.state.accounts[served.account].plan not in ("turbo", "giga"):
            raise ToolError("The mesh router comes with the turbo and giga plans only.")
        number = next_number(self.state.shipments, "S", 401)
        shipment = Shipment(
            shipment=number,
            line=line,
            model=model,
            address=deliver_to or served.address,
            return_old=return_old,
            arrives=self.state.today + timedelta(days=2),
        )
        self.state.shipments[number] = shipment
        return shipment

    def _line_without_outage(self, line: str, so: str) -> Line:
        found = find(self.state.lines, line, "line")
        outage = self.state.outage_at(found.address.postcode)
        if outage:
            raise ToolError(f"There is an outage around line {line} until {outage.expected_end}, so {so}.")
        return found

    def _date(self, day: Weekday) -> date:
        """The next day of that name after today."""
        ahead = (get_args(Weekday).index(day) - self.state.today.weekday() - 1) % 7 + 1
        return self.state.today + timedelta(days=ahead)

    def _free(self, day: Weekday, time: TimeOfDay) -> None:
        when = self._date(day)
        booked = [v for v in self.state.visits.values() if (v.date, v.time, v.status) == (when, time, "booked")]
        if len(booked) >= self.state.visits_per_slot:
            raise ToolError(f"All engineers are taken on {day} in the {time}.")

    def _open_visit(self, visit: str) -> Visit:
        found = find(self.state.visits, visit, "visit")
        if found.status != "booked":
            raise ToolError(f"Visit {visit} is {found.status}, so it cannot be changed.")
        if found.date - self.state.today <= timedelta(days=1):
            raise ToolError(f"Visit {visit} is on {found.day}, which is too soon to change it.")
        return found

    def _seen(self, visit: Visit) -> VisitSeen:
        line = self.state.lines[visit.line]
        account = self.state.accounts[line.account]
        return VisitSeen(
            visit=visit.visit,
            line=visit.line,
            time=visit.time,
            account=account.account,
            name=account.name,
            phone=account.phone,
            address=line.address,
        )
