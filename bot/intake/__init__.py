"""What clients want of the plan: new stops, other windows, cancellations; judged, entered into a platform, answered."""
