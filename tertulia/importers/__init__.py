"""Importers: one module per format, looked up by name (see `tertulia.importing`)."""
