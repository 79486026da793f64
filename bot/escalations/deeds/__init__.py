"""What dispatchers do about an escalation beyond taking it: one deed per module.

A deed by somebody who does not hold it: nobody else's, it is taken for them first (they work on it); held by another,
it is done all the same, people cover for each other, and the holder stays. Only what would take it away from its
holder (snooze, hand over) is left to the holder. Merging, noise and resolving end it, whoever holds it.
"""
