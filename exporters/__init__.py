"""Exporters write one format each."""
