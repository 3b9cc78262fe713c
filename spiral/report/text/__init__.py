"""From numbers to tables and sentences, for people and as JSON."""
