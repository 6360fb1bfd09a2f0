"""A small internet provider: its customers, lines, routers, invoices, engineer visits and outages."""
