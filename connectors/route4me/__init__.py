"""Route4Me: v4 for routes, stops, notes and orders, v5 for what v4 lacks."""
