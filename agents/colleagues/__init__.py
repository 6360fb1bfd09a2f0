"""Colleagues: further parties whose word an assistant may need."""
