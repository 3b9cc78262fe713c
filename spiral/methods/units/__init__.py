"""Removing whole hidden units."""
