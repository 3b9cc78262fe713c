"""What methods are composed of: scores, allocations, schedules, selection rules."""
