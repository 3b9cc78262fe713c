"""The interactive page: networks to look at, edit and train."""
