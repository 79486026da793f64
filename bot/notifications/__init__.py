"""What recipients are told before they ask: the right thing, at the right moment, once."""
