"""Grid files: YAML to a table of configs; every mistake is reported with its place."""
