"""The rules of the house that no tool gets around, and the slips of paper that the desk hands out."""

from datetime import date, timedelta

from tertulia.errors import ToolError
from tertulia.scenarios.worlds.clinic.state import (
    Appointment,
    AppointmentSlip,
    ClinicState,
    Invoice,
    InvoiceSlip,
    Patient,
    PrescriptionSlip,
    Reason,
    Referral,
    Slot,
    SlotSlip,
    Specialty,
)
from tertulia.worlds.toolkit import Toolkit

__all__ = ["Desk"]

NOTICE = timedelta(hours=24)


class Desk(Toolkit):
    """What every tool of the front desk stands on."""

    state: ClinicState

    # --- the rules ---------------------------------------------------------------------------------------------

    def _patient(self, patient: str) -> Patient:
        if patient not in self.state.patients:
            raise ToolError(f"Nobody is registered under the number {patient}.")
        return self.state.patients[patient]

    def _verified(self, patient: str, date_of_birth: date) -> Patient:
        on_file = self._patient(patient)
        if on_file.date_of_birth != date_of_birth:
            raise ToolError("The date of birth does not match the one on file for that patient.")
        return on_file

    def _free(self, slot: str) -> Slot:
        found = self.state.slots.get(slot)
        if found is None:
            raise ToolError(f"There is no slot {slot} this week.")
        if found.appointment:
            raise ToolError(f"Slot {slot} is already taken.")
        if found.starts <= self.state.now:
            raise ToolError(f"Slot {slot} is in the past.")
        return found

    def _changeable(self, appointment: str) -> Appointment:
        booked = self.state.appointments.get(appointment)
        if booked is None:
            raise ToolError(f"There is no appointment {appointment}.")
        if booked.status == "cancelled":
            raise ToolError(f"Appointment {appointment} has already been cancelled.")
        if self.state.slots[booked.slot].starts - self.state.now < NOTICE:
            raise ToolError(f"Appointment {appointment} is less than 24 hours away and can no longer be changed.")
        return booked

    def _referral(self, patient: str, specialty: Specialty, day: date) -> Referral:
        for letter in self.state.referrals.values():
            if (letter.patient, letter.specialty) == (patient, specialty) and not letter.used and letter.expires >= day:
                return letter
        raise ToolError(f"The patient has no valid referral for {specialty}; a general practitioner must write one.")

    def _listed(self, patient: str, medicine: str) -> str:
        self._patient(patient)
        for number, listing in self.state.prescriptions.items():
            if listing.patient == patient and listing.medicine == medicine.strip().lower():
                return number
        raise ToolError(f"{medicine} is not on this patient's list of regular medicines.")

    def _unpaid(self, invoice: str) -> Invoice:
        bill = self.state.invoices.get(invoice)
        if bill is None:
            raise ToolError(f"There is no invoice {invoice}.")
        if bill.status != "open":
            raise ToolError(f"Invoice {invoice} has already been {bill.status}.")
        return bill

    # --- what is handed out ------------------------------------------------------------------------------------

    def _book(self, patient: str, slot: str, reason: Reason, by_phone: bool) -> AppointmentSlip:
        number = f"A{201 + len(self.state.appointments)}"
        booked = Appointment(patient=patient, slot=slot, reason=reason, by_phone=by_phone)
        self.state.appointments[number] = booked
        self.state.slots[slot].appointment = number
        return self._slip(number)

    def _slip(self, appointment: str) -> AppointmentSlip:
        booked = self.state.appointments[appointment]
        kept = booked.model_dump(include={"reason", "by_phone", "status"})
        return AppointmentSlip(appointment=appointment, **self._slot_slip(booked.slot).model_dump(), **kept)

    def _slot_slip(self, number: str) -> SlotSlip:
        slot = self.state.slots[number]
        return SlotSlip(
            slot=number,
            practitioner=slot.practitioner,
            weekday=slot.weekday,
            day=slot.day,
            time=f"{slot.time:%H:%M}",
        )

    def _prescription_slip(self, number: str) -> PrescriptionSlip:
        listing = self.state.prescriptions[number]
        return PrescriptionSlip(prescription=number, **listing.model_dump(exclude={"patient"}))

    def _invoice_slip(self, number: str) -> InvoiceSlip:
        bill = self.state.invoices[number]
        return InvoiceSlip(invoice=number, **bill.model_dump(include={"purpose", "open", "status"}))
