"""Tool simulators: what answers a call for which no world and no fixed example has an answer."""
