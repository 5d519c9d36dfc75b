"""The doctor's findings by what they are about."""

CREDENTIALS = {"WD35", "WD36", "WD37", "WD38", "WD39", "WD40", "WD41"}
"""Those on what users enrolled, and on the APIs by which they do."""

COURIERS = {"WD42", "WD43"}
"""Those on what couriers may do, and on what SMS may cost."""

TOKENS = {"WD44", "WD45", "WD46", "WD47"}
"""Those on Pre Token Generation, and on who may read the keys."""
