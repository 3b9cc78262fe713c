"""From numbers to figures; ``catalogue`` lists them all."""
