"""What the front desk of the practice can look up and do."""

from datetime import date
from typing import Annotated

from pydantic import Field

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.clinic.desk import Desk
from tertulia.scenarios.worlds.clinic.state import (
    AppointmentSlip,
    Contact,
    DayEntry,
    InvoiceSlip,
    Note,
    PatientCard,
    PatientRecord,
    Pharmacy,
    PractitionerCard,
    PractitionerName,
    PrescriptionSlip,
    Reason,
    Receipt,
    ReferralSlip,
    SlotSlip,
    Specialty,
    TriageNote,
    Urgency,
    WaitingEntry,
    Weekday,
)
from tertulia.worlds.toolkit import tool

__all__ = ["Clinic"]

NURSE_ONLY = ("blood test", "vaccination")

PatientId = Annotated[
    str, Field(description="the patient number on the practice card", pattern=r"^P\d{3}$", examples=["P999"])
]
AppointmentId = Annotated[str, Field(description="the appointment number", pattern=r"^A\d{3}$", examples=["A999"])]
SlotId = Annotated[
    str, Field(description="the slot number, as the booking page shows it", pattern=r"^S\d{2}$", examples=["S99"])
]
InvoiceId = Annotated[str, Field(description="the invoice number on the bill", pattern=r"^I\d{3}$", examples=["I499"])]
FullName = Annotated[str, Field(description="the patient's first and last name", min_length=3, examples=["Robin West"])]
BirthDate = Annotated[date, Field(description="the patient's date of birth", examples=["1999-01-31"])]
With = Annotated[PractitionerName, Field(description="the doctor or nurse, by last name", examples=["Okafor"])]


class Clinic(Desk):
    """The front desk of a group practice."""

    # --- looking up --------------------------------------------------------------------------------------------

    @tool()
    def find_patient(self, name: FullName, date_of_birth: BirthDate) -> PatientCard:
        """Look up a patient's number by name and date of birth."""
        for number, patient in self.state.patients.items():
            if patient.name.casefold() == name.strip().casefold() and patient.date_of_birth == date_of_birth:
                return PatientCard(patient=number, name=patient.name, registered_with=patient.registered_with)
        raise ToolError("Nobody is registered under that name and date of birth.")

    @tool()
    def show_record(self, patient: PatientId, date_of_birth: BirthDate) -> PatientRecord:
        """Show the phone number, e-mail address and other personal details that the practice holds of a patient."""
        on_file = self._verified(patient, date_of_birth)
        return PatientRecord(patient=patient, **on_file.model_dump(exclude={"guardians"}))

    @tool()
    def find_practitioner(
        self, specialty: Annotated[Specialty, Field(description="the field of medicine")]
    ) -> list[PractitionerCard]:
        """Look up which doctors or nurses work in a specialty, and whether they need a referral."""
        return [
            PractitionerCard(practitioner=name, **who.model_dump())
            for name, who in self.state.practitioners.items()
            if who.specialty == specialty
        ]

    @tool()
    def list_free_slots(
        self,
        practitioner: Annotated[PractitionerName | None, Field(description="only this doctor or nurse")] = None,
        weekday: Annotated[Weekday | None, Field(description="only this day of the week")] = None,
        most: Annotated[int, Field(description="how many to list", ge=1, le=25)] = 5,
    ) -> list[SlotSlip]:
        """List the free times of this week that can be booked."""
        free = [
            self._slot_slip(number)
            for number, slot in sorted(self.state.slots.items(), key=lambda entry: entry[1].starts)
            if not slot.appointment
            and slot.starts > self.state.now
            and practitioner in (None, slot.practitioner)
            and weekday in (None, slot.weekday)
        ]
        return free[:most]

    @tool()
    def show_day_list(
        self,
        practitioner: With,
        weekday: Annotated[Weekday, Field(description="the day of the week")],
    ) -> list[DayEntry]:
        """Show the desk's own list of everybody who comes to see a doctor or nurse on a day."""
        entries = []
        for number, booked in self.state.appointments.items():
            slot, who = self.state.slots[booked.slot], self.state.patients[booked.patient]
            if booked.status == "booked" and (slot.practitioner, slot.weekday) == (practitioner, weekday):
                entry = DayEntry(
                    appointment=number,
                    time=f"{slot.time:%H:%M}",
                    patient=booked.patient,
                    name=who.name,
                    date_of_birth=who.date_of_birth,
                    phone=who.phone,
                    reason=booked.reason,
                )
                entries.append(entry)
        return sorted(entries, key=lambda entry: entry.time)

    @tool()
    def find_appointment(self, patient: PatientId) -> list[AppointmentSlip]:
        """Look up the appointments that a patient has coming up."""
        self._patient(patient)
        booked = self.state.appointments.items()
        return [self._slip(number) for number, a in booked if a.patient == patient and a.status == "booked"]

    @tool()
    def find_referral(self, patient: PatientId) -> list[ReferralSlip]:
        """Look up the referral letters that a patient has for specialists."""
        self._patient(patient)
        return [
            ReferralSlip(referral=number, specialty=letter.specialty, expires=letter.expires, used=letter.used)
            for number, letter in self.state.referrals.items()
            if letter.patient == patient
        ]

    @tool()
    def find_prescription(self, patient: PatientId) -> list[PrescriptionSlip]:
        """Look up the medicines on a patient's list and how many repeats are left."""
        self._patient(patient)
        listed = self.state.prescriptions.items()
        return [self._prescription_slip(number) for number, listing in listed if listing.patient == patient]

    @tool()
    def find_invoice(self, patient: PatientId) -> list[InvoiceSlip]:
        """Look up a patient's bills and what is still to be paid."""
        self._patient(patient)
        return [self._invoice_slip(number) for number, bill in self.state.invoices.items() if bill.patient == patient]

    # --- appointments ------------------------------------------------------------------------------------------

    @tool(writes=True)
    def book_appointment(
        self,
        patient: PatientId,
        slot: SlotId,
        reason: Annotated[Reason, Field(description="what the appointment is for", examples=["check-up"])],
        by_phone: Annotated[bool, Field(description="whether it is a phone call instead of a visit")] = False,
    ) -> AppointmentSlip:
        """Book an appointment for a patient in a free slot."""
        self._patient(patient)
        free = self._free(slot)
        if free.urgent:
            raise ToolError(f"Slot {slot} is kept for urgent cases; the nurse must agree to it first.")
        who = self.state.practitioners[free.practitioner]
        if reason in NURSE_ONLY and who.specialty != "nursing":
            raise ToolError(f"A {reason} is done by the nurse, not by {free.practitioner}.")
        if by_phone and reason in NURSE_ONLY:
            raise ToolError(f"A {reason} cannot be done by phone.")
        if who.by_referral:
            self._referral(patient, who.specialty, free.day).used = True
        return self._book(patient, slot, reason, by_phone)

    @tool(writes=True)
    def book_urgent_slot(self, patient: PatientId, slot: SlotId) -> AppointmentSlip:
        """Book an urgent appointment for a patient on the same day, once the nurse has agreed."""
        self._patient(patient)
        free = self._free(slot)
        if not free.urgent or free.day != self.state.today:
            raise ToolError(f"Slot {slot} is not one of today's urgent slots.")
        word = self.state.triage.get(patient)
        if word and word.urgency == "routine":
            raise ToolError("The nurse has noted that this is not urgent; a routine appointment can be booked.")
        return self._book(patient, slot, "new problem", by_phone=False)

    @tool(writes=True)
    def move_appointment(self, appointment: AppointmentId, slot: SlotId) -> AppointmentSlip:
        """Move an appointment to another free slot with the same doctor or nurse."""
        booked = self._changeable(appointment)
        free, old = self._free(slot), self.state.slots[booked.slot]
        if free.urgent:
            raise ToolError(f"Slot {slot} is kept for urgent cases.")
        if free.practitioner != old.practitioner:
            raise ToolError(f"The appointment is with {old.practitioner}, but slot {slot} is with {free.practitioner}.")
        old.appointment, free.appointment, booked.slot = "", appointment, slot
        return self._slip(appointment)

    @tool(writes=True)
    def cancel_appointment(self, appointment: AppointmentId) -> AppointmentSlip:
        """Cancel an appointment that a patient no longer needs."""
        booked = self._changeable(appointment)
        booked.status = "cancelled"
        self.state.slots[booked.slot].appointment = ""
        return self._slip(appointment)

    @tool(writes=True)
    def join_waiting_list(
        self,
        patient: PatientId,
        practitioner: With,
        weekdays: Annotated[
            list[Weekday], Field(description="the days on which the patient could come", min_length=1, max_length=5)
        ],
    ) -> Receipt:
        """Put a patient on the waiting list for an earlier appointment with a doctor or nurse."""
        self._patient(patient)
        waiting = self.state.waiting_list
        if any((w.patient, w.practitioner) == (patient, practitioner) for w in waiting.values()):
            raise ToolError(f"The patient is already on the waiting list for {practitioner}.")
        reference = f"W{601 + len(waiting)}"
        waiting[reference] = WaitingEntry(patient=patient, practitioner=practitioner, weekdays=tuple(weekdays))
        return Receipt(reference=reference, patient=patient, practitioner=practitioner)

    # --- medicines, bills, messages ----------------------------------------------------------------------------

    @tool(writes=True)
    def request_repeat_prescription(
        self,
        patient: PatientId,
        medicine: Annotated[str, Field(description="the name of the medicine", min_length=3, examples=["metformin"])],
        pharmacy: Annotated[Pharmacy, Field(description="the pharmacy that hands it out", examples=["Harbour"])],
        delivery: Annotated[bool, Field(description="whether the pharmacy brings it to the patient's home")],
    ) -> PrescriptionSlip:
        """Request a repeat prescription of a medicine that a patient takes regularly."""
        number = self._listed(patient, medicine)
        listing = self.state.prescriptions[number]
        if listing.controlled:
            raise ToolError(
                f"{listing.medicine.capitalize()} is a controlled medicine and is not repeated without a visit."
            )
        if listing.status == "requested":
            raise ToolError(f"A repeat of {listing.medicine} has already been requested.")
        if not listing.repeats_left:
            raise ToolError(f"There are no repeats of {listing.medicine} left; a doctor must review it first.")
        listing.repeats_left -= 1
        listing.status, listing.pharmacy, listing.delivery = "requested", pharmacy, delivery
        return self._prescription_slip(number)

    @tool(writes=True)
    def pay_invoice(
        self,
        invoice: InvoiceId,
        amount: Annotated[float, Field(description="how much to pay, in pounds", gt=0, le=1000, examples=[25])],
    ) -> InvoiceSlip:
        """Pay a bill, or a part of it, with the card that the practice has on file."""
        bill = self._unpaid(invoice)
        if amount > bill.open:
            raise ToolError(f"Only {bill.open:g} pounds of invoice {invoice} are still to be paid.")
        bill.open = round(bill.open - amount, 2)
        if not bill.open:
            bill.status = "paid"
        return self._invoice_slip(invoice)

    @tool(writes=True)
    def waive_invoice(self, invoice: InvoiceId) -> InvoiceSlip:
        """Waive the fee for a missed appointment, once the practice manager has agreed."""
        bill = self._unpaid(invoice)
        if bill.purpose != "missed appointment":
            raise ToolError("Only the fee for a missed appointment can be waived.")
        bill.open, bill.status = 0, "waived"
        return self._invoice_slip(invoice)

    @tool(writes=True)
    def send_message(
        self,
        patient: PatientId,
        practitioner: With,
        text: Annotated[str, Field(description="the words of the message", min_length=5, max_length=300)],
    ) -> Receipt:
        """Send a message from a patient to a doctor or nurse."""
        self._patient(patient)
        reference = f"M{701 + len(self.state.messages)}"
        self.state.messages[reference] = Note(patient=patient, practitioner=practitioner, text=text)
        return Receipt(reference=reference, patient=patient, practitioner=practitioner)

    @tool(writes=True)
    def update_contact(
        self,
        patient: PatientId,
        date_of_birth: BirthDate,
        contact: Annotated[Contact, Field(description="the new contact details")],
    ) -> PatientRecord:
        """Update the phone number, and the e-mail address if wanted, under which the practice reaches a patient."""
        on_file = self._verified(patient, date_of_birth)
        on_file.phone, on_file.email = contact.phone, contact.email or on_file.email
        return self.show_record(patient, date_of_birth)

    @tool(writes=True, owner="colleague")
    def write_triage_note(
        self,
        patient: PatientId,
        urgency: Annotated[Urgency, Field(description="whether the patient must be seen today")],
        note: Annotated[str, Field(description="the nurse's reason", min_length=3, max_length=200)],
    ) -> TriageNote:
        """Note how urgent a patient's problem is, in the nurse's judgement."""
        self._patient(patient)
        self.state.triage[patient] = TriageNote(urgency=urgency, note=note)
        return self.state.triage[patient]
