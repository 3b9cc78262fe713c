"""Side studies, each with its measurements, figure and text."""
