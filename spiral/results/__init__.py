"""Result files: columns, reading and writing, conditions, summaries, provenance."""
