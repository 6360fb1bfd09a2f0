"""The parcels world: the customer service of a parcel carrier, its tools, records, policy and scenarios."""
