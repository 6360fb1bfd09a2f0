"""What the practice keeps on file, linked by id, and the slips of it that the desk's tools hand out."""

from datetime import date, datetime, time
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

__all__ = [
    "Appointment",
    "AppointmentSlip",
    "ClinicState",
    "Contact",
    "DayEntry",
    "Invoice",
    "InvoiceSlip",
    "Patient",
    "PatientCard",
    "PatientRecord",
    "Pharmacy",
    "Practitioner",
    "PractitionerCard",
    "PractitionerName",
    "Prescription",
    "PrescriptionSlip",
    "Reason",
    "Receipt",
    "Referral",
    "ReferralSlip",
    "Slot",
    "SlotSlip",
    "Specialty",
    "TriageNote",
    "Urgency",
    "WaitingEntry",
    "Weekday",
]

PractitionerName = Literal["Okafor", "Brennan", "Sato", "Haddad", "Lindqvist"]
Specialty = Literal["general practice", "nursing", "dermatology", "cardiology"]
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday"]
Reason = Literal["check-up", "blood test", "vaccination", "follow-up", "new problem"]
Pharmacy = Literal["Harbour", "Elm Street", "Station"]
Urgency = Literal["urgent", "routine"]

WEEKDAYS: tuple[Weekday, ...] = ("monday", "tuesday", "wednesday", "thursday", "friday")


class Kept(BaseModel):
    """Something on file. Nothing unknown is ever added to it."""

    model_config = ConfigDict(extra="forbid")


# --- the files ---------------------------------------------------------------------------------------------------


class Patient(Kept):
    """A person who is registered with the practice."""

    name: str
    date_of_birth: date
    phone: str
    email: str
    registered_with: PractitionerName
    guardians: tuple[str, ...] = ()  # for a child: the names of those who may speak for it


class Practitioner(Kept):
    """A doctor or nurse who sees patients."""

    specialty: Specialty
    by_referral: bool  # whether only patients with a referral are seen


class Slot(Kept):
    """A time at which a practitioner can see somebody."""

    practitioner: PractitionerName
    day: date
    time: time
    urgent: bool = False  # kept free for cases that the nurse finds urgent
    appointment: str = ""  # who has it; empty: free

    @property
    def starts(self) -> datetime:
        return datetime.combine(self.day, self.time)

    @property
    def weekday(self) -> Weekday:
        return WEEKDAYS[self.day.weekday()]


class Appointment(Kept):
    """A patient's appointment in a slot."""

    patient: str
    slot: str
    reason: Reason
    by_phone: bool = False
    status: Literal["booked", "cancelled"] = "booked"


class Referral(Kept):
    """A letter that sends a patient to a specialty."""

    patient: str
    specialty: Specialty
    written_by: PractitionerName
    expires: date
    used: bool = False


class Prescription(Kept):
    """A medicine that a patient takes regularly."""

    patient: str
    medicine: str
    controlled: bool = False  # never repeated without seeing a doctor
    repeats_left: int = Field(ge=0)
    status: Literal["active", "requested"] = "active"
    pharmacy: Pharmacy | None = None
    delivery: bool = False


class Invoice(Kept):
    """A bill."""

    patient: str
    purpose: str
    amount: float = Field(gt=0)
    open: float = Field(ge=0)  # what is still to be paid
    status: Literal["open", "paid", "waived"] = "open"


class WaitingEntry(Kept):
    """A patient's place on a practitioner's waiting list."""

    patient: str
    practitioner: PractitionerName
    weekdays: tuple[Weekday, ...]


class Note(Kept):
    """A message that lies in a practitioner's tray."""

    patient: str
    practitioner: PractitionerName
    text: str


class TriageNote(Kept):
    """The nurse's word on how urgent a patient's problem is today."""

    urgency: Urgency
    note: str


class ClinicState(Kept):
    """The practice's books."""

    today: date
    clock: time
    patients: dict[str, Patient]
    practitioners: dict[PractitionerName, Practitioner]
    slots: dict[str, Slot]
    appointments: dict[str, Appointment]
    referrals: dict[str, Referral]
    prescriptions: dict[str, Prescription]
    invoices: dict[str, Invoice]
    waiting_list: dict[str, WaitingEntry] = {}
    messages: dict[str, Note] = {}
    triage: dict[str, TriageNote] = {}

    @property
    def now(self) -> datetime:
        return datetime.combine(self.today, self.clock)


# --- what tools take and return ----------------------------------------------------------------------------------


class Contact(Kept):
    """How to reach a patient."""

    phone: str = Field(
        description="the new phone number, with the country code",
        pattern=r"^\+\d[\d ]{6,17}$",
        examples=["+44 7700 900112"],
    )
    email: str | None = Field(None, description="the new e-mail address", examples=["robin@example.org"])


class PatientCard(Kept):
    """Who a patient is, without anything private."""

    patient: str = Field(description="the patient number")
    name: str
    registered_with: PractitionerName


class PatientRecord(PatientCard):
    """A patient's own details."""

    date_of_birth: date
    phone: str
    email: str


class PractitionerCard(Practitioner):
    """A doctor or nurse, with the name that patients ask for."""

    practitioner: PractitionerName


class SlotSlip(Kept):
    """A time that can be booked."""

    slot: str = Field(description="the slot number")
    practitioner: PractitionerName
    weekday: Weekday
    day: date
    time: str = Field(description="hours and minutes, such as 09:20")


class AppointmentSlip(Kept):
    """An appointment, as it is printed for the patient."""

    appointment: str = Field(description="the appointment number")
    practitioner: PractitionerName
    weekday: Weekday
    day: date
    time: str = Field(description="hours and minutes, such as 09:20")
    slot: str = Field(description="the slot number")
    reason: Reason
    by_phone: bool
    status: Literal["booked", "cancelled"]


class DayEntry(Kept):
    """A line of a practitioner's day list; for the desk's eyes only."""

    appointment: str
    time: str
    patient: str
    name: str
    date_of_birth: date
    phone: str
    reason: Reason


class PrescriptionSlip(Kept):
    """A medicine on a patient's list."""

    prescription: str = Field(description="the prescription number")
    medicine: str
    controlled: bool
    repeats_left: int
    status: Literal["active", "requested"]
    pharmacy: Pharmacy | None = None
    delivery: bool = False


class InvoiceSlip(Kept):
    """A bill and what has become of it."""

    invoice: str = Field(description="the invoice number")
    purpose: str
    open: float = Field(description="what is still to be paid, in pounds")
    status: Literal["open", "paid", "waived"]


class ReferralSlip(Kept):
    """A referral letter on file."""

    referral: str = Field(description="the referral number")
    specialty: Specialty
    expires: date
    used: bool


class Receipt(Kept):
    """The number under which something was put on file."""

    reference: str
    patient: str
    practitioner: PractitionerName
