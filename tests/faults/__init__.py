"""A campaign of faults: two gateways and their surroundings are broken in every way; a checker reads what is left."""
