"""The broadband world: technical and account support of a small internet provider."""

from datetime import date
from typing import Annotated, Literal

from pydantic import BaseModel, Field

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.broadband.home import AtHome
from tertulia.scenarios.worlds.broadband.network import NetworkDesk
from tertulia.scenarios.worlds.broadband.state import Address, Invoice, Plan, PlanName, find
from tertulia.worlds.toolkit import tool

AccountId = Annotated[
    str, Field(description="the number of the customer's account", pattern=r"^A\d{3}$", examples=["A999"])
]
Email = Annotated[
    str,
    Field(
        description="the email address of the customer",
        pattern=r"^[^@\s]+@[^@\s]+\.[a-z]+$",
        examples=["robin.west@mail.example"],
    ),
]
PlanWanted = Annotated[PlanName, Field(description="the plan that the customer wants")]
Starts = Annotated[date | None, Field(description="the first day of the new plan; today when left out")]
Amount = Annotated[float, Field(description="how much money to give back, in pounds", ge=1, le=100, examples=[15])]
Reason = Annotated[
    Literal["outage", "slow speed", "missed visit", "billing mistake"], Field(description="why the money is given back")
]

CREDIT_WITHOUT_SUPERVISOR = 25
CREDIT_IN_TOTAL = 100


class AccountFound(BaseModel):
    """Whose account it is and which line is its main one."""

    account: str
    name: str
    line: str
    plan: PlanName


class AccountShown(AccountFound):
    """An account with the customer's private details."""

    email: str
    phone: str
    address: Address
    minimum_term_until: date
    credit: float


class PlanChanged(BaseModel):
    """The plan an account has now."""

    account: str
    plan: PlanName
    monthly_price: float
    starts: date


class CreditGiven(BaseModel):
    """Money that comes off the next invoice."""

    account: str
    amount: float
    reason: str
    credit: float


class CreditApproved(BaseModel):
    """The highest credit that an agent may give on an account."""

    account: str
    amount: float


class Broadband(NetworkDesk, AtHome):
    """Accounts and money; the technical tools come from `NetworkDesk`, the customer's own from `AtHome`."""

    @tool()
    def find_account(self, email: Email) -> AccountFound:
        """Find a customer's account and line by the email address."""
        for account in self.state.accounts.values():
            if account.email == email.lower():
                return AccountFound(account=account.account, name=account.name, line=account.line, plan=account.plan)
        raise ToolError(f"No account has the email address {email}.")

    @tool()
    def show_account(self, account: AccountId) -> AccountShown:
        """Show the details of an account: its plan, its minimum term and its credit."""
        found = find(self.state.accounts, account, "account")
        return AccountShown.model_validate(found.model_dump(include=set(AccountShown.model_fields)))

    @tool()
    def list_invoices(self, account: AccountId) -> list[Invoice]:
        """List the invoices of an account and say which are paid."""
        find(self.state.accounts, account, "account")
        return [invoice for invoice in self.state.invoices.values() if invoice.account == account]

    @tool()
    def list_plans(self) -> list[Plan]:
        """List the plans on offer with their speeds and prices."""
        return list(self.state.plans.values())

    @tool(writes=True)
    def change_plan(self, account: AccountId, plan: PlanWanted, starts: Starts = None) -> PlanChanged:
        """Change the plan of an account to another one."""
        found = find(self.state.accounts, account, "account")
        first = starts or self.state.today
        wanted = self.state.plans[plan]
        if first < self.state.today:
            raise ToolError("A plan cannot start in the past.")
        if found.plan == plan:
            raise ToolError(f"Account {account} already has the {plan} plan.")
        if found.minimum_term_until > first:
            raise ToolError(f"Account {account} is in its minimum term until {found.minimum_term_until}.")
        if any(i.account == account and i.status == "overdue" for i in self.state.invoices.values()):
            raise ToolError(f"Account {account} has an overdue invoice, which must be paid before the plan is changed.")
        if wanted.mbit > self.state.lines[found.line].most_mbit:
            raise ToolError(f"Line {found.line} is too slow for the {plan} plan.")
        found.plan = plan
        return PlanChanged(account=account, plan=plan, monthly_price=wanted.monthly_price, starts=first)

    @tool(writes=True)
    def issue_credit(self, account: AccountId, amount: Amount, reason: Reason) -> CreditGiven:
        """Give a customer money back as a credit on the next invoice."""
        found = find(self.state.accounts, account, "account")
        if amount > max(CREDIT_WITHOUT_SUPERVISOR, found.credit_approved):
            raise ToolError(f"A supervisor has not put a credit of {amount:g} pounds on record for account {account}.")
        if found.credit + amount > CREDIT_IN_TOTAL:
            raise ToolError(f"Account {account} may not hold more than {CREDIT_IN_TOTAL} pounds of credit.")
        area = found.address.postcode.split(" ")[0]
        if reason == "outage" and not any(
            o.area == area and o.status != "planned" for o in self.state.outages.values()
        ):
            raise ToolError(f"There was no outage around account {account}.")
        found.credit += amount
        return CreditGiven(account=account, amount=amount, reason=reason, credit=found.credit)

    @tool(writes=True, owner="colleague")
    def approve_credit(self, account: AccountId, amount: Amount) -> CreditApproved:
        """Put on record that an agent may give a credit of up to this amount on an account."""
        found = find(self.state.accounts, account, "account")
        found.credit_approved = amount
        return CreditApproved(account=account, amount=amount)
