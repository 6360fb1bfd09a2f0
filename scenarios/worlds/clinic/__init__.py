"""The front desk of a group practice: appointments, referrals, repeat prescriptions, bills and messages."""
