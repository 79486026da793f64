"""Calendar feeds (iCalendar, RFC 5545): who is on call, as a calendar says it."""
